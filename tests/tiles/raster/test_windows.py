"""Which windows become tiles and how they are numbered."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tiles.raster.dem import read_dem
from tiles.raster.errors import BadBands
from tiles.raster.reading import list_rasters, open_raster
from tiles.raster.windows import ScannedWindow, scan_windows

Write = Callable[..., Path]


def scan(path: Path, size: int, **options: Any) -> list[ScannedWindow]:
    with open_raster(path) as dataset:
        return scan_windows(dataset, size, **options)


def test_numbers_run_down_the_columns_and_skip_sea_and_edges(write_raster: Write) -> None:
    dem = np.ones((5, 7), np.int16)
    dem[2:4, 0:2] = 0
    found = scan(write_raster("a.tif", dem), 2, first_number=10)
    assert [(w.number, w.col, w.row, w.skipped) for w in found] == [
        (10, 0, 0, None),
        (None, 0, 2, "sea"),
        (None, 0, 4, "partial"),
        (11, 2, 0, None),
        (12, 2, 2, None),
        (None, 2, 4, "partial"),
        (13, 4, 0, None),
        (14, 4, 2, None),
        (None, 4, 4, "partial"),
        (None, 6, 0, "partial"),
        (None, 6, 2, "partial"),
        (None, 6, 4, "partial"),
    ]


def test_one_pixel_that_is_not_zero_makes_a_tile(write_raster: Write) -> None:
    dem = np.zeros((4, 4), np.int16)
    dem[3, 3] = -1
    assert [w.skipped for w in scan(write_raster("a.tif", dem), 4)] == [None]


@pytest.mark.parametrize("hole", [np.nan, -9999.0])
def test_a_void_window_is_not_sea(write_raster: Write, hole: float) -> None:
    dem = np.full((4, 4), hole, np.float32)
    assert [w.number for w in scan(write_raster("a.tif", dem, nodata=hole), 4)] == [0]


def test_zeros_are_sea_even_when_zero_is_nodata(write_raster: Write) -> None:
    dem = np.zeros((4, 4), np.int16)
    assert [w.skipped for w in scan(write_raster("a.tif", dem, nodata=0), 4)] == ["sea"]


def test_file_smaller_than_a_tile_has_one_partial_window(write_raster: Write) -> None:
    found = scan(write_raster("a.tif", np.ones((3, 9), np.int16)), 16)
    assert found == [ScannedWindow(None, 0, 0, "partial")]


def test_progress_is_told_band_by_band_and_can_stop_the_scan(write_raster: Write) -> None:
    path = write_raster("a.tif", np.ones((7, 4), np.int16))
    told: list[tuple[int, int]] = []
    scan(path, 2, on_band=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan(path, 2, on_band=stop)


def test_every_strip_is_read_once_and_never_more_than_one_band_at_a_time(write_raster: Write) -> None:
    path = write_raster("a.tif", np.ones((9, 8), np.int16))
    with open_raster(path) as dataset:
        reads = []

        class Counting:
            name, count, dtypes, colorinterp = dataset.name, dataset.count, dataset.dtypes, dataset.colorinterp
            width, height = dataset.width, dataset.height

            def read(self, band: int, window: Any) -> Any:
                reads.append((window.row_off, window.height))
                return dataset.read(band, window=window)

        scan_windows(Counting(), 4)
    assert reads == [(0, 4), (4, 4)]


def test_pictures_and_complex_numbers_are_no_elevation_model(write_raster: Write) -> None:
    with pytest.raises(BadBands, match=r"rgb\.tif has 3 bands"):
        scan(write_raster("rgb.tif", np.ones((3, 4, 4), np.uint8)), 2)
    with pytest.raises(BadBands, match="complex"):
        scan(write_raster("c.tif", np.ones((4, 4), np.complex64)), 2)


def test_two_adjacent_srtm_files_number_on(samples: Path) -> None:
    numbered = []
    for path in list_rasters(samples / "srtm3_vancouver"):
        found = scan(path, 512, first_number=len(numbered))
        assert sum(w.skipped == "partial" for w in found) == 5
        assert not any(w.skipped == "sea" for w in found)
        numbered += [(path.stem, w.number, w.col, w.row) for w in found if w.number is not None]
    assert numbered == [
        ("N49W123", 0, 0, 0),
        ("N49W123", 1, 0, 512),
        ("N49W123", 2, 512, 0),
        ("N49W123", 3, 512, 512),
        ("N49W124", 4, 0, 0),
        ("N49W124", 5, 0, 512),
        ("N49W124", 6, 512, 0),
        ("N49W124", 7, 512, 512),
    ]


def test_open_sea_of_a_real_file_takes_no_numbers(samples: Path) -> None:
    found = scan(samples / "srtm3_vancouver" / "N49W124.tif", 128)
    sea = [w for w in found if w.skipped == "sea"]
    assert len(sea) == 8
    assert [w.number for w in found if w.skipped is None] == list(range(81 - 8))
    with open_raster(samples / "srtm3_vancouver" / "N49W124.tif") as dataset:
        assert not any(read_dem(dataset, w.col, w.row, 128).heights.any() for w in sea)
