"""What a build would make, before it is started: its windows over the hill shade, numbered as the build would.

Nothing is written, and nothing is asked of the network. Everything is bounded: files are looked at through every n-th
pixel and within a time, and what was not looked at closely is said to be "about".
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.windows import Window

from tiles.core.errors import BadInput
from tiles.raster.errors import RasterError
from tiles.raster.heights import Heights
from tiles.raster.lattice import Box, outline_in
from tiles.raster.overlook import Overlook, look_over
from tiles.raster.reading import SAFE_ENV, plain_errors
from tiles.raster.windows import SEA, ScannedWindow, windows_numbered

from . import door, plan
from .fineness import Enlarged, Native, sheets_enlarged
from .griding import GridOptions, grid_of, grid_settled
from .sheets import OpenFiles, Sheet, require_cut, sheet_windows, sheets_of
from .tile import over_limit

SAMPLES_A_SIDE, FEWEST_SAMPLES = 640, 64
SECONDS_TO_LOOK = 4.0
MOST_DRAWN = 4
#: More windows of one sheet are counted, and neither looked at nor drawn.
MOST_WINDOWS = 100_000
CACHE_BYTES = 64 * 2**20
#: Expected to fail, though it gets its number.
VOID = "void"
PLAIN = GridOptions()
NOWHERE: Mapping[str, Any] = {"kind": "nowhere"}
UNKNOWN: Native = {}


class _OutOfTime(Exception):
    """The windows of a sheet are too many to look at."""


@dataclass(frozen=True)
class Look:
    """Samples of one file of a sheet; box: where it lies on the sheet's lattice."""

    box: Box
    overlook: Overlook


@dataclass(frozen=True)
class Seen:
    """A sheet with its windows. looks: none when there was no time, or no use. doomed: tiles over the void limit."""

    sheet: Sheet
    windows: Sequence[ScannedWindow]
    looks: Sequence[Look]
    doomed: frozenset[int]
    about: bool


@dataclass
class Preview:
    """What a build would plan. counts: "tiles", and windows by the reason why they get no number, or would fail.

    about: some windows were not looked at closely. unseen: files there was no time for at all. enlarged: what the grid
    is more than twice as fine as.
    """

    tile_size: int
    start: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    sheets: list[Seen] = field(default_factory=list)
    files: int = 0
    unseen: int = 0
    about: bool = False
    enlarged: list[Enlarged] = field(default_factory=list)
    upsampling_allowed: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether a build would be, because of its grid's fineness."""
        return not self.upsampling_allowed and any(enlarged.too_far for enlarged in self.enlarged)

    @property
    def drawn(self) -> list[Seen]:
        return [seen for seen in self.sheets if seen.looks][:MOST_DRAWN]

    @property
    def tiles(self) -> int:
        return self.counts["tiles"]


def build_preview(
    *,
    dems: Sequence[Path],
    tile_size: int,
    void_limit: float,
    grid: GridOptions = PLAIN,
    imagery: Mapping[str, Any] = NOWHERE,
    native: Native = UNKNOWN,
    seconds: float = SECONDS_TO_LOOK,
) -> Preview:
    """Look at elevation files and folders, at their headers for so many seconds, and at their heights as long again.

    imagery: the spec, or its kind alone; only the imagery's own grid needs more. native: resolutions; where that of the
    heights is None it is the first file's. At least one file is always looked at.
    Raises BadInput with the `field` that is wrong.
    """
    least, most = door.TILE_SIZES
    if not least <= tile_size <= most:
        raise BadInput(f"The tile size must lie between {least} and {most} pixels.", field="tile_size")
    options = grid_of({"grid": grid_settled({}, grid, built=False)})
    late = _clock(seconds)
    with door.at_field("dems"), rasterio.Env(**SAFE_ENV, GDAL_CACHEMAX=CACHE_BYTES):
        paths = plan.dem_paths(dems)
        known: list[Path] = []
        for path in paths:
            if known and late():
                break
            plan.dem_inspect(path)
            known.append(path)
        native = {**native, "dem": native.get("dem") or _own_gsd(known)}
        sheets = sheets_of(known, imagery=imagery, tile_size=tile_size, options=options)
        require_cut(sheets)
        unseen = len(paths) - len(known)
        preview = Preview(
            tile_size,
            options.start_index or 0,
            files=len(paths),
            unseen=unseen,
            about=bool(unseen),
            enlarged=sheets_enlarged(native, sheets),
            upsampling_allowed=bool(options.allow_upsampling),
        )
        late = _clock(seconds)
        for sheet in sheets:
            _add(preview, _looked_at(sheet, void_limit, preview.start + preview.tiles, late))
    return preview


