"""What a STAC item says of a Sentinel-2 scene, checked: catalogues are written by others.

Scenes of one pass of a satellite, which the catalogue cuts into the squares of a grid, are one look at a tile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from .base import SourcePermanent

NO_DATA = 0
# Of the scene classification, counted from 0.
SCL_CLASSES = 12
SCALE = 0.0001
# From processing baseline 04.00 on (January 2022), digital numbers are 1000 higher than they were.
SHIFT = -1000.0
SHIFTED_SINCE = (4, 0)
ROLES = ("red", "green", "blue", "nir", "scl")
# As Earth Search names them, as most others do, and as the Copernicus Data Space does.
ASSETS: dict[str, list[str]] = {
    "red": ["red", "B04", "B04_10m"],
    "green": ["green", "B03", "B03_10m"],
    "blue": ["blue", "B02", "B02_10m"],
    "nir": ["nir", "B08", "B08_10m"],
    "scl": ["scl", "SCL", "SCL_20m"],
}


@dataclass(frozen=True)
class Asset:
    """One file of a scene. value * scale + offset is reflectance."""

    url: str
    what: str
    scale: float
    offset: float


@dataclass(frozen=True)
class Scene:
    """One item. cloud: percent, None where it does not say; look: what its siblings of one pass have in common."""

    id: str
    datetime: str
    cloud: float | None
    bbox: tuple[float, float, float, float]
    look: str
    assets: Mapping[str, Asset]


@dataclass(frozen=True)
class Look:
    """The scenes of one pass. cloud: the mean of theirs, percent."""

    scenes: Sequence[Scene]
    cloud: float
    key: str


def looks_of(scenes: Iterable[Scene]) -> list[Look]:
    """The passes that scenes belong to, the least cloudy first; ties by time and name, so that the order is fixed."""
    together: dict[str, list[Scene]] = {}
    for scene in sorted(scenes, key=lambda scene: scene.id):
        together.setdefault(scene.look, []).append(scene)
    looks = [
        Look(members, sum(_cloud(scene) for scene in members) / len(members), key) for key, members in together.items()
    ]
    return sorted(looks, key=lambda look: (look.cloud, look.key))


def scene_of(item: Mapping[str, Any], names: Mapping[str, Sequence[str]]) -> Scene:
    """Read an item. names: for every role the names that its asset may have, the first that is there is taken.

    Raises SourcePermanent for an item that lacks an asset or does not say what every item must say.
    """
    try:
        name = str(item["id"])[:200]
        properties = item["properties"]
        taken = str(properties.get("datetime") or properties["start_datetime"])
        when = datetime.fromisoformat(taken)
        cloud = properties.get("eo:cloud_cover")
        assets = {role: _asset(item, name, role, choice) for role, choice in names.items()}
        return Scene(
            id=name,
            datetime=taken,
            cloud=None if cloud is None else float(cloud),
            bbox=_bbox(item["bbox"]),
            look=_look(properties, when),
            assets=assets,
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise SourcePermanent("The catalogue describes a scene in a way that cannot be read.") from error


def _cloud(scene: Scene) -> float:
    return 100.0 if scene.cloud is None else scene.cloud


def _look(properties: Mapping[str, Any], when: datetime) -> str:
    pass_name = properties.get("s2:datatake_id") or f"{properties.get('platform', '')} {when.date()}"
    return f"{when.date()} {pass_name}"


def _bbox(numbers: Sequence[float]) -> tuple[float, float, float, float]:
    """West, south, east, north; a box of six numbers has heights, too. Across the antimeridian east exceeds 180."""
    half = len(numbers) // 2
    west, south, east, north = (float(numbers[place]) for place in (0, 1, half, half + 1))
    return west, south, east + 360 if east < west else east, north


def _asset(item: Mapping[str, Any], name: str, role: str, choice: Sequence[str]) -> Asset:
    there = item["assets"]
    key = next((one for one in choice if one in there), None)
    if key is None:
        raise SourcePermanent(f"Scene {name} has no asset {' or '.join(choice)}. Name another one for {role}.")
    asset = there[key]
    # Classes are not scaled.
    scale, offset = (1.0, 0.0) if role == "scl" else _scaling(asset, item["properties"])
    return Asset(urljoin(_own_address(item), str(asset["href"])), f"{key} of scene {name}", scale, offset)


def _own_address(item: Mapping[str, Any]) -> str:
    links = item.get("links") or []
    return next((str(link["href"]) for link in links if link.get("rel") == "self"), "")


def _scaling(asset: Mapping[str, Any], properties: Mapping[str, Any]) -> tuple[float, float]:
    """Scale and offset that turn an asset's numbers into reflectance.

    An item whose `boa_offset_applied` is true holds numbers that were shifted back already, whatever else it
    declares. Else what the raster extension says counts, in its form of STAC 1.0 or 1.1, and then the baseline.
    An offset of 1 or more is meant in digital numbers (-1000), a smaller one in reflectance (-0.1).
    """
    said_scale, said_offset = (_said(asset, what) for what in ("scale", "offset"))
    scale = SCALE if said_scale is None else float(said_scale)
    if any(key.endswith(":boa_offset_applied") and value is True for key, value in properties.items()):
        return scale, 0.0
    if said_scale is None and said_offset is None:
        said_offset = SHIFT if _is_shifted(properties) else 0.0
    offset = float(said_offset or 0.0)
    return scale, offset * scale if abs(offset) >= 1 else offset


def _said(asset: Mapping[str, Any], what: str) -> Any:
    old, new = ((asset.get(key) or [{}])[0] for key in ("raster:bands", "bands"))
    for value in (old.get(what), asset.get(f"raster:{what}"), new.get(f"raster:{what}")):
        if value is not None:
            return value
    return None


def _is_shifted(properties: Mapping[str, Any]) -> bool:
    baseline = next((value for key, value in properties.items() if key.endswith(":processing_baseline")), None)
    if baseline is None:
        raise SourcePermanent("The catalogue says neither how a scene's numbers are scaled nor how it was processed.")
    major, _, minor = str(baseline).partition(".")
    return (int(major), int(minor or 0)) >= SHIFTED_SINCE
