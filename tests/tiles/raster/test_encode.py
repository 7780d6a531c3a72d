"""File bytes: what comes back is what went in, and the same input gives the same bytes."""

import io
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from tiles.raster.depth import depth_to_uint8
from tiles.raster.encode import encode_geotiff, encode_jpeg_preview, encode_png, read_layer_bytes
from tiles.raster.errors import BadBands, GridMismatch, Unreadable
from tiles.raster.grid import Grid

RNG = np.random.default_rng(3)


def grid_for(array: Any) -> Grid:
    height, width = array.shape[-2:]
    return Grid("EPSG:4326", (1 / 1200, 0, -70.1, 0, -1 / 1200, -32.1), width, height)


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.uint8, np.uint16, np.int32, np.float64])
def test_whole_tile_comes_back_exactly(dtype: type) -> None:
    array = (RNG.random((512, 512)) * 250).astype(dtype)
    grid = grid_for(array)
    layer = read_layer_bytes(encode_geotiff(array, grid, nodata=7))
    np.testing.assert_array_equal(layer.array[0], array)
    assert layer.array.dtype == dtype
    assert layer.nodata == 7
    assert layer.grid == grid


@settings(max_examples=25)
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 4), st.integers(1, 20), st.integers(1, 20)),
        elements=st.floats(width=32),
    )
)
def test_any_floats_come_back_bit_for_bit(array: Any) -> None:
    layer = read_layer_bytes(encode_geotiff(array, grid_for(array), nodata=float("nan")))
    assert layer.array.tobytes() == array.tobytes() or np.array_equal(layer.array, array, equal_nan=True)


def test_same_input_same_bytes() -> None:
    dem = RNG.integers(0, 3000, (64, 64)).astype(np.int16)
    rgb = RNG.integers(0, 255, (64, 64, 3)).astype(np.uint8)
    for make in (
        lambda: encode_geotiff(dem, grid_for(dem), nodata=-1, scale=0.1, offset=5, descriptions=("height",)),
        lambda: encode_png(rgb),
        lambda: encode_jpeg_preview(rgb),
    ):
        assert make() == make()


def test_meaning_of_the_bands_is_stored() -> None:
    array = RNG.integers(0, 9999, (3, 16, 16)).astype(np.uint16)
    data = encode_geotiff(array, grid_for(array), scale=1e-4, offset=-0.1, descriptions=("red", "green", "blue"))
    with rasterio.open(io.BytesIO(data)) as dataset:
        assert dataset.scales == (1e-4,) * 3
        assert dataset.offsets == (-0.1,) * 3
        assert dataset.descriptions == ("red", "green", "blue")
        assert "TIFFTAG_DATETIME" not in dataset.tags()
        np.testing.assert_array_equal(dataset.read(), array)


def test_depth_opens_in_pillow_as_grey() -> None:
    depth = depth_to_uint8(np.add.outer(np.arange(512), np.arange(512)).astype(np.int16))
    with Image.open(io.BytesIO(encode_geotiff(depth, grid_for(depth)))) as picture:
        assert picture.mode == "L"
        assert picture.getextrema() == (0, 255)
        np.testing.assert_array_equal(np.asarray(picture), depth)


def test_only_large_layers_are_tiled() -> None:
    for side, tiled in ((512, False), (1024, True)):
        array = np.zeros((side, side), np.int16)
        with rasterio.open(io.BytesIO(encode_geotiff(array, grid_for(array)))) as dataset:
            assert (dataset.block_shapes[0][1] < side) is tiled


def test_array_and_grid_must_agree() -> None:
    with pytest.raises(GridMismatch, match="4 x 3"):
        encode_geotiff(np.zeros((3, 4), np.int16), grid_for(np.zeros((4, 3))))


@pytest.mark.parametrize("array", [np.zeros(4, np.int16), np.zeros((4, 4), bool), np.zeros((4, 4), np.float16)])
def test_what_tiff_cannot_hold_is_refused(array: Any) -> None:
    with pytest.raises(BadBands):
        encode_geotiff(array, Grid("EPSG:4326", (1, 0, 0, 0, -1, 0), 4, 4))


@pytest.mark.parametrize(("shape", "mode"), [((9, 7), "L"), ((9, 7, 1), "L"), ((9, 7, 2), "LA"), ((9, 7, 3), "RGB")])
def test_png_is_lossless(shape: tuple[int, ...], mode: str) -> None:
    image = RNG.integers(0, 255, shape).astype(np.uint8)
    with Image.open(io.BytesIO(encode_png(image))) as picture:
        assert picture.mode == mode
        np.testing.assert_array_equal(np.asarray(picture), image.reshape(np.asarray(picture).shape))


