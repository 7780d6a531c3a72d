"""By how many pixels a picture lies off its heights, measured by what the sun does to both.

Hill shade and imagery are compared by phase correlation (Kuglin and Hines 1975) with a band-pass of 0.02 to 0.15 cycles
a pixel and no window. The ground is lit from a ring of azimuths, because nobody says where the sun stood; which of them
holds is decided for a whole area, from all its tiles. What is flat, or shows something else than its heights, gives no
peak above the level of deliberately mismatched pairs: its shift is unknown, which is not the same as none.

Hill shade is a sum of the slopes to the east and to the north, weighted by the azimuth. Both are divided by their
common amplitude at each frequency, not each shade by its own: so the correlation is a sum of two as well, and a ring of
azimuths costs no more than two of them. Where the light shows little of a frequency, that weighs little, as it should.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tiles.raster.arrays import BoolArray, FloatArray, NumberArray, share_of, strips

#: Degrees clockwise from north, where the light comes from. The peak is broad: 10 degrees beside it cost nothing.
AZIMUTHS = tuple(range(0, 360, 20))
LOW, HIGH = 0.02, 0.15
#: The farthest shift that is looked for along each axis, and the step, pixels.
REACH, STEP = 14.0, 1.0
STEPS = np.arange(-REACH, REACH + STEP / 2, STEP)
#: Measured lengths from here on are flagged. A true shift of 3 px is measured as 2 to 4, none at all below 1.5.
FLAG_FROM_PX = 2.0
MIN_SIZE = 32
MOST_MISSING = 0.2
#: On water and dead flats there is no shade, and a shore line beside it would be taken for one.
MOST_LEVEL = 0.5
#: A peak must stand above this quantile of the mismatched pairs' peaks, and by this factor.
NULL_QUANTILE, NULL_MARGIN = 0.95, 1.25

TINY = np.float32(1e-30)
#: OpenBLAS stays in one thread up to 65,536 of them in one call.
MOST_PRODUCTS = 2**15

ComplexArray = NDArray[np.complexfloating]


@dataclass(frozen=True)
class Trial:
    """The best fit under one sun. peak: 0 (nothing in common) to 1. down, right: pixels the picture lies off."""

    peak: float
    down: float
    right: float

    @property
    def length(self) -> float:
        return math.hypot(self.down, self.right)


def shift_trials(
    dem: NumberArray,
    picture: NumberArray,
    dx: float,
    dy: float,
    missing: BoolArray | None = None,
    *,
    azimuths: Sequence[float] = AZIMUTHS,
) -> tuple[Trial, ...]:
    """Find the shift under which a picture fits the hill shade best, for the sun at each azimuth.

    dem: (H, W) metres. picture: (H, W), near infrared if there is any, else luminance; any unit. dx, dy: pixel size,
    metres. missing: (H, W), True where either is missing; such pixels are filled with the mean.
    Returns one trial an azimuth, or none where nothing can be measured: tiles below 32 px, a fifth or more missing,
    half or more dead level, or no structure at all on one side.
    Source: Kuglin and Hines, The phase correlation image alignment method (1975).
    """
    if min(dem.shape) < MIN_SIZE or (missing is not None and share_of(missing) >= MOST_MISSING):
        return ()
    if missing is not None and not missing.any():
        missing = None
    slopes = _slopes(dem, dx, dy, missing)
    if share_of((slopes[0] == 0) & (slopes[1] == 0)) >= MOST_LEVEL:
        return ()
    plan = _plan(dem.shape)
    image = _spectrum(picture.astype(np.float32), missing, plan)
    strength = np.abs(image)
    lit = [_spectrum(slope, missing, plan) for slope in slopes]
    power = np.sum([part.real**2 + part.imag**2 for part in lit], axis=0)
    if not (strength * plan.weight).any() or not (power * plan.weight).any():
        return ()
    image *= plan.weight / np.maximum(strength, TINY)
    lit = [part / np.sqrt(np.maximum(power, TINY)) for part in lit]
    surfaces = [_surface(image * np.conj(part), plan) for part in lit]
    common = np.array([[float((plan.weight * (a * np.conj(b)).real).sum()) for b in lit] for a in lit])
    suns = [np.array([math.sin(math.radians(azimuth)), math.cos(math.radians(azimuth))]) for azimuth in azimuths]
    whole = plan.weight.sum()
    most = [math.sqrt(max(float(whole * (sun @ common @ sun)), float(TINY))) for sun in suns]
    east, south = np.array(suns).T[:, :, None, None]
    return _peaks((east * surfaces[0] + south * surfaces[1]) / np.array(most)[:, None, None])


def null_threshold(peaks: Sequence[float]) -> float | None:
    """The peak from which a fit counts, after the peaks of deliberately mismatched pairs; None without any."""
    return float(np.quantile(np.asarray(peaks, np.float64), NULL_QUANTILE)) * NULL_MARGIN if len(peaks) else None


@dataclass(frozen=True)
class _Plan:
    """What depends on a tile's size alone, (rows, columns) being the low frequencies of a real FFT.

    kept: (H,), which rows of the spectrum. weight: (rows, columns): 0 outside the band, 2 where one stands for two.
    down, right: (steps, rows) and (columns, steps), the Fourier sums on the few shifts that are looked for.
    """

    kept: BoolArray
    columns: int
    weight: FloatArray
    down: ComplexArray
    right: ComplexArray


@lru_cache(maxsize=8)
def _plan(shape: tuple[int, int]) -> _Plan:
    rows, columns = np.fft.fftfreq(shape[0]), np.fft.rfftfreq(shape[1])
    kept = np.abs(rows) <= HIGH
    rows, columns = rows[kept], columns[columns <= HIGH]
    radius = np.hypot(rows[:, None], columns[None])
    weight = ((radius >= LOW) & (radius <= HIGH)) * np.where(columns == 0, 1, 2)[None]
    return _Plan(
        kept,
        columns.size,
        weight.astype(np.float32),
        np.exp(2j * np.pi * np.outer(STEPS, rows)).astype(np.complex64),
        np.exp(2j * np.pi * np.outer(columns, STEPS)).astype(np.complex64),
    )


def _slopes(dem: NumberArray, dx: float, dy: float, missing: BoolArray | None) -> tuple[FloatArray, FloatArray]:
    """East and north part of the ground's normal. Its upright part is the same from every side and only adds noise."""
    heights = dem.astype(np.float32)
    if missing is not None:
        heights[missing] = heights[~missing].mean()
    east, south = _rise(heights.T, np.float32(dx)).T, _rise(heights, np.float32(dy))
    for rows in strips(dem.shape):
        right, down = east[rows], south[rows]
        length = right * right
        length += 1
        length += down * down
        np.sqrt(length, out=length)
        np.divide(1, length, out=length)
        np.negative(right, out=right)
        right *= length
        down *= length
    return east, south


