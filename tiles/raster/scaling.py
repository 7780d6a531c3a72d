"""Mapping a range of values to 0..255 by truncation, in the precision NumPy itself would use."""

from typing import Any

import numpy as np

from tiles.raster.arrays import BoolArray, NumberArray, UInt8Array

# Above this range a table would cost more than the arithmetic it saves.
MAX_TABLE = 65536
_A_TRIFLE_MORE = 1 + 2**-22


def value_range(values: NumberArray, usable: BoolArray | None) -> tuple[Any, Any]:
    """Smallest and largest usable value, as Python ints for integers and in the array's own dtype for floats.

    values: any shape; usable: the same shape, or None when every value counts. At least one must be usable.
    """
    chosen = values if usable is None else values[usable]
    low, high = chosen.min(), chosen.max()
    return (low, high) if values.dtype.kind == "f" else (int(low), int(high))


def offsets(values: NumberArray, low: int) -> NumberArray:
    """How far integers lie above `low`, in an unsigned dtype of their own size: no copy to a wide one is made.

    Values below `low` wrap around to large numbers.
    """
    unsigned = np.dtype(f"u{values.dtype.itemsize}")
    above: NumberArray = values.view(unsigned) - unsigned.type(low % 2 ** (8 * unsigned.itemsize))
    return above.view(np.int64) if unsigned.itemsize == 8 else above


def to_uint8(values: NumberArray, low: Any, high: Any, usable: BoolArray | None) -> UInt8Array:
    """Map low..high to 0..255, truncated: (values - low) / (high - low) * 255.

    values: any shape; low < high as value_range gives them. Values that are not usable become 0.
    Floats are computed in their own precision, as the plain NumPy expression would; integers are subtracted
    exactly, without wrapping around in their own dtype, and divided in float64.
    """
    if values.dtype.kind == "f":
        return _floats_to_uint8(values, low, high, usable)
    span = high - low
    if span < MAX_TABLE:
        result = _small_to_uint8(offsets(values, low), span)
    else:
        wide = values.astype(np.int64) - low
        result = (np.clip(wide, 0, span) / span * 255).astype(np.uint8)
    if usable is not None:
        result[~usable] = 0
    return result


def _small_to_uint8(above: NumberArray, span: int) -> UInt8Array:
    """Unsigned offsets from the lowest value through the formula, once for each that can occur; larger ones may be any.

    One multiplication in float32 takes half the time of a look-up. Which of both may be told from the table: the factor
    is a trifle too large, so that products which should be whole do not fall short of it.
    """
    every = np.arange(span + 1, dtype=np.float32)
    table: UInt8Array = (np.arange(span + 1) / span * 255).astype(np.uint8)
    factor = np.float32(255 / span * _A_TRIFLE_MORE)
    if np.array_equal((every * factor).astype(np.uint8), table):
        with np.errstate(invalid="ignore"):
            scaled: UInt8Array = (above.astype(np.float32) * factor).astype(np.uint8)
        return scaled
    return table.take(above, mode="clip")


def _floats_to_uint8(values: NumberArray, low: Any, high: Any, usable: BoolArray | None) -> UInt8Array:
    with np.errstate(over="ignore"):
        span = high - low
    if not np.isfinite(span):
        values, low, span = values.astype(np.float64), float(low), float(high) - float(low)
    scaled = values if usable is None else np.where(usable, values, low)
    scaled = scaled - low
    scaled /= span
    scaled *= 255
    return scaled.astype(np.uint8)
