"""What a build would make, before it is started: its windows over the hill shade, and what they would take.

Nothing is written, and nothing is asked of the network. Everything is bounded: files are looked at through every n-th
pixel and within a time, and what was not looked at closely is said to be "about".
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rasterio.windows import Window

from tiles.core.errors import BadInput
from tiles.raster.grid import Grid
from tiles.raster.overlook import Overlook, look_over
from tiles.raster.reading import RasterInfo, open_raster, plain_errors
from tiles.raster.windows import ScannedWindow, number_windows

from . import door, plan
from .tile import over_limit

SAMPLES_A_SIDE = 640
SECONDS_TO_LOOK = 4.0
MOST_DRAWN = 4
#: More windows of one file are counted, and neither looked at nor drawn.
MOST_WINDOWS = 100_000
#: Expected to fail, though it gets its number.
VOID = "void"


@dataclass(frozen=True)
class Sheet:
    """One elevation file and its windows, numbered as the build would. info.grid is known.

    overlook: None when there was no time, or no use, to look. doomed: numbers of tiles over the void limit.
    """

    path: Path
    info: RasterInfo
    windows: Sequence[ScannedWindow]
    overlook: Overlook | None
    doomed: frozenset[int]
    about: bool

    @property
    def grid(self) -> Grid:
        if self.info.grid is None:
            raise ValueError("a file that is previewed has a grid")
        return self.info.grid


@dataclass
class Preview:
    """What a build would plan. counts: "tiles", and windows by the reason why they get no number, or would fail.

    about: some windows were not looked at closely. unseen: files there was no time for at all.
    """

    tile_size: int
    counts: Counter[str] = field(default_factory=Counter)
    sheets: list[Sheet] = field(default_factory=list)
    files: int = 0
    unseen: int = 0
    about: bool = False

    @property
    def drawn(self) -> list[Sheet]:
        return [sheet for sheet in self.sheets if sheet.overlook is not None][:MOST_DRAWN]

    @property
    def tiles(self) -> int:
        return self.counts["tiles"]


def build_preview(
    *, dems: Sequence[Path], tile_size: int, void_limit: float, seconds: float = SECONDS_TO_LOOK
) -> Preview:
    """Look at elevation files and folders, at their headers for so many seconds, and at their heights as long again.

    At least one file is always looked at. Raises BadInput with the `field` that is wrong.
    """
    least, most = door.TILE_SIZES
    if not least <= tile_size <= most:
        raise BadInput(f"The tile size must lie between {least} and {most} pixels.", field="tile_size")
    started = time.monotonic()
    with door.at_field("dems"):
        paths = plan.dem_paths(dems)
        preview = Preview(tile_size, files=len(paths))
        infos: list[tuple[Path, RasterInfo]] = []
        for path in paths:
            if infos and time.monotonic() - started > seconds:
                break
            infos.append((path, plan.dem_inspect(path)))
        preview.unseen = len(paths) - len(infos)
        door.require_window(tile_size, [info for _path, info in infos])
        out_of_time = _clock(time.monotonic() + seconds)
        for path, info in infos:
            _add(preview, _sheet(path, info, preview, void_limit, out_of_time))
    preview.about = preview.about or bool(preview.unseen)
    return preview


def _clock(end: float) -> Callable[[], bool]:
    return lambda: time.monotonic() > end


def _add(preview: Preview, sheet: Sheet) -> None:
    preview.sheets.append(sheet)
    preview.about = preview.about or sheet.about
    counted = Counter(window.skipped or "tiles" for window in sheet.windows)
    if not sheet.windows:
        columns, rows = sheet.grid.width // preview.tile_size, sheet.grid.height // preview.tile_size
        counted["tiles"] = columns * rows
    counted[VOID] = len(sheet.doomed)
    preview.counts.update(counted)


def _sheet(path: Path, info: RasterInfo, preview: Preview, void_limit: float, out_of_time: Callable[[], bool]) -> Sheet:
    size = preview.tile_size
    grid = info.grid
    if grid is None:
        raise BadInput(f"{path.name} does not say where on Earth it lies.")
    if -(-grid.width // size) * -(-grid.height // size) > MOST_WINDOWS:
        return Sheet(path, info, [], None, frozenset(), about=True)
    columns, rows = grid.width // size, grid.height // size
    if out_of_time():
        windows = number_windows(grid.width, grid.height, size, [[True] * columns] * rows, preview.tiles)
        return Sheet(path, info, windows, None, frozenset(), about=True)
    with open_raster(path) as dataset:
        overlook = look_over(dataset, most=SAMPLES_A_SIDE, out_of_time=out_of_time)
        land, about = _land(dataset, overlook, size, out_of_time)
    windows = number_windows(grid.width, grid.height, size, land, preview.tiles)
    return Sheet(path, info, windows, overlook, _doomed(windows, overlook, size, void_limit), about)


def _land(
    dataset: Any, overlook: Overlook, size: int, out_of_time: Callable[[], bool]
) -> tuple[list[list[bool]], bool]:
    """Row by row whether each whole window holds anything but zeros, and whether some of it is only likely.

    A sample that is not zero proves it; where all are, the window itself is read, as long as there is time.
    """
    columns, rows = dataset.width // size, dataset.height // size
    land: list[list[bool]] = []
    about = not overlook.whole
    other = overlook.raw != 0
    for row in range(rows):
        land.append([])
        for col in range(columns):
            part = other[overlook.inside(col * size, row * size, size, size)]
            found = bool(part.any())
            if not found and not (overlook.step == 1 and part.size):
                if out_of_time():
                    about, found = True, part.size == 0
                else:
                    with plain_errors(str(dataset.name)):
                        found = bool(dataset.read(1, window=Window(col * size, row * size, size, size)).any())
            land[-1].append(found)
    return land, about


def _doomed(windows: Sequence[ScannedWindow], overlook: Overlook, size: int, void_limit: float) -> frozenset[int]:
    """The numbers of the tiles whose samples have more voids than the limit allows."""
    if not overlook.void[: overlook.rows].any():
        return frozenset()
    found = []
    for window in windows:
        if window.number is not None:
            void = overlook.void[overlook.inside(window.col, window.row, size, size)]
            if void.size and over_limit(float(void.mean()), void_limit):
                found.append(window.number)
    return frozenset(found)
