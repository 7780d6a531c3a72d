"""One picture out of several looks at the same place, of which each misses something."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiles.raster.arrays import BoolArray, FloatArray


def median_of_clear(looks: FloatArray, clear: BoolArray) -> FloatArray:
    """The median of every pixel over the looks in which it is clear.

    looks: (N, B, H, W) float32; clear: (N, H, W). Returns (B, H, W) float32; for an even number of clear looks the
    mean of the two in the middle; 0 where no look is clear.
    """
    number = clear.sum(axis=0)
    ordered = np.where(clear[:, None], looks, np.float32(np.inf))
    ordered.sort(axis=0)
    # What is not clear is sorted to the end; where nothing is clear any place will do.
    low = _at(ordered, np.maximum(number - 1, 0) // 2)
    high = _at(ordered, np.minimum(number // 2, len(looks) - 1))
    return np.where(number > 0, low / 2 + high / 2, np.float32(0)).astype(np.float32)


def first_clear(looks: FloatArray, clear: BoolArray) -> FloatArray:
    """The value of every pixel in the first look in which it is clear.

    looks: (N, B, H, W) float32, the best first; clear: (N, H, W). Returns (B, H, W) float32; 0 where none is clear.
    """
    return np.where(clear.any(axis=0), _at(looks, clear.argmax(axis=0)), np.float32(0)).astype(np.float32)


def _at(looks: FloatArray, place: NDArray[np.intp]) -> FloatArray:
    """The values of the look that `place`, (H, W), names for every pixel: (B, H, W)."""
    return np.take_along_axis(looks, np.broadcast_to(place, (1, *looks.shape[1:])), axis=0)[0]
