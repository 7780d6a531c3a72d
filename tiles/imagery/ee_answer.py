"""An answer of Earth Engine, believed only when it is decoded to the last pixel and is what was asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile

from tiles.raster.arrays import NumberArray
from tiles.raster.errors import RasterError
from tiles.raster.grid import Grid
from tiles.raster.reading import SAFE_ENV

DTYPE = "float32"
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class BrokenAnswer(Exception):
    """The answer is no whole GeoTIFF: cut on its way, a page of a proxy, nothing at all. Another try may get one."""


class WrongAnswer(Exception):
    """A whole GeoTIFF that is not what was asked for. Another try would get the same."""


def decode(content: object, grid: Grid, bands: Sequence[str]) -> NumberArray:
    """(B, H, W) float32 of an answer that must lie on `grid` with one band a name. Raises BrokenAnswer, WrongAnswer."""
    if not isinstance(content, bytes) or not content:
        raise BrokenAnswer("Earth Engine answered with nothing at all.")
    if not content.startswith(_TIFF):
        raise BrokenAnswer("Earth Engine, or a proxy on the way, answered with something that is no GeoTIFF.")
    try:
        with (
            rasterio.Env(**SAFE_ENV, GDAL_CACHEMAX=64 * 2**20),
            MemoryFile(content) as memory,
            memory.open(driver="GTiff", sharing=False) as dataset,
        ):
            _require(dataset, grid, bands)
            pixels: NumberArray = dataset.read()
    except (RasterioError, CPLE_BaseError) as error:
        raise BrokenAnswer("The answer of Earth Engine is cut short or damaged.") from error
    if not np.isfinite(pixels).all():
        raise WrongAnswer("Earth Engine answered with values that are no numbers.")
    return pixels


def _require(dataset: rasterio.io.DatasetReader, grid: Grid, bands: Sequence[str]) -> None:
    if dataset.driver != "GTiff":
        raise WrongAnswer(f"Earth Engine answered with a {dataset.driver} file and not with a GeoTIFF.")
    if dataset.count != len(bands):
        raise WrongAnswer(f"Earth Engine answered with {dataset.count} bands where {len(bands)} were asked for.")
    if set(dataset.dtypes) != {DTYPE}:
        raise WrongAnswer(f"Earth Engine answered with {dataset.dtypes[0]} numbers where {DTYPE} was asked for.")
    named = [name for name in dataset.descriptions if name]
    if named and named != list(bands):
        raise WrongAnswer(f"Earth Engine answered with other bands than were asked for: {', '.join(named)}.")
    try:
        same = Grid.of(dataset).matches(grid, 1e-3)
    except (RasterError, ValueError):
        same = False
    if not same:
        raise WrongAnswer("Earth Engine answered on another grid than the tile's.")
