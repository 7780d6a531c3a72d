"""What the ground looks like: slope, hill shade, relief, landform. Metres are metres throughout."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tiles.raster.arrays import BoolArray, FloatArray, NumberArray, share_of, strips
from tiles.raster.depth import distinct_heights, usable_heights
from tiles.raster.errors import FlatTile
from tiles.raster.grid import Grid
from tiles.raster.relief import moving_relief

__all__ = [
    "LANDFORMS",
    "RELIEF_WINDOW_M",
    "Landform",
    "LandformClass",
    "TerrainMeasures",
    "hillshade",
    "landform",
    "measure_terrain",
    "moving_relief",
    "slope_degrees",
]

# Landform depends on scale: over a whole tile of 30 m pixels nearly everything would be high mountains.
RELIEF_WINDOW_M = 1500.0
OCEAN_SHARE = 0.5


@dataclass(frozen=True)
class LandformClass:
    """A class of ground: relief in a moving window and altitude, each from (included) up to (excluded), metres."""

    name: str
    label: str
    relief: tuple[float, float]
    altitude: tuple[float, float]


# After the Chinese 1:1,000,000 geomorphological scheme. Ocean comes from water_share, not from these ranges.
LANDFORMS = (
    LandformClass("ocean", "ocean", (0.0, 0.0), (0.0, 0.0)),
    LandformClass("plain", "plains", (0.0, 30.0), (-math.inf, 1000.0)),
    LandformClass("highland", "highland", (0.0, 30.0), (1000.0, math.inf)),
    LandformClass("hill", "hills", (30.0, 200.0), (-math.inf, math.inf)),
    LandformClass("low_mountain", "low undulating mountains", (200.0, 500.0), (-math.inf, math.inf)),
    LandformClass("high_mountain", "high undulating mountains", (500.0, math.inf), (-math.inf, math.inf)),
)


@dataclass(frozen=True)
class Landform:
    """The landform of a tile.

    name: the class that most land belongs to, or "ocean" when more than half of the tile is water.
    shares: share of each land class among all pixels with a height, 0..1; with water_share they add up to 1.
    window_m: side of the moving window that was really used, metres: never more than the tile.
    """

    name: str
    shares: dict[str, float]
    water_share: float
    window_m: float


@dataclass(frozen=True)
class TerrainMeasures:
    """What is measured of a tile's heights: metres, degrees, and shares 0..1. distinct_heights stops at 1024."""

    dem_min: float
    dem_max: float
    dem_mean: float
    relief: float
    slope_mean: float
    landform: str
    landform_shares: dict[str, float]
    water_share: float
    distinct_heights: int
    void_share: float

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def _with_nan(dem: NumberArray, void: BoolArray | None) -> FloatArray:
    """Heights as float32 with NaN for voids: NaN spreads through every sum that touches one."""
    heights = dem.astype(np.float32)
    usable = usable_heights(dem, void)
    if usable is not None:
        heights[~usable] = np.nan
    return heights


def _padded(dem: NumberArray, void: BoolArray | None) -> FloatArray:
    """Heights as float32, NaN for voids, with a margin of one pixel, in which they go on in a straight line.

    So the outermost pixels keep the slope they have.
    """
    heights = _with_nan(dem, void)
    return _prolonged(heights) if min(heights.shape) > 1 else np.pad(heights, 1, mode="edge")


def _gradient(padded: FloatArray, dx: float, dy: float) -> tuple[FloatArray, FloatArray]:
    """Rise per metre eastward and southward, (H, W) float32, by Horn's weighted 3x3 differences.

    padded: heights with a margin of one pixel, (H + 2, W + 2). Two new arrays, to be written over at will.
    """
    across = 2 * padded[1:-1]
    across += padded[:-2]
    across += padded[2:]
    down = 2 * padded[:, 1:-1]
    down += padded[:, :-2]
    down += padded[:, 2:]
    east, south = across[:, 2:] - across[:, :-2], down[2:] - down[:-2]
    east /= np.float32(8 * dx)
    south /= np.float32(8 * dy)
    # Horn's differences leave the centre out, so a void there would get the slope of its neighbours.
    east[np.isnan(padded[1:-1, 1:-1])] = np.nan
    return east, south


def _prolonged(heights: FloatArray) -> FloatArray:
    """Heights with a margin of one pixel, which goes on as the outermost two do: np.pad's odd reflection, but fast."""
    padded = np.empty((heights.shape[0] + 2, heights.shape[1] + 2), np.float32)
    padded[1:-1, 1:-1] = heights
    with np.errstate(over="ignore", invalid="ignore"):
        for rows in (padded, padded.T):
            rows[0] = 2 * rows[1] - rows[2]
            rows[-1] = 2 * rows[-2] - rows[-3]
    return padded


def slope_degrees(dem: NumberArray, dx: float, dy: float, void: BoolArray | None = None) -> FloatArray:
    """Steepness of each pixel in degrees, (H, W) float32; NaN where a void lies in its 3x3 neighbourhood.

    dem: (H, W) heights, metres. dx, dy: pixel size on the ground, metres (Grid.pixel_size_m).
    Source: B. K. P. Horn, Hill shading and the reflectance map, Proc. IEEE 69 (1981).
    """
    padded = _padded(dem, void)
    slopes: FloatArray = np.empty(dem.shape, np.float32)
    for rows in strips(dem.shape):
        slope, south = _gradient(padded[rows.start : rows.stop + 2], dx, dy)
        slope *= slope
        south *= south
        slope += south
        np.sqrt(slope, out=slope)
        np.arctan(slope, out=slope)
        np.multiply(slope, np.float32(180 / math.pi), out=slopes[rows])
    return slopes


