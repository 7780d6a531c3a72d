"""Spatial blocks: tiles near each other go the same way, and what lies too near a border goes nowhere."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tiles.core.errors import BadInput

from .ground import LEAST_METRES_A_DEGREE, Footprints, Ring, metres_a_degree

TRAIN, VAL, TEST = "train", "val", "test"
SPLITS = (TRAIN, VAL, TEST)
DROPPED = "dropped"
# Of two tiles that are too near each other the one of the split that can best spare it goes.
_SPARED = {TRAIN: 0, VAL: 1, TEST: 2}


@dataclass(frozen=True)
class Place:
    """A tile as splits see it. key: unique and the same on every machine, as in `coast/42`. ring: its footprint.

    kin: what it must stay together with, the same word for all of them: variants of one parent, samples of one place.
    """

    key: str
    ring: Ring
    kin: str = ""


@dataclass(frozen=True)
class Blocks:
    """Parameters of a split by blocks. shares: of the tiles, by split."""

    block_km: float
    buffer_km: float
    seed: int
    shares: Mapping[str, float]


def shares_check(shares: Mapping[str, float]) -> None:
    """Raise BadInput unless shares are those of train, val and test, not negative, and 1 together."""
    if set(shares) - set(SPLITS):
        raise BadInput(f"Splits are {', '.join(SPLITS)}.", code="bad_split")
    if any(share < 0 for share in shares.values()) or not math.isclose(sum(shares.values()), 1, abs_tol=1e-6):
        raise BadInput("The shares of the splits must be 100 % together, and none below 0.", code="bad_split")


def blocks_split(places: Sequence[Place], asked: Blocks) -> list[str]:
    """The split of each place, or `dropped`. The same places and parameters give the same, on every machine.

    Raises BadInput for sizes or shares that cannot be.
    """
    shares_check(asked.shares)
    if not 0.01 <= asked.block_km <= 5_000 or not 0 <= asked.buffer_km <= asked.block_km:
        raise BadInput(
            "A block is 0.01 to 5,000 km wide, and the buffer between splits is no wider than a block.",
            code="bad_split",
        )
    if not places:
        return []
    footprints = Footprints([place.ring for place in places])
    blocks = _blocks_of(places, footprints, asked.block_km)
    split_of = _assigned(Counter(blocks), asked)
    chosen = [split_of[block] for block in blocks]
    return _spaced(places, footprints, chosen, asked.buffer_km)


def _blocks_of(places: Sequence[Place], footprints: Footprints, block_km: float) -> list[str]:
    """The block of each place: that of its centre, but one for all that overlap each other or are kin.

    Where tiles overlap all along an area, they would all be one block; such a chain, wider than a block, is left to
    the centres, and what overlaps across a border is dropped with the buffer.
    """
    cells = [_cell(place.ring, block_km) for place in places]
    groups = _Groups(len(places))
    for first, second in footprints.overlapping().tolist():
        groups.join(first, second)
    wide = {root for root, members in groups.all().items() if _is_wide([places[n].ring for n in members], block_km)}
    of_overlap = {number: root for root, members in groups.all().items() if root not in wide for number in members}
    together = _Groups(len(places))
    kin: dict[str, int] = {}
    for number, place in enumerate(places):
        if number in of_overlap:
            together.join(of_overlap[number], number)
        if place.kin:
            together.join(kin.setdefault(place.kin, number), number)
    block_of = {root: min(cells[number] for number in members) for root, members in together.all().items()}
    return [block_of[together.root(number)] for number in range(len(places))]


def _assigned(sizes: Mapping[str, int], asked: Blocks) -> dict[str, str]:
    """block -> split: in an order drawn from the seed, each to the split that lacks most of its share."""
    order = sorted(sizes, key=lambda block: drawn(asked.seed, block))
    total = sum(sizes.values())
    wanted = {name: asked.shares.get(name, 0) * total for name in SPLITS}
    have = dict.fromkeys(SPLITS, 0)
    chosen = {}
    for block in order:
        name = max(SPLITS, key=lambda split: (wanted[split] - have[split], -_SPARED[split]))
        chosen[block] = name
        have[name] += sizes[block]
    return chosen


def _spaced(places: Sequence[Place], footprints: Footprints, chosen: list[str], buffer_km: float) -> list[str]:
    """With what lies within the buffer of another split dropped, from the split that can best spare it."""
    kept = list(chosen)
    pairs = footprints.within(1000 * buffer_km) if buffer_km else footprints.overlapping()
    for first, second in sorted(pairs.tolist(), key=lambda pair: (places[pair[0]].key, places[pair[1]].key)):
        if DROPPED in (kept[first], kept[second]) or kept[first] == kept[second]:
            continue
        kept[min(first, second, key=lambda number: _SPARED[kept[number]])] = DROPPED
    return kept


def drawn(seed: int, name: str) -> str:
    """Where a name comes in an order that is drawn from a seed."""
    return hashlib.sha256(f"{seed}/{name}".encode()).hexdigest()


def _cell(ring: Ring, block_km: float) -> str:
    """The cell of a lattice of equal widths in which the middle of a ring lies: rows of latitude, cut by their own."""
    points = np.array(ring[:-1], float)
    lon, lat = points.mean(axis=0)
    lon = (lon + 180) % 360 - 180
    row = math.floor(lat * LEAST_METRES_A_DEGREE / (1000 * block_km))
    middle = (row + 0.5) * 1000 * block_km / LEAST_METRES_A_DEGREE
    across = metres_a_degree(np.clip(middle, -89.9, 89.9))[0]
    return f"{row}/{math.floor(lon * across / (1000 * block_km))}"


def _is_wide(rings: Iterable[Ring], block_km: float) -> bool:
    """Whether rings together reach over more than a block beyond the first of them."""
    boxes = np.array([[*np.min(ring, axis=0), *np.max(ring, axis=0)] for ring in rings])
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    own = boxes[0, 2:] - boxes[0, :2]
    metres = (high - low - own) * np.array(metres_a_degree((low[1] + high[1]) / 2))
    return bool((metres > 1000 * block_km).any())


class _Groups:
    """Numbers that were joined, directly or by way of others."""

    def __init__(self, size: int) -> None:
        self._above = list(range(size))

    def root(self, number: int) -> int:
        while self._above[number] != number:
            self._above[number] = self._above[self._above[number]]
            number = self._above[number]
        return number

    def join(self, first: int, second: int) -> None:
        first, second = sorted((self.root(first), self.root(second)))
        self._above[second] = first

    def all(self) -> dict[int, list[int]]:
        groups: dict[int, list[int]] = defaultdict(list)
        for number in range(len(self._above)):
            groups[self.root(number)].append(number)
        return groups
