"""Heights of elevation files that share a pixel lattice, read as one raster, and on other grids than their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rasterio._err import CPLE_BaseError
from rasterio.enums import Resampling
from rasterio.errors import CRSError, RasterioError
from rasterio.io import MemoryFile
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from tiles.raster.arrays import BoolArray, NumberArray
from tiles.raster.dem import Dem, in_metres, read_raw
from tiles.raster.errors import Unreadable
from tiles.raster.grid import Grid
from tiles.raster.lattice import TOLERANCE_PX, Box, box_in, common_lattice, surrounding_box

# Heights are read in parts of at most so many pixels of the files: 16 MB as float32, and a few copies.
MOST_PIXELS = 4 * 2**20
# A weight below this is rounding: the kernel does not touch that pixel.
TOUCHES = 1e-4
RESAMPLING = "bilinear"


@dataclass(frozen=True)
class Part:
    """One file of a mosaic: where it lies on the disk and on the Earth."""

    path: Path
    grid: Grid


class Heights:
    """One or several elevation files of one lattice as one raster.

    Where files overlap, as the shared edge pixels of SRTM do, the first that has a height wins. Outside of all of them
    is void. `nodata` is what marks voids in what `cut` reads.
    """

    def __init__(self, parts: Sequence[Part], opened: Callable[[Path], Any]) -> None:
        """opened: gives the open dataset of a path, as often as it is asked. Raises GridMismatch, RasterError."""
        self.grid = common_lattice([part.grid for part in parts])
        self.paths = [part.path for part in parts]
        self._boxes = [box for part in parts if (box := box_in(self.grid, part.grid)) is not None]
        self._opened = opened
        first = opened(self.paths[0])
        self.nodata: float | None = first.nodata
        self._dtype = np.dtype(first.dtypes[0])
        self._scale, self._offset = float(first.scales[0]), float(first.offsets[0])

    def read(self, grid: Grid, *, unit_factor: float = 1.0) -> Dem:
        """The heights of a grid: copied where it lies on the files' lattice, else resampled."""
        return (self.cut if self.holds(grid) else self.resample)(grid, unit_factor=unit_factor)

    def holds(self, grid: Grid) -> bool:
        """Whether the pixels of a grid are pixels of the files."""
        return box_in(self.grid, grid) is not None

    def provenance(self, grid: Grid) -> dict[str, Any]:
        """What a reader needs to know of how heights on this grid came about."""
        files = [path.name for path in self.paths]
        if self.holds(grid):
            return {"files": files, "resampling": None}
        across, down = self._steps(grid)
        return {
            "files": files,
            "resampling": RESAMPLING,
            "crs": self.grid.crs,
            "pixel": [abs(self.grid.affine[0]), abs(self.grid.affine[4])],
            "pixels_of_the_files": [round(across, 4), round(down, 4)],
        }

    def cut(self, grid: Grid, *, unit_factor: float = 1.0) -> Dem:
        """The heights of a grid that lies on the files' lattice, pixel for pixel. Raises Unreadable."""
        box = box_in(self.grid, grid)
        if box is None:
            raise Unreadable(f"{self.paths[0].name} does not lie where it did when the build was planned.")
        raw, void = self._raw(box)
        return in_metres(raw, void, self._scale * unit_factor, self._offset * unit_factor)

    def resample(self, grid: Grid, *, unit_factor: float = 1.0) -> Dem:
        """The heights on any grid, bilinearly, (H, W) float32, NaN where void.

        A pixel whose kernel touches a void is void, so that no void is filled or made smaller. A grid that is coarser
        than the files averages over its pixels' area. Reads windows of bounded size only. Raises Unreadable.
        """
        scale, offset = self._scale * unit_factor, self._offset * unit_factor
        return self._resample(grid, scale, offset)

    def is_zero(self, grid: Grid) -> bool:
        """Whether all that a grid gets from the files is a stored 0, which is how sea is written."""
        zeros = others = False
        for block, _target in self._blocks(grid):
            raw, void = self._raw(block)
            zeros = zeros or bool(((raw == 0) & ~void).any())
            others = others or bool((raw != 0).any() or void.any())
            if others and zeros:
                break
        if not (zeros and others) or box_in(self.grid, grid) is not None:
            return not others
        # Both are near: only the pixels of the grid itself can tell.
        dem = self._resample(grid, 1.0, 0.0)
        return not dem.void.any() and not dem.heights.any()

    def _raw(self, box: Box) -> tuple[NumberArray, BoolArray]:
        """(H, W) stored values of a box of the lattice and where they are void."""
        values = np.full((box.height, box.width), 0 if self.nodata is None else self.nodata, self._dtype)
        void = np.ones(values.shape, bool)
        for path, whole in zip(self.paths, self._boxes, strict=True):
            common = box.common(whole)
            if common is None:
                continue
            window = Window(common.col - whole.col, common.row - whole.row, common.width, common.height)
            raw, missing = read_raw(self._opened(path), window)
            rows = slice(common.row - box.row, common.bottom - box.row)
            cols = slice(common.col - box.col, common.right - box.col)
            fresh = void[rows, cols] & ~missing
            values[rows, cols][fresh] = raw[fresh]
            void[rows, cols][fresh] = False
        return values, void

    def _resample(self, grid: Grid, scale: float, offset: float) -> Dem:
        heights = np.full((grid.height, grid.width), np.nan, np.float32)
        touched = np.zeros(heights.shape, np.float32)
        for block, target in self._blocks(grid):
            raw, void = self._raw(block)
            dem = (raw.astype(np.float64) * scale + offset).astype(np.float32)
            dem[void] = np.nan
            rows, cols = slice(target.row, target.bottom), slice(target.col, target.right)
            heights[rows, cols], touched[rows, cols] = self._warped(dem, void, block, grid.window(*target))
        void = np.isnan(heights) | (touched > TOUCHES)
        heights[void] = np.nan
        return Dem(heights, void)

    def _warped(self, heights: NumberArray, void: BoolArray, block: Box, part: Grid) -> NumberArray:
        """(2, H, W): heights, NaN where there are none, and the weight that voids have in them."""
        across, down = self._steps(part)
        known = self.grid.window(*block)
        shape = {"width": block.width, "height": block.height, "count": 2, "dtype": "float32", "nodata": np.nan}
        try:
            with MemoryFile() as memory:
                with memory.open(driver="GTiff", crs=known.rio_crs, transform=known.transform, **shape) as dataset:
                    dataset.write(np.stack([heights, void.astype(np.float32)]))
                with (
                    memory.open(driver="GTiff") as dataset,
                    # `reproject` would do, but has no say in how far off the transformation may be.
                    WarpedVRT(
                        dataset,
                        crs=part.rio_crs,
                        transform=part.transform,
                        width=part.width,
                        height=part.height,
                        resampling=Resampling.bilinear,
                        tolerance=TOLERANCE_PX,
                        UNIFIED_SRC_NODATA="NO",
                        # Else GDAL takes them from the shape of each block.
                        XSCALE=min(1.0, 1 / across),
                        YSCALE=min(1.0, 1 / down),
                    ) as warped,
                ):
                    found: NumberArray = warped.read()
                    return found
        except (RasterioError, CRSError, CPLE_BaseError) as error:
            name = self.paths[0].name
            raise Unreadable(f"{name} cannot be brought into the coordinate system of the grid.") from error

    def _steps(self, part: Grid) -> tuple[float, float]:
        """How many columns and rows of the files one pixel of a grid is wide and high."""
        (own_x, own_y), (x, y) = self.grid.pixel_size_m(), part.pixel_size_m()
        return x / own_x, y / own_y

    def _blocks(self, grid: Grid, target: Box | None = None) -> Iterator[tuple[Box, Box]]:
        """Parts of the lattice, bounded in size, each with the box of `grid` that it is enough for."""
        target = target or Box(0, 0, grid.width, grid.height)
        part = grid.window(*target)
        margin = 0 if box_in(self.grid, part) else 2 + int(np.ceil(max(self._steps(part))))
        around = surrounding_box(self.grid, part, margin).common(Box(0, 0, self.grid.width, self.grid.height))
        if around is None:
            return
        if around.width * around.height <= MOST_PIXELS or target.width == target.height == 1:
            yield around, target
            return
        # Halves of the longer side.
        if target.width >= target.height:
            half = target.width // 2
            parts = (target._replace(width=half), target._replace(col=target.col + half, width=target.width - half))
        else:
            half = target.height // 2
            parts = (target._replace(height=half), target._replace(row=target.row + half, height=target.height - half))
        for smaller in parts:
            yield from self._blocks(grid, smaller)
