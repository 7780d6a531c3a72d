"""Names for the arrays that pass between the raster modules."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
UInt8Array = NDArray[np.uint8]
BoolArray = NDArray[np.bool_]
NumberArray = NDArray[Any]


def share_of(mask: BoolArray) -> float:
    """Share of what is True, 0..1; the mean, which NumPy would take of booleans made floats, ten times slower."""
    return int(np.count_nonzero(mask)) / mask.size


# Of floats about as much as three or four arrays of which stay in a core's own cache.
STRIP_PIXELS = 2**15


def strips(shape: tuple[int, ...]) -> Iterator[slice]:
    """The rows of an (H, W) array, a few at a time.

    For steps that work each pixel out by itself: done strip by strip, what lies between them never leaves the cache.
    """
    rows = max(STRIP_PIXELS // max(shape[1], 1), 1)
    return (slice(start, min(start + rows, shape[0])) for start in range(0, shape[0], rows))
