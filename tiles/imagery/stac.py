"""Imagery from a STAC API: Sentinel-2 L2A scenes, read range by range, without clouds, put together to one picture.

The scenes of one pass of the satellite are one look. Looks are taken from the least cloudy on until there are as
many as the recipe wants and every pixel was clear once. What is cloud is said by the scene classification (SCL).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime
from typing import Any, Self

import numpy as np
import rasterio
from django.conf import settings

from tiles.core.errors import BadInput
from tiles.raster.arrays import BoolArray, FloatArray, NumberArray
from tiles.raster.composite import first_clear, median_of_clear
from tiles.raster.grid import Grid
from tiles.raster.reading import SAFE_ENV

from .base import Imagery, NoImagery, SourceError, wrong_part
from .blame import blamed
from .catalogue import NoCollection
from .looks import LookReader
from .raster import boxes_touch
from .scenes import ASSETS, NO_DATA, ROLES, SCL_CLASSES, Look, looks_of, scene_of
from .web import Away, NotConfigured, Refused, Web, require_configured

KIND = "stac"
COLLECTION = "sentinel-2-l2a"
SATELLITE, NATIVE_GSD = "Sentinel-2", 10.0
MEDIAN, LEAST_CLOUDY = "median", "least_cloudy"
COMPOSITES = (MEDIAN, LEAST_CLOUDY)
# No data, saturated, cloud shadow, cloud of medium and of high probability, thin cirrus. Snow (11) is kept: it is
# ground, and in mountains half of the year's picture. So are dark areas (2), which are slopes in shade as a rule.
MASK = (0, 1, 3, 8, 9, 10)
LOOKS, MOST_LOOKS = 12, 24
DEFAULTS: dict[str, Any] = {
    "collection": COLLECTION,
    "start": None,
    "end": None,
    "cloud_limit": 20.0,
    "composite": MEDIAN,
    "scenes": LOOKS,
    "mask": list(MASK),
    "assets": ASSETS,
}
# A tile takes many requests, one after the other: so its chunks are short.
TILES_A_CHUNK = 2
# A strip of all looks in memory: bytes.
STRIP_BYTES = 64 * 2**20


def survey(url: str, asked: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The spec of a STAC source, checked against the API itself.

    asked: what of DEFAULTS is to be otherwise, None for what is not; before: the spec of an earlier build, which
    stands where nothing is asked. Raises BadInput.
    """
    unknown = sorted(set(asked) - set(DEFAULTS))
    if unknown:
        raise BadInput(f"A STAC source has no option {unknown[0]}.")
    chosen = {name: before.get(name, default) for name, default in DEFAULTS.items()}
    given = {name: value for name, value in asked.items() if value is not None}
    chosen |= given
    chosen["assets"] = _assets_chosen(before.get("assets", ASSETS), given.get("assets", {}))
    chosen["mask"] = sorted({NO_DATA, *chosen["mask"]})
    _require_sense(chosen)
    url = url.rstrip("/")
    with _web() as web:
        try:
            require_configured(url, web.hosts)
            web.begin()
            bounds = _catalogue(url, web).bounds(chosen["collection"])
        except NoCollection as error:
            raise wrong_part("collection", str(error)) from error
        except SourceError as error:
            raise wrong_part("url", str(error)) from error
    return {
        "kind": KIND,
        "url": url,
        **chosen,
        "bounds": bounds,
        "gsd": NATIVE_GSD,
        "satellite": SATELLITE,
        "tiles_a_chunk": TILES_A_CHUNK,
    }


def place(spec: Mapping[str, Any]) -> str:
    return str(spec["url"])


def source(spec: Mapping[str, Any]) -> StacSource:
    return StacSource(spec)