def _rise(heights: FloatArray, spacing: np.float32) -> FloatArray:
    """As np.gradient along the first axis, without its copies."""
    rise = np.empty_like(heights)
    np.subtract(heights[2:], heights[:-2], out=rise[1:-1])
    rise[1:-1] /= 2 * spacing
    rise[0], rise[-1] = (heights[1] - heights[0]) / spacing, (heights[-1] - heights[-2]) / spacing
    return rise


def _spectrum(values: FloatArray, missing: BoolArray | None, plan: _Plan) -> ComplexArray:
    """The part of the spectrum that the band-pass reads, (rows, columns) complex64."""
    mean = values.mean() if missing is None else values[~missing].mean()
    lines = np.empty((len(values), plan.columns), np.complex64)
    for rows in strips(values.shape):
        level = values[rows] - mean
        if missing is not None:
            level[missing[rows]] = 0
        lines[rows] = np.fft.rfft(level, axis=1)[:, : plan.columns]
    found: ComplexArray = np.fft.fft(lines, axis=0)[plan.kept]
    return found


def _surface(cross: ComplexArray, plan: _Plan) -> FloatArray:
    """The correlation at each shift that is looked for, (steps down, steps right)."""
    found: FloatArray = _product(_product(plan.down, cross), plan.right).real
    return found


def _product(a: ComplexArray, b: ComplexArray) -> ComplexArray:
    """`a @ b` in parts: for larger ones OpenBLAS starts threads, which costs busy workers far more than it gives."""
    depth = max(MOST_PRODUCTS // (a.shape[0] * b.shape[1]), 1)
    product: ComplexArray = np.zeros((a.shape[0], b.shape[1]), np.complex64)
    for start in range(0, len(b), depth):
        product += a[:, start : start + depth] @ b[start : start + depth]
    return product


def _peaks(surfaces: FloatArray) -> tuple[Trial, ...]:
    """The highest point of each surface, between the steps by a parabola along each axis. surfaces: (suns, H, W)."""
    number, _rows, width = surfaces.shape
    highest = surfaces.reshape(number, -1).argmax(axis=1).tolist()
    return tuple(_peak(surface, *divmod(at, width)) for surface, at in zip(surfaces, highest, strict=True))


def _peak(surface: FloatArray, row: int, column: int) -> Trial:
    place = []
    for line, at in ((surface[:, column], row), (surface[row], column)):
        offset = 0.0
        if 0 < at < line.size - 1:
            before, here, after = line[at - 1 : at + 2].tolist()
            bend = before - 2 * here + after
            offset = 0.5 * (before - after) / bend if bend < 0 else 0.0
        place.append(float(STEPS[at]) + offset * STEP)
    return Trial(float(surface[row, column]), *place)
