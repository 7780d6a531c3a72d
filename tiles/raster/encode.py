"""Arrays to file bytes and back. The same array gives the same bytes: no dates, no machine names inside."""

import io
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
from PIL import Image
from rasterio.io import MemoryFile

from tiles.raster.arrays import NumberArray, UInt8Array
from tiles.raster.errors import BadBands
from tiles.raster.geotiff import encode_geotiff
from tiles.raster.grid import Grid
from tiles.raster.png import encode_png
from tiles.raster.reading import PNG_TAIL, is_located, open_checked, plain_errors, require_whole_png

__all__ = ["Layer", "encode_geotiff", "encode_jpeg_preview", "encode_png", "read_layer_bytes"]

LAYER_DRIVERS = ("GTiff", "PNG", "JPEG")
PREVIEW_QUALITY = 80


@dataclass(frozen=True)
class Layer:
    """A decoded raster. array: (B, H, W) in the file's dtype. grid: None when the file has no georeferencing."""

    array: NumberArray
    grid: Grid | None
    nodata: float | None


def encode_jpeg_preview(image: UInt8Array, size: int = 128) -> bytes:
    """JPEG of the picture reduced to fit size x size pixels, for lists; never enlarged. Alpha is left out."""
    picture = _picture(image)
    if picture.mode == "LA":
        picture = picture.convert("L")
    picture.thumbnail((size, size), Image.Resampling.BOX)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=PREVIEW_QUALITY)
    return stream.getvalue()


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
