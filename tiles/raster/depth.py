"""Heights as 8-bit depth, and back."""

from dataclasses import dataclass

import numpy as np

from tiles.raster.arrays import BoolArray, FloatArray, NumberArray, UInt8Array
from tiles.raster.errors import FlatTile
from tiles.raster.scaling import MAX_TABLE, offsets, to_uint8, value_range

# With fewer distinct heights a tile is as useless for training as a flat one.
MIN_DISTINCT_HEIGHTS = 16
_SAMPLE = 4096
_EVERY = 8


@dataclass(frozen=True)
class DepthRange:
    """Smallest and largest height of a tile, metres."""

    dem_min: float
    dem_max: float


def usable_heights(dem: NumberArray, void: BoolArray | None) -> BoolArray | None:
    """Pixels with a height, (H, W), or None when all have one. NaN and infinity are no heights."""
    usable = None if void is None or not void.any() else ~void
    if dem.dtype.kind == "f":
        finite = np.isfinite(dem)
        if not finite.all():
            usable = finite if usable is None else usable & finite
    return usable


def depth_range(dem: NumberArray, void: BoolArray | None = None) -> DepthRange:
    """Range of the heights of dem (H, W), metres, without the voids. Raises FlatTile when there are none."""
    usable = usable_heights(dem, void)
    _require_some(usable)
    low, high = value_range(dem, usable)
    return DepthRange(float(low), float(high))


def depth_to_uint8(dem: NumberArray, void: BoolArray | None = None) -> UInt8Array:
    """Scale heights to 0..255 the way RS3DBench makes DEM_255: floor((dem - min) / (max - min) * 255).

    dem: (H, W) heights in metres, any real dtype; integers are computed wide, so no range wraps around.
    void: (H, W), True where there is no height; NaN is void too.
    Returns (H, W) uint8, truncated, not rounded; void pixels are 0 and count for neither min nor max.
    Raises FlatTile when all heights are equal or there are none: such a tile cannot be a training pair.
    Source: RS3DBench, arXiv 2509.18897.
    """
    usable = usable_heights(dem, void)
    _require_some(usable)
    low, high = value_range(dem, usable)
    if low == high:
        raise FlatTile("The tile is flat: all its heights are equal.")
    return to_uint8(dem, low, high, usable)


def uint8_to_depth(dem255: UInt8Array, dem_min: float, dem_max: float) -> FloatArray:
    """Give back heights in metres, (H, W) float32, from 8-bit depth: min + value / 255 * (max - min).

    They lie within one step, (max - min) / 255, below the heights that depth_to_uint8 was given.
    """
    heights = dem_min + dem255.astype(np.float64) / 255 * (dem_max - dem_min)
    return heights.astype(np.float32)


def distinct_heights(dem: NumberArray, void: BoolArray | None = None, cap: int = 1024) -> int:
    """Count the distinct heights of dem (H, W) outside the voids, but no further than cap."""
    usable = usable_heights(dem, void)
    heights = dem.ravel() if usable is None else dem[usable]
    if heights.size and heights.dtype.kind in "iu":
        low, high = value_range(heights, None)
        if high - low < MAX_TABLE:
            seen = np.zeros(high - low + 1, bool)
            # A part of them often tells: when every height that can occur did, or as many as are counted.
            for part in (heights[::_EVERY], heights):
                seen[offsets(part, low)] = True
                found = int(np.count_nonzero(seen))
                if found >= min(cap, seen.size):
                    break
            return min(found, cap)
    # Most tiles show enough different heights in a sparse sample; sorting all of them is the slow part.
    sample = heights[:: max(heights.size // _SAMPLE, 1)]
    if np.unique(sample).size >= cap:
        return cap
    return min(int(np.unique(heights).size), cap)


def _require_some(usable: BoolArray | None) -> None:
    if usable is not None and not usable.any():
        raise FlatTile("The tile has no heights.")
