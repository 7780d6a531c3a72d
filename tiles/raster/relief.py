"""Relief in a moving window: the difference between the highest and the lowest point around each pixel."""

from typing import Any

import numpy as np

from tiles.raster.arrays import BoolArray, FloatArray, NumberArray
from tiles.raster.depth import usable_heights


def moving_relief(dem: NumberArray, window_px: int | tuple[int, int], void: BoolArray | None = None) -> FloatArray:
    """Max - min of the heights in a window centred on each pixel, (H, W) float32, metres; NaN where void.

    dem: (H, W), metres. window_px: odd number of pixels, or (rows, columns). The window is cut off at the tile's
    edge and leaves voids out. Raises ValueError for an even window, which has no centre.
    """
    rows, columns = (window_px, window_px) if isinstance(window_px, int) else window_px
    if rows < 1 or columns < 1 or rows % 2 == 0 or columns % 2 == 0:
        raise ValueError("A moving window has an odd number of pixels.")
    usable = usable_heights(dem, void)
    if usable is None:
        # Small integers stay what they are: half the bytes to go through.
        heights = dem if dem.dtype.kind in "iu" and dem.dtype.itemsize <= 2 else dem.astype(np.float32)
        highest, lowest = (_extreme(heights, rows, columns, pick) for pick in (np.maximum, np.minimum))
        return np.subtract(highest, lowest, dtype=np.float32)
    heights = dem.astype(np.float32)
    highest = _extreme(np.where(usable, heights, -np.inf), rows, columns, np.maximum)
    lowest = _extreme(np.where(usable, heights, np.inf), rows, columns, np.minimum)
    relief = np.full(dem.shape, np.nan, np.float32)
    np.subtract(highest, lowest, out=relief, where=usable)
    return relief


def _extreme(heights: NumberArray, rows: int, columns: int, pick: np.ufunc) -> NumberArray:
    """Running maximum or minimum along both axes, in the dtype of the heights."""
    lowest, highest = (-np.inf, np.inf) if heights.dtype.kind == "f" else _limits(heights.dtype)
    beyond = lowest if pick is np.maximum else highest
    padded = np.full((heights.shape[0] + rows - 1, heights.shape[1] + columns - 1), beyond, heights.dtype)
    top, left = rows // 2, columns // 2
    padded[top : top + heights.shape[0], left : left + heights.shape[1]] = heights
    # Along the rows axis first: whole rows are contiguous, and the other axis then has less to do.
    return _running(_running(padded, rows, pick).T, columns, pick).T


def _limits(dtype: np.dtype[Any]) -> tuple[int, int]:
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)


def _running(values: NumberArray, width: int, pick: np.ufunc) -> NumberArray:
    """Extreme of each `width` neighbours along axis 0, by doubling: log2(width) passes instead of width."""
    span = 1
    while span * 2 <= width:
        values = pick(values[:-span], values[span:])
        span *= 2
    rest = width - span
    return values if rest == 0 else pick(values[:-rest], values[rest:])
