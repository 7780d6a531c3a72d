"""One line of manifest.jsonl: everything that leads a tile back to where it came from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from .models import ReleaseEntry
from .people import People
from .planning import GREY_LEVELS

MANIFEST = "manifest.jsonl"
OF_AREA = ("synthetic", "licence", "attribution", "vertical_datum", "height_unit", "surface")


def manifest_line(record: Mapping[str, Any]) -> bytes:
    """The record as one line; equal records give equal bytes, on whatever database they were kept."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def tile_record(entry: ReleaseEntry, *, area: Mapping[str, Any], people: People) -> dict[str, Any]:
    """What the manifest says of one tile, but for its files. area: as the release froze it."""
    tile = entry.tile
    return {
        "tile": tile.name,
        "id": tile.pk,
        "index": tile.index,
        "area": area["slug"],
        "split": entry.split or None,
        "prompt": entry.prompt or None,
        "layers": {name: layer["sha256"] for name, layer in sorted(entry.layers.items())},
        "dem": _dem(entry),
        "dem_min": tile.dem_min,
        "dem_max": tile.dem_max,
        "grey_level": (_number(tile.dem_max) - _number(tile.dem_min)) / GREY_LEVELS,
        "void_share": tile.void_share,
        "uncovered_share": tile.uncovered_share,
        "grid": tile.grid,
        "footprint": tile.footprint,
        "gsd": tile.gsd,
        "native_gsd": tile.native_gsd,
        "modality": tile.modality,
        "satellite": tile.satellite,
        "scene": tile.scene,
        "category": tile.category,
        "cloud_share": tile.cloud_share,
        "imagery": tile.imagery,
        "parameters": tile.parameters,
        "flags": tile.flags,
        "measures": _measures(entry),
        "decision": _decision(entry, people),
        "caption": _caption(entry, people),
        **{name: area[name] for name in OF_AREA},
    }


def _dem(entry: ReleaseEntry) -> dict[str, Any] | None:
    tile, source = entry.tile, entry.tile.dem_file
    if source is None:
        return None
    width, height = (tile.grid or {}).get("width"), (tile.grid or {}).get("height")
    window = {"col": tile.window_col, "row": tile.window_row, "width": width, "height": height}
    return {"source": source.name, "sha256": source.sha256, "bytes": source.size, "window": window}


def _measures(entry: ReleaseEntry) -> dict[str, Any]:
    tile = entry.tile
    sorted_by = ("relief", "slope", "landform", "water_share", "distinct_heights", "lon", "lat")
    return {**tile.measures, **{name: getattr(tile, name) for name in sorted_by}}


def _decision(entry: ReleaseEntry, people: People) -> dict[str, Any]:
    decision = entry.decision
    return {
        "state": decision.to_state,
        "by": people.name(decision.by),
        "at": decision.at.astimezone(UTC).isoformat(),
        "note": people.words(decision.note),
        "layers_seen": decision.layers_seen,
    }


def _caption(entry: ReleaseEntry, people: People) -> dict[str, Any] | None:
    revision = entry.caption_revision
    if revision is None:
        return None
    return {
        "revision": revision.number,
        "origin": revision.origin,
        "author": people.name(revision.author),
        "at": revision.at.astimezone(UTC).isoformat(),
        "text": revision.text,
        "components": revision.components,
    }


def _number(value: float | None) -> float:
    if value is None:
        raise ValueError("a frozen tile has heights")
    return value
