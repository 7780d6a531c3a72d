"""Which windows an area is cut into, worked out from the files alone: nothing is written, and no database is asked.

A sheet is what is cut at once: one elevation file, or a mosaic of adjacent ones, with the grid its windows lie on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tiles.core.errors import BadInput
from tiles.imagery import imagery_lattice
from tiles.raster.aoi import Aoi
from tiles.raster.errors import RasterError
from tiles.raster.grid import Grid
from tiles.raster.heights import Heights, Part
from tiles.raster.lattice import (
    Box,
    adjacent_groups,
    box_in,
    common_lattice,
    metric_grid,
    outline_in,
    part_of,
    resized,
)
from tiles.raster.reading import open_raster
from tiles.raster.windows import AOI, PARTIAL, SEA, ScannedWindow, scan_windows, windows_numbered

from .griding import GridOptions

# Where nothing of the elevation models lies: in a gap of a mosaic, or off the edge of a slanted one.
OUTSIDE = "outside"
OPEN_FILES = 32

Beat = Callable[[], None]


@dataclass(frozen=True)
class Sheet:
    """What is cut at once.

    parts: the files, in order. lattice: the grid of their pixels. grid: the one that is cut, None when there is none,
    as where the imagery does not reach. window: width and height of a window in pixels of `grid`; it becomes a tile of
    tile_size x tile_size. stride: pixels of `grid` from window to window. resampled: whether the heights are, being
    copied otherwise. aoi: the polygons that footprints must meet, or None.
    """

    parts: tuple[Part, ...]
    lattice: Grid
    grid: Grid | None
    window: tuple[int, int]
    stride: int
    tile_size: int
    resampled: bool
    aoi: Mapping[str, Any] | None

    @property
    def files(self) -> list[Path]:
        return [part.path for part in self.parts]

    @property
    def is_plain(self) -> bool:
        """Whether windows are copied out of one file, as published."""
        return not self.resampled and len(self.parts) == 1 and self.grid == self.lattice

    def tile_grid(self, col: int, row: int) -> Grid:
        """The grid of the tile whose window has its upper left corner there."""
        if self.grid is None:
            raise ValueError("a sheet without a grid has no windows")
        cut = self.grid.window(col, row, *self.window)
        return cut if self.window == (self.tile_size, self.tile_size) else resized(cut, self.tile_size)

    def file_of(self, col: int, row: int) -> int:
        """Which of the files a window belongs to: the one that holds its centre, else the one nearest to it."""
        if len(self.parts) == 1:
            return 0
        edges = outline_in(self.lattice, self.tile_grid(col, row))
        points = [point for edge in edges for point in edge]
        x, y = (sum(values) / len(points) for values in zip(*points, strict=True))
        away = [
            max(box.col - x, x - box.right, 0) ** 2 + max(box.row - y, y - box.bottom, 0) ** 2 for box in self.boxes()
        ]
        return away.index(min(away))

    def boxes(self) -> list[Box]:
        """Where the files lie on the lattice."""
        return [box for part in self.parts if (box := box_in(self.lattice, part.grid)) is not None]


def sheets_of(dems: Sequence[Path], *, imagery: Mapping[str, Any], tile_size: int, options: GridOptions) -> list[Sheet]:
    """The sheets of these elevation files, in the order in which they are numbered, as their headers tell.

    imagery: the spec. options: without gaps, as `grid_of` gives them.
    Raises BadInput for imagery that has no grid, RasterError for files that cannot be used.
    """
    parts = [Part(path, _grid(path)) for path in dems]
    groups = _groups(parts) if options.mosaic else [[part] for part in parts]
    reference = imagery_lattice(imagery) if options.grid == "imagery" and parts else None
    return [_sheet(group, reference, tile_size, options) for group in groups]


def sheet_windows(
    sheet: Sheet, *, first_number: int = 0, look: bool = True, beat: Beat = lambda: None
) -> list[ScannedWindow]:
    """The windows of a sheet in numbering order, x outer, y inner, with their numbers or why they have none.

    look: read the heights to leave out what is all sea; without it nothing but headers is read, and sea is numbered.
    beat() is called now and then. Raises Unreadable.
    """
    if sheet.grid is None:
        return []
    aoi = Aoi(sheet.aoi) if sheet.aoi else None

    def wanted(col: int, row: int) -> bool:
        return aoi is None or aoi.meets(sheet.tile_grid(col, row).footprint())

    if sheet.is_plain and look:
        with open_raster(sheet.files[0]) as dataset:
            return scan_windows(
                dataset,
                sheet.window[0],
                first_number=first_number,
                stride=sheet.stride,
                wanted=wanted if aoi else None,
                on_band=lambda _done, _all: beat(),
            )
    with OpenFiles() as files:
        heights = Heights(sheet.parts, files.opened) if look else None
        reasons = _reasons(sheet, heights, wanted, beat)
    return windows_numbered(sheet.grid.width, sheet.grid.height, sheet.stride, reasons, first_number)


def grid_plan(
    dems: Sequence[Path],
    *,
    imagery: Mapping[str, Any],
    tile_size: int,
    options: GridOptions,
    first_number: int | None = None,
    look: bool = True,
    beat: Beat = lambda: None,
) -> Iterator[tuple[Sheet, list[ScannedWindow]]]:
    """What a build of these files would cut: each sheet with its windows, as the build numbers them.

    Nothing is written. options: without gaps; their limit is not applied, since it leaves numbers as they are.
    first_number: of the first tile (the options' own). look, beat: as for `sheet_windows`.
    """
    number = (options.start_index or 0) if first_number is None else first_number
    for sheet in sheets_of(dems, imagery=imagery, tile_size=tile_size, options=options):
        windows = sheet_windows(sheet, first_number=number, look=look, beat=beat)
        number += sum(window.number is not None for window in windows)
        yield sheet, windows


class OpenFiles:
    """Elevation files that stay open, a bounded number of them."""

    def __init__(self) -> None:
        self._open: dict[Path, Any] = {}
        self._stack = ExitStack()

    def __enter__(self) -> OpenFiles:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def opened(self, path: Path) -> Any:
        """The open dataset of a file. Raises RasterError."""
        if path not in self._open:
            if len(self._open) >= OPEN_FILES:
                self.close()
            self._open[path] = self._stack.enter_context(open_raster(path))
        return self._open[path]

    def close(self) -> None:
        self._open.clear()
        self._stack.close()


def _grid(path: Path) -> Grid:
    with open_raster(path) as dataset:
        return Grid.of(dataset)


def _groups(parts: Sequence[Part]) -> list[list[Part]]:
    """The files that make a mosaic each: adjacent, on one lattice, and of one kind of numbers."""
    kinds: dict[tuple[Any, ...], list[int]] = {}
    for index, part in enumerate(parts):
        with open_raster(part.path) as dataset:
            kind = (dataset.dtypes[0], str(dataset.nodata), dataset.scales[0], dataset.offsets[0])
        kinds.setdefault(kind, []).append(index)
    groups = [
        [indexes[place] for place in group]
        for indexes in kinds.values()
        for group in adjacent_groups([parts[index].grid for index in indexes])
    ]
    return [[parts[index] for index in group] for group in sorted(groups)]


def _sheet(parts: Sequence[Part], reference: Grid | None, tile_size: int, options: GridOptions) -> Sheet:
    lattice = common_lattice([part.grid for part in parts])
    grid: Grid | None = lattice
    window = (tile_size, tile_size)
    if reference is not None:
        grid = part_of(reference, lattice)
    elif options.gsd is not None:
        grid = metric_grid(lattice, options.gsd)
    elif options.resize is not None:
        window = (options.resize, options.resize) if options.resize else (lattice.width, lattice.height)
    stride = max(window) if options.resize == 0 else options.stride or window[0]
    copied = grid is not None and box_in(lattice, grid) is not None and window == (tile_size, tile_size)
    return Sheet(tuple(parts), lattice, grid, window, stride, tile_size, not copied, options.aoi)


def _reasons(
    sheet: Sheet, heights: Heights | None, wanted: Callable[[int, int], bool], beat: Beat
) -> dict[tuple[int, int], str | None]:
    """Why windows that lie within the sheet's grid take no number; None for those that do."""
    width, height = sheet.window
    boxes = sheet.boxes()
    reasons: dict[tuple[int, int], str | None] = {}
    if sheet.grid is None:
        return reasons
    # Row by row, as files are stored.
    for row in range(0, sheet.grid.height - height + 1, sheet.stride):
        for col in range(0, sheet.grid.width - width + 1, sheet.stride):
            beat()
            grid = sheet.tile_grid(col, row)
            reason = _off_the_edge(sheet.lattice, boxes, grid)
            if reason is None and not wanted(col, row):
                reason = AOI
            if reason is None and heights is not None and heights.is_zero(grid):
                reason = SEA
            reasons[col, row] = reason
    return reasons


def _off_the_edge(lattice: Grid, boxes: Sequence[Box], grid: Grid) -> str | None:
    """ "partial" or "outside" for a window that the files do not cover, None for one that they do.

    Where it lies on their lattice, this is exact. Elsewhere its outline counts: a gap within it is void.
    """
    exact = box_in(lattice, grid)
    if exact is not None:
        left = [exact]
        for box in boxes:
            left = [rest for part in left for rest in part.without(box)]
        return None if not left else OUTSIDE if left == [exact] else PARTIAL
    try:
        points = [point for edge in outline_in(lattice, grid) for point in edge]
    except RasterError:
        return OUTSIDE
    inside = [any(_holds(box, *point) for box in boxes) for point in points]
    return None if all(inside) else PARTIAL if any(inside) else OUTSIDE


def _holds(box: Box, x: float, y: float) -> bool:
    slack = 0.01
    return box.col - slack <= x <= box.right + slack and box.row - slack <= y <= box.bottom + slack


def require_cut(sheets: Sequence[Sheet]) -> None:
    """Raise BadInput when no window fits into any of these sheets, or none meets the area of interest."""
    grids = [sheet.grid for sheet in sheets if sheet.grid]
    if not grids:
        raise BadInput(
            "No grid can be laid: the imagery does not reach the elevation models, or they are smaller than a pixel.",
            field="imagery",
        )
    if not any(
        sheet.grid and sheet.grid.width >= sheet.window[0] and sheet.grid.height >= sheet.window[1] for sheet in sheets
    ):
        largest = max(grids, key=lambda grid: min(grid.width, grid.height))
        side = max(sheets[0].window)
        raise BadInput(
            f"No tile of {side} x {side} fits: the largest grid has {largest.width} x {largest.height} pixels. "
            "Choose a smaller tile size.",
            field="tile_size",
        )
    aoi = sheets[0].aoi
    if aoi and not any(Aoi(aoi).meets(grid.footprint()) for grid in grids):
        raise BadInput(
            "The area of interest lies elsewhere: no elevation model reaches it. It must be in longitude and latitude.",
            field="grid.aoi",
        )
