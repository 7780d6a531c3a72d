"""A tile as one row of a table: the same columns and types in every layout that has a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .base import FrozenTile

COLUMNS: dict[str, type] = {
    "key": str,
    "area": str,
    "tile": str,
    "index": int,
    "split": str,
    "caption": str,
    "caption_origin": str,
    "caption_revision": int,
    "prompt": str,
    "dem_min": float,
    "dem_max": float,
    "grey_level": float,
    "relief": float,
    "slope": float,
    "landform": str,
    "water_share": float,
    "void_share": float,
    "uncovered_share": float,
    "gsd": float,
    "native_gsd": float,
    "modality": str,
    "satellite": str,
    "scene": str,
    "category": str,
    "lon": float,
    "lat": float,
    "crs": str,
    "transform": str,
    "width": int,
    "height": int,
    "dem_source": str,
    "dem_source_sha256": str,
    "decided_by": str,
    "decided_at": str,
    "synthetic": bool,
    "licence": str,
    "attribution": str,
    "vertical_datum": str,
    "surface": str,
    "png_sha256": str,
    "dem_sha256": str,
    "dem255_sha256": str,
}
"""Name -> type of every column; any may be absent (None) in a row."""

_AS_THEY_ARE = (
    *("dem_min", "dem_max", "grey_level", "void_share", "uncovered_share", "gsd", "native_gsd", "modality"),
    *("satellite", "scene", "category", "synthetic", "licence", "attribution", "vertical_datum", "surface"),
)
_MEASURES = ("relief", "slope", "landform", "water_share", "lon", "lat")


def row_of(tile: FrozenTile) -> dict[str, Any]:
    """COLUMNS of a tile, in their order, each of its type or None."""
    record = tile.record
    caption, dem, decision = (record.get(name) or {} for name in ("caption", "dem", "decision"))
    found = {
        **{name: record.get(name) for name in _AS_THEY_ARE},
        **{name: (record.get("measures") or {}).get(name) for name in _MEASURES},
        **_grid(record.get("grid") or {}),
        **{f"{layer}_sha256": sha256 for layer, sha256 in (record.get("layers") or {}).items()},
        "key": tile.key,
        "area": tile.area,
        "tile": tile.name,
        "index": tile.index,
        "split": tile.split or None,
        "caption": tile.text if tile.caption is not None else None,
        "caption_origin": caption.get("origin"),
        "caption_revision": caption.get("revision"),
        "prompt": tile.prompt or None,
        "dem_source": dem.get("source"),
        "dem_source_sha256": dem.get("sha256"),
        "decided_by": decision.get("by"),
        "decided_at": decision.get("at"),
    }
    return {name: None if found.get(name) is None else kind(found[name]) for name, kind in COLUMNS.items()}


def _grid(grid: Mapping[str, Any]) -> dict[str, Any]:
    numbers = grid.get("affine")
    transform = " ".join(repr(float(number)) for number in numbers) if numbers else None
    return {"crs": grid.get("crs"), "transform": transform, "width": grid.get("width"), "height": grid.get("height")}
