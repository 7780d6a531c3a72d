"""Near-duplicates among many tiles: found by buckets as by comparing all, and one of each kept."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.exports.splitting.hashes import alike_pairs
from portal.exports.splitting.unique import dropped_for, duplicates
from tests.portal.exports.splitting.test_blocks import place
from tiles.raster.likeness import Likeness


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60))
def test_buckets_find_what_comparing_all_finds(seed: int, count: int) -> None:
    noise = np.random.default_rng(seed)
    hashes = noise.integers(0, 2**63, count, np.uint64)
    # Some are another one with 0 to 12 bits turned.
    for number in range(1, count, 2):
        turned = np.uint64(0)
        for bit in noise.choice(64, int(noise.integers(0, 13)), replace=False):
            turned |= np.uint64(1) << np.uint64(bit)
        hashes[number] = hashes[number - 1] ^ turned

    expected = [(a, b) for a, b in combinations(range(count), 2) if (int(hashes[a]) ^ int(hashes[b])).bit_count() <= 8]
    assert [tuple(pair) for pair in alike_pairs(hashes).tolist()] == expected


def likeness(bits: int, seed: int) -> Likeness:
    noise = np.random.default_rng(seed)
    return Likeness(bits, noise.integers(0, 255, (16, 16)).astype(np.uint8), noise.normal(500, 50, (16, 16)))


def test_a_hash_alone_joins_nothing() -> None:
    places = [place(f"a/{number}", 8 + number, 47) for number in range(3)]
    likenesses = {0: likeness(5, 1), 1: likeness(7, 1), 2: likeness(5, 2)}
    asked: list[int] = []

    def load(numbers: object) -> dict[int, Likeness]:
        asked.extend(numbers)  # type: ignore[arg-type]
        return likenesses

    assert duplicates(places, [5, 7, 5], load) == [(0, 1)]
    assert sorted(set(asked)) == [0, 1, 2]


def test_the_same_ground_is_a_duplicate_without_texture_too() -> None:
    places = [place("a/0", 8, 47), place("b/0", 8.005, 47), place("c/0", 8.014, 47)]
    assert duplicates(places, [None, None, None], lambda _numbers: {}) == [(0, 1), (1, 2)]


def test_one_of_each_stays_and_says_for_which_the_others_went() -> None:
    assert dropped_for([(0, 1), (1, 2), (3, 4)]) == {1: 0, 4: 3}
    assert dropped_for([(0, 2), (1, 2)]) == {2: 0}
    assert dropped_for([]) == {}
