"""Arrays to file bytes and back. The same array gives the same bytes: no dates, no machine names inside."""

import io
import zlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import rasterio
from PIL import Image
from rasterio.io import MemoryFile

from tiles.raster.arrays import NumberArray, UInt8Array
from tiles.raster.errors import BadBands, GridMismatch
from tiles.raster.grid import Grid
from tiles.raster.reading import PNG_TAIL, is_located, open_checked, plain_errors, require_whole_png

LAYER_DRIVERS = ("GTiff", "PNG", "JPEG")
PREVIEW_QUALITY = 80
# From this size on both ways a reader may want only a part of the file, which strips would make slow.
TILED_FROM = 1024
TILE_BLOCK = 512
_TIFF_DTYPES = frozenset({"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"})


@dataclass(frozen=True)
class Layer:
    """A decoded raster. array: (B, H, W) in the file's dtype. grid: None when the file has no georeferencing."""

    array: NumberArray
    grid: Grid | None
    nodata: float | None


def encode_png(image: UInt8Array) -> bytes:
    """PNG of (H, W) grey, (H, W, 2) grey and alpha, or (H, W, 3) RGB, uint8. Raises BadBands for anything else.

    Level 1 with run-length matching: on imagery, whose matches are rare anyway, it is about six times faster than
    the default and no larger.
    """
    stream = io.BytesIO()
    _picture(image).save(stream, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
    return stream.getvalue()


def encode_jpeg_preview(image: UInt8Array, size: int = 128) -> bytes:
    """JPEG of the picture reduced to fit size x size pixels, for lists; never enlarged. Alpha is left out."""
    picture = _picture(image)
    if picture.mode == "LA":
        picture = picture.convert("L")
    picture.thumbnail((size, size), Image.Resampling.BOX)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=PREVIEW_QUALITY)
    return stream.getvalue()


def encode_geotiff(
    array: NumberArray,
    grid: Grid,
    *,
    nodata: float | None = None,
    scale: float | None = None,
    offset: float | None = None,
    descriptions: Sequence[str] = (),
) -> bytes:
    """GeoTIFF of (H, W) or (B, H, W) on its grid, deflated without loss.

    scale, offset: stored in the file so that value * scale + offset is the physical quantity; the array itself is
    not changed. descriptions: one name a band. Floats and integers wider than 8 bits are stored as differences
    (predictor 3 and 2); 8-bit layers are not, so that every reader, Pillow among them, opens them.
    Raises GridMismatch when the array has another size than the grid, BadBands for a dtype TIFF cannot hold.
    """
    bands = array[np.newaxis] if array.ndim == 2 else array
    if bands.ndim != 3 or str(bands.dtype) not in _TIFF_DTYPES:
        raise BadBands(f"An array of {array.ndim} dimensions and type {array.dtype} cannot be written as a GeoTIFF.")
    count, height, width = bands.shape
    if (width, height) != (grid.width, grid.height):
        raise GridMismatch(f"The array is {width} x {height} pixels, its grid {grid.width} x {grid.height}.")
    with rasterio.Env(GDAL_PAM_ENABLED="NO"), MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            count=count,
            dtype=str(bands.dtype),
            nodata=nodata,
            width=width,
            height=height,
            crs=grid.rio_crs,
            transform=grid.transform,
            **_creation_options(bands),
        ) as dataset:
            dataset.write(bands)
            _describe(dataset, scale, offset, descriptions)
        return bytes(memory.getbuffer())


def read_layer_bytes(data: bytes) -> Layer:
    """Decode a GeoTIFF, PNG or JPEG held in memory. Raises Unreadable when it is damaged or none of these."""
    with plain_errors("The layer"), ExitStack() as stack:
        require_whole_png(data[:8], data[-PNG_TAIL:], "The layer")
        memory = stack.enter_context(MemoryFile(data))
        dataset = open_checked(memory.name, LAYER_DRIVERS, stack)
        return Layer(dataset.read(), Grid.of(dataset) if is_located(dataset) else None, dataset.nodata)


def _picture(image: UInt8Array) -> Image.Image:
    channels = 1 if image.ndim == 2 else image.shape[-1]
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or channels > 3:
        raise BadBands("A picture is 8-bit grey, grey with alpha, or RGB.")
    if image.ndim == 3 and channels == 1:
        image = image[:, :, 0]
    return Image.fromarray(np.ascontiguousarray(image))


def _creation_options(bands: NumberArray) -> dict[str, Any]:
    # Level 1 comes within 1 % of the size of level 6 on imagery and heights, in half the time.
    options: dict[str, Any] = {"compress": "deflate", "zlevel": 1, "interleave": "pixel"}
    if bands.dtype.kind == "f":
        options["predictor"] = 3
    elif bands.dtype.itemsize > 1:
        options["predictor"] = 2
    if min(bands.shape[1:]) >= TILED_FROM:
        options |= {"tiled": True, "blockxsize": TILE_BLOCK, "blockysize": TILE_BLOCK}
    return options


def _describe(dataset: Any, scale: float | None, offset: float | None, descriptions: Sequence[str]) -> None:
    if scale is not None:
        dataset.scales = [scale] * dataset.count
    if offset is not None:
        dataset.offsets = [offset] * dataset.count
    for band, text in enumerate(descriptions, start=1):
        dataset.set_band_description(band, text)
