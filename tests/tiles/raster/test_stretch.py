"""The stretch against the published formula, written out plainly, and against values worked out by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tiles.raster.errors import BadBands, BlankImage
from tiles.raster.reading import open_raster
from tiles.raster.stretch import percentile_of_histogram, stretch_rgb

SHAPES = st.tuples(st.integers(2, 9), st.integers(2, 9), st.just(3))


def published_normalise(rgb: Any) -> Any:
    """Each channel by its own min and max, truncated, exactly as NumPy evaluates the formula."""
    out = np.zeros(rgb.shape, np.uint8)
    for channel in range(3):
        x = rgb[:, :, channel]
        low, high = x.min(), x.max()
        if high > low:
            out[:, :, channel] = ((x - low) / (high - low) * 255).astype(np.uint8)
    return out


def published_stretch(image: Any, percent: float) -> Any:
    low, high = np.percentile(image, percent), np.percentile(image, 100 - percent)
    if low == high:
        return image
    return ((np.clip(image, low, high) - low) / (high - low) * 255).astype(np.uint8)


def integers(dtype: Any) -> Any:
    info = np.iinfo(dtype)
    # Half the range of a signed type: beyond it the published int16 subtraction wraps around.
    low, high = (info.min // 2, info.max // 2) if info.min < 0 else (0, info.max)
    return hnp.arrays(dtype, SHAPES, elements=st.integers(low, high))


def floats() -> Any:
    return hnp.arrays(np.float32, SHAPES, elements=st.floats(0, 2, width=32))


def pictures() -> Any:
    kinds = st.one_of(floats(), integers(np.uint8), integers(np.uint16), integers(np.int16))
    return kinds.filter(lambda rgb: rgb.max() != 0)


@given(pictures(), st.sampled_from([0.0, 0.3, 1.0, 2.0, 7.5, 33.0]))
def test_per_channel_equals_the_published_formula(rgb: Any, percent: float) -> None:
    expected = published_normalise(rgb)
    if percent:
        expected = published_stretch(expected, percent)
    np.testing.assert_array_equal(stretch_rgb(rgb, percent=percent).image, expected)


@given(pictures())
def test_joint_equals_the_published_formula(rgb: Any) -> None:
    low, high = rgb.min(), rgb.max()
    if low == high:
        assert stretch_rgb(rgb, normalisation="joint").flags == ("constant_band", "unstretched")
        return
    expected = published_stretch(((rgb - low) / (high - low) * 255).astype(np.uint8), 1)
    np.testing.assert_array_equal(stretch_rgb(rgb, normalisation="joint").image, expected)


@given(pictures())
def test_per_channel_percentiles_equal_the_published_variant(rgb: Any) -> None:
    image = published_normalise(rgb)
    expected = np.dstack([published_stretch(image[:, :, c], p) for c, p in enumerate((1, 1, 0.3))])
    np.testing.assert_array_equal(stretch_rgb(rgb, per_channel_percent=True).image, expected)


@given(
    hnp.arrays(np.uint8, st.integers(1, 400)),
    st.one_of(st.sampled_from([0, 0.3, 1, 2, 50, 98, 99, 99.7, 100]), st.floats(0, 100)),
)
def test_percentile_of_histogram_is_bit_for_bit_numpys(values: Any, percent: float) -> None:
    counts = np.bincount(values, minlength=256)
    assert percentile_of_histogram(counts, percent) == np.percentile(values, percent)


@given(pictures(), st.data())
def test_what_lies_under_invalid_pixels_changes_nothing(rgb: Any, data: Any) -> None:
    valid = data.draw(hnp.arrays(bool, rgb.shape[:2]))
    valid[0, 0], rgb[0, 0] = True, 1
    other = rgb.copy()
    other[~valid] = data.draw(st.sampled_from([0, 1, 100]))
    one, two = stretch_rgb(rgb, valid=valid), stretch_rgb(other, valid=valid)
    np.testing.assert_array_equal(one.image, two.image)
    assert one.flags == two.flags
    assert not one.image[~valid].any()


def grey(rows: list[list[float]], dtype: Any) -> Any:
    return np.dstack([np.array(rows, dtype)] * 3)


def test_values_are_truncated_not_rounded() -> None:
    # 1/3 * 255 = 85, 2/3 * 255 = 170; 0.5/3 * 255 = 42.5 and 2.9/3 * 255 = 246.5 lose their halves.
    image = stretch_rgb(grey([[0, 1, 0.5], [2, 3, 2.9]], np.float32), percent=0).image
    assert image[:, :, 0].tolist() == [[0, 85, 42], [170, 255, 246]]


def test_joint_percentiles_by_hand() -> None:
    # uint8 values 0, 85, 170, 255, three times each: position 0.25 * 11 = 2.75 is between 0 and 85 (63.75),
    # position 8.25 between 170 and 255 (191.25). (85 - 63.75) / 127.5 * 255 = 42.5.
    image = stretch_rgb(grey([[0, 1], [2, 3]], np.uint16), percent=25).image
    assert image[:, :, 1].tolist() == [[0, 42], [212, 255]]


def test_channels_keep_their_own_range() -> None:
    rgb = np.dstack([np.array([[0, 10]]), np.array([[100, 300]]), np.array([[5, 6]])]).astype(np.uint16)
    assert stretch_rgb(rgb, percent=0).image.tolist() == [[[0, 0, 0], [255, 255, 255]]]
    # Jointly 0..300: 10 -> 8.5, 100 -> 85, 5 -> 4.25, 6 -> 5.1.
    joint = stretch_rgb(rgb, percent=0, normalisation="joint").image
    assert joint.tolist() == [[[0, 85, 4], [8, 255, 5]]]


def test_int16_range_beyond_32767_does_not_wrap() -> None:
    image = stretch_rgb(grey([[-30000, 0, 30000]], np.int16), percent=0).image
    assert image[0, :, 0].tolist() == [0, 127, 255]


def test_nan_pixel_is_masked_and_leaves_the_rest_alone() -> None:
    rgb = grey([[0, 1, 2, 3]], np.float32)
    rgb[0, 1, 2] = np.nan
    assert stretch_rgb(rgb, percent=0).image[0].tolist() == [[0] * 3, [0] * 3, [170] * 3, [255] * 3]


def test_constant_channel_becomes_zero_and_is_flagged() -> None:
    rgb = grey([[0, 1, 2, 3]], np.float32)
    rgb[:, :, 1] = 7
    stretched = stretch_rgb(rgb)
    assert stretched.flags == ("constant_band",)
    assert not stretched.image[:, :, 1].any()
    assert stretched.image[0, :, 0].tolist() == [0, 85, 170, 255]


def test_channel_that_is_constant_where_valid_is_flagged() -> None:
    valid = np.array([[False, True, True, True]])
    rgb = grey([[9, 1, 2, 3]], np.uint8)
    rgb[0, 1:, 0] = 4
    assert stretch_rgb(rgb, valid=valid).flags == ("constant_band",)


def test_one_outlier_does_not_black_out_an_even_picture() -> None:
    rgb = np.full((40, 40, 3), 10, np.uint8)
    rgb[3, 4] = 200
    stretched = stretch_rgb(rgb)
    assert stretched.flags == ("unstretched",)
    assert stretched.image[3, 4].tolist() == [255] * 3
    assert stretched.image.sum() == 3 * 255


def test_values_as_they_are() -> None:
    rgb = grey([[0, 85.9, 255]], np.float32)
    stretched = stretch_rgb(rgb, normalisation="none", percent=0)
    assert stretched.image[0, :, 0].tolist() == [0, 85, 255]
    assert stretched.flags == ()


def test_values_as_they_are_are_cut_off_not_wrapped() -> None:
    stretched = stretch_rgb(grey([[-3, 300, 12]], np.int16), normalisation="none", percent=0)
    assert stretched.image[0, :, 0].tolist() == [0, 255, 12]
    assert stretched.flags == ("out_of_range",)


def test_invalid_pixels_become_0_in_the_result_and_not_in_the_input() -> None:
    rgb = grey([[1, 2], [3, 4]], np.uint8)
    stretched = stretch_rgb(rgb, normalisation="none", percent=0, valid=np.array([[True, False], [True, True]]))
    assert stretched.image[:, :, 0].tolist() == [[1, 0], [3, 4]]
    assert rgb[:, :, 0].tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("rgb", "valid"),
    [
        (np.zeros((4, 4, 3), np.uint8), None),
        (np.full((4, 4, 3), np.nan, np.float32), None),
        (np.ones((4, 4, 3), np.uint8), np.zeros((4, 4), bool)),
    ],
)
def test_black_or_empty_picture_is_refused(rgb: Any, valid: Any) -> None:
    with pytest.raises(BlankImage):
        stretch_rgb(rgb, valid=valid)


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4), (3, 4, 4)])
def test_other_band_counts_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadBands):
        stretch_rgb(np.ones(shape, np.uint8))


def test_real_sentinel_2_chip_in_integers_and_reflectance(samples: Any) -> None:
    with open_raster(samples / "sen1_sen2_spain" / "Spain_7370579_S2Hand.tif") as dataset:
        rgb = np.moveaxis(dataset.read([4, 3, 2]), 0, -1)
    reflectance = rgb.astype(np.float32) / np.float32(10000)
    for picture in (rgb, reflectance):
        expected = published_stretch(published_normalise(picture), 1)
        np.testing.assert_array_equal(stretch_rgb(picture).image, expected)