def _own_gsd(files: Sequence[Path]) -> float | None:
    grid = plan.dem_inspect(files[0]).grid if files else None
    return grid.gsd_m if grid else None


def _clock(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def _add(preview: Preview, seen: Seen) -> None:
    preview.sheets.append(seen)
    preview.about = preview.about or seen.about
    counted = Counter(window.skipped or "tiles" for window in seen.windows)
    if not seen.windows:
        counted["tiles"] = math.prod(_windows_along(seen.sheet))
    counted[VOID] = len(seen.doomed)
    preview.counts.update(counted)


def _windows_along(sheet: Sheet) -> tuple[int, int]:
    """How many whole windows lie side by side, and one beneath the other."""
    if sheet.grid is None:
        return 0, 0
    sides = zip((sheet.grid.width, sheet.grid.height), sheet.window, strict=True)
    columns, rows = (max(0, (side - window) // sheet.stride + 1) for side, window in sides)
    return columns, rows


def _looked_at(sheet: Sheet, void_limit: float, first: int, late: Callable[[], bool]) -> Seen:
    columns, rows = _windows_along(sheet)
    if columns * rows > MOST_WINDOWS:
        return Seen(sheet, [], [], frozenset(), about=True)
    try:
        windows = _windows_by_header(sheet, late)
    except _OutOfTime:
        return Seen(sheet, [], [], frozenset(), about=True)
    if late():
        return Seen(sheet, _numbered(windows, first), [], frozenset(), about=True)
    with OpenFiles() as files:
        looks = _looks(sheet, files, late)
        samples = Samples(looks)
        heights = Heights(sheet.parts, files.opened)
        about = len(looks) < len(sheet.parts) or not all(look.overlook.whole for look in looks)
        for window in windows:
            if window.skipped is None:
                sea, sure = _is_sea(sheet, window, samples, heights, files, late)
                window.skipped = SEA if sea else None
                about = about or not sure
    windows = _numbered(windows, first)
    return Seen(sheet, windows, looks, _doomed(sheet, windows, samples, void_limit), about)


def _windows_by_header(sheet: Sheet, late: Callable[[], bool]) -> list[ScannedWindow]:
    """The windows of a sheet with what headers tell of them. Raises _OutOfTime."""
    grid = sheet.grid
    if grid is not None and sheet.is_plain and not sheet.aoi:
        columns, rows = _windows_along(sheet)
        whole = {(col * sheet.stride, row * sheet.stride): None for col in range(columns) for row in range(rows)}
        return windows_numbered(grid.width, grid.height, sheet.stride, whole, 0)

    def beat() -> None:
        if late():
            raise _OutOfTime

    return sheet_windows(sheet, look=False, beat=beat)


def _looks(sheet: Sheet, files: OpenFiles, late: Callable[[], bool]) -> list[Look]:
    most = max(FEWEST_SAMPLES, SAMPLES_A_SIDE // math.ceil(math.sqrt(len(sheet.parts))))
    found = []
    for box, path in zip(sheet.boxes(), sheet.files, strict=True):
        found.append(Look(box, look_over(files.opened(path), most=most, out_of_time=late)))
        if late():
            break
    return found


def _numbered(windows: Sequence[ScannedWindow], first: int) -> list[ScannedWindow]:
    numbers = iter(range(first, first + len(windows)))
    return [
        ScannedWindow(None if window.skipped else next(numbers), window.col, window.row, window.skipped)
        for window in windows
    ]


def inner_box(sheet: Sheet, window: ScannedWindow) -> Box:
    """The pixels of the elevation models that lie within a window for sure; it may be empty."""
    if sheet.grid == sheet.lattice:
        return Box(window.col, window.row, *sheet.window)
    if sheet.grid is None:
        raise ValueError("a sheet without a grid has no windows")
    top, right, bottom, left = outline_in(sheet.lattice, sheet.grid.window(window.col, window.row, *sheet.window))
    col, row = math.ceil(max(x for x, _y in left)), math.ceil(max(y for _x, y in top))
    return Box(col, row, math.floor(min(x for x, _y in right)) - col, math.floor(min(y for _x, y in bottom)) - row)


class Samples:
    """Counts of samples in boxes of a sheet's lattice, each in no time: by sums over everything above and left."""

    def __init__(self, looks: Sequence[Look]) -> None:
        self._looks = [
            (look.box, look.overlook, _sums(look.overlook.raw != 0), _sums(look.overlook.void)) for look in looks
        ]

    def count(self, box: Box) -> tuple[int, int, int]:
        """How many samples lie in a box, how many of these are not zero, and how many void."""
        number = other = void = 0
        for there, overlook, others, voids in self._looks:
            rows, cols = overlook.inside(box.col - there.col, box.row - there.row, box.width, box.height)
            if rows.stop > rows.start and cols.stop > cols.start:
                number += (rows.stop - rows.start) * (cols.stop - cols.start)
                other += _sum(others, rows, cols)
                void += _sum(voids, rows, cols)
        return number, other, void

    @property
    def are_all(self) -> bool:
        """Whether every pixel is a sample."""
        return all(overlook.step == 1 and overlook.whole for _box, overlook, _others, _voids in self._looks)


def _sums(values: np.ndarray) -> np.ndarray:
    sums: np.ndarray = np.pad(values.cumsum(axis=0, dtype=np.int64).cumsum(axis=1), ((1, 0), (1, 0)))
    return sums


def _sum(sums: np.ndarray, rows: slice, cols: slice) -> int:
    ends = sums[rows.stop, cols.stop] - sums[rows.start, cols.stop]
    return int(ends - sums[rows.stop, cols.start] + sums[rows.start, cols.start])


def _is_sea(
    sheet: Sheet,
    window: ScannedWindow,
    samples: Samples,
    heights: Heights,
    files: OpenFiles,
    late: Callable[[], bool],
) -> tuple[bool, bool]:
    """Whether a window is all sea, and whether that is sure.

    A sample that is not zero proves that it is none; where all are, the window itself is read while there is time.
    """
    number, other, _void = samples.count(inner_box(sheet, window))
    if other:
        return False, True
    if sheet.is_plain and samples.are_all:
        return True, True
    if late():
        return number > 0, False
    try:
        if not sheet.is_plain:
            return heights.is_zero(sheet.tile_grid(window.col, window.row)), True
        dataset = files.opened(sheet.files[0])
        with plain_errors(sheet.files[0].name):
            return not dataset.read(1, window=Window(window.col, window.row, *sheet.window)).any(), True
    except RasterError:
        return False, False


def _doomed(sheet: Sheet, windows: Sequence[ScannedWindow], samples: Samples, void_limit: float) -> frozenset[int]:
    """The numbers of the tiles whose samples have more voids than the limit allows."""
    found = []
    for window in windows:
        if window.number is not None:
            number, _other, void = samples.count(inner_box(sheet, window))
            if void and over_limit(void / number, void_limit):
                found.append(window.number)
    return frozenset(found)
