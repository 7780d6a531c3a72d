"""Reading a grid out of a file that has that very grid: no pixel moves, so no pixel is computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rasterio.enums import MaskFlags
from rasterio.windows import Window

from tiles.raster.arrays import BoolArray, NumberArray
from tiles.raster.grid import Grid

# Corners nearer than this, in pixels, are one corner.
SAME_PX = 1e-6
_PLAIN_MASKS = ({MaskFlags.all_valid}, {MaskFlags.nodata})


def window_of(dataset: Any, grid: Grid) -> Window | None:
    """The window of an open file that is `grid`, pixel for pixel; None when there is none, or its mask is another one.

    A file with an alpha band or a mask of its own is left to the warper.
    """
    if any(set(flags) not in _PLAIN_MASKS for flags in dataset.mask_flag_enums):
        return None
    into = ~dataset.transform @ grid.transform
    col, row = round(into.c), round(into.f)
    if not (0 <= col <= dataset.width - grid.width and 0 <= row <= dataset.height - grid.height):
        return None
    for corner in ((0, 0), (grid.width, 0), (0, grid.height), (grid.width, grid.height)):
        x, y = into @ corner
        if max(abs(x - col - corner[0]), abs(y - row - corner[1])) > SAME_PX:
            return None
    return Window(col, row, grid.width, grid.height) if dataset.crs == grid.rio_crs else None


def read_window(
    dataset: Any, window: Window, bands: Sequence[int], nodata: float | None
) -> tuple[NumberArray, BoolArray]:
    """(bands, H, W) pixels, and (H, W) where the file has any: a pixel is missing when all its bands are nodata."""
    pixels: NumberArray = dataset.read(list(bands), window=window)
    missing = _all_equal(pixels, nodata)
    others = [band for band in dataset.indexes if band not in bands]
    if others and missing.any():
        missing &= _all_equal(dataset.read(others, window=window), nodata)
    return pixels, ~missing


def _all_equal(pixels: NumberArray, nodata: float | None) -> BoolArray:
    if nodata is None:
        return np.zeros(pixels.shape[1:], bool)
    equal: BoolArray = np.ones(pixels.shape[1:], bool)
    for number, band in enumerate(pixels):
        this = np.isnan(band) if np.isnan(nodata) else band == nodata
        equal = equal & this if number else this
        if not equal.any():  # nearly always, and then one band has told
            break
    return equal
