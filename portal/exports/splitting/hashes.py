"""Which of many perceptual hashes are alike, by looking into buckets instead of at all pairs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

QUARTERS, BITS = 4, 16
MOST_BITS = 8
"""Two hashes of at most so many different bits have a quarter in which at most two differ."""
AT_ONCE = 4_000_000
_MASKS = np.array(
    [0, *(1 << one for one in range(BITS)), *((1 << a) | (1 << b) for a, b in combinations(range(BITS), 2))], np.uint64
)

Hashes = NDArray[np.uint64]
Pairs = NDArray[np.intp]


def alike_pairs(hashes: Hashes) -> Pairs:
    """(P, 2) pairs of hashes that differ in at most MOST_BITS bits, each once, the smaller place first.

    hashes: (N,) 64 bits each.
    """
    found = [pairs for quarter in range(QUARTERS) for pairs in _by_quarter(hashes, quarter)]
    return np.unique(np.concatenate(found), axis=0) if found else np.empty((0, 2), np.intp)


def _by_quarter(hashes: Hashes, quarter: int) -> Iterator[Pairs]:
    """Pairs with at most two different bits in one quarter: every other value it may have is a bucket."""
    values = (hashes >> np.uint64(BITS * quarter)) & np.uint64((1 << BITS) - 1)
    order = np.argsort(values, kind="stable")
    starts = np.searchsorted(values[order], np.arange((1 << BITS) + 1, dtype=np.uint64))
    for mask in _MASKS:
        wanted = (values ^ mask).astype(np.intp)
        sizes = starts[wanted + 1] - starts[wanted]
        for asked in _portions(sizes):
            first = np.repeat(asked, sizes[asked])
            within = np.arange(len(first)) - np.repeat(np.cumsum(sizes[asked]) - sizes[asked], sizes[asked])
            second = order[np.repeat(starts[wanted[asked]], sizes[asked]) + within]
            first, second = first[first < second], second[first < second]
            close = np.bitwise_count(hashes[first] ^ hashes[second]) <= MOST_BITS
            if close.any():
                yield np.stack([first[close], second[close]], axis=1)


def _portions(sizes: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Who has a bucket to look into, so many together that their pairs fit into memory."""
    asked = np.flatnonzero(sizes)
    ends = np.cumsum(sizes[asked])
    start = 0
    while start < len(asked):
        so_far = ends[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(ends, so_far + AT_ONCE, side="right")))
        yield asked[start:end]
        start = end
