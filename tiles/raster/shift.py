"""By how many pixels a picture lies off its heights, measured by what the sun does to both.

Hill shade and imagery are compared by phase correlation (Kuglin and Hines 1975) with a band-pass of 0.02 to 0.15 cycles
a pixel and no window. The ground is lit from a ring of azimuths, because nobody says where the sun stood; which of them
holds is decided for a whole area, from all its tiles. What is flat, or shows something else than its heights, gives no
peak above the level of deliberately mismatched pairs: its shift is unknown, which is not the same as none.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiles.raster.arrays import BoolArray, FloatArray, NumberArray

#: Degrees clockwise from north, where the light comes from. The peak is broad: 10 degrees beside it cost nothing.
AZIMUTHS = tuple(range(0, 360, 20))
SUN_ALTITUDE = 45.0
LOW, HIGH = 0.02, 0.15
#: The farthest shift that is looked for along each axis, and the step, pixels.
REACH, STEP = 14.0, 1.0
#: Measured lengths from here on are flagged. A true shift of 3 px is measured as 2 to 4, none at all below 1.5.
FLAG_FROM_PX = 2.0
MIN_SIZE = 32
MOST_MISSING = 0.2
#: On water and dead flats there is no shade, and a shore line beside it would be taken for one.
MOST_LEVEL = 0.5
#: A peak must stand above this quantile of the mismatched pairs' peaks, and by this factor.
NULL_QUANTILE, NULL_MARGIN = 0.95, 1.25

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
    if min(dem.shape) < MIN_SIZE or (missing is not None and missing.mean() >= MOST_MISSING):
        return ()
    if missing is not None and not missing.any():
        missing = None
    normals = _normals(dem, dx, dy, missing)
    if ((normals[0] == 0) & (normals[1] == 0)).mean() >= MOST_LEVEL:
        return ()
    east, north, up = (_spectrum(part, missing) for part in normals)
    image = _spectrum(picture.astype(np.float32), missing)
    shape = dem.shape
    passed, weight = _band(shape)
    if not (np.abs(image) * passed).any() or not (np.abs(east) * passed).any():
        return ()
    height = math.radians(SUN_ALTITUDE)
    trials = []
    for azimuth in azimuths:
        turn = math.radians(azimuth)
        shade = math.cos(height) * (math.sin(turn) * east + math.cos(turn) * north) + math.sin(height) * up
        cross: ComplexArray = image * np.conj(shade)
        white = cross / np.maximum(np.abs(cross), np.float32(1e-30))
        trials.append(_peak(white * weight, shape))
    return tuple(trials)


def null_threshold(peaks: Sequence[float]) -> float | None:
    """The peak from which a fit counts, after the peaks of deliberately mismatched pairs; None without any."""
    return float(np.quantile(np.asarray(peaks, np.float64), NULL_QUANTILE)) * NULL_MARGIN if len(peaks) else None


def _normals(dem: NumberArray, dx: float, dy: float, missing: BoolArray | None) -> tuple[FloatArray, ...]:
    """East, north and up part of the ground's normal: hill shade is a linear combination of these."""
    heights = dem.astype(np.float32)
    if missing is not None:
        heights[missing] = heights[~missing].mean()
    south, east = np.gradient(heights, np.float32(dy), np.float32(dx))
    length = 1 / np.sqrt(1 + east * east + south * south)
    return -east * length, south * length, length


def _spectrum(values: FloatArray, missing: BoolArray | None) -> ComplexArray:
    """The part of the spectrum that the band-pass reads: (rows, columns) of the real FFT's low frequencies."""
    if missing is None:
        values = values - values.mean()
    else:
        values = np.where(missing, np.float32(0), values - values[~missing].mean())
    _rows, columns = _frequencies(values.shape)
    found: ComplexArray = np.fft.rfft(values, axis=1)[:, : columns.size]
    kept: ComplexArray = np.fft.fft(found, axis=0)[np.abs(np.fft.fftfreq(values.shape[0])) <= HIGH]
    return kept


def _frequencies(shape: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    rows, columns = np.fft.fftfreq(shape[0]), np.fft.rfftfreq(shape[1])
    return rows[np.abs(rows) <= HIGH], columns[columns <= HIGH]


def _band(shape: tuple[int, ...]) -> tuple[BoolArray, FloatArray]:
    """Which frequencies pass, and the weight of each: all but the first column stand for two."""
    rows, columns = _frequencies(shape)
    radius = np.hypot(rows[:, None], columns[None])
    passed = (radius >= LOW) & (radius <= HIGH)
    return passed, (passed * np.where(columns == 0, 1, 2)[None]).astype(np.float32)


def _peak(cross: ComplexArray, shape: tuple[int, ...]) -> Trial:
    """The highest point of the correlation, by a Fourier sum on the few shifts that are looked for."""
    rows, columns = _frequencies(shape)
    steps = np.arange(-REACH, REACH + STEP / 2, STEP)
    down = np.exp(2j * np.pi * np.outer(steps, rows)).astype(np.complex64)
    right = np.exp(2j * np.pi * np.outer(columns, steps)).astype(np.complex64)
    narrow = cross.astype(np.complex64)
    # Not `@`: its library starts threads for products of this size, which costs busy workers far more than it gives.
    surface = np.einsum("sc,ct->st", np.einsum("sr,rc->sc", down, narrow), right).real
    row, column = np.unravel_index(int(surface.argmax()), surface.shape)
    total = float(_band(shape)[1].sum())
    return Trial(float(surface[row, column]) / total, *_between(surface, int(row), int(column), steps))


def _between(surface: FloatArray, row: int, column: int, steps: FloatArray) -> tuple[float, float]:
    """The place of a peak between the steps, by a parabola along each axis."""
    place = []
    for line, at in ((surface[:, column], row), (surface[row], column)):
        offset = 0.0
        if 0 < at < line.size - 1:
            before, here, after = (float(value) for value in line[at - 1 : at + 2])
            bend = before - 2 * here + after
            offset = 0.5 * (before - after) / bend if bend < 0 else 0.0
        place.append(float(steps[at]) + offset * STEP)
    return place[0], place[1]
