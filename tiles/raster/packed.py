"""A tile's heights, read with their voids, and packed without loss into the bytes that a browser unpacks.

The body is a little-endian uint32, the length of a JSON header in bytes (a multiple of 4), that header, and the heights
row by row: all first bytes of the numbers, then all second ones, each byte as its difference to the one before it in
its plane, modulo 256. So what is alike lies together, and gzip makes about half of it.
"""

import io
import json
from typing import Any

import numpy as np
from PIL import Image

from tiles.raster.arrays import BoolArray, NumberArray
from tiles.raster.encode import read_layer_bytes
from tiles.raster.grid import Grid

VOID = -32768
"""Stands for a place without a height among whole metres; among floats it is NaN."""


def read_heights(dem: bytes, void: bytes | None = None) -> tuple[NumberArray, BoolArray]:
    """Heights in metres in the file's dtype, and where there are none: (H, W) each.

    dem: a GeoTIFF; void: a mask as PNG, above 0 where there is no height. Raises Unreadable for a damaged raster,
    OSError or SyntaxError for a damaged mask.
    """
    layer = read_layer_bytes(dem)
    heights = layer.array[0]
    empty = ~np.isfinite(heights)
    if layer.nodata is not None and np.isfinite(layer.nodata):
        empty |= heights == layer.nodata
    if void is not None:
        with Image.open(io.BytesIO(void)) as mask:
            empty |= np.asarray(mask.convert("L")) > 0
    return heights, empty


def pack_heights(heights: NumberArray, void: BoolArray, grid: Grid) -> bytes:
    """Pack (H, W) heights in metres: as int16 when all are whole metres that fit, else as float32.

    Nothing is lost but what a float32 cannot hold. The header gives the size in pixels, that of a pixel in metres
    (dx, dy) and whether row 0 lies in the north.
    """
    values = _whole_metres(heights, void)
    if values is None:
        values = np.where(void, np.float32(np.nan), heights.astype("<f4"))
    dx, dy = grid.pixel_size_m()
    facts: dict[str, Any] = {
        "width": heights.shape[1],
        "height": heights.shape[0],
        "type": "int16" if values.dtype.kind == "i" else "float32",
        "void": VOID,
        "dx": dx,
        "dy": dy,
        "north_up": grid.affine[4] <= 0,
    }
    header = json.dumps(facts).encode()
    header += b" " * (-len(header) % 4)
    return b"".join([len(header).to_bytes(4, "little"), header, _planes(values)])


def _whole_metres(heights: NumberArray, void: BoolArray) -> NumberArray | None:
    """The heights as int16 with VOID in it; None when that would change one."""
    known = heights[~void]
    if known.size and not (known.min() > VOID and known.max() <= -VOID - 1 and (known == np.rint(known)).all()):
        return None
    return np.where(void, VOID, np.where(void, 0, heights)).astype("<i2")


def _planes(values: NumberArray) -> bytes:
    planes = np.ascontiguousarray(values).view(np.uint8).reshape(-1, values.itemsize).T
    steps = planes.copy()
    steps[:, 1:] -= planes[:, :-1]
    return steps.tobytes()
