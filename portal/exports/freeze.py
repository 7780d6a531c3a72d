"""Freezing: from "approved now" to entries that never change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any

from tiles.models import Area

from .layouts import Layout
from .models import Release, ReleaseEntry
from .selection import CHANGED, approved_tiles, layers_differ, with_decision_and_caption

BATCH = 1000
GREY_LEVELS = 255
AREA_FACTS = (
    "slug",
    "name",
    "description",
    "synthetic",
    "licence",
    "attribution",
    "vertical_datum",
    "height_unit",
    "surface",
    "satellite",
    "dem_from",
    "dem_to",
    "imagery_from",
    "imagery_to",
    "dem_gsd",
    "imagery_gsd",
    "tile_size",
)


@dataclass
class Taken:
    """What was taken of one area. coarsest: metres a grey level of DEM_255 stands for in the tile of most relief."""

    tiles: int = 0
    with_void: int = 0
    without_caption: int = 0
    size: int = 0
    coarsest: float = 0.0
    left_out: Counter[str] = field(default_factory=Counter)


def entries_freeze(*, release: Release, areas: Iterable[Area], layout: Layout) -> dict[int, Taken]:
    """Make the entries of a release from what is approved now. Inside a transaction. Returns area id -> Taken."""
    taken = {area.pk: Taken() for area in areas}
    tiles = with_decision_and_caption(approved_tiles(areas, layout)).iterator(chunk_size=BATCH)
    entries = _entries(release, tiles, layout, taken)
    while batch := list(islice(entries, BATCH)):
        ReleaseEntry.objects.bulk_create(batch)
    return taken


def area_facts(area: Area) -> dict[str, Any]:
    """What an area says of itself, as JSON."""
    facts = {name: getattr(area, name) for name in AREA_FACTS}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in facts.items()}


def _entries(release: Release, tiles: Iterable[Any], layout: Layout, taken: dict[int, Taken]) -> Iterator[ReleaseEntry]:
    position = 0
    for tile in tiles:
        of_area = taken[tile.area_id]
        refusal = tile.refusal or _unapproved_pixels(tile, layout)
        if refusal:
            of_area.left_out[refusal] += 1
            continue
        _count(of_area, tile, layout)
        yield ReleaseEntry(
            release=release,
            position=position,
            tile_id=tile.pk,
            layers=tile.layers,
            decision_id=tile.decision_id,
            caption_revision_id=tile.revision_id,
        )
        position += 1


def _unapproved_pixels(tile: Any, layout: Layout) -> str:
    """An approval that was given to other pixels approves nothing."""
    if tile.decision_id is None or layers_differ(tile.layers, tile.decision_saw, layout):
        return CHANGED
    return ""


def _count(of_area: Taken, tile: Any, layout: Layout) -> None:
    exported = [name for name in (*layout.required, *layout.optional) if name in tile.layers]
    of_area.tiles += 1
    of_area.with_void += "void" in tile.layers
    of_area.without_caption += tile.revision_id is None
    of_area.size += sum(int(tile.layers[name]["bytes"]) for name in exported)
    of_area.coarsest = max(of_area.coarsest, (tile.dem_max - tile.dem_min) / GREY_LEVELS)
