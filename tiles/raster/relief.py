"""Relief in a moving window: the difference between the highest and the lowest point around each pixel."""

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
    heights = dem.astype(np.float32)
    usable = usable_heights(dem, void)
    if usable is None:
        return _extreme(heights, rows, columns, np.maximum) - _extreme(heights, rows, columns, np.minimum)
    highest = _extreme(np.where(usable, heights, -np.inf), rows, columns, np.maximum)
    lowest = _extreme(np.where(usable, heights, np.inf), rows, columns, np.minimum)
    relief = np.full(dem.shape, np.nan, np.float32)
    np.subtract(highest, lowest, out=relief, where=usable)
    return relief


def _extreme(heights: FloatArray, rows: int, columns: int, pick: np.ufunc) -> FloatArray:
    """Running maximum or minimum along both axes, float32."""
    beyond = np.float32(-np.inf if pick is np.maximum else np.inf)
    padded = np.full((heights.shape[0] + rows - 1, heights.shape[1] + columns - 1), beyond, np.float32)
    top, left = rows // 2, columns // 2
    padded[top : top + heights.shape[0], left : left + heights.shape[1]] = heights
    # Along the rows axis first: whole rows are contiguous, and the other axis then has less to do.
    return _running(_running(padded, rows, pick).T, columns, pick).T


def _running(values: FloatArray, width: int, pick: np.ufunc) -> FloatArray:
    """Extreme of each `width` neighbours along axis 0, by doubling: log2(width) passes instead of width."""
    span = 1
    while span * 2 <= width:
        values = pick(values[:-span], values[span:])
        span *= 2
    rest = width - span
    return values if rest == 0 else pick(values[:-rest], values[rest:])
