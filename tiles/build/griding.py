"""On which grid an area's tiles are cut: the options a person chooses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GRIDS = ("dem", "imagery")


@dataclass(frozen=True)
class GridOptions:
    """On which grid tiles are cut. None means the default for a new area, and what stands for one that has tiles.

    grid: "dem", windows are copied out of the elevation model as they are (default), or "imagery", windows lie on the
    pixels of raster imagery and the heights are resampled onto them.
    gsd: metres; windows lie on a grid of the local UTM zone, and the heights are resampled onto it (none).
    resize: the side in pixels of the elevation model of windows that are resampled to the tile size; 0 makes one tile
    of each whole file (none: not resized).
    stride: pixels of the grid from window to window; smaller than a window they overlap, larger they leave gaps (a
    window). start_index: number of the first tile (0). mosaic: adjacent files of one lattice are cut as one (no).
    aoi: a GeoJSON object in EPSG:4326; only windows whose footprint meets its polygons become tiles (everywhere).
    allow_upsampling: let the grid be more than 4 times finer than what is put on it (no); may change later.
    limit: this build makes at most so many tiles, the lowest numbers first; not kept, the next build goes on (all).
    """

    grid: str | None = None
    gsd: float | None = None
    resize: int | None = None
    stride: int | None = None
    start_index: int | None = None
    mosaic: bool | None = None
    aoi: Mapping[str, Any] | None = None
    allow_upsampling: bool | None = None
    limit: int | None = None
