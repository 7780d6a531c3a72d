"""The curve through the world, and pairs as groups."""

from __future__ import annotations

from itertools import pairwise

from tiles.raster.curve import BITS, space_key
from tiles.raster.groups import groups_of


def test_one_cell_after_another() -> None:
    """Of the cells of a block in the order of their keys each touches the one before: it is a Hilbert curve."""
    side = 1 << BITS
    cells = {
        space_key((col + 0.5) / side * 360 - 180, (row + 0.5) / side * 180 - 90): (col, row)
        for col in range(4096, 4112)
        for row in range(8192, 8208)
    }
    assert len(cells) == 256, "every cell has a key of its own"
    assert max(cells) - min(cells) == 255, "and they follow each other"
    places = [cells[key] for key in sorted(cells)]
    assert {abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in pairwise(places)} == {1}


def test_the_ends_of_the_world() -> None:
    keys = [space_key(lon, lat) for lon in (-180, 0, 180) for lat in (-90, 0, 90)]
    assert all(0 <= key < 4**BITS for key in keys)
    assert space_key(180, 10) == space_key(-180, 10), "one meridian"


def test_pairs_hang_together() -> None:
    assert groups_of([(7, 2), (9, 7), (5, 4), (2, 1)]) == {1: 1, 2: 1, 7: 1, 9: 1, 4: 4, 5: 4}
    assert groups_of([]) == {}