def test_png_of_a_view_is_that_view() -> None:
    image = RNG.integers(0, 255, (20, 20, 3)).astype(np.uint8)
    part = image[3:11, ::-1][:, :9]
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(encode_png(part)))), part)


@pytest.mark.parametrize("image", [np.zeros((4, 4), np.uint16), np.zeros((4, 4, 4), np.uint8), np.zeros(4, np.uint8)])
def test_other_pictures_are_refused(image: Any) -> None:
    with pytest.raises(BadBands):
        encode_png(image)


@pytest.mark.parametrize(
    ("shape", "size"),
    [((512, 512, 3), (128, 128)), ((512, 256), (64, 128)), ((40, 50, 3), (50, 40)), ((90, 90, 2), (90, 90))],
)
def test_preview_fits_and_is_never_enlarged(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(encode_jpeg_preview(np.full(shape, 90, np.uint8)))) as picture:
        assert picture.format == "JPEG"
        assert picture.size == size
        assert picture.getpixel((3, 3)) in (90, (90, 90, 90))


def test_picture_without_position_decodes_without_grid() -> None:
    image = RNG.integers(0, 255, (12, 10, 3)).astype(np.uint8)
    layer = read_layer_bytes(encode_png(image))
    assert layer.grid is None
    np.testing.assert_array_equal(np.moveaxis(layer.array, 0, -1), image)


@pytest.mark.parametrize("make", [lambda a: encode_geotiff(a, grid_for(a)), encode_png, encode_jpeg_preview])
def test_half_a_file_is_unreadable(make: Any) -> None:
    data = make(RNG.integers(0, 255, (128, 128)).astype(np.uint8))
    for damaged in (data[: len(data) // 2], data[:-20], b"", b"<html>busy</html>"):
        with pytest.raises(Unreadable):
            read_layer_bytes(damaged)


def test_vrt_in_memory_is_not_followed() -> None:
    with pytest.raises(Unreadable):
        read_layer_bytes(b'<VRTDataset rasterXSize="1" rasterYSize="1"></VRTDataset>')


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 1100, 1030), (1, 5, 1), (2, 9000, 500)])
def test_tiles_and_strips_of_every_kind_come_back(shape: tuple[int, ...], dtype: type) -> None:
    array = (RNG.random(shape) * 250).astype(dtype)
    moved = np.ascontiguousarray(np.moveaxis(array, 0, 2))
    for packed in (True, False):
        data = encode_geotiff(array, grid_for(array), packed=packed)
        np.testing.assert_array_equal(read_layer_bytes(data).array, array)
        again = encode_geotiff(np.moveaxis(moved, 2, 0), grid_for(array), packed=packed)
        assert again == data, "how it lies in memory does not matter"


@pytest.mark.parametrize("affine", [(30, 0, 5e5, 0, -30, 4e6), (30, 4, 5e5, -4, -30, 4e6), (30, 0, 5e5, 0, 30, 4e6)])
def test_every_place_is_kept_whatever_was_written_before(affine: Any) -> None:
    array = np.arange(12, dtype=np.int16).reshape(3, 4)
    encode_geotiff(array, Grid("EPSG:32633", (1, 0, 0, 0, -1, 0), 4, 3))
    grid = Grid("EPSG:32633", affine, 4, 3)
    with rasterio.open(io.BytesIO(encode_geotiff(array, grid))) as dataset:
        assert Grid.of(dataset) == grid
        np.testing.assert_array_equal(dataset.read(1), array)


def test_headers_are_made_without_a_word_of_complaint(caplog: pytest.LogCaptureFixture) -> None:
    array = np.zeros((7, 11), np.uint16)
    encode_geotiff(array, Grid("EPSG:32719", (10, 0, 3e5, 0, -10, 7e6), 11, 7), nodata=3)
    assert not caplog.records


@pytest.mark.parametrize("few_colours", [False, True])
@pytest.mark.parametrize("make", ["noise", "slope", "stripes", "mask", "row"])
def test_png_of_every_kind_of_picture_is_whole_and_small(make: str, few_colours: bool) -> None:
    row, col = np.mgrid[0:200, 0:300]
    image = {
        "noise": RNG.integers(0, 255, (200, 300, 3)),
        "slope": np.stack([row, col // 2, row // 2 + col // 4], axis=-1),
        "stripes": np.repeat((row % 7 * 30)[:, :, None], 3, axis=2),
        "mask": (row > col) * 255,
        "row": np.arange(300)[None, :] % 256,
    }[make].astype(np.uint8)
    data = encode_png(image, few_colours=few_colours)
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        np.testing.assert_array_equal(np.asarray(picture), image)
    np.testing.assert_array_equal(
        read_layer_bytes(data).array, image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
    )
