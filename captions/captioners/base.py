"""What every captioner is given and what it answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from tiles.models import TilePair


@dataclass(frozen=True)
class TileFacts:
    """What was measured of a tile, and what its area says of it. None or "" where nothing is known.

    Heights and relief in metres, slope in degrees, shares 0..1, gsd in metres a pixel. brightness, contrast,
    saturation, greenness, ndvi and vegetation (of the dry land) were measured on the imagery before any stretch.
    """

    area: str
    index: int
    modality: str = "rgb"
    satellite: str = ""
    scene: str = ""
    category: str = ""
    gsd: float | None = None
    landform: str = ""
    landform_shares: dict[str, float] = field(default_factory=dict)
    dem_min: float | None = None
    dem_max: float | None = None
    relief: float | None = None
    slope: float | None = None
    water_share: float | None = None
    void_share: float | None = None
    brightness: float | None = None
    contrast: float | None = None
    saturation: float | None = None
    greenness: float | None = None
    ndvi: float | None = None
    vegetation: float | None = None

    def known(self) -> dict[str, Any]:
        """The facts that are known, for a provenance: JSON types only."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "", {})}


@dataclass(frozen=True)
class CaptionAnswer:
    """What a captioner says of one tile.

    terms: words of the RS3DBench vocabulary (plain, ocean, hill, mountain ...). confidence: 0..1, None where the
    captioner has no measure of it. provenance: backend, its version, model, prompt, raw answer, facts used.
    """

    description: str
    terms: tuple[str, ...] = ()
    category: str = ""
    weather: str = ""
    confidence: float | None = None
    provenance: dict[str, Any] = field(default_factory=dict)

    def components(self) -> dict[str, Any]:
        """What a caption keeps beside its text."""
        return {"terms": list(self.terms), "category": self.category, "weather": self.weather}


class Captioner(Protocol):
    """Writes the caption of one tile. `name` becomes the caption's origin."""

    name: str

    def caption(self, facts: TileFacts) -> CaptionAnswer:
        """MUST say only what the facts or the picture show; MAY raise ApplicationError when it cannot answer."""
        ...


LIGHT = ("brightness", "contrast", "saturation", "greenness", "ndvi", "vegetation")


def facts_of(tile: TilePair) -> TileFacts:
    """The facts of a built tile. Needs `tile.area` loaded; reads no file.

    What was measured of the light is left out where nobody can know it: 16-bit numbers begin and end elsewhere in
    every source, and a ratio of numbers with an offset says nothing of how green a wood is.
    """
    measures = tile.measures
    measured = LIGHT if _light_is_known(tile) else ()
    return TileFacts(
        area=tile.area.slug,
        index=tile.index,
        modality=tile.modality,
        satellite=tile.satellite,
        scene=tile.scene,
        category=tile.category,
        gsd=tile.gsd,
        landform=tile.landform,
        landform_shares=dict(measures.get("landform_shares") or {}),
        dem_min=tile.dem_min,
        dem_max=tile.dem_max,
        relief=tile.relief,
        slope=tile.slope,
        water_share=tile.water_share,
        void_share=tile.void_share,
        **{name: measures.get(name) for name in measured},
    )


def _light_is_known(tile: TilePair) -> bool:
    """Whether the imagery is 8-bit, or reflectance, as it is or by its scale."""
    rgb = tile.layer("rgb") or {}
    if rgb.get("scale") is not None:
        return True
    dtype, highest = str(rgb.get("dtype", "")), rgb.get("max")
    return dtype == "uint8" or (dtype.startswith("float") and highest is not None and highest <= _REFLECTANCE)


_REFLECTANCE = 2.0
"""The highest reflectance that is still one: glint and clouds exceed 1."""
