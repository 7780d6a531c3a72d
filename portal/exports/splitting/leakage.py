"""What leaks between splits: footprints that overlap, and how near the nearest are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from .blocks import DROPPED, SPLITS, Place
from .ground import Footprints

EXAMPLES = 20


@dataclass(frozen=True)
class Gap:
    """Between two splits: the least geodesic distance between footprint edges, and the two tiles it is between."""

    splits: tuple[str, str]
    metres: float
    tiles: tuple[str, str]


@dataclass(frozen=True)
class Leakage:
    """overlaps: pairs of tiles of different splits whose footprints overlap; `examples` names some of them."""

    overlaps: int
    examples: list[tuple[str, str]]
    gaps: list[Gap]


def leakage(places: Sequence[Place], splits: Sequence[str]) -> Leakage:
    """Look for leaks between splits, over all areas; dropped tiles are in no split."""
    kept = [number for number, name in enumerate(splits) if name != DROPPED]
    if not kept:
        return Leakage(0, [], [])
    footprints = Footprints([places[number].ring for number in kept])
    groups = np.array([SPLITS.index(splits[number]) for number in kept], np.intp)
    pairs = footprints.overlapping()
    across = pairs[groups[pairs[:, 0]] != groups[pairs[:, 1]]]
    keys = [places[number].key for number in kept]
    gaps = []
    for one, other in combinations(range(len(SPLITS)), 2):
        found = footprints.nearest(groups, one, other)
        if found:
            tiles = (keys[found.first], keys[found.second])
            gaps.append(Gap((SPLITS[one], SPLITS[other]), found.metres, tiles))
    examples = [(keys[first], keys[second]) for first, second in across[:EXAMPLES].tolist()]
    return Leakage(len(across), examples, gaps)
