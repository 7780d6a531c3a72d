"""Noise and smoothing that the generated landscape is made of.

Everything is float32 and vectorised; a field is the same for the same generator state, whatever the machine's load.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

#: Side, in pixels, of the periodic textures: a multiple of BLOCK, so that a block is one slice of a texture.
TEXTURE_SIDE = 1024
#: Pixels to a side of the blocks that imagery is painted in, and the pixels around each that its filters look at.
BLOCK = 512
HALO = 4
#: Nodes by which a lattice is extended on every side before blocks of it are refined.
MARGIN = 4


def double(field: Array) -> Array:
    """Refine a lattice two times by quadratic B-spline subdivision.

    field: (h, w). Returns (2 * h - 2, 2 * w - 2): the first and last fine row and column have no full support.
    """
    rows = np.empty((2 * field.shape[0] - 2, field.shape[1]), np.float32)
    rows[0::2] = 0.75 * field[:-1] + 0.25 * field[1:]
    rows[1::2] = 0.25 * field[:-1] + 0.75 * field[1:]
    out = np.empty((rows.shape[0], 2 * field.shape[1] - 2), np.float32)
    out[:, 0::2] = 0.75 * rows[:, :-1] + 0.25 * rows[:, 1:]
    out[:, 1::2] = 0.25 * rows[:, :-1] + 0.75 * rows[:, 1:]
    return out


def refine(field: Array, shape: tuple[int, int]) -> Array:
    """Double a lattice once, to shape; the lattice is extended by its edge."""
    return double(np.pad(field, 1, mode="edge"))[1 : shape[0] + 1, 1 : shape[1] + 1]


def extend(field: Array) -> Array:
    """Extend a lattice by MARGIN nodes of its edge on every side, as `refine_block` wants it."""
    return np.pad(field.astype(np.float32), MARGIN, mode="edge")


def refine_block(extended: Array, row: int, col: int, height: int, width: int) -> Array:
    """Pixels of a lattice of 4 x 4 pixels a node.

    extended: from `extend`. row, col: the block's first pixel, multiples of 4, from -4 on; height and width likewise.
    Returns (height, width) float32.
    """
    top, left = row // 4 + MARGIN - 3, col // 4 + MARGIN - 3
    nodes = extended[max(top, 0) : top + height // 4 + 6, max(left, 0) : left + width // 4 + 6]
    missing = [(max(-top, 0), top + height // 4 + 6), (max(-left, 0), left + width // 4 + 6)]
    want = (height // 4 + 6, width // 4 + 6)
    pad = [(missing[k][0], want[k] - nodes.shape[k] - missing[k][0]) for k in (0, 1)]
    if any(before or after for before, after in pad):
        nodes = np.pad(nodes, pad, mode="edge")
    return double(double(nodes))[9 : 9 + height, 9 : 9 + width]


def fractal(rng: np.random.Generator, shape: tuple[int, int], *, period: float, gain: float = 0.5) -> Array:
    """Fractal noise of mean 0 and deviation 1 whose largest features are about `period` pixels wide.

    Octaves are added while a lattice is refined, each `gain` times as strong as the one before. Returns (shape).
    """
    levels = max(0, round(math.log2(max(period, 1))) - 1)
    sizes = [(math.ceil(shape[0] / 2**k) + 3, math.ceil(shape[1] / 2**k) + 3) for k in range(levels + 1)]
    field = rng.standard_normal(sizes[levels], dtype=np.float32)
    for step, level in enumerate(reversed(range(levels)), start=1):
        field = double(field)[: sizes[level][0], : sizes[level][1]]
        field += np.float32(gain**step) * rng.standard_normal(sizes[level], dtype=np.float32)
    field = field[: shape[0], : shape[1]]
    # The theoretical spread is used, not the measured one: a small scene may show just one slope of a large wave.
    spread = math.sqrt(sum((0.5 if step < levels else 1.0) * gain ** (2 * step) for step in range(levels + 1)))
    return field / np.float32(spread)


def texture(
    rng: np.random.Generator,
    *,
    slope: float,
    longest: float,
    shortest: float = 2.0,
    stretch: float = 1.0,
    side: int = TEXTURE_SIDE,
) -> Array:
    """Periodic noise with power falling as frequency**-slope, between two wavelengths in pixels.

    stretch above 1 makes features that much longer along a north-west to south-east axis, like wind waves.
    Returns (side + 2 * HALO, side + 2 * HALO) float32 of mean 0 and deviation 1, wrapped by HALO pixels on every side.
    """
    spectrum = np.fft.rfft2(rng.standard_normal((side, side), dtype=np.float32))
    fy = np.fft.fftfreq(side)[:, None].astype(np.float32)
    fx = np.fft.rfftfreq(side)[None, :].astype(np.float32)
    along, across = (fx + fy) * np.float32(0.7071), (fx - fy) * np.float32(0.7071)
    frequency = np.sqrt((along * np.float32(stretch)) ** 2 + across**2)
    frequency[0, 0] = 1.0
    weight = frequency ** np.float32(-slope / 2)
    weight *= frequency > 1.0 / longest
    weight *= np.exp(-((frequency * np.float32(shortest / 2)) ** 8))
    field = np.fft.irfft2(spectrum * weight, s=(side, side)).astype(np.float32)
    field /= field.std()
    return np.pad(field, HALO, mode="wrap")


def box_blur(field: Array, radius: int) -> Array:
    """Mean over a square of 2 * radius + 1 pixels, the edge repeated outwards. Returns the shape of field, float32."""
    size = 2 * radius + 1
    for axis in (0, 1):
        pad = [(0, 0), (0, 0)]
        pad[axis] = (radius + 1, radius)
        total = np.cumsum(np.pad(field, pad, mode="edge"), axis=axis, dtype=np.float64)
        upper, lower = (total[size:], total[:-size]) if axis == 0 else (total[:, size:], total[:, :-size])
        field = ((upper - lower) / size).astype(np.float32)
    return field


def soft_blur(field: Array, radius: int) -> Array:
    """Two box means in a row: a smooth, nearly Gaussian blur reaching 2 * radius pixels."""
    return box_blur(box_blur(field, radius), radius)


def soften(field: Array, weight: float = 0.25) -> Array:
    """Blur over 3 x 3 pixels: each axis takes `weight` of either neighbour. field: (..., h, w)."""
    middle, side = np.float32(1 - 2 * weight), np.float32(weight)
    padded = np.pad(field, [(0, 0)] * (field.ndim - 2) + [(1, 1), (0, 0)], mode="edge")
    field = middle * field + side * (padded[..., :-2, :] + padded[..., 2:, :])
    padded = np.pad(field, [(0, 0)] * (field.ndim - 1) + [(1, 1)], mode="edge")
    return middle * field + side * (padded[..., :-2] + padded[..., 2:])


def smoothstep(field: Array, low: float | Array, high: float | Array) -> Array:
    """0 below low, 1 above high, a smooth S between; low may exceed high for a falling one."""
    t = np.clip((field - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def hashed(*keys: NDArray[np.integer] | int) -> Array:
    """A number in 0..1 for every tuple of integers, the same each time. Keys broadcast; returns float32."""
    mixed = np.array(2166136261, np.uint32)
    for key in keys:
        word = np.asarray(key).astype(np.int64).astype(np.uint32)
        mixed = (mixed ^ word) * np.uint32(0x9E3779B1)
        mixed = mixed ^ (mixed >> np.uint32(15))
    mixed = mixed * np.uint32(0x85EBCA6B)
    mixed = mixed ^ (mixed >> np.uint32(13))
    mixed = mixed * np.uint32(0xC2B2AE35)
    return np.asarray((mixed >> np.uint32(8)).astype(np.float32) * np.float32(1 / 2**24))


def sample(field: Array, x: Array, y: Array) -> Array:
    """Bilinear values of field at fractional columns x and rows y, clamped to its edge. Returns the shape of x."""
    x = np.clip(x, 0, field.shape[1] - 1.001)
    y = np.clip(y, 0, field.shape[0] - 1.001)
    col, row = x.astype(np.intp), y.astype(np.intp)
    fx, fy = x - col, y - row
    top = field[row, col] * (1 - fx) + field[row, col + 1] * fx
    bottom = field[row + 1, col] * (1 - fx) + field[row + 1, col + 1] * fx
    return (top * (1 - fy) + bottom * fy).astype(np.float32)


def extreme(field: Array, radius: int, *, largest: bool) -> Array:
    """Largest or smallest value within a square of 2 * radius + 1 pixels. Returns the shape of field."""
    pick = np.maximum if largest else np.minimum
    for axis in (0, 1):
        pad = [(0, 0), (0, 0)]
        pad[axis] = (radius, radius)
        padded = np.pad(field, pad, mode="edge")
        length = field.shape[axis]
        parts = [np.take(padded, range(k, k + length), axis=axis) for k in range(2 * radius + 1)]
        field = pick.reduce(parts)
    return field
