"""Colour tables, and the colour depth map made with them."""

import base64
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from tiles.raster.arrays import BoolArray, NumberArray, UInt8Array
from tiles.raster.colourmaps import PACKED
from tiles.raster.depth import usable_heights
from tiles.raster.errors import FlatTile
from tiles.raster.scaling import MAX_TABLE, offsets, value_range

# ColorBrewer's diverging scheme of eleven classes (Apache-2.0; Cynthia Brewer, The Pennsylvania State University).
_SPECTRAL = (
    *((158, 1, 66), (213, 62, 79), (244, 109, 67), (253, 174, 97), (254, 224, 139), (255, 255, 191)),
    *((230, 245, 152), (171, 221, 164), (102, 194, 165), (50, 136, 189), (94, 79, 162)),
)
_GREY = ((0, 0, 0), (255, 255, 255))
_COLOURS = {"grey": _GREY, "Spectral": _SPECTRAL}
LUT_NAMES = (*_COLOURS, *PACKED)


@cache
def _table(name: str) -> UInt8Array:
    """Interpolate the colours over 256 steps as matplotlib's LinearSegmentedColormap.from_list does, to the bit."""
    if name in PACKED:
        return np.frombuffer(base64.b64decode(PACKED[name]), np.uint8).reshape(256, 3)
    if name == "grey":
        return np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    colours = np.array(_COLOURS[name], dtype=np.float64) / 255
    stops = np.linspace(0.0, 1.0, len(colours)) * 255
    steps = 255 * np.linspace(0.0, 1.0, 256)
    after = np.searchsorted(stops, steps)[1:-1]
    weight = ((steps[1:-1] - stops[after - 1]) / (stops[after] - stops[after - 1]))[:, None]
    between = weight * (colours[after] - colours[after - 1]) + colours[after - 1]
    table = np.concatenate([colours[:1], between, colours[-1:]])
    return (np.clip(table, 0.0, 1.0) * 255).astype(np.uint8)


def lut(name: str, *, invert: bool = False) -> UInt8Array:
    """Colour table by name (one of LUT_NAMES): (256, 3) uint8, from the low end to the high; invert turns it round.

    Raises KeyError for a name that is not in LUT_NAMES.
    """
    table = _table(name)
    return table[::-1].copy() if invert else table.copy()


def colour_depth(
    dem: NumberArray, void: BoolArray | None = None, name: str = "Spectral", invert: bool = True
) -> UInt8Array:
    """Colour heights as the published depth maps are: min-max to 0..1, 1 - x when inverted, colour table, 8 bit.

    dem: (H, W) heights in metres. void: (H, W), True where there is no height. Returns (H, W, 3) uint8, voids black.
    The share is computed in float32 for float32 heights and in float64 for integers, and cut to one of 256 colours
    as matplotlib does: truncated, the top value in the last colour.
    Raises FlatTile when all heights are equal or there are none, KeyError for an unknown table.
    Source: RS3DBench, arXiv 2509.18897.
    """
    usable = usable_heights(dem, void)
    if usable is not None and not usable.any():
        raise FlatTile("The tile has no heights.")
    low, high = value_range(dem, usable)
    if low == high:
        raise FlatTile("The tile is flat: all its heights are equal.")
    table = _table(name)
    if dem.dtype.kind != "f" and high - low < MAX_TABLE:
        # Every height that can occur goes through the formula once.
        steps = _places(np.arange(low, high + 1), low, high, invert).take(offsets(dem, low), mode="clip")
    else:
        steps = _places(dem if usable is None else np.where(usable, dem, low), low, high, invert)
    # Pillow puts colours in the place of numbers twice as fast as NumPy.
    numbers = Image.fromarray(steps)
    numbers.putpalette(table.tobytes())
    coloured: UInt8Array = np.array(numbers.convert("RGB"))
    if usable is not None:
        coloured[~usable] = 0
    return coloured


def _places(dem: NumberArray, low: Any, high: Any, invert: bool) -> UInt8Array:
    """Which of the 256 colours each height gets. Integers are subtracted wide, so that no range wraps around."""
    wide = dem if dem.dtype.kind == "f" else dem.astype(np.int64)
    share: NumberArray = (wide - low) / (high - low)
    if invert:
        np.subtract(1, share, out=share)
    share *= 256
    return np.minimum(share, 255, out=share).astype(np.uint8)
