"""Tiles and decisions as the review page and the JSON show them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tiles.models import Area, ReviewDecision, TilePair
from tiles.models.choices import REASON_BY_CODE, Reason
from tiles.raster.errors import RasterError
from tiles.raster.grid import Grid
from tiles.raster.quality import CONSTANT_BAND, FEW_HEIGHTS, FLAT, MIN_DISTINCT_HEIGHTS
from tiles.raster.terrain import LANDFORMS

from .layers import delivered, layer_url

FLAG_WORDS = {
    FLAT: "flat: all heights are equal",
    FEW_HEIGHTS: f"fewer than {MIN_DISTINCT_HEIGHTS} distinct heights",
    CONSTANT_BAND: "a colour band is constant",
}
SHARE_WORDS = {"void": "void", "blank": "blank", "cloud": "cloud", "haze": "haze", "saturated": "saturated"}
CAUSE_WORDS = {
    "flat": "flat",
    "few_heights": "few heights",
    "constant_band": "a constant band",
    "terraces": "terraces in the heights",
    "blurred": "blurred",
    "stripes": "stripes",
}
# Cubics through four points a side: off by less than a hundredth of a pixel on tiles of up to 50 km.
PLACE_NODES = 4
# A tenth of a millimetre on the ground.
PLACE_DECIMALS = 9
LANDFORM_WORDS = {landform.name: landform.label for landform in LANDFORMS}


def reasons_of(area: Area) -> list[Reason]:
    """The area's reasons to reject, in the order of their keys."""
    return [REASON_BY_CODE[code] for code in area.reasons if code in REASON_BY_CODE]


def tile_payload(tile: TilePair, slug: str) -> dict[str, Any]:
    """One tile for the review page. slug: its area's. Heights in metres, shares 0..1."""
    return {
        "index": tile.index,
        "name": tile.name,
        "build_state": tile.build_state,
        "problem": problem_of(tile),
        "state": tile.review_state,
        "reason": tile.reason,
        "version": tile.version,
        "layers": tile.layer_versions(),
        "urls": {name: layer_url(tile, name, slug) for name in delivered(tile)},
        "width": (tile.grid or {}).get("width"),
        "height": (tile.grid or {}).get("height"),
        "lon": tile.lon,
        "lat": tile.lat,
        "places": places_of(tile),
        "gsd": tile.gsd,
        "dem_min": tile.dem_min,
        "dem_max": tile.dem_max,
        "relief": tile.relief,
        "slope": tile.slope,
        "landform": LANDFORM_WORDS.get(tile.landform, tile.landform),
        "water_share": tile.water_share,
        "void_share": tile.void_share,
        "flags": [FLAG_WORDS.get(flag, flag.replace("_", " ")) for flag in tile.flags],
        "score": tile.score if "quality" in tile.measures else None,
        "causes": [_cause(cause["code"], cause["value"], tile) for cause in tile.causes],
        "shift_px": tile.shift_px,
        "dem_file": tile.dem_file.name if tile.dem_file else "",
        "window": [tile.window_col, tile.window_row] if tile.window_col is not None else None,
    }


def places_of(tile: TilePair) -> dict[str, list[float]] | None:
    """Where a tile's pixels are: longitudes and latitudes of 4 x 4 points over it, row by row, degrees.

    None when it has no grid, or one that leaves the area where its coordinate system is defined.
    """
    if not tile.grid:
        return None
    try:
        lon, lat = Grid.from_dict(tile.grid).lattice_lonlat(PLACE_NODES)
    except RasterError:
        return None
    return {"lon": [round(each, PLACE_DECIMALS) for each in lon], "lat": [round(each, PLACE_DECIMALS) for each in lat]}


def _cause(code: str, value: float, tile: TilePair) -> str:
    """A cause of the score in words, with its number where that says more."""
    if code in SHARE_WORDS:
        return f"{SHARE_WORDS[code]} {max(round(100 * value), 1)} %"
    if code == "shift":
        return f"shift {value:.0f} px"
    if code == "spikes":
        return f"{value:.0f} {'spike' if value == 1 else 'spikes'} in the heights"
    if code == "duplicate":
        return f"duplicate of tile_{tile.duplicate_of}"
    return CAUSE_WORDS.get(code, code.replace("_", " "))


def problem_of(tile: TilePair) -> str:
    """Why a tile could not be built, as a sentence; empty when it could."""
    if not tile.failure:
        return ""
    return f"{tile.get_failure_display()}: {tile.failure_detail}" if tile.failure_detail else tile.get_failure_display()


def tiles_payload(tiles: Iterable[TilePair], slug: str) -> list[dict[str, Any]]:
    return [tile_payload(tile, slug) for tile in tiles]


def decision_payload(entry: ReviewDecision) -> dict[str, Any]:
    """One entry of the log. `entry.tile` and `entry.by` are loaded."""
    return {
        "client_id": str(entry.client_id),
        "index": entry.tile.index,
        "verb": entry.verb,
        "from_state": entry.from_state,
        "from_reason": entry.from_reason,
        "to_state": entry.to_state,
        "to_reason": entry.to_reason,
        "reason": entry.reason,
        "note": entry.note,
        "version": entry.tile_version,
        "by": entry.by.shown_name if entry.by else "",
        "at": entry.at.isoformat(),
        "undoes": str(entry.undoes.client_id) if entry.undoes else None,
        "action": str(entry.action),
    }
