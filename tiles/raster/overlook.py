"""A glance at a large elevation file: every n-th pixel of it, in bounded memory and time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from rasterio.enums import MaskFlags
from rasterio.windows import Window

from tiles.raster.arrays import BoolArray, FloatArray, NumberArray, UInt8Array
from tiles.raster.reading import plain_errors
from tiles.raster.terrain import hillshade

ROWS_A_READ = 32
DARKEST, BRIGHTEST = 48, 232


@dataclass(frozen=True)
class Overlook:
    """Samples of a file. raw: (h, w), as stored; void: (h, w), True where there is no height.

    step: pixels of the file from sample to sample. rows: of h, how many were read before the time was over.
    margin: pixels by which a sample may tell of its neighbourhood, which it does in a file with overviews.
    """

    raw: NumberArray
    void: BoolArray
    step: int
    rows: int
    margin: int

    @property
    def whole(self) -> bool:
        """Whether all of the file was seen."""
        return self.rows == len(self.raw)

    def inside(self, col: int, row: int, width: int, height: int) -> tuple[slice, slice]:
        """Rows and columns of the samples that tell of this window and of nothing else; it may reach further."""
        return self._span(row, height, self.rows), self._span(col, width, self.raw.shape[1])

    def _span(self, start: int, length: int, most: int) -> slice:
        first = min(max(0, -(-(start + self.margin) // self.step)), most)
        return slice(first, min(max(first, (start + length - self.margin) // self.step), most))


def look_over(dataset: Any, *, most: int, out_of_time: Callable[[], bool]) -> Overlook:
    """Look at an open elevation file of any size.

    most: samples along the longer side. out_of_time: asked now and then; once it says yes, the rest stays unseen.
    Raises Unreadable.
    """
    step = max(1, -(-max(dataset.width, dataset.height) // most))
    height, width = max(1, dataset.height // step), max(1, dataset.width // step)
    raw: NumberArray = np.zeros((height, width), dataset.dtypes[0])
    void: BoolArray = np.ones((height, width), bool)
    rows = 0
    name = str(dataset.name).rsplit("/", 1)[-1]
    with plain_errors(name):
        while rows < height and not (rows and out_of_time()):
            last = min(rows + ROWS_A_READ, height)
            window = Window(0, rows * step, min(width * step, dataset.width), (last - rows) * step)
            shape = (last - rows, width)
            raw[rows:last] = dataset.read(1, window=window, out_shape=shape)
            void[rows:last] = _void(dataset, raw[rows:last], window)
            rows = last
    return Overlook(raw, void, step, rows, step if step > 1 and dataset.overviews(1) else 0)


def _void(dataset: Any, raw: NumberArray, window: Window) -> BoolArray:
    void: BoolArray = ~np.isfinite(raw) if raw.dtype.kind == "f" else np.zeros(raw.shape, bool)
    flags = dataset.mask_flag_enums[0]
    if MaskFlags.nodata in flags:
        void |= raw == dataset.nodata
    elif MaskFlags.all_valid not in flags:
        void |= dataset.read_masks(1, window=window, out_shape=raw.shape) == 0
    return void


def shade_picture(overlook: Overlook, dx: float, dy: float) -> UInt8Array:
    """Hill shade as (h, w, 2) grey and alpha: see-through where there is no height, or none was read.

    dx, dy: pixel size of the file, metres. Brightness is stretched between its 2nd and 98th percentile, for from afar
    every ground is nearly flat.
    """
    heights: FloatArray = overlook.raw.astype(np.float32)
    shade = hillshade(heights, dx * overlook.step, dy * overlook.step, void=overlook.void)
    seen = np.isfinite(shade)
    low, high = np.percentile(shade[seen], (2, 98)) if seen.any() else (0.0, 0.0)
    spread = max(float(high - low), 1e-3)
    grey = np.nan_to_num((shade - low) / spread, nan=0.5).clip(0, 1) * (BRIGHTEST - DARKEST) + DARKEST
    alpha = np.where(overlook.void, 0, 255)
    alpha[overlook.rows :] = 0
    return np.stack([grey, alpha], axis=2).astype(np.uint8)
