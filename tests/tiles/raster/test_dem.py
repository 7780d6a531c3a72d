"""Heights of one window, and what counts as void."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio

from tiles.raster.dem import read_dem
from tiles.raster.errors import GridMismatch
from tiles.raster.reading import open_raster

Write = Callable[..., Path]


def test_window_keeps_the_source_dtype_and_knows_its_voids(write_raster: Write) -> None:
    path = write_raster("a.tif", np.array([[1, 2, 3], [4, -32767, 6], [7, 8, 9]], np.int16), nodata=-32767)
    with open_raster(path) as dataset:
        dem = read_dem(dataset, 1, 0, 2)
    assert dem.heights.tolist() == [[2, 3], [-32767, 6]]
    assert dem.heights.dtype == np.int16
    assert dem.void.tolist() == [[False, False], [True, False]]
    assert dem.void_share == 0.25


def test_nan_and_infinity_are_void_without_being_declared(write_raster: Write) -> None:
    with open_raster(write_raster("a.tif", np.array([[1, np.nan], [np.inf, 4]], np.float32))) as dataset:
        assert read_dem(dataset, 0, 0, 2).void.tolist() == [[False, True], [True, False]]


def test_the_mask_of_the_file_counts(write_raster: Write) -> None:
    mask = np.array([[True, False], [True, True]])
    with open_raster(write_raster("a.tif", np.ones((2, 2), np.int16), mask=mask)) as dataset:
        assert read_dem(dataset, 0, 0, 2).void.tolist() == [[False, True], [False, False]]


def test_an_alpha_band_counts(write_raster: Write) -> None:
    bands = np.array([[[1, 2], [3, 4]], [[255, 0], [255, 255]]], np.uint8)
    path = write_raster("a.tif", bands, photometric="minisblack", alpha="yes")
    with open_raster(path) as dataset:
        dem = read_dem(dataset, 0, 0, 2)
    assert dem.heights.tolist() == [[1, 2], [3, 4]]
    assert dem.void.tolist() == [[False, True], [False, False]]


def test_feet_become_metres(write_raster: Write) -> None:
    path = write_raster("a.tif", np.array([[1000, -1], [10, 0]], np.int16), nodata=-1)
    with open_raster(path) as dataset:
        dem = read_dem(dataset, 0, 0, 2, unit_factor=0.3048)
    assert dem.heights.dtype == np.float32
    np.testing.assert_array_equal(dem.heights, np.array([[304.8, np.nan], [3.048, 0]], np.float32))


def test_scale_and_offset_of_the_file_are_applied(write_raster: Write) -> None:
    path = write_raster("a.tif", np.array([[100, 200], [0, 50]], np.int16))
    with rasterio.open(path, "r+") as dataset:
        dataset.scales, dataset.offsets = (0.1,), (-10.0,)
    with open_raster(path) as dataset:
        np.testing.assert_allclose(read_dem(dataset, 0, 0, 2).heights, [[0, 10], [-10, -5]], atol=1e-6)


@pytest.mark.parametrize(("col", "row"), [(-1, 0), (0, -1), (2, 0), (0, 2)])
def test_window_outside_the_file_is_refused(write_raster: Write, col: int, row: int) -> None:
    path = write_raster("a.tif", np.ones((3, 3), np.int16))
    with open_raster(path) as dataset, pytest.raises(GridMismatch):
        read_dem(dataset, col, row, 2)


def test_real_voids(samples: Path) -> None:
    with open_raster(samples / "srtm3_other" / "N46E008.tif") as dataset:
        dem = read_dem(dataset, 0, 0, 512)
    assert 0.05 < dem.void_share < 0.10
    assert (dem.heights[dem.void] == -32767).all()
    assert dem.heights[~dem.void].min() >= 187