def reaches(spec: Mapping[str, Any], bounds: Sequence[float]) -> bool:
    return any(boxes_touch(box, bounds) for box in spec["bounds"])


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Why `new` may give other pixels than `old`, as a clause, or nothing."""
    words = {
        "url": "the catalogue",
        "collection": "the collection",
        "start": "the first day",
        "end": "the last day",
        "cloud_limit": "the cloud limit",
        "composite": "the composite",
        "scenes": "the number of scenes",
        "mask": "the mask",
        "assets": "the naming of the assets",
    }
    for name, word in words.items():
        if old[name] != new[name]:
            return f"{word} was {_shown(old[name])} and not {_shown(new[name])}"
    return ""


def with_checksums(
    spec: Mapping[str, Any], _known: Mapping[str, Any] | None, _beat: Callable[[], None]
) -> dict[str, Any]:
    """The spec as it is: a catalogue has no checksum. Every tile says which scenes it was made of."""
    return dict(spec)


class StacSource:
    """Makes the picture of a grid out of the scenes that a catalogue has of it."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._spec = spec
        self._web = _web()
        self._catalogue: Any = None
        self._environment = rasterio.Env(**SAFE_ENV)

    def __enter__(self) -> Self:
        self._environment.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._web.close()
        self._environment.__exit__(None, None, None)

    def fetch(self, grid: Grid, beat: Callable[[], None] = lambda: None) -> Imagery:
        """Surface reflectance on `grid`, float32: bands resampled bilinearly, classes by the nearest.

        Raises NoImagery when there is no scene, or none that is clear anywhere; SourceRetryable, SourcePermanent;
        SourceClosed when the catalogue or the server of its files lets nobody in, is away, or is not configured.
        """
        self._web.begin(beat)
        looks: list[Look] = []
        try:
            looks = self._looks(grid)
            chosen, pixels, seen = self._read(looks, grid)
        except (Refused, NotConfigured, Away) as trouble:
            scenes = [scene for look in looks for scene in look.scenes]
            raise blamed(trouble, scenes, self._web, self._api_answers) from trouble.__cause__
        valid = seen > 0
        if not valid.any():
            raise NoImagery(
                f"{len(looks)} passes of the satellite show this tile, and none is free of clouds anywhere."
            )
        return Imagery(
            rgb=np.ascontiguousarray(np.moveaxis(pixels[:3], 0, 2)),
            nir=pixels[3] if len(pixels) > 3 else None,
            valid=valid,
            scale=1.0,
            offset=0.0,
            clear_observations=seen,
            provenance=self._provenance(chosen, seen),
        )

    def _read(self, looks: Sequence[Look], grid: Grid) -> tuple[list[tuple[Look, BoolArray]], FloatArray, NumberArray]:
        """The looks that are used, (B, H, W) reflectance and (H, W) uint16 number of clear looks."""
        with ExitStack() as stack:
            reader = LookReader(self._web, grid, stack, [role for role in ROLES[:4] if role in self._spec["assets"]])
            chosen = self._choose(looks, reader, grid)
            return chosen, *self._composed(chosen, reader, grid)

    def _api_answers(self) -> bool:
        spec = self._spec
        return bool(self._catalogue.answers(collection=spec["collection"], start=spec["start"], end=spec["end"]))

    def _looks(self, grid: Grid) -> list[Look]:
        spec = self._spec
        west, south, east, north = grid.bounds_lonlat()
        if self._catalogue is None:
            self._catalogue = _catalogue(spec["url"], self._web)
        items = self._catalogue.search(
            collection=spec["collection"],
            # Across the antimeridian the box of a search has its east left of its west.
            box=(_turned(west), south, _turned(east), north),
            start=spec["start"],
            end=spec["end"],
            cloud_limit=spec["cloud_limit"],
        )
        scenes = {scene.id: scene for scene in (scene_of(item, spec["assets"]) for item in items)}
        fit = [
            scene
            for scene in scenes.values()
            if (100.0 if scene.cloud is None else scene.cloud) <= spec["cloud_limit"]
            and boxes_touch(scene.bbox, (west, south, east, north))
            and spec["start"] <= scene.datetime[:10] <= spec["end"]
        ]
        if not fit:
            raise NoImagery(
                f"The catalogue has no scene of {spec['collection']} here from {spec['start']} to {spec['end']} "
                f"with at most {spec['cloud_limit']:g} % of cloud."
            )
        return looks_of(fit)

    def _choose(self, looks: Sequence[Look], reader: LookReader, grid: Grid) -> list[tuple[Look, BoolArray]]:
        """The looks to use, with where each is clear by its classes; reads no more of them than it takes."""
        enough = 1 if self._spec["composite"] == LEAST_CLOUDY else self._spec["scenes"]
        seen: BoolArray = np.zeros((grid.height, grid.width), bool)
        chosen: list[tuple[Look, BoolArray]] = []
        for look in looks:
            if len(chosen) >= MOST_LOOKS or (len(chosen) >= enough and seen.all()):
                break
            clear = ~np.isin(reader.classes(look), self._spec["mask"])
            if clear.any():
                chosen.append((look, clear))
                seen |= clear
        return chosen

    def _composed(
        self, chosen: Sequence[tuple[Look, BoolArray]], reader: LookReader, grid: Grid
    ) -> tuple[FloatArray, NumberArray]:
        """(B, H, W) reflectance and (H, W) uint16 number of clear looks, strip by strip to bound the memory."""
        compose = first_clear if self._spec["composite"] == LEAST_CLOUDY else median_of_clear
        bands = len(reader.bands)
        pixels = np.zeros((bands, grid.height, grid.width), np.float32)
        seen = np.zeros((grid.height, grid.width), np.uint16)
        rows = max(STRIP_BYTES // (4 * bands * grid.width * max(len(chosen), 1)), 1)
        for start in range(0, grid.height if chosen else 0, rows):
            part = slice(start, min(start + rows, grid.height))
            values = np.empty((len(chosen), bands, part.stop - start, grid.width), np.float32)
            clear = np.empty((len(chosen), part.stop - start, grid.width), bool)
            for number, (look, free) in enumerate(chosen):
                values[number], there = reader.reflectance(look, part)
                clear[number] = free[part] & there
            pixels[:, part] = compose(values, clear)
            seen[part] = clear.sum(axis=0)
        return pixels, seen

    def _provenance(self, chosen: Sequence[tuple[Look, BoolArray]], seen: NumberArray) -> dict[str, Any]:
        spec = self._spec
        scenes = [scene for look, _clear in chosen for scene in look.scenes]
        return {
            "source": KIND,
            "endpoint": spec["url"],
            "collection": spec["collection"],
            "from": spec["start"],
            "to": spec["end"],
            "cloud_limit": spec["cloud_limit"],
            "composite": spec["composite"],
            "mask": spec["mask"],
            "scenes": [{"id": scene.id, "datetime": scene.datetime, "cloud": scene.cloud} for scene in scenes],
            "looks": len(chosen),
            "clear_observations": {"min": int(seen.min()), "mean": round(float(seen.mean()), 3)},
            "resampling": "bilinear",
            "native_gsd": spec["gsd"],
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
        }


def _web() -> Web:
    return Web(settings.DEMETER_STAC_HOSTS, seconds=settings.DEMETER_STAC_SECONDS)


def _catalogue(url: str, web: Web) -> Any:
    # Imported when it is used: pystac-client takes a quarter of a second, which no page needs to wait for.
    from .catalogue import Catalogue

    return Catalogue(url, web)


def _turned(longitude: float) -> float:
    return longitude if -180 <= longitude <= 180 else (longitude + 180) % 360 - 180


def _assets_chosen(before: Mapping[str, Sequence[str]], given: Mapping[str, str]) -> dict[str, list[str]]:
    """The names of the assets by role. An empty name for near infrared does without it."""
    wrong = sorted(set(given) - set(ROLES))
    if wrong:
        raise wrong_part("assets", f"There is no asset for {wrong[0]}: name them for {', '.join(ROLES)}.")
    chosen = {role: list(names) for role, names in before.items()}
    for role, name in given.items():
        chosen[role] = [name]
        if not name and role != "nir":
            raise wrong_part("assets", f"The asset for {role} cannot be left out.")
    return {role: chosen[role] for role in ROLES if chosen.get(role, [""]) != [""]}


def _require_sense(chosen: Mapping[str, Any]) -> None:
    """Raise BadInput for what makes no sense."""
    for name, word in (("start", "--start"), ("end", "--end")):
        if not chosen[name]:
            raise wrong_part(name, f"Say which days of the catalogue are meant: {word} is missing.")
        try:
            date.fromisoformat(chosen[name])
        except ValueError as error:
            raise wrong_part(name, f"{chosen[name]} is not a day. Give it as 2021-07-31.") from error
    if chosen["end"] < chosen["start"]:
        raise wrong_part("end", f"The days cannot end before they begin: {chosen['start']} is after {chosen['end']}.")
    if not 0 <= chosen["cloud_limit"] <= 100:
        raise wrong_part("cloud_limit", "The cloud limit is a percentage: choose it between 0 and 100.")
    if chosen["composite"] not in COMPOSITES:
        raise wrong_part("composite", f"The composite must be one of: {', '.join(COMPOSITES)}.")
    if not 1 <= chosen["scenes"] <= MOST_LOOKS:
        raise wrong_part("scenes", f"A median is made of 1 to {MOST_LOOKS} scenes.")
    if not all(0 <= value < SCL_CLASSES for value in chosen["mask"]):
        raise wrong_part("mask", f"The classes of the mask are numbers from 0 to {SCL_CLASSES - 1}.")


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{role} {'/'.join(names)}" for role, names in value.items())
    return ",".join(str(part) for part in value) if isinstance(value, list) else str(value)
