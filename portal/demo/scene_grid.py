"""Where the generated scene lies: the grids of its elevation files and of its imagery, and the way between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.transform import Affine
from rasterio.warp import transform as project
from rasterio.warp import transform_bounds

#: In the open Atlantic: nobody can mistake the generated land for a real place.
WEST, NORTH = -20.6, 41.0
ARC_SECOND = 1 / 3600
PIXEL = 30.0
GEOGRAPHIC = CRS.from_epsg(4326)
UTM_27N = CRS.from_epsg(32627)
#: Imagery pixels kept around the elevation grid for the ragged edge of the swath.
_APRON = 28


@dataclass(frozen=True)
class Window:
    """One tile's window: its elevation file (counted from 0, row by row), its place there, its place in the mosaic."""

    file: int
    col: int
    row: int
    left: int
    top: int
    size: int

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns of the window in the mosaic of all elevation files."""
        return slice(self.top, self.top + self.size), slice(self.left, self.left + self.size)


@dataclass(frozen=True)
class Layout:
    """The scene's grids: `tiles` x `tiles` windows a file, `files` = (columns, rows) of files."""

    tiles: int
    tile_size: int
    files: tuple[int, int]

    @property
    def step(self) -> int:
        """Pixels from one elevation file to the next; a file is one pixel larger, for the shared edge."""
        return self.tiles * self.tile_size

    @property
    def dem_shape(self) -> tuple[int, int]:
        """Rows and columns of the mosaic of all elevation files."""
        return self.files[1] * self.step + 1, self.files[0] * self.step + 1

    @property
    def dem_transform(self) -> Affine:
        """Of the mosaic. Pixel centres, not corners, lie on whole arc seconds."""
        half = ARC_SECOND / 2
        return Affine(ARC_SECOND, 0, WEST - half, 0, -ARC_SECOND, NORTH + half)

    @cached_property
    def _utm_bounds(self) -> tuple[float, float, float, float]:
        rows, cols = self.dem_shape
        west, north = self.dem_transform @ (0, 0)
        east, south = self.dem_transform @ (cols, rows)
        return transform_bounds(GEOGRAPHIC, UTM_27N, west, south, east, north)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the imagery: multiples of 4."""
        left, bottom, right, top = self._utm_bounds
        rows, cols = (top - bottom) / PIXEL + 2 * _APRON + 1, (right - left) / PIXEL + 2 * _APRON + 1
        return int(rows) // 4 * 4 + 4, int(cols) // 4 * 4 + 4

    @property
    def transform(self) -> Affine:
        """Of the imagery, snapped to whole pixels."""
        left, _, _, top = self._utm_bounds
        return Affine(PIXEL, 0, (left // PIXEL - _APRON) * PIXEL, 0, -PIXEL, (top // PIXEL + 1 + _APRON) * PIXEL)

    def windows(self) -> list[Window]:
        """All windows, file by file, column by column within a file."""
        return [
            Window(
                fy * self.files[0] + fx,
                col,
                row,
                fx * self.step + col * self.tile_size,
                fy * self.step + row * self.tile_size,
                self.tile_size,
            )
            for fy in range(self.files[1])
            for fx in range(self.files[0])
            for col in range(self.tiles)
            for row in range(self.tiles)
        ]

    def to_imagery(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray, NDArray]:
        """Fractional imagery pixels (column, row; corner based) of fractional mosaic pixels. 1-D arrays."""
        lon, lat = self.dem_transform @ (x, y)
        east, north = project(GEOGRAPHIC, UTM_27N, np.atleast_1d(lon), np.atleast_1d(lat))
        cols, rows = ~self.transform @ (np.asarray(east), np.asarray(north))
        return cols, rows

    def footprint(self, window: Window) -> Footprint:
        """How a window lies in the imagery."""
        return Footprint(self, window)


class Footprint:
    """A window's ground in the imagery.

    The way between the grids is a quadratic fitted over the window: within it good to a hundredth of a pixel, and
    evaluated for whole arrays at once.
    """

    def __init__(self, layout: Layout, window: Window) -> None:
        self.window = window
        unit = np.linspace(-0.15, 1.15, 9)
        u, v = (axis.ravel() for axis in np.meshgrid(unit, unit))
        cols, rows = layout.to_imagery(window.left + u * window.size, window.top + v * window.size)
        self._centre = cols.mean(), rows.mean()
        self._scale = float(window.size)
        terms = self._terms(cols, rows)
        self._to_unit = [np.linalg.lstsq(terms, axis, rcond=None)[0] for axis in (u, v)]
        self._to_pixel = [np.linalg.lstsq(_quadratic(u, v), axis, rcond=None)[0] for axis in (cols, rows)]
        inside = (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1)
        reach = unit[1] - unit[0]
        margin = int(reach * window.size) + 2
        height, width = layout.shape
        left, right = int(cols[inside].min()) - margin, int(cols[inside].max()) + margin
        top, bottom = int(rows[inside].min()) - margin, int(rows[inside].max()) + margin
        self.box = slice(max(top, 0), min(bottom, height)), slice(max(left, 0), min(right, width))

    def _terms(self, cols: NDArray, rows: NDArray) -> NDArray[np.float64]:
        return _quadratic((cols - self._centre[0]) / self._scale, (rows - self._centre[1]) / self._scale)

    def unit(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of every pixel of `box`: its place across and down the window, 0..1 inside. Two arrays of the box's shape."""
        rows, cols = np.mgrid[self.box]
        terms = self._terms(cols.ravel() + 0.5, rows.ravel() + 0.5)
        u, v = (terms @ weights for weights in self._to_unit)
        return u.reshape(rows.shape), v.reshape(rows.shape)

    def pixels(self, u: NDArray[np.float64], v: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows and columns of the imagery pixels at places in the window."""
        terms = _quadratic(u, v)
        cols, rows = (np.floor(terms @ weights).astype(np.intp) for weights in self._to_pixel)
        return rows, cols


def _quadratic(x: NDArray, y: NDArray) -> NDArray[np.float64]:
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
