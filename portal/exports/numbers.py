"""What a release holds in numbers: counted from the lines of its manifest, so that figures say what it says."""

from __future__ import annotations

import json
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tiles.models.choices import Modality, Scene
from tiles.raster.terrain import LANDFORMS

from .splitting.blocks import SPLITS

HEIGHT_BINS = 12
CLEAR_BINS = 10
MOST_DRAWN = 2_000
"""Outlines on all maps of a release together."""
MOST_ROWS = 12
"""Of what has no end of values, as satellites: the most common ones, and the others together."""
UNKNOWN, OTHERS, NO_TEXT = "unknown", "others", "none"
SPLIT_WORDS = {"train": "Training", "val": "Validation", "test": "Test"}
LANDFORM_WORDS = {landform.name: landform.label for landform in LANDFORMS} | {UNKNOWN: "unknown"}
SHORT = {"low_mountain": "low mts", "high_mountain": "high mts", UNKNOWN: "?"}
"""What fits beneath a bar where the landform's name does not."""


@dataclass(frozen=True)
class Line:
    """A value, a word for it that fits beneath a bar, and how many tiles of each split have it."""

    label: str
    short: str
    counts: Sequence[int]

    @property
    def number(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True)
class Distribution:
    """How the tiles of a release differ in one thing. splits: words for the columns; one for all where none is."""

    name: str
    title: str
    below: str
    splits: tuple[str, ...]
    lines: list[Line]


class Tally:
    """Counts manifest records as they pass. Keeps a few bytes a tile, and at most MOST_DRAWN outlines.

    tiles: how many will pass.
    """

    def __init__(self, tiles: int) -> None:
        self.step = max(-(-tiles // MOST_DRAWN), 1)
        """Of so many tiles one is drawn."""
        self.outlines: dict[str, list[tuple[str, Any]]] = defaultdict(list)
        """area -> (split, footprint) each."""
        self._seen = 0
        self._middles: dict[str, array[float]] = defaultdict(lambda: array("d"))
        self._counts: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)

    def add(self, record: Mapping[str, Any]) -> None:
        split = record["split"] or ""
        if self._seen % self.step == 0 and record["footprint"]:
            self.outlines[record["area"]].append((split, record["footprint"]))
        self._seen += 1
        self._middles[split].append((record["dem_min"] + record["dem_max"]) / 2)
        for name, value in _values(record).items():
            self._counts[name][value, split] += 1

    def add_lines(self, lines: Iterable[bytes]) -> None:
        """Every line of a manifest."""
        for line in lines:
            self.add(json.loads(line))

    def numbers(self) -> dict[str, Any]:
        """As JSON: `heights` as bins of the middle of a tile's heights, metres; the others value -> split -> tiles."""
        every = np.concatenate([np.frombuffer(middles) for middles in self._middles.values()] or [np.zeros(0)])
        edges = np.histogram_bin_edges(every, bins=HEIGHT_BINS) if every.size else np.zeros(2)
        heights = {
            split: np.histogram(np.frombuffer(middles), bins=edges)[0].tolist()
            for split, middles in sorted(self._middles.items())
        }
        return {
            "tiles": {split: len(middles) for split, middles in sorted(self._middles.items())},
            "heights": {"edges": [round(float(edge), 1) for edge in edges], "tiles": heights},
            **{name: _nested(counts) for name, counts in sorted(self._counts.items())},
        }


def distributions(numbers: Mapping[str, Any], *, together: bool = False) -> list[Distribution]:
    """All that can be drawn of a release's numbers; nothing of one that was made before releases had any.

    together: splits are not told apart.
    """
    if not numbers:
        return []
    if together:
        return [_together(one) for one in distributions(numbers)]
    columns = [split for split in SPLITS if numbers["tiles"].get(split)] or [""]
    splits = tuple(SPLIT_WORDS.get(split, "Tiles") for split in columns)

    def counted(name: str, title: str, below: str, words: Mapping[str, str] | None = None) -> Distribution:
        lines = _lines(numbers.get(name, {}), columns, words)
        return Distribution(name, title, below, splits, lines)

    bins = pairwise(numbers["heights"]["edges"])
    heights = [
        Line(
            f"{low:,.0f} to {high:,.0f} m",
            f"{low:,.0f} m" if place % 4 == 0 else "",
            [numbers["heights"]["tiles"].get(split, [0] * (place + 1))[place] for split in columns],
        )
        for place, (low, high) in enumerate(bins)
    ]
    return [
        Distribution("heights", "Heights", "middle of a tile's heights", splits, heights),
        counted("landforms", "Landforms", "landform", LANDFORM_WORDS),
        counted("resolutions", "Resolution", "size of a pixel"),
        counted("satellites", "Satellites", "satellite"),
        counted("modalities", "Modality and weather", "modality"),
        counted("clear", "Clear share", "share of the picture that is not under cloud", _CLEAR_WORDS),
        counted("texts", "Texts", "whose words", {NO_TEXT: "no text"}),
    ]


def _together(one: Distribution) -> Distribution:
    lines = [Line(line.label, line.short, [line.number]) for line in one.lines]
    return Distribution(one.name, one.title, one.below, ("Tiles",), lines)


_CLEAR_WORDS = {f"{tenth}": f"{10 * tenth} to {10 * tenth + 10} %" for tenth in range(CLEAR_BINS)} | {UNKNOWN: UNKNOWN}


def _values(record: Mapping[str, Any]) -> dict[str, str]:
    """What a tile counts under, by the name of the distribution."""
    measures, caption = record.get("measures") or {}, record.get("caption")
    modality = str(Modality(record["modality"]).label)
    scene = f", {Scene(record['scene']).label.lower()}" if record.get("scene") else ""
    gsd = record.get("gsd")
    return {
        "landforms": measures.get("landform") or UNKNOWN,
        "resolutions": f"{float(f'{gsd:.2g}'):g} m" if gsd else UNKNOWN,
        "satellites": record.get("satellite") or UNKNOWN,
        "modalities": f"{modality}{scene}",
        "clear": _clear_bin(record.get("cloud_share")),
        "texts": caption["origin"] if caption else NO_TEXT,
    }


def _clear_bin(cloud: float | None) -> str:
    return UNKNOWN if cloud is None else str(min(int((1 - cloud) * CLEAR_BINS), CLEAR_BINS - 1))


def _nested(counts: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for (value, split), number in sorted(counts.items()):
        found[value][split] = number
    return dict(found)


def _lines(
    found: Mapping[str, Mapping[str, int]], columns: Sequence[str], words: Mapping[str, str] | None
) -> list[Line]:
    """A line a value: in the order of `words`, else the most common first and what is over MOST_ROWS together."""
    if words is None:
        order = sorted(found, key=lambda value: (-sum(found[value].values()), value))
    else:
        order = [value for value in words if value in found] + sorted(set(found) - set(words))
    lines = []
    for value in order[:MOST_ROWS]:
        label = (words or {}).get(value, value)
        lines.append(Line(label, SHORT.get(value, label), [found[value].get(split, 0) for split in columns]))
    if others := order[MOST_ROWS:]:
        counts = [sum(found[value].get(split, 0) for value in others) for split in columns]
        lines.append(Line(OTHERS, OTHERS, counts))
    return lines
