"""DEM_255 against the published formula and by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tiles.raster.depth import (
    MIN_DISTINCT_HEIGHTS,
    DepthRange,
    depth_range,
    depth_to_uint8,
    distinct_heights,
    uint8_to_depth,
)
from tiles.raster.errors import FlatTile
from tiles.raster.quality import flags_of

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=12)


def published(dem: Any) -> Any:
    return np.floor((dem - dem.min()) / (dem.max() - dem.min()) * 255).astype(np.uint8)


def dems() -> Any:
    return st.one_of(
        hnp.arrays(np.int16, SHAPES, elements=st.integers(-500, 9000)),
        hnp.arrays(np.uint16, SHAPES, elements=st.integers(0, 65535)),
        hnp.arrays(np.int32, SHAPES, elements=st.integers(-(10**6), 10**6)),
        hnp.arrays(np.float32, SHAPES, elements=st.floats(-500, 9000, width=32)),
        hnp.arrays(np.float64, SHAPES, elements=st.floats(-500, 9000)),
    ).filter(lambda dem: dem.max() > dem.min())


@given(dems())
def test_equals_the_published_formula(dem: Any) -> None:
    image = depth_to_uint8(dem)
    np.testing.assert_array_equal(image, published(dem))
    assert (image.min(), image.max()) == (0, 255)


@given(dems())
def test_heights_come_back_within_one_step(dem: Any) -> None:
    span = depth_range(dem)
    back = uint8_to_depth(depth_to_uint8(dem), span.dem_min, span.dem_max)
    step = (span.dem_max - span.dem_min) / 255
    slack = 1e-3 + step * 1e-3
    assert (back <= dem + slack).all()
    assert (back >= dem - step - slack).all()


def test_by_hand_and_truncated() -> None:
    dem = np.array([[100, 101], [102, 104]], np.int16)
    # 1/4 * 255 = 63.75, 2/4 * 255 = 127.5
    assert depth_to_uint8(dem).tolist() == [[0, 63], [127, 255]]


def test_int16_range_beyond_32767_does_not_wrap() -> None:
    dem = np.array([[-32000, 0], [16000, 32000]], np.int16)
    assert depth_to_uint8(dem).tolist() == [[0, 127], [191, 255]]


def test_a_hole_takes_no_grey_levels_from_the_land() -> None:
    dem = np.array([[-9999, 100], [102, 104]], np.int16)
    void = dem == -9999
    assert depth_to_uint8(dem, void).tolist() == [[0, 0], [127, 255]]
    assert depth_range(dem, void) == DepthRange(100, 104)


def test_nan_is_void() -> None:
    assert depth_to_uint8(np.array([[np.nan, 1], [2, 3]], np.float32)).tolist() == [[0, 0], [127, 255]]


@pytest.mark.parametrize(
    ("dem", "void"),
    [
        (np.full((3, 3), 7, np.int16), None),
        (np.array([[1, 5], [5, 5]]), np.array([[True, False], [False, False]])),
        (np.ones((2, 2), np.int16), np.ones((2, 2), bool)),
        (np.full((2, 2), np.nan, np.float32), None),
    ],
)
def test_flat_or_empty_tile_is_refused(dem: Any, void: Any) -> None:
    with pytest.raises(FlatTile):
        depth_to_uint8(dem, void)


def test_the_input_is_left_alone() -> None:
    dem = np.array([[np.nan, 1], [2, 3]], np.float32)
    void = np.array([[False, True], [False, False]])
    depth_to_uint8(dem, void)
    np.testing.assert_array_equal(dem, np.array([[np.nan, 1], [2, 3]], np.float32))
    assert void.sum() == 1


@given(dems(), st.integers(2, 40))
def test_distinct_heights_are_counted_up_to_the_cap(dem: Any, cap: int) -> None:
    assert distinct_heights(dem, cap=cap) == min(len(set(dem.ravel().tolist())), cap)


def test_rare_heights_that_a_sample_misses_are_counted() -> None:
    dem = np.zeros((512, 512), np.int16)
    dem[7, 3:20] = np.arange(1, 18)
    assert distinct_heights(dem) == 18
    assert distinct_heights(dem, dem > 5) == 6


def test_flags() -> None:
    assert flags_of(distinct=1) == ("flat",)
    assert flags_of(distinct=MIN_DISTINCT_HEIGHTS - 1) == ("few_heights",)
    assert flags_of(distinct=MIN_DISTINCT_HEIGHTS) == ()
    assert flags_of(distinct=2, stretch_flags=("constant_band", "constant_band")) == ("few_heights", "constant_band")
