"""Where a raster lies, how large its pixels are, and whether two lie on one grid."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from rasterio.crs import CRS

from tiles.raster.encode import encode_geotiff, read_layer_bytes
from tiles.raster.errors import GridMismatch, MissingCrs, RasterError
from tiles.raster.grid import Grid, require_equal
from tiles.raster.reading import inspect

UTM = Grid("EPSG:32612", (30, 0, 300_000, 0, -30, 4_150_000), 512, 400)
EQUATOR = Grid("EPSG:4326", (0.001, 0, 10, 0, -0.001, 0.05), 100, 100)


def test_pixel_size_on_the_equator_and_at_60_degrees() -> None:
    assert EQUATOR.pixel_size_m() == pytest.approx((111.32, 111.32))
    north = Grid("EPSG:4326", (0.001, 0, 10, 0, -0.001, 60.05), 100, 100)
    assert north.pixel_size_m() == pytest.approx((55.66, 111.32))
    assert north.gsd_m == pytest.approx((55.66 + 111.32) / 2)
    south = Grid("EPSG:4326", (0.001, 0, 10, 0, -0.001, -59.95), 100, 100)
    assert south.pixel_size_m() == pytest.approx((55.66, 111.32))


def test_pixel_size_of_projected_grids_is_in_metres() -> None:
    assert UTM.pixel_size_m() == (30, 30)
    feet = Grid("EPSG:2263", (10, 0, 980_000, 0, -10, 200_000), 8, 8)
    assert feet.pixel_size_m() == pytest.approx((3.048006096, 3.048006096))


def test_web_mercator_is_not_taken_for_true_metres() -> None:
    # At 60 degrees north a web Mercator metre is half a metre on the ground.
    grid = Grid("EPSG:3857", (10, 0, 0, 0, -10, 8_399_737.89 + 20), 4, 4)
    assert grid.pixel_size_m() == pytest.approx((5, 5), rel=1e-5)


def test_pixel_size_of_a_turned_grid() -> None:
    turned = Affine.translation(300_000, 4_150_000) @ Affine.rotation(30) @ Affine.scale(30, -20)
    assert Grid("EPSG:32612", tuple(turned)[:6], 10, 10).pixel_size_m() == pytest.approx((30, 20))


def test_pixels_at_the_pole_keep_a_width() -> None:
    assert Grid("EPSG:4326", (1, 0, 0, 0, -1, 91), 2, 2).pixel_size_m()[0] > 0


@given(st.integers(0, 400), st.integers(0, 300), st.integers(1, 100), st.integers(1, 100))
def test_window_moves_the_corner_by_whole_pixels(col: int, row: int, width: int, height: int) -> None:
    window = UTM.window(col, row, width, height)
    assert window.transform @ (0, 0) == UTM.transform @ (col, row)
    assert (window.width, window.height, window.crs) == (width, height, UTM.crs)
    assert window.matches(UTM.window(col, row, width, height))


def test_footprint_is_a_closed_counter_clockwise_ring_around_the_centre() -> None:
    ring = UTM.footprint()
    assert ring[0] == ring[-1]
    assert len(ring) > 5
    area = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(ring))
    assert area > 0
    west, south, east, north = UTM.bounds_lonlat()
    lon, lat = UTM.centre_lonlat()
    assert west < lon < east
    assert south < lat < north


def test_footprint_of_a_geographic_grid_is_exact() -> None:
    assert EQUATOR.bounds_lonlat() == pytest.approx((10, -0.05, 10.1, 0.05))
    assert EQUATOR.centre_lonlat() == pytest.approx((10.05, 0))


def test_footprint_stays_in_one_piece_across_the_antimeridian() -> None:
    fiji = Grid("EPSG:32701", (1000, 0, 100_000, 0, -1000, 8_100_000), 200, 50)
    west, _, east, _ = fiji.bounds_lonlat()
    assert east - west < 5
    assert west < -180 < east or west < 180 < east


def test_cubics_through_the_lattice_are_exact_far_inside_a_pixel() -> None:
    """On a wide tile in the far north, where meridians draw together."""
    grid = Grid("EPSG:32633", (100.0, 0.0, 700_000.0, 0.0, -100.0, 8_500_000.0), 512, 512)
    lon, lat = (np.array(each).reshape(4, 4) for each in grid.lattice_lonlat(4))
    nodes = np.linspace(0, 1, 4)
    for col, row in ((10, 500), (255, 85), (511, 0)):
        weights = [
            np.array([np.prod([(at - m) / (n - m) for m in nodes if m != n]) for n in nodes])
            for at in ((row + 0.5) / 512, (col + 0.5) / 512)
        ]
        true_lon, true_lat = grid.window(col, row, 1, 1).centre_lonlat()
        metre = 1 / 111_320
        assert weights[0] @ lat @ weights[1] == pytest.approx(true_lat, abs=metre)
        assert weights[0] @ lon @ weights[1] == pytest.approx(true_lon, abs=metre / np.cos(np.radians(true_lat)))


def test_grid_off_the_globe_says_so() -> None:
    with pytest.raises(RasterError, match="outside"):
        Grid("EPSG:32612", (30, 0, 1e12, 0, -30, 1e12), 4, 4).footprint()


def test_equal_grids_match_and_the_rest_is_named() -> None:
    require_equal(UTM, Grid.from_dict(UTM.to_dict()))
    almost = Grid(UTM.crs, (30, 0, 300_000 + 1e-6, 0, -30, 4_150_000), 512, 400)
    require_equal(UTM, almost)
    with pytest.raises(GridMismatch, match="512 x 400 pixels, the other 513 x 400"):
        require_equal(UTM, Grid(UTM.crs, UTM.affine, 513, 400))
    with pytest.raises(GridMismatch, match="coordinate systems"):
        require_equal(UTM, Grid("EPSG:32613", UTM.affine, 512, 400))
    with pytest.raises(GridMismatch, match="1 columns and 0 rows"):
        require_equal(UTM, UTM.window(1, 0, 512, 400))


def test_a_slightly_larger_pixel_adds_up_over_the_tile() -> None:
    stretched = Grid(UTM.crs, (30.001, 0, 300_000, 0, -30, 4_150_000), 512, 400)
    assert not UTM.matches(stretched)
    assert UTM.matches(stretched, tolerance_px=0.1)


def test_same_crs_written_differently_matches() -> None:
    wkt = CRS.from_epsg(32612).to_wkt(version="WKT2_2019")
    assert UTM.matches(Grid(wkt, UTM.affine, 512, 400))


def test_dictionary_is_plain_json() -> None:
    assert Grid.from_dict(json.loads(json.dumps(UTM.to_dict()))) == UTM


@pytest.mark.parametrize(
    ("affine", "width"),
    [((30, 0, 0, 0, -30), 4), ((30, 0, float("nan"), 0, -30, 0), 4), ((30, 0, 0, 0, 0, 0), 4), (UTM.affine, 0)],
)
def test_impossible_grids_are_refused(affine: tuple[float, ...], width: int) -> None:
    with pytest.raises(ValueError, match="grid"):
        Grid("EPSG:32612", affine, width, 4)  # type: ignore[arg-type]


def test_unknown_crs_text_is_refused_when_used() -> None:
    with pytest.raises(MissingCrs):
        Grid("EPSG:999999", UTM.affine, 4, 4).pixel_size_m()


def test_point_files_are_read_by_their_pixel_corners(write_raster: Callable[..., Path]) -> None:
    path = write_raster("a.tif", np.ones((4, 4), np.int16), AREA_OR_POINT="Point")
    grid = inspect(path).grid
    assert grid is not None
    assert grid.affine == pytest.approx((0.001, 0, 10, 0, -0.001, 50))


def test_vancouver_point_file_starts_half_a_pixel_outside_its_degree(samples: Path) -> None:
    grid = inspect(samples / "srtm3_vancouver" / "N49W124.tif").grid
    assert grid is not None
    assert grid.bounds_lonlat()[0] == pytest.approx(-124 - 0.5 / 1200)


def test_custom_crs_survives_json_and_geotiff(samples: Path) -> None:
    grid = inspect(samples / "small_dems" / "nz_elev_1km_mostly_nodata.tif").grid
    assert grid is not None
    assert not grid.crs.startswith("EPSG")
    assert Grid.from_dict(json.loads(json.dumps(grid.to_dict()))) == grid
    small = grid.window(3, 4, 8, 8)
    back = read_layer_bytes(encode_geotiff(np.ones((8, 8), np.float32), small)).grid
    assert back is not None
    require_equal(back, small)
    assert grid.pixel_size_m() == (1000, 1000)
    lon, lat = grid.centre_lonlat()
    assert 165 < lon < 180
    assert -48 < lat < -34


def test_pixel_size_in_the_andes(samples: Path) -> None:
    grid = inspect(samples / "srtm3_other" / "S33W071.tif").grid
    assert grid is not None
    assert grid.centre_lonlat() == pytest.approx((-70.5, -32.5))
    dx, dy = grid.pixel_size_m()
    assert dy == pytest.approx(111_320 / 1200)
    assert dx == pytest.approx(dy * np.cos(np.radians(32.5)))
