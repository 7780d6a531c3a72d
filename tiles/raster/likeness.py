"""Whether two tiles show the same thing: a perceptual hash, and small copies of picture and heights to be sure.

A hash alone joins real, different places (sea, swath edges), so a tile without texture has none, and two tiles are
alike only when hash, picture and heights all agree.
"""

from dataclasses import dataclass

import numpy as np

from tiles.raster.arrays import BoolArray, FloatArray, NumberArray, share_of

THUMB = 16
#: A picture varying less than this share of its mean, or heights of less relief in metres, have no texture.
MIN_CONTRAST, MIN_RELIEF = 0.02, 5.0
MOST_BITS = 8
MIN_CORRELATION = 0.95
#: Heights agree when they differ by less than this share of the relief, root mean square.
HEIGHT_TOLERANCE = 0.05
_DCT_SIZE, _DCT_KEPT = 32, 8


@dataclass(frozen=True)
class Likeness:
    """What a tile is compared by.

    bits: 64-bit perceptual hash. picture: (16, 16) uint8, luminance between its least and greatest mean.
    heights: (16, 16) float32, metres.
    """

    bits: int
    picture: NumberArray
    heights: NumberArray

    @property
    def quarters(self) -> tuple[int, int, int, int]:
        """The hash in four numbers below 65536: two hashes up to three bits apart share at least one."""
        a, b, c, d = ((self.bits >> (16 * part)) & 0xFFFF for part in range(4))
        return a, b, c, d


def likeness_of(luminance: FloatArray, dem: NumberArray, missing: BoolArray | None = None) -> Likeness | None:
    """What a tile is compared by; None for one without texture, or with a fifth or more missing.

    luminance: (H, W); dem: (H, W) metres; missing: (H, W), True where either is missing.
    Source of the hash: Zauner, Implementation and benchmarking of perceptual image hash functions (2010).
    """
    if min(dem.shape) < _DCT_SIZE or (missing is not None and share_of(missing) >= 0.2):
        return None
    heights: NumberArray = dem
    if missing is not None and missing.any():
        luminance = np.where(missing, luminance[~missing].mean(), luminance)
        heights = np.where(missing, dem[~missing].mean(), dem)
    small, ground = _reduced(luminance, _DCT_SIZE), _reduced(heights, THUMB)
    if small.std() < MIN_CONTRAST * abs(small.mean()) or np.ptp(ground) < MIN_RELIEF:
        return None
    thumb = _reduced(small, THUMB)
    picture = np.rint((thumb - thumb.min()) / max(float(np.ptp(thumb)), 1e-12) * 255).astype(np.uint8)
    return Likeness(_hash(small), picture, ground.astype(np.float32))


def alike(a: Likeness, b: Likeness) -> bool:
    """Whether two tiles are near-duplicates: hashes at most 8 bits apart, pictures and heights in agreement."""
    if (a.bits ^ b.bits).bit_count() > MOST_BITS:
        return False
    relief = max(float(np.ptp(a.heights)), float(np.ptp(b.heights)))
    apart = float(np.sqrt(np.mean((a.heights - b.heights) ** 2)))
    return apart <= HEIGHT_TOLERANCE * relief and _correlation(a.picture, b.picture) >= MIN_CORRELATION


def _correlation(a: NumberArray, b: NumberArray) -> float:
    first, second = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    first, second = first - first.mean(), second - second.mean()
    size = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / size if size else 0.0


def _reduced(values: NumberArray, size: int) -> FloatArray:
    """Means of size x size blocks, float64; nearly equal blocks where the size does not divide the array's."""
    height, width = values.shape
    if height % size == 0 and width % size == 0:
        lines = values.reshape(size, height // size, width).sum(axis=1, dtype=np.float64)
        return lines.reshape(size, size, width // size).mean(axis=2) * (size / height)
    for axis in (0, 1):
        edges = np.arange(size) * values.shape[axis] // size
        counts = np.diff(np.append(edges, values.shape[axis]))
        sums = np.add.reduceat(values, edges, axis=axis, dtype=np.float64)
        values = sums / (counts[:, None] if axis == 0 else counts[None])
    return values


def _hash(small: FloatArray) -> int:
    """64 bits: which of the lowest frequencies of the cosine transform, the mean left out, are above their median."""
    rows = np.arange(1, _DCT_KEPT + 1)[:, None]
    wave = np.cos(np.pi * rows * (2 * np.arange(_DCT_SIZE)[None] + 1) / (2 * _DCT_SIZE))
    kept = (wave @ small @ wave.T).ravel()
    bits = 0
    for bit in kept > np.median(kept):
        bits = (bits << 1) | int(bit)
    return bits
