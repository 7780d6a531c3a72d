"""What is wrong with heights as such: spikes, pits, terraces, dead flats."""

import math
from dataclasses import dataclass

import numpy as np

from tiles.raster.arrays import BoolArray, FloatArray, NumberArray

#: A spike stands out from all eight neighbours by this many robust standard deviations of the tile's roughness ...
SPIKE_SIGMAS = 15.0
#: ... and by at least this share of a pixel's size, and these metres.
SPIKE_SLOPE, SPIKE_METRES = 0.5, 3.0
#: Steps up to here also come from heights in whole metres.
TERRACE_STEP = 2.5
_SAMPLE = 16384
NEIGHBOURS = tuple((down, right) for down in range(3) for right in range(3) if (down, right) != (1, 1))


@dataclass(frozen=True)
class DemMeasures:
    """spikes: pixels. spike_m: the largest, metres. terrace_share, flat_share: of neighbouring pairs, 0..1."""

    spikes: int
    spike_m: float
    terrace_share: float
    flat_share: float


def measure_dem(dem: NumberArray, pixel_m: float, void: BoolArray | None = None) -> DemMeasures:
    """Look for faults in the heights of one tile.

    dem: (H, W) metres; pixel_m: pixel size, metres; void: (H, W), True where there is no height.
    Spike: a pixel above or below all eight neighbours by 15 robust standard deviations (1.4826 MAD of the difference
    to the mean of its four neighbours), half a pixel's size and 3 m: single pixels only, wider blunders pass unseen.
    Flat: neighbours of exactly equal height. Terraces: the same, without the tile's most common height (a lake), when
    the median step between unequal neighbours is above 2.5 m; finer steps look like heights in whole metres.
    """
    heights = dem.astype(np.float32)
    known = np.isfinite(heights) if void is None else np.isfinite(heights) & ~void
    if min(dem.shape) < 3 or not known.any():
        return DemMeasures(0, 0.0, 0.0, 0.0)
    whole = bool(known.all())
    spikes, largest = _spikes(heights, pixel_m, None if whole else known)
    flat, terraces = _flats(heights, None if whole else known)
    return DemMeasures(spikes, largest, terraces, flat)


def _spikes(heights: FloatArray, pixel_m: float, known: BoolArray | None) -> tuple[int, float]:
    if known is not None:
        heights = np.where(known, heights, np.float32(np.nan))
    rough = heights[:-2, 1:-1] + heights[2:, 1:-1]
    rough += heights[1:-1, :-2]
    rough += heights[1:-1, 2:]
    rough *= np.float32(-0.25)
    rough += heights[1:-1, 1:-1]
    every = max(math.isqrt(rough.size // _SAMPLE), 1)
    sample = rough[::every, ::every]
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return 0, 0.0
    spread = 1.4826 * float(np.median(np.abs(sample - np.median(sample))))
    least = max(SPIKE_SIGMAS * spread, SPIKE_SLOPE * pixel_m, SPIKE_METRES)
    # What stands out from all eight neighbours also does from the mean of four: few pixels are left to look at.
    doubtful = np.abs(rough) > least
    if known is not None:
        doubtful |= np.isnan(rough) & known[1:-1, 1:-1]
    # Flat, since NumPy looks through two dimensions far more slowly.
    places = np.flatnonzero(doubtful)
    if not places.size:
        return 0, 0.0
    rows, columns = np.divmod(places, doubtful.shape[1])
    around = np.stack([heights[rows + down, columns + right] for down, right in NEIGHBOURS])
    centre = heights[rows + 1, columns + 1]
    jump = np.maximum(centre - np.fmax.reduce(around), np.fmin.reduce(around) - centre)
    jump = jump[jump > least]
    return int(jump.size), float(jump.max()) if jump.size else 0.0


def _flats(heights: FloatArray, known: BoolArray | None) -> tuple[float, float]:
    """Share of equal neighbours along a row, and the same as terraces."""
    here, there = heights[:, :-1], heights[:, 1:]
    if known is not None:
        pairs = known[:, :-1] & known[:, 1:]
        here, there = here[pairs], there[pairs]
    if not here.size:
        return 0.0, 0.0
    equal = here == there
    flats = int(np.count_nonzero(equal))
    if flats in (0, equal.size) or _median_step(here, there) <= TERRACE_STEP:
        return flats / equal.size, 0.0
    level = here[equal]
    lake = int(np.count_nonzero(level == _most_common(level)))
    rest = equal.size - lake
    return flats / equal.size, (flats - lake) / rest if rest else 0.0


def _median_step(here: FloatArray, there: FloatArray) -> float:
    """The median step between unequal neighbours, in metres, of a sample; 0 where it holds none."""
    every = max(here.size // _SAMPLE, 1)
    step = np.abs(there[::every] - here[::every])
    step = step[step > 0]
    return float(np.median(step)) if step.size else 0.0


def _most_common(values: FloatArray) -> float:
    sample = values[:: max(values.size // _SAMPLE, 1)]
    levels, counts = np.unique(sample, return_counts=True)
    return float(levels[counts.argmax()])
