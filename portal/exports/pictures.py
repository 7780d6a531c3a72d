"""The report of a release's splits as shapes for SVG; the same numbers stand in tables beside."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tiles.areas.graticule import Graticule, graticule
from tiles.models import Area
from tiles.views.charts import share_bars, share_ticks

from .figures import FRAME, Bars, Row
from .models import Release
from .numbers import LANDFORM_WORDS, MOST_DRAWN, SHORT, SPLIT_WORDS
from .splitting.blocks import SPLITS

MOST_MAPS = 6


@dataclass(frozen=True)
class SplitMap:
    """Footprints of one area on a graticule: (split, outline) each."""

    area: Area
    map: Graticule
    shapes: list[tuple[str, str]]


def split_maps(release: Release) -> tuple[list[SplitMap], int]:
    """A map an area, and of how many tiles one is drawn."""
    step = max(-(-release.tile_count // MOST_DRAWN), 1)
    places = list(range(0, release.tile_count, step))
    found: dict[int, list[tuple[str, Any]]] = defaultdict(list)
    entries = release.entries.filter(position__in=places).order_by("position")
    for area_id, split, ring in entries.values_list("tile__area_id", "split", "tile__footprint"):
        if ring:
            found[area_id].append((split, ring))
    areas = Area.objects.in_bulk(list(found)[:MOST_MAPS])
    maps = []
    for area_id, area in areas.items():
        drawn = graticule([ring for _split, ring in found[area_id]])
        if drawn:
            splits = [split for split, _ring in found[area_id]]
            maps.append(SplitMap(area, drawn, list(zip(splits, drawn.outlines, strict=True))))
    return maps, step


def report_shown(report: dict[str, Any]) -> dict[str, Any]:
    """What the page needs of a report: charts and tables."""
    if not report:
        return {}
    splits = report["splits"]
    landforms = [name for name in LANDFORM_WORDS if any(_of(splits[split], name) for split in SPLITS)]
    edges = report["height_edges"]
    bins = [f"{low:,.0f} to {high:,.0f} m" for low, high in pairwise(edges)]
    return {
        "frame": FRAME,
        "ticks": share_ticks(),
        "landform_charts": [
            _chart(split, splits, [(SHORT.get(name, name), _of(splits[split], name)) for name in landforms])
            for split in SPLITS
        ],
        "landform_rows": [
            _row(LANDFORM_WORDS[name], [(_of(splits[split], name), splits[split]["tiles"]) for split in SPLITS])
            for name in landforms
        ],
        "height_charts": [
            _chart(split, splits, list(zip(_sparse(edges), splits[split]["heights"], strict=True))) for split in SPLITS
        ],
        "height_rows": [
            _row(label, [(splits[split]["heights"][place], splits[split]["tiles"]) for split in SPLITS])
            for place, label in enumerate(bins)
        ],
        "split_rows": [(SPLIT_WORDS[split], splits[split]["tiles"]) for split in SPLITS],
        "split_words": list(SPLIT_WORDS.values()),
    }


def _of(split: dict[str, Any], landform: str) -> int:
    return int(split["landforms"].get(landform, 0))


def _chart(split: str, splits: dict[str, Any], numbers: list[tuple[str, int]]) -> Bars:
    tiles = splits[split]["tiles"]
    label = f"{SPLIT_WORDS[split]}, {tiles:,} tiles"
    return Bars(label, share_bars([(name, number / tiles if tiles else None, 0, 0) for name, number in numbers]))


def _row(label: str, cells: list[tuple[int, int]]) -> Row:
    return Row(label, [(number, 100 * number / tiles if tiles else 0.0) for number, tiles in cells])


def _sparse(edges: list[float]) -> list[str]:
    """A label for the bars, but for most of them none: there is no room."""
    return [f"{low:,.0f} m" if place % 4 == 0 else "" for place, low in enumerate(edges[:-1])]
