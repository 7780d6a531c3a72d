"""The map of outlines."""

from __future__ import annotations

from tiles.areas.graticule import graticule

SQUARE = [[10.0, 50.0], [11.0, 50.0], [11.0, 51.0], [10.0, 51.0], [10.0, 50.0]]


def test_no_outline_no_map() -> None:
    assert graticule([]) is None


def test_north_is_up_and_east_is_right() -> None:
    drawn = graticule([SQUARE])
    assert drawn is not None
    corners = [tuple(float(v) for v in point.split(",")) for point in drawn.outlines[0].split()]
    south_west, south_east, north_east = corners[0], corners[1], corners[2]
    assert south_east[0] > south_west[0]
    assert north_east[1] < south_east[1]


def test_a_degree_of_longitude_is_drawn_narrower_than_one_of_latitude_by_the_cosine() -> None:
    drawn = graticule([SQUARE])
    assert drawn is not None
    corners = [tuple(float(v) for v in point.split(",")) for point in drawn.outlines[0].split()]
    across, up = corners[1][0] - corners[0][0], corners[1][1] - corners[2][1]
    assert abs(across / up - 0.636) < 0.005  # cos 50.5 degrees


def test_lines_are_labelled_with_their_hemisphere() -> None:
    drawn = graticule([[[-71.0, -33.0], [-70.0, -33.0], [-70.0, -32.0], [-71.0, -33.0]]])
    assert drawn is not None
    assert all(line.label.endswith("S") for line in drawn.parallels)
    assert all(line.label.endswith("W") for line in drawn.meridians)
    assert "32.4° S" in [line.label for line in drawn.parallels]
