"""Reading the looks of a catalogue onto the grid of a tile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from rasterio._err import CPLE_BaseError
from rasterio.enums import Resampling
from rasterio.errors import CRSError, RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from tiles.raster.arrays import BoolArray, FloatArray, NumberArray
from tiles.raster.grid import Grid

from .base import SourcePermanent
from .raster import TOLERANCE_PX, boxes_touch
from .remote import RemoteFile, open_remote
from .scenes import NO_DATA, SCL_CLASSES, Asset, Look, Scene
from .web import Web


@dataclass(frozen=True)
class _Warped:
    """An asset on the tile's grid, open."""

    file: RemoteFile
    dataset: Any


class LookReader:
    """Reads looks on a grid. Files stay open until the stack is closed, so that their heads are read once."""

    def __init__(self, web: Web, grid: Grid, stack: ExitStack, bands: Sequence[str]) -> None:
        self.bands = bands
        self._web = web
        self._grid = grid
        self._stack = stack
        self._open: dict[str, _Warped] = {}
        self._box = grid.bounds_lonlat()

    def classes(self, look: Look) -> NumberArray:
        """(H, W) uint8 classes of a look: of its scenes, by name, the first that has one; 0 where none has."""
        found = np.zeros((self._grid.height, self._grid.width), np.uint8)
        for scene in self._near(look):
            (values,), there = self._read(scene.assets["scl"], slice(0, self._grid.height), Resampling.nearest)
            fresh = (found == NO_DATA) & there
            found[fresh] = np.clip(values[fresh], 0, SCL_CLASSES)
            if (found != NO_DATA).all():
                break
        return found

    def reflectance(self, look: Look, rows: slice) -> tuple[FloatArray, BoolArray]:
        """(B, h, W) reflectance of some rows, and (h, W) where all bands have it."""
        shape = (rows.stop - rows.start, self._grid.width)
        pixels, done = np.zeros((len(self.bands), *shape), np.float32), np.zeros(shape, bool)
        for scene in self._near(look):
            found, there = self._scene(scene, rows)
            fresh = there & ~done
            pixels[:, fresh] = found[:, fresh]
            done |= fresh
            if done.all():
                break
        return pixels, done

    def _near(self, look: Look) -> Iterator[Scene]:
        return (scene for scene in look.scenes if boxes_touch(scene.bbox, self._box))

    def _scene(self, scene: Scene, rows: slice) -> tuple[FloatArray, BoolArray]:
        found, whole = [], np.ones((rows.stop - rows.start, self._grid.width), bool)
        for band in self.bands:
            asset = scene.assets[band]
            (values,), there = self._read(asset, rows, Resampling.bilinear)
            found.append(values.astype(np.float32) * np.float32(asset.scale) + np.float32(asset.offset))
            whole &= there
        return np.stack(found), whole

    def _read(self, asset: Asset, rows: slice, resampling: Resampling) -> tuple[NumberArray, BoolArray]:
        """(1, h, W) numbers as they are in the file, and (h, W) where there are any."""
        warped = self._warped(asset, resampling)
        window = Window(0, rows.start, self._grid.width, rows.stop - rows.start)
        with warped.file.errors():
            read = warped.dataset.read(window=window)
        return read[:1], read[-1] > 0

    def _warped(self, asset: Asset, resampling: Resampling) -> _Warped:
        if asset.url not in self._open:
            file = RemoteFile(self._web, asset.url, asset.what)
            dataset = self._stack.enter_context(open_remote(file))
            if dataset.count != 1 or np.dtype(dataset.dtypes[0]).kind not in "iuf":
                raise SourcePermanent(f"{asset.what} is not a single band of numbers. Name another asset.")
            warped = self._stack.enter_context(self._on_grid(dataset, asset, resampling))
            self._open[asset.url] = _Warped(file, warped)
        return self._open[asset.url]

    def _on_grid(self, dataset: Any, asset: Asset, resampling: Resampling) -> WarpedVRT:
        grid = self._grid
        try:
            return WarpedVRT(
                dataset,
                crs=grid.rio_crs,
                transform=grid.transform,
                width=grid.width,
                height=grid.height,
                resampling=resampling,
                tolerance=TOLERANCE_PX,
                # 0 is "no data" in all of Sentinel-2 L2A, whether a file says so or not.
                src_nodata=NO_DATA if dataset.nodata is None else dataset.nodata,
                add_alpha=True,
            )
        except (RasterioError, CRSError, CPLE_BaseError) as error:
            raise SourcePermanent(f"{asset.what} cannot be brought into the tile's coordinate system.") from error
