"""The figures of a dataset card: maps and bars as SVG texts. The same numbers give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string

from tiles.areas.graticule import graticule
from tiles.views.charts import HEIGHT, LEFT, RIGHT, WIDTH, Bar, share_bars, share_ticks

from .numbers import SPLIT_WORDS, Distribution, Tally, distributions

FOLDER = "figures"
FRAME = {"left": LEFT, "right": WIDTH - RIGHT, "width": WIDTH, "height": HEIGHT}
LEGEND = 24
"""Units above a map, where the splits' colours are named."""
DRAWN = 2
"""Values from which on bars say more than a sentence."""


@dataclass(frozen=True)
class Bars:
    """The bars of one split, or of all tiles."""

    label: str
    bars: list[Bar]


@dataclass(frozen=True)
class Row:
    """A line of a table: what, and for each split the number of tiles and its percentage of the split."""

    label: str
    cells: list[tuple[int, float]]


@dataclass(frozen=True)
class Chart:
    """A distribution as shapes and as a table beside. A single value has no bars: its row says it."""

    of: Distribution
    charts: list[Bars]
    rows: list[Row]


@dataclass(frozen=True)
class Figure:
    """A file of the archive. alt: what it shows, in words."""

    path: str
    alt: str
    text: str


@dataclass(frozen=True)
class Figures:
    """What a README shows: maps, and distributions with the path of their figure or ""."""

    maps: list[Figure]
    bars: dict[str, Figure]
    charts: list[Chart]
    step: int
    """Of so many tiles one is drawn on the maps."""

    @property
    def all(self) -> list[Figure]:
        return [*self.maps, *self.bars.values()]

    @property
    def shown(self) -> list[tuple[Chart, Figure | None]]:
        return [(chart, self.bars.get(chart.of.name)) for chart in self.charts]


def charts_of(numbers: Mapping[str, Any], *, together: bool = False) -> list[Chart]:
    """Every distribution of a release's numbers as shapes. together: splits are not told apart."""
    return [_chart(one) for one in distributions(numbers, together=together)]


def figures_of(name: str, tally: Tally) -> Figures:
    """The figures of the release `name`."""
    charts = charts_of(tally.numbers())
    bars = {chart.of.name: _drawn(name, chart) for chart in charts if chart.charts}
    return Figures(list(_maps(tally)), bars, charts, tally.step)


def _chart(one: Distribution) -> Chart:
    totals = [sum(line.counts[place] for line in one.lines) for place in range(len(one.splits))]
    rows = [Row(line.label, _cells(line.counts, totals)) for line in one.lines]
    if len(one.lines) < DRAWN:
        return Chart(one, [], rows)
    charts = [
        Bars(
            f"{split}, {total:,} tiles" if len(one.splits) > 1 else f"{total:,} tiles",
            share_bars([(line.short, line.counts[place] / total if total else None, 0, 0) for line in one.lines]),
        )
        for place, (split, total) in enumerate(zip(one.splits, totals, strict=True))
    ]
    return Chart(one, charts, rows)


def _cells(counts: Sequence[int], totals: Sequence[int]) -> list[tuple[int, float]]:
    return [(number, 100 * number / total if total else 0.0) for number, total in zip(counts, totals, strict=True)]


def _drawn(name: str, chart: Chart) -> Figure:
    alt = f"{chart.of.title} of the tiles of {name}; the table beneath says the same in numbers"
    panels = [(WIDTH * place, one) for place, one in enumerate(chart.charts)]
    context = {
        "title": alt,
        "panels": panels,
        "frame": FRAME,
        "ticks": share_ticks(),
        "below": chart.of.below,
        "width": WIDTH * len(panels),
    }
    text = render_to_string("exports/figures/bars.svg", context)
    return Figure(f"{FOLDER}/{chart.of.name}.svg", alt, text)


def _maps(tally: Tally) -> Iterator[Figure]:
    for area, drawn in sorted(tally.outlines.items()):
        grid = graticule([ring for _split, ring in drawn])
        if grid is None:
            continue
        splits = [split for split in SPLIT_WORDS if any(split == one for one, _ring in drawn)]
        alt = f"Where the tiles of {area} lie" + (", by split" if splits else "")
        shapes = [(split or "all", points) for (split, _ring), points in zip(drawn, grid.outlines, strict=True)]
        legend = [(140 * place, split, SPLIT_WORDS[split]) for place, split in enumerate(splits)]
        width = max(grid.width, 140 * len(splits))
        context = {
            "title": alt,
            "map": grid,
            "shapes": shapes,
            "legend": legend,
            "width": width,
            "height": grid.height + 24,
        }
        yield Figure(f"{FOLDER}/map-{area}.svg", alt, render_to_string("exports/figures/map.svg", context))
