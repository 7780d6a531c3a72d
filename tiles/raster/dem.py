"""Reading heights: one window of an elevation file, with its voids."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.enums import ColorInterp
from rasterio.windows import Window

from tiles.raster.arrays import BoolArray, NumberArray, share_of
from tiles.raster.errors import BadBands, GridMismatch
from tiles.raster.reading import plain_errors


@dataclass(frozen=True)
class Dem:
    """Heights of one window, (H, W), metres; void: (H, W), True where there is no height.

    Heights under a void mean nothing: the source's nodata value, or NaN where heights were converted.
    """

    heights: NumberArray
    void: BoolArray

    @property
    def void_share(self) -> float:
        """Share of pixels without a height, 0..1."""
        return share_of(self.void)


def require_dem(dataset: Any) -> None:
    """Raise BadBands unless the dataset is one band of real numbers, with or without an alpha band."""
    name = Path(str(dataset.name)).name
    colours = list(dataset.colorinterp)
    if dataset.count != 1 and not (dataset.count == 2 and colours[1] is ColorInterp.alpha):
        raise BadBands(f"{name} has {dataset.count} bands; an elevation model has one.")
    if dataset.dtypes[0].startswith("complex"):
        raise BadBands(f"{name} holds complex numbers, not heights.")


def read_dem(dataset: Any, col: int, row: int, size: int, *, unit_factor: float = 1.0) -> Dem:
    """Read size x size heights of an open elevation file at pixel offset (col, row).

    unit_factor: metres per unit of the file, 0.3048 for feet. A scale and offset declared in the file are applied
    first. Heights keep the source dtype unless one of these changes them; then they are float32, NaN where void.
    Void is the nodata value, NaN or infinity, or what the dataset's mask or alpha band leaves out.
    Raises GridMismatch when the window leaves the file, BadBands, Unreadable.
    """
    require_dem(dataset)
    name = Path(str(dataset.name)).name
    if col < 0 or row < 0 or col + size > dataset.width or row + size > dataset.height:
        raise GridMismatch(f"The window at column {col}, row {row} reaches outside {name}.")
    raw, void = read_raw(dataset, Window(col, row, size, size))
    return in_metres(raw, void, dataset.scales[0] * unit_factor, dataset.offsets[0] * unit_factor)


def read_raw(dataset: Any, window: Window) -> tuple[NumberArray, BoolArray]:
    """(H, W) values of an open elevation file as they are stored, and (H, W) where they are void. Raises Unreadable."""
    with plain_errors(Path(str(dataset.name)).name):
        raw = dataset.read(1, window=window)
        void = dataset.read_masks(1, window=window) == 0
    if raw.dtype.kind == "f":
        void |= ~np.isfinite(raw)
    return raw, void


def in_metres(raw: NumberArray, void: BoolArray, scale: float, offset: float) -> Dem:
    """Heights of stored values: as they are, or where scale or offset change them float32, NaN where void."""
    if scale == 1.0 and offset == 0.0:
        return Dem(raw, void)
    heights = (raw.astype(np.float64) * scale + offset).astype(np.float32)
    heights[void] = np.nan
    return Dem(heights, void)
