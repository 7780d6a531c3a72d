"""What is asked of Earth Engine for an area: two presets, and every part of them open to change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Literal, NamedTuple, get_args

from tiles.core.errors import BadInput

from .base import wrong_part

Mask = Literal["cloud-score", "qa60", "qa-pixel", "none"]
Reducer = Literal["median", "mosaic", "least_cloudy", "image"]
Resampling = Literal["bilinear", "bicubic", "nearest"]

CLOUD_SCORE = "GOOGLE/CLOUD_SCORE_PLUS/V1/S2_HARMONIZED"
# QA60 is empty between these days, and a mask made of it blanks every pixel without an error.
QA60_GAP = (date(2022, 1, 25), date(2024, 2, 28))
_ASSET = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_\-/.]{2,250}")
_BAND = re.compile(r"[A-Za-z0-9_]{1,60}")


class Collection(NamedTuple):
    """What is known of a collection. gsd: metres; cloud: the property with a scene's cloud cover in percent.

    bands: red, green, blue; value * scale_factor + offset is reflectance; masks: those that fit, the best one first.
    """

    satellite: str
    gsd: float
    cloud: str
    bands: tuple[str, str, str] = ("B4", "B3", "B2")
    nir: str = "B8"
    scale_factor: float = 0.0001
    offset: float = 0.0
    masks: tuple[Mask, ...] = ("cloud-score", "qa60", "none")
    label: str = ""


_SENTINEL = Collection("Sentinel-2", 10.0, "CLOUDY_PIXEL_PERCENTAGE")
_SURFACE = Collection(
    "Landsat", 30.0, "CLOUD_COVER", ("SR_B4", "SR_B3", "SR_B2"), "SR_B5", 0.0000275, -0.2, ("qa-pixel", "none")
)
# Top of atmosphere comes as reflectance already.
_TOP = Collection("Landsat", 30.0, "CLOUD_COVER", ("B4", "B3", "B2"), "B5", 1.0, 0.0, ("qa-pixel", "none"))
KNOWN = {
    "COPERNICUS/S2_HARMONIZED": _SENTINEL._replace(label="Sentinel-2, top of atmosphere"),
    "COPERNICUS/S2_SR_HARMONIZED": _SENTINEL._replace(label="Sentinel-2, surface reflectance"),
    "LANDSAT/LC08/C02/T1_L2": _SURFACE._replace(satellite="Landsat 8", label="Landsat 8, surface reflectance"),
    "LANDSAT/LC09/C02/T1_L2": _SURFACE._replace(satellite="Landsat 9", label="Landsat 9, surface reflectance"),
    "LANDSAT/LC08/C02/T1_TOA": _TOP._replace(satellite="Landsat 8", label="Landsat 8, top of atmosphere"),
    "LANDSAT/LC09/C02/T1_TOA": _TOP._replace(satellite="Landsat 9", label="Landsat 9, top of atmosphere"),
}
UNKNOWN = Collection("", 10.0, "")
# What a request can do without: an empty text in its place says so.
WITHOUT = ("nir", "months", "cloud_limit")


@dataclass(frozen=True)
class Request:
    """One composite. start, end: days as in 2021-01-31, both included; months: first and last of the season, or None.

    bands: red, green, blue. cloud_limit: percent of a scene, below which it is used; None takes all. threshold: of the
    Cloud Score+ band `score_band`. scale_factor, offset: value * scale_factor + offset is reflectance.
    reducer "image" takes `collection` as the id of one image. clear_count: ask for the number of clear looks too.
    """

    preset: str
    collection: str = "COPERNICUS/S2_HARMONIZED"
    bands: tuple[str, str, str] = ("B4", "B3", "B2")
    nir: str | None = "B8"
    start: str = "2021-01-01"
    end: str = "2023-12-31"
    months: tuple[int, int] | None = None
    cloud_property: str = "CLOUDY_PIXEL_PERCENTAGE"
    cloud_limit: float | None = None
    mask: Mask = "cloud-score"
    score_band: str = "cs_cdf"
    threshold: float = 0.60
    reducer: Reducer = "median"
    resampling: Resampling = "bilinear"
    scale_factor: float = 0.0001
    offset: float = 0.0
    clear_count: bool = True

    def to_dict(self) -> dict[str, Any]:
        """As JSON keeps it."""
        known = asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in known.items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Request:
        known: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in data.items()}
        return cls(**known)

    @property
    def band_names(self) -> tuple[str, ...]:
        """The bands of an answer, in their order, whatever the collection calls them."""
        nir = ("nir",) if self.nir else ()
        clear = ("clear",) if self.clear_count else ()
        return ("red", "green", "blue", *nir, "valid", *clear)

    @property
    def known(self) -> Collection:
        return KNOWN.get(self.collection, UNKNOWN)


PRESETS = {
    "cloud-score": Request("cloud-score", cloud_limit=60.0),
    # RS3DBench, arXiv 2509.18897: nearest neighbour is what Earth Engine does unless it is told otherwise.
    "published": Request("published", nir=None, cloud_limit=20.0, mask="qa60", resampling="nearest", clear_count=False),
}
SETTABLE = tuple(field.name for field in fields(Request) if field.name != "preset")


def request_made(changes: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> Request:
    """The request of a preset, or of an area's earlier spec, with changes; None in them changes nothing.

    A known collection brings its own bands, scale, offset and mask, where nothing else is asked; an empty text does
    without what stands in WITHOUT. Raises BadInput for what makes no sense, with the `field` imagery.<part>.
    """
    asked = {name: value for name, value in changes.items() if value is not None}
    preset = asked.pop("preset", None)
    unknown = set(asked) - set(SETTABLE)
    if unknown:
        raise BadInput(f"Imagery of Earth Engine has no setting {sorted(unknown)[0]!r}.", field="imagery")
    if preset is None and before is not None:
        base = Request.from_dict(before)
    elif (preset or "cloud-score") in PRESETS:
        base = PRESETS[preset or "cloud-score"]
    else:
        raise wrong_part("preset", f"There is no preset {preset!r}. Choose one of: {', '.join(PRESETS)}.")
    if asked.get("collection", base.collection) != base.collection:
        asked = {**_facts(asked["collection"], base), **asked}
    asked |= {name: None for name in WITHOUT if asked.get(name) == ""}
    made = Request.from_dict({**base.to_dict(), **asked})
    _check(made)
    return made


def _facts(collection: str, base: Request) -> dict[str, Any]:
    """What follows from choosing another collection, as far as it is known and nobody says otherwise."""
    known = KNOWN.get(collection)
    if known is None:
        return {}
    return {
        "cloud_property": known.cloud,
        "bands": known.bands,
        "nir": known.nir if base.nir else None,
        "scale_factor": known.scale_factor,
        "offset": known.offset,
        "mask": base.mask if base.mask in known.masks else known.masks[0],
    }


def days_lost(request: Request) -> tuple[int, int]:
    """How many of the period's days really count, and how many it has: QA60 masks whole days it is empty on."""
    start, end = date.fromisoformat(request.start), date.fromisoformat(request.end)
    days = (end - start).days + 1
    if request.mask != "qa60":
        return days, days
    gap = (min(end, QA60_GAP[1]) - max(start, QA60_GAP[0])).days + 1
    return days - max(gap, 0), days


