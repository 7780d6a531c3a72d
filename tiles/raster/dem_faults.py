"""What is wrong with heights as such: spikes, pits, terraces, dead flats."""

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
    low, high = heights, heights
    if known is not None:
        low, high = np.where(known, heights, np.inf), np.where(known, heights, -np.inf)
    centre = heights[1:-1, 1:-1]
    rise = centre - _of_neighbours(high, np.maximum)
    drop = _of_neighbours(low, np.minimum) - centre
    jump = np.maximum(rise, drop)
    rough = centre - (heights[:-2, 1:-1] + heights[2:, 1:-1] + heights[1:-1, :-2] + heights[1:-1, 2:]) / 4
    inner = np.isfinite(jump) & np.isfinite(rough)
    if known is not None:
        inner &= known[1:-1, 1:-1]
    sample = rough[inner]
    if not sample.size:
        return 0, 0.0
    sample = sample[:: max(sample.size // _SAMPLE, 1)]
    spread = 1.4826 * float(np.median(np.abs(sample - np.median(sample))))
    found = inner & (jump > max(SPIKE_SIGMAS * spread, SPIKE_SLOPE * pixel_m, SPIKE_METRES))
    return int(found.sum()), float(jump[found].max()) if found.any() else 0.0


def _of_neighbours(heights: FloatArray, extreme: np.ufunc) -> FloatArray:
    """The highest or lowest of the eight neighbours, (H - 2, W - 2)."""
    three: FloatArray = extreme(extreme(heights[:, :-2], heights[:, 1:-1]), heights[:, 2:])
    sides: FloatArray = extreme(heights[1:-1, :-2], heights[1:-1, 2:])
    around: FloatArray = extreme(extreme(three[:-2], three[2:]), sides)
    return around


def _flats(heights: FloatArray, known: BoolArray | None) -> tuple[float, float]:
    """Share of equal neighbours along a row, and the same as terraces."""
    here, step = heights[:, :-1], np.abs(np.diff(heights, axis=1))
    if known is not None:
        pairs = known[:, :-1] & known[:, 1:]
        here, step = here[pairs], step[pairs]
    if not step.size:
        return 0.0, 0.0
    equal = step == 0
    flat = float(equal.mean())
    if flat in (0.0, 1.0) or float(np.median(step[~equal])) <= TERRACE_STEP:
        return flat, 0.0
    lake = equal & (here == _most_common(here[equal]))
    rest = step.size - int(lake.sum())
    return flat, int((equal & ~lake).sum()) / rest if rest else 0.0


def _most_common(values: FloatArray) -> float:
    sample = values[:: max(values.size // _SAMPLE, 1)]
    levels, counts = np.unique(sample, return_counts=True)
    return float(levels[counts.argmax()])
