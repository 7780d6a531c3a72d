"""Lattices, groups of adjacent grids, metric grids, and what meets an area of interest."""

from __future__ import annotations

import pytest

from tiles.raster.aoi import Aoi, aoi_polygons
from tiles.raster.errors import GridMismatch, RasterError
from tiles.raster.grid import Grid
from tiles.raster.lattice import Box, adjacent_groups, box_in, common_lattice, metric_grid, part_within, utm_crs


def srtm(west: int, south: int) -> Grid:
    """A tile of 1201 x 1201 pixels, whose outer centres lie on whole degrees."""
    step = 1 / 1200
    return Grid("EPSG:4326", (step, 0, west - step / 2, 0, -step, south + 1 + step / 2), 1201, 1201)


def test_srtm_tiles_share_a_lattice_and_their_edge_pixels() -> None:
    west, east, far = srtm(-124, 49), srtm(-123, 49), srtm(-120, 49)
    both = common_lattice([east, west])
    assert (both.width, both.height) == (2401, 1201)
    assert box_in(both, east) == Box(1200, 0, 1201, 1201)
    assert adjacent_groups([east, far, west]) == [[0, 2], [1]]
    assert adjacent_groups([srtm(0, 0), srtm(2, 0), srtm(1, 0)]) == [[0, 1, 2]], "by way of the third"


def test_another_phase_is_another_lattice() -> None:
    grid = srtm(8, 46)
    a, b, c, d, e, f = grid.affine
    shifted = Grid(grid.crs, (a, b, c + 1 + a / 3, d, e, f), 1201, 1201)
    assert box_in(grid, shifted) is None
    assert adjacent_groups([grid, shifted]) == [[0], [1]]
    with pytest.raises(GridMismatch):
        common_lattice([grid, shifted])


def test_a_metric_grid_lies_within_on_whole_multiples() -> None:
    of = srtm(8, 46)
    grid = metric_grid(of, 90)
    assert grid is not None
    assert grid.crs == "EPSG:32632"
    assert [value % 90 for value in grid.affine] == [0] * 6
    west, south, east, north = grid.bounds_lonlat()
    assert 8 <= west + 0.02 < east - 0.02 <= 9
    assert 46 <= south + 0.02 < north - 0.02 <= 47
    assert grid.width * 90 > 0.97 * 76_000
    assert part_within(of, of) == of


@pytest.mark.parametrize(
    ("lon", "lat", "code"), [(-71, -33, 32719), (179.9, 10, 32660), (180, 10, 32601), (0, 0, 32631)]
)
def test_zones(lon: float, lat: float, code: int) -> None:
    assert utm_crs(lon, lat) == f"EPSG:{code}"


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [
        # Norway, 32V: three degrees of zone 31 belong to zone 32, from 56 to 64 degrees.
        (5.3, 60.4, 32632),  # Bergen
        (3.0, 56.0, 32632),
        (2.999, 60.0, 32631),
        (5.3, 55.999, 32631),
        (5.3, 64.0, 32631),
        (11.999, 60.0, 32632),
        (12.0, 60.0, 32633),
        (5.3, -60.0, 32731),
        # Svalbard, 31X, 33X, 35X, 37X: there are no zones 32, 34 and 36 from 72 degrees on.
        (8.999, 78.0, 32631),
        (9.0, 78.0, 32633),
        (15.6, 78.2, 32633),  # Longyearbyen
        (20.999, 78.0, 32633),
        (21.0, 78.0, 32635),
        (32.999, 78.0, 32635),
        (33.0, 78.0, 32637),
        (41.999, 78.0, 32637),
        (42.0, 78.0, 32638),
        (-0.001, 78.0, 32630),
        (9.0, 84.0, 32633),
        (8.999, 71.999, 32632),
        (9.0, 71.999, 32632),
        (21.0, 71.999, 32634),
        (365.3, 60.4, 32632),  # a grid that runs on over the antimeridian
    ],
)
def test_zones_that_are_wider_or_not_there(lon: float, lat: float, code: int) -> None:
    assert utm_crs(lon, lat) == f"EPSG:{code}"


def test_there_is_no_zone_at_the_pole() -> None:
    with pytest.raises(RasterError, match="no UTM zone"):
        utm_crs(0, 86)


def ring(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


@pytest.mark.parametrize(
    ("footprint", "meets"),
    [
        pytest.param(ring(1, 1, 2, 2), True, id="within"),
        pytest.param(ring(-5, -5, 20, 20), True, id="around"),
        pytest.param(ring(9, 9, 12, 12), True, id="across a corner"),
        pytest.param(ring(-1, 4.5, 11, 5.5), True, id="across, no corner within"),
        pytest.param(ring(10, 3, 12, 4), True, id="a common edge"),
        pytest.param(ring(4.5, 4.5, 5.5, 5.5), False, id="in the hole"),
        pytest.param(ring(3.5, 3.5, 4.5, 4.5), True, id="across the hole's edge"),
        pytest.param(ring(11, 3, 12, 4), False, id="beside"),
        pytest.param(ring(361, 1, 362, 2), True, id="a turn further"),
    ],
)
def test_what_meets_an_area_of_interest(footprint: list[list[float]], meets: bool) -> None:
    polygon = {"type": "Polygon", "coordinates": [ring(0, 0, 10, 10), ring(4, 4, 6, 6)]}
    assert Aoi(aoi_polygons(polygon)).meets(footprint) is meets