def _check(request: Request) -> None:
    if not _ASSET.fullmatch(request.collection):
        raise wrong_part(
            "collection", f"{request.collection!r} is no id of Earth Engine: give one as COPERNICUS/S2_HARMONIZED."
        )
    if len(request.bands) != 3:
        raise wrong_part("bands", "Name three bands: red, green and blue, as in B4,B3,B2.")
    named = [*(("bands", band) for band in request.bands), ("nir", request.nir), ("score_band", request.score_band)]
    for part, band in named:
        if (band or part != "nir") and (not isinstance(band, str) or not _BAND.fullmatch(band)):
            raise wrong_part(part, f"{band!r} is no band of Earth Engine: name bands as in B4,B3,B2.")
    _check_dates(request)
    _check_numbers(request)
    for name, known in (("mask", Mask), ("reducer", Reducer), ("resampling", Resampling)):
        if getattr(request, name) not in get_args(known):
            raise wrong_part(name, f"The {name} must be one of: {', '.join(get_args(known))}.")
    if request.mask == "cloud-score" and not request.collection.startswith("COPERNICUS/S2"):
        raise wrong_part("mask", "Cloud Score+ exists for Sentinel-2 only. Choose the mask qa-pixel (Landsat) or none.")


def _check_dates(request: Request) -> None:
    start, end = _day("start", request.start), _day("end", request.end)
    if end < start:
        raise wrong_part("end", f"The imagery cannot end before it begins: {start} is after {end}.")
    if request.months and not all(1 <= month <= 12 for month in request.months):
        raise wrong_part("months", "Give the season by its first and last month, as in 5-9.")
    if not days_lost(request)[0]:
        raise wrong_part(
            "mask", "QA60 is empty on every day from 2022-01-25 to 2024-02-28. Choose the mask cloud-score."
        )


def _day(part: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise wrong_part(part, "Give the first and the last day of the imagery as 2021-07-31.") from error


def _check_numbers(request: Request) -> None:
    if request.cloud_limit is not None and not 0 < request.cloud_limit <= 100:
        raise wrong_part("cloud_limit", "The cloud limit is a percentage of a scene: choose it above 0 and up to 100.")
    if not 0 <= request.threshold <= 1:
        raise wrong_part("threshold", "The threshold of Cloud Score+ lies between 0 and 1.")
    if not 0 < request.scale_factor < 1e9:
        raise wrong_part("scale_factor", "The scale factor must be above 0.")
