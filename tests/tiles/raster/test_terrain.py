"""Slope, hill shade, relief and landform, on planes worked out by hand and on real ground."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tiles.raster.errors import FlatTile
from tiles.raster.grid import Grid
from tiles.raster.reading import open_raster
from tiles.raster.terrain import LANDFORMS, hillshade, landform, measure_terrain, moving_relief, slope_degrees

UTM_30 = (30, 0, 300_000, 0, -30, 4_150_000)


def plane(east: float, south: float, shape: tuple[int, int] = (6, 8)) -> Any:
    rows, columns = np.indices(shape)
    return (columns * east + rows * south).astype(np.float32)


def test_slope_of_a_plane_is_the_same_up_to_the_edge() -> None:
    # 30 m up on 30 m is 45 degrees; 3-4-5: 30 and 40 m on 30 and 30 m.
    np.testing.assert_allclose(slope_degrees(plane(30, 0), 30, 30), 45, atol=1e-4)
    expected = np.degrees(np.arctan(np.hypot(1, 4 / 3)))
    np.testing.assert_allclose(slope_degrees(plane(30, 40), 30, 30), expected, atol=1e-4)


def test_slope_uses_each_pixel_size_on_its_own_axis() -> None:
    np.testing.assert_allclose(slope_degrees(plane(30, 0), 30, 99), 45, atol=1e-4)
    np.testing.assert_allclose(slope_degrees(plane(0, 30), 99, 30), 45, atol=1e-4)


def test_horn_weights_by_hand() -> None:
    dem = np.array([[1, 2, 3], [4, 5, 9], [7, 8, 12]], np.float32)
    # East: (3 + 2*9 + 12) - (1 + 2*4 + 7) = 17, over 8; south: (7 + 2*8 + 12) - (1 + 2*2 + 3) = 27, over 8.
    assert slope_degrees(dem, 1, 1)[1, 1] == pytest.approx(np.degrees(np.arctan(np.hypot(17, 27) / 8)))


def test_slope_is_unknown_beside_a_void_and_only_there() -> None:
    void = np.zeros((6, 8), bool)
    void[2, 3] = True
    dem = plane(30, 0)
    dem[2, 3] = -9999
    slope = slope_degrees(dem, 30, 30, void)
    unknown = np.zeros((6, 8), bool)
    unknown[1:4, 2:5] = True
    np.testing.assert_array_equal(np.isnan(slope), unknown)
    np.testing.assert_allclose(slope[~unknown], 45, atol=1e-4)


def test_one_row_of_pixels_still_has_a_slope() -> None:
    assert slope_degrees(np.ones((1, 5), np.int16), 30, 30).shape == (1, 5)


def test_unsigned_heights_do_not_wrap() -> None:
    dem = np.array([[30, 0, 30]] * 3, np.uint16)
    assert slope_degrees(dem, 30, 30)[1, 1] == 0


@pytest.mark.parametrize(
    ("dem", "azimuth", "facing"),
    [
        (plane(-30, 0), 90, "east"),
        (plane(30, 0), 270, "west"),
        (plane(0, 30), 0, "north"),
        (plane(0, -30), 180, "south"),
    ],
)
def test_ground_that_faces_the_sun_squarely_is_bright(dem: Any, azimuth: float, facing: str) -> None:
    """A 45 degree slope under a sun at 45 degrees: 1 when it faces the sun, 0 when it faces away."""
    np.testing.assert_allclose(hillshade(dem, 30, 30, azimuth=azimuth), 1, atol=1e-5)
    np.testing.assert_allclose(hillshade(dem, 30, 30, azimuth=azimuth + 180), 0, atol=1e-5)


def test_flat_ground_is_as_bright_as_the_sun_is_high() -> None:
    np.testing.assert_allclose(hillshade(np.zeros((3, 3)), 30, 30, altitude=30), 0.5, atol=1e-6)


def test_the_default_sun_lights_the_northwest() -> None:
    assert hillshade(plane(30, 30), 30, 30)[2, 2] > hillshade(plane(-30, -30), 30, 30)[2, 2]


def naive_relief(dem: Any, rows: int, columns: int, void: Any) -> Any:
    out = np.full(dem.shape, np.nan, np.float32)
    for r in range(dem.shape[0]):
        for c in range(dem.shape[1]):
            part = np.s_[max(r - rows // 2, 0) : r + rows // 2 + 1, max(c - columns // 2, 0) : c + columns // 2 + 1]
            if not void[r, c]:
                heights = dem[part][~void[part]].astype(np.float32)
                out[r, c] = heights.max() - heights.min()
    return out


@given(
    hnp.arrays(np.int16, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(-500, 9000)),
    st.sampled_from([1, 3, 5, 7, 9, 15, 27]),
    st.sampled_from([1, 3, 7, 13]),
    st.data(),
)
def test_moving_relief_equals_looking_at_every_window(dem: Any, rows: int, columns: int, data: Any) -> None:
    void = data.draw(hnp.arrays(bool, dem.shape))
    np.testing.assert_array_equal(moving_relief(dem, (rows, columns), void), naive_relief(dem, rows, columns, void))
    nothing = np.zeros(dem.shape, bool)
    np.testing.assert_array_equal(moving_relief(dem, rows), naive_relief(dem, rows, rows, nothing))


def test_even_windows_have_no_centre() -> None:
    with pytest.raises(ValueError, match="odd"):
        moving_relief(np.ones((4, 4)), 4)


def test_landform_classes_by_relief_and_altitude() -> None:
    shape = (100, 100)
    rng = np.random.default_rng(1)
    for base, relief, name in [
        (50, 20, "plain"),
        (3000, 20, "highland"),
        (50, 150, "hill"),
        (3000, 150, "hill"),
        (50, 400, "low_mountain"),
        (50, 900, "high_mountain"),
    ]:
        form = landform(base + rng.random(shape, np.float32) * relief, 30, 30)
        assert form.name == name
        assert form.shares[name] > 0.99
        assert form.water_share == 0
        assert form.window_m == 49 * 30


def test_relief_is_taken_in_a_window_not_over_the_tile() -> None:
    # 10 m a kilometre: 15 m in any window of 1.5 km, though 300 m over the whole tile.
    ramp = 5 + plane(0.3, 0, (200, 1000))
    assert landform(ramp, 30, 30).name == "plain"
    assert landform(ramp, 30, 30, window_m=30_000).shares["plain"] == 0


def test_window_counts_ground_distance_along_each_axis() -> None:
    # Relief of a ramp along x is that of the window's columns: 15 pixels of 100 m, not 50 of 30.
    ramp = 5 + plane(10, 0, (60, 200))
    assert landform(ramp, 100, 30).shares["hill"] == 1
    assert landform(ramp, 30, 100).shares["low_mountain"] > 0.9


def test_window_is_never_larger_than_the_tile() -> None:
    form = landform(plane(1, 1, (64, 64)) + 5, 0.5, 0.5)
    assert form.window_m == 32


def test_water_stands_apart_and_shares_add_up() -> None:
    dem = np.zeros((60, 100), np.int16)
    dem[:, 70:] = np.arange(60)[:, None] + 1
    form = landform(dem, 30, 30)
    assert form.name == "ocean"
    assert form.water_share == pytest.approx(0.69)
    assert sum(form.shares.values()) + form.water_share == pytest.approx(1)
    form = landform(dem[:, 40:], 30, 30)
    assert form.name == "hill"
    assert form.water_share == pytest.approx(29 / 60)


def test_land_at_height_zero_with_relief_is_not_water() -> None:
    dem = np.random.default_rng(2).integers(0, 2, (50, 50)).astype(np.int16)
    assert landform(dem, 30, 30).name == "plain"


def test_voids_belong_to_no_class() -> None:
    dem = np.full((40, 40), 10, np.int16)
    void = np.zeros((40, 40), bool)
    void[:10] = True
    dem[void] = -32767
    form = landform(dem, 30, 30, void)
    assert form.shares["plain"] == 1
    with pytest.raises(FlatTile):
        landform(dem, 30, 30, np.ones((40, 40), bool))


def test_every_land_class_has_a_place_in_the_table() -> None:
    names = [kind.name for kind in LANDFORMS]
    assert names == ["ocean", "plain", "highland", "hill", "low_mountain", "high_mountain"]
    for relief in (0, 29.9, 30, 199.9, 200, 499.9, 500, 9000):
        for altitude in (-100, 0, 999.9, 1000, 8848):
            fits = [
                k.name
                for k in LANDFORMS[1:]
                if k.relief[0] <= relief < k.relief[1] and k.altitude[0] <= altitude < k.altitude[1]
            ]
            assert len(fits) == 1


def test_measures_of_a_small_tile_by_hand() -> None:
    dem = np.array([[0, 30, 60], [0, 30, 60], [0, 30, -9999]], np.int16)
    measured = measure_terrain(dem, Grid("EPSG:32612", UTM_30, 3, 3), dem == -9999)
    assert (measured.dem_min, measured.dem_max, measured.relief) == (0, 60, 60)
    assert measured.dem_mean == pytest.approx(26.25)
    assert measured.slope_mean == pytest.approx(45, abs=1e-4)
    assert measured.distinct_heights == 3
    assert measured.void_share == pytest.approx(1 / 9)
    assert measured.landform == "hill"
    assert measured.to_dict()["landform_shares"]["hill"] == 1
    with pytest.raises(FlatTile):
        measure_terrain(dem, Grid("EPSG:32612", UTM_30, 3, 3), np.ones((3, 3), bool))


def test_zion_slope_in_true_metres(samples: Path) -> None:
    with open_raster(samples / "zion" / "zion_srtm_3arcsec.tif") as dataset:
        dem, grid = dataset.read(1), Grid.of(dataset)
    dx, dy = grid.pixel_size_m()
    assert (dx, dy) == pytest.approx((73.77, 92.77), abs=0.01)
    # Plain central differences give the known 15.0 and, with square cells, 13.6 degrees; Horn's weighted ones
    # smooth a little and give 14.6 and 13.2. Degrees taken for metres make walls of everything.
    south, east = np.gradient(dem.astype(np.float64))
    assert np.degrees(np.arctan(np.hypot(east / dx, south / dy))).mean() == pytest.approx(15.0, abs=0.05)
    assert slope_degrees(dem, dx, dy).mean() == pytest.approx(14.64, abs=0.01)
    assert slope_degrees(dem, dy, dy).mean() == pytest.approx(13.19, abs=0.01)
    assert measure_terrain(dem, grid).landform == "low_mountain"


def test_strait_of_georgia_is_water(samples: Path) -> None:
    with open_raster(samples / "srtm3_vancouver" / "N49W124.tif") as dataset:
        dem, void, grid = dataset.read(1), dataset.read_masks(1) == 0, Grid.of(dataset)
    measured = measure_terrain(dem, grid, void)
    assert measured.water_share == pytest.approx(0.35, abs=0.01)
    assert measured.void_share == pytest.approx(0.018, abs=0.001)
    assert (measured.dem_min, measured.dem_max) == (-26, 2630)
