"""The picture of a tile as captioners get it: a JPEG of a chosen size."""

from __future__ import annotations

import io

from PIL import Image

from tiles.core.errors import NotFound
from tiles.models import TilePair
from tiles.raster.encode import read_layer_bytes
from tiles.raster.errors import RasterError
from tiles.review.layers import layer_file

QUALITY = 90
DAMAGED = "A file of {} is damaged. Build the area again to make it."


def picture_of(tile: TilePair, *, size: int) -> bytes:
    """The stretched colours, the longer side at most `size` pixels; never enlarged. Needs `tile.area` loaded.

    Raises NotFound for a tile whose picture is missing or damaged.
    """
    if not tile.layer("png"):
        raise NotFound(f"{tile.name} has no picture.")
    try:
        with Image.open(layer_file(tile, "png", tile.area.slug)) as image:
            return _jpeg(image.convert("RGB"), size)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:  # Pillow calls a broken PNG a syntax error
        raise NotFound(DAMAGED.format(tile.name)) from error


def depth_of(tile: TilePair, *, size: int) -> bytes:
    """The heights as grey, low dark and high bright, of the picture's size; b"" for a tile without heights."""
    if not tile.layer("dem255"):
        return b""
    try:
        grey = read_layer_bytes(layer_file(tile, "dem255.tif", tile.area.slug).read_bytes()).array[0]
    except (OSError, RasterError) as error:
        raise NotFound(DAMAGED.format(tile.name)) from error
    return _jpeg(Image.fromarray(grey), size)


def _jpeg(shown: Image.Image, size: int) -> bytes:
    shown.thumbnail((size, size), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    shown.save(written, "JPEG", quality=QUALITY)
    return written.getvalue()
