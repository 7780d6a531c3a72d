"""Splits by blocks: near tiles together, a buffer between, the same on every machine; and what leaks."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.exports.splitting.blocks import DROPPED, Blocks, Place, blocks_split
from portal.exports.splitting.leakage import leakage
from portal.exports.splitting.ways import area_split, file_split, random_split
from tiles.core.errors import BadInput

SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}
STEP = 0.02


def place(key: str, west: float, north: float, *, size: float = STEP, kin: str = "") -> Place:
    east, south = west + size, north - size
    return Place(key, [[west, north], [west, south], [east, south], [east, north], [west, north]], kin)


def field(columns: int, rows: int, *, west: float = 8.0, north: float = 47.0, area: str = "land") -> list[Place]:
    """Tiles side by side, about 1.5 by 2.2 km each."""
    return [
        place(f"{area}/{column * rows + row}", west + column * STEP, north - row * STEP)
        for column in range(columns)
        for row in range(rows)
    ]


def asked(block_km: float = 10, buffer_km: float = 2, seed: int = 7) -> Blocks:
    return Blocks(block_km, buffer_km, seed, SHARES)


def test_splits_are_apart_by_the_buffer() -> None:
    places = field(40, 30)
    splits = blocks_split(places, asked())
    found = leakage(places, splits)

    assert set(splits) == {"train", "val", "test", DROPPED}
    assert found.overlaps == 0
    assert len(found.gaps) == 3
    assert all(gap.metres >= 2000 * 0.999 for gap in found.gaps)
    kept = Counter(splits)
    assert kept["train"] > kept["test"] > 0
    assert kept[DROPPED] < len(places) / 2


def test_the_nearest_distance_is_geodesic_between_edges() -> None:
    places = [place("a/0", 8.0, 47.0), place("a/1", 8.3, 47.0), place("a/2", 9.0, 47.0)]
    found = leakage(places, ["train", "test", "test"])

    edge = Geodesic.WGS84.Inverse(46.99, 8.0 + STEP, 46.99, 8.3)["s12"]
    assert found.gaps[0].tiles == ("a/0", "a/1")
    assert found.gaps[0].metres == pytest.approx(edge, rel=1e-3)


def test_far_away_and_over_the_antimeridian() -> None:
    places = [place("fiji/0", 179.97, -17.0), place("fiji/1", -179.99, -17.0), place("peru/0", -75.0, -10.0)]
    near = leakage(places, ["train", "test", DROPPED]).gaps[0].metres
    far = leakage(places, ["train", DROPPED, "test"]).gaps[0].metres

    assert near == pytest.approx(Geodesic.WGS84.Inverse(-17.01, 179.99, -17.01, -179.99)["s12"], rel=1e-3)
    assert 10_000_000 < far < 13_000_000


def test_one_seed_gives_one_split_whatever_the_order() -> None:
    places = field(20, 15)
    splits = dict(zip([p.key for p in places], blocks_split(places, asked()), strict=True))
    back = places[::-1]

    assert dict(zip([p.key for p in back], blocks_split(back, asked()), strict=True)) == splits
    other = dict(zip([p.key for p in places], blocks_split(places, asked(seed=8)), strict=True))
    assert other != splits


def test_overlapping_tiles_and_variants_share_a_block() -> None:
    places = field(40, 30)
    # A shifted copy of every fifth tile, and a foggy variant that lies nowhere near its parent.
    shifted = [
        place(f"copy/{number}", p.ring[0][0] + STEP / 3, p.ring[0][1])
        for number, p in enumerate(places)
        if number % 5 == 0
    ]
    variant = place("fog/0", 20.0, 40.0, kin="land/7")
    together = [*places, *shifted, variant, Place("land/7b", places[7].ring, "land/7")]
    splits = dict(zip([p.key for p in together], blocks_split(together, asked(buffer_km=0)), strict=True))

    assert leakage(together, list(splits.values())).overlaps == 0
    assert splits["fog/0"] == splits["land/7b"] == splits["land/7"]
    assert Counter(splits.values())[DROPPED] < len(together) / 4


def test_a_chain_of_overlaps_does_not_make_one_block_of_all() -> None:
    """A stride of half a tile: every tile overlaps the next, all along the area."""
    places = [
        place(f"strip/{column * 20 + row}", 8 + column * STEP / 2, 47 - row * STEP / 2)
        for column in range(40)
        for row in range(20)
    ]
    splits = blocks_split(places, asked(block_km=6, buffer_km=0))

    assert {"train", "val", "test"} <= set(splits)
    assert leakage(places, splits).overlaps == 0


def test_an_edge_in_common_is_no_overlap() -> None:
    assert leakage([place("a/0", 8.0, 47.0), place("a/1", 8.02, 47.0)], ["train", "test"]).overlaps == 0
    assert leakage([place("a/0", 8.0, 47.0), place("a/1", 8.019, 47.0)], ["train", "test"]).overlaps == 1


@settings(max_examples=20)
@given(st.floats(-180, 179), st.floats(-80, 85), st.floats(3, 30), st.floats(0, 3), st.integers(0, 100))
def test_nothing_overlaps_anywhere_on_earth(west: float, north: float, block: float, buffer: float, seed: int) -> None:
    places = field(8, 6, west=west, north=north)
    splits = blocks_split(places, Blocks(block, min(buffer, block), seed, SHARES))
    found = leakage(places, splits)
    assert found.overlaps == 0
    assert all(gap.metres >= 999 * min(buffer, block) for gap in found.gaps)


@pytest.mark.parametrize(
    "wrong",
    [
        Blocks(0, 0, 1, SHARES),
        Blocks(10, 11, 1, SHARES),
        Blocks(10, 1, 1, {"train": 0.5, "test": 0.4}),
        Blocks(10, 1, 1, {"train": 1.2, "test": -0.2}),
        Blocks(10, 1, 1, {"train": 0.5, "exam": 0.5}),
    ],
)
def test_what_cannot_be_split_so_is_refused(wrong: Blocks) -> None:
    with pytest.raises(BadInput):
        blocks_split(field(2, 2), wrong)


class TestPlainWays:
    def test_random_meets_its_shares_and_leaks(self) -> None:
        places = field(20, 10)
        splits = random_split(places, shares=SHARES, seed=3)

        assert Counter(splits) == {"train": 160, "val": 20, "test": 20}
        assert random_split(places[::-1], shares=SHARES, seed=3) == splits[::-1]
        assert all(gap.metres == 0 for gap in leakage(places, splits).gaps)

    def test_whole_areas(self) -> None:
        places = [*field(2, 2, area="alps"), *field(2, 2, area="fen")]
        assert area_split(places, of_area={"alps": "train", "fen": "test"}) == ["train"] * 4 + ["test"] * 4
        with pytest.raises(BadInput, match="fen is missing"):
            area_split(places, of_area={"alps": "train"})
        with pytest.raises(BadInput):
            area_split(places, of_area={"alps": "exam", "fen": "test"})

    def test_lists(self) -> None:
        places = field(2, 2)
        lists = {"train": "land/0\nland/tile_1.png extra\n\n", "test": "land/png/tile_2.tif\n"}
        assert file_split(places, lists=lists) == ["train", "train", "test", DROPPED]
        for wrong in ({"train": "land"}, {"train": "land/0", "val": "land/0"}, {"exam": "land/0"}):
            with pytest.raises(BadInput):
                file_split(places, lists=wrong)


@pytest.mark.parametrize(("middle", "spread"), [(8.0, 0.5), (175.0, 5.0), (-60.0, 60.0)])
def test_the_nearest_is_what_comparing_all_finds(middle: float, spread: float) -> None:
    noise = random.Random(3)
    places = [
        place(f"a/{n}", (middle + noise.uniform(-spread, spread) + 180) % 360 - 180, noise.uniform(-1, 1) * spread)
        for n in range(24)
    ]
    ones, others = places[:12], places[12:]
    each = [leakage([one, other], ["train", "test"]).gaps[0].metres for one in ones for other in others]
    found = leakage(places, ["train"] * 12 + ["test"] * 12).gaps[0]
    assert found.metres == pytest.approx(min(each), rel=1e-4, abs=1)