def hillshade(
    dem: NumberArray,
    dx: float,
    dy: float,
    *,
    azimuth: float = 315.0,
    altitude: float = 45.0,
    void: BoolArray | None = None,
) -> FloatArray:
    """Brightness of the ground under a sun, (H, W) float32, 0 (in its own shade) to 1; NaN beside voids.

    dem: (H, W) heights, metres, row 0 in the north. dx, dy: pixel size, metres. azimuth: degrees clockwise from
    north, where the light comes from. altitude: degrees above the horizon.
    The cosine between the ground's normal and the sun's direction; slope after Horn (1981).
    """
    east, south = _gradient(_padded(dem, void), dx, dy)
    up, away = math.sin(math.radians(altitude)), math.cos(math.radians(altitude))
    sun_east, sun_north = away * math.sin(math.radians(azimuth)), away * math.cos(math.radians(azimuth))
    lit = np.float32(up) - east * np.float32(sun_east) + south * np.float32(sun_north)
    return np.maximum(lit / np.sqrt(1 + east * east + south * south), np.float32(0))


def landform(
    dem: NumberArray,
    dx: float,
    dy: float,
    void: BoolArray | None = None,
    *,
    window_m: float = RELIEF_WINDOW_M,
) -> Landform:
    """Class the ground of a tile by relief in a moving window and by altitude, after LANDFORMS.

    dem: (H, W) heights, metres. dx, dy: pixel size, metres. Water is height 0 without any relief in its 3x3
    neighbourhood, and stands apart. Raises FlatTile when there are no heights.
    """
    usable = usable_heights(dem, void)
    counted = np.ones(dem.shape, bool) if usable is None else usable
    total = int(np.count_nonzero(counted))
    if total == 0:
        raise FlatTile("The tile has no heights.")
    water = (dem == 0) & counted
    if water.any():
        water &= _calm(water if usable is None else water | ~usable)
    rows, columns = _window_pixels(window_m, dy, dem.shape[0]), _window_pixels(window_m, dx, dem.shape[1])
    relief = moving_relief(dem, (rows, columns), void)
    land = counted & ~water
    relief_from, altitude_from = _From(relief, 0.0), _From(dem, -math.inf)
    shares = {
        kind.name: _pixels_of(kind, relief_from, altitude_from, land) / total
        for kind in LANDFORMS
        if kind.name != "ocean"
    }
    water_share = int(water.sum()) / total
    name = "ocean" if water_share > OCEAN_SHARE else max(shares, key=lambda key: shares[key])
    used_m = min(rows * dy, columns * dx, dem.shape[0] * dy, dem.shape[1] * dx)
    return Landform(name, shares, water_share, used_m)


def _window_pixels(window_m: float, pixel_m: float, length: int) -> int:
    """Odd number of pixels nearest to window_m, at least 3, and no more than can matter in a tile of this length."""
    half = round((window_m / pixel_m - 1) / 2)
    return 2 * min(max(half, 1), max(length - 1, 1)) + 1


class _From:
    """Where values, (H, W), are a limit or more; each limit is looked at once. lowest: nothing lies below it."""

    def __init__(self, values: NumberArray, lowest: float) -> None:
        self._values = values
        self._found: dict[float, BoolArray | None] = {lowest: None}

    def __call__(self, limit: float) -> BoolArray | None:
        """(H, W), or None where all are."""
        if limit not in self._found:
            self._found[limit] = self._values >= limit
        return self._found[limit]


def _pixels_of(kind: LandformClass, relief_from: _From, altitude_from: _From, land: BoolArray) -> int:
    inside = land
    for reached, (low, high) in ((relief_from, kind.relief), (altitude_from, kind.altitude)):
        if (from_low := reached(low)) is not None:
            inside = inside & from_low
        if high < math.inf and (from_high := reached(high)) is not None:
            inside = inside & ~from_high
    return int(np.count_nonzero(inside))


def _calm(level: BoolArray) -> BoolArray:
    """Where a pixel and all its neighbours are level, (H, W); beyond the edge everything is."""
    lines = level.copy()
    lines[1:] &= level[:-1]
    lines[:-1] &= level[1:]
    calm = lines.copy()
    calm[:, 1:] &= lines[:, :-1]
    calm[:, :-1] &= lines[:, 1:]
    return calm


def measure_terrain(dem: NumberArray, grid: Grid, void: BoolArray | None = None) -> TerrainMeasures:
    """Measure the heights of one tile, (H, W) metres, on its grid. Raises FlatTile when there are no heights."""
    usable = usable_heights(dem, void)
    heights = dem.ravel() if usable is None else dem[usable]
    if heights.size == 0:
        raise FlatTile("The tile has no heights.")
    dx, dy = grid.pixel_size_m()
    slope = slope_degrees(dem, dx, dy, void)
    measured = np.isfinite(slope)
    slope = slope if measured.all() else slope[measured]
    form = landform(dem, dx, dy, void)
    low, high = float(heights.min()), float(heights.max())
    return TerrainMeasures(
        dem_min=low,
        dem_max=high,
        dem_mean=float(heights.mean(dtype=np.float64)),
        relief=high - low,
        slope_mean=float(slope.mean(dtype=np.float64)) if slope.size else 0.0,
        landform=form.name,
        landform_shares=form.shares,
        water_share=form.water_share,
        distinct_heights=distinct_heights(dem, void),
        void_share=0.0 if usable is None else 1.0 - share_of(usable),
    )
