"""The windows of an elevation file, drawn over its hill shade as SVG."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass

from tiles.build.preview import VOID, Seen
from tiles.build.sheets import OUTSIDE, Sheet
from tiles.raster.encode import encode_png
from tiles.raster.lattice import outline_in
from tiles.raster.overlook import shade_picture
from tiles.raster.windows import AOI, PARTIAL, SEA, ScannedWindow

#: More numbers than these could not be read.
MOST_NUMBERS = 150
#: Shapes in one drawing; beyond these a picture says no more, and only weighs.
MOST_SHAPES = 4000
# How the hatching of each reason is turned, degrees.
HATCHINGS = [(SEA, 0), (PARTIAL, 135), (OUTSIDE, 90), (AOI, 90), (VOID, 45)]
REASONS = {
    SEA: ("sea", "all sea"),
    PARTIAL: ("partial", "cut off by the edge"),
    OUTSIDE: ("outside", "beyond the elevation models"),
    AOI: ("aoi", "outside the area of interest"),
    VOID: ("void", "likely to fail: void heights over the limit"),
}


@dataclass(frozen=True)
class Shade:
    """Hill shade of one file, in pixels of the drawing. picture: a data URI."""

    x: int
    y: int
    width: int
    height: int
    picture: str


@dataclass(frozen=True)
class Figure:
    """One drawing, in pixels of the elevation models. hatched: paths by reason; numbers: x, y, text."""

    name: str
    width: int
    height: int
    shades: list[Shade]
    lines: str
    hatched: dict[str, str]
    numbers: list[tuple[float, float, int]]
    font: float
    pitch: float
    incomplete: bool

    @property
    def half(self) -> float:
        return self.pitch / 2


def figure_of(seen: Seen) -> Figure:
    """The drawing of a sheet that was looked at."""
    sheet, tiles = seen.sheet, [window for window in seen.windows if window.number is not None]
    names = sheet.files[0].name + (f" and {len(sheet.files) - 1} more as one" if len(sheet.files) > 1 else "")
    few = len(tiles) <= MOST_NUMBERS and not seen.about
    return Figure(
        name=names,
        width=sheet.lattice.width,
        height=sheet.lattice.height,
        shades=_shades(seen),
        lines=_lines(sheet, tiles),
        hatched={reason: path for reason in REASONS if (path := _path(_of(seen, reason), sheet))},
        numbers=[(*_middle(sheet, window), window.number or 0) for window in tiles] if few else [],
        font=_side(sheet) / 4,
        pitch=max(sheet.lattice.width, sheet.lattice.height) / 60,
        incomplete=len(seen.looks) < len(sheet.files) or not all(look.overlook.whole for look in seen.looks),
    )


def _shades(seen: Seen) -> list[Shade]:
    shades = []
    for look in seen.looks:
        height, width = (side * look.overlook.step for side in look.overlook.raw.shape)
        png = encode_png(shade_picture(look.overlook, *seen.sheet.lattice.pixel_size_m()))
        data = f"data:image/png;base64,{b64encode(png).decode()}"
        shades.append(Shade(look.box.col, look.box.row, width, height, data))
    return shades


def _of(seen: Seen, reason: str) -> Iterable[ScannedWindow]:
    """The windows of one reason, in numbering order: column by column."""
    if reason == VOID:
        return (window for window in seen.windows if window.number in seen.doomed)
    return (window for window in seen.windows if window.skipped == reason)


def _corners(sheet: Sheet, window: ScannedWindow) -> list[tuple[float, float]]:
    """The corners of a window, clockwise from the upper left, as far as it lies on the sheet's grid."""
    grid = sheet.grid or sheet.lattice
    width = min(sheet.window[0], grid.width - window.col)
    height = min(sheet.window[1], grid.height - window.row)
    if grid == sheet.lattice:
        right, bottom = window.col + width, window.row + height
        return [(window.col, window.row), (right, window.row), (right, bottom), (window.col, bottom)]
    top, _right, bottom_edge, _left = outline_in(sheet.lattice, grid.window(window.col, window.row, width, height))
    return [top[0], top[-1], *sorted((bottom_edge[0], bottom_edge[-1]), reverse=True)]


def _middle(sheet: Sheet, window: ScannedWindow) -> tuple[float, float]:
    corners = _corners(sheet, window)
    return round(sum(x for x, _y in corners) / 4, 1), round(sum(y for _x, y in corners) / 4, 1)


def _side(sheet: Sheet) -> float:
    """How wide a window is in the drawing."""
    grid = sheet.grid or sheet.lattice
    return min(sheet.window) * grid.pixel_size_m()[0] / sheet.lattice.pixel_size_m()[0]


def _path(windows: Iterable[ScannedWindow], sheet: Sheet) -> str:
    """Windows that follow each other down a column are one shape, where they are rectangles."""
    shapes: list[list[tuple[float, float]]] = []
    for window in windows:
        corners = _corners(sheet, window)
        if sheet.grid == sheet.lattice and shapes and shapes[-1][2:] == corners[1::-1]:
            shapes[-1][2:] = corners[2:]
        elif len(shapes) < MOST_SHAPES:
            shapes.append(corners)
        else:
            break
    return "".join(_closed(corners) for corners in shapes)


def _closed(corners: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{round(x, 1)} {round(y, 1)}" for x, y in corners) + "Z"


def _lines(sheet: Sheet, tiles: list[ScannedWindow]) -> str:
    """The lattice of windows that lie side by side on the file's own pixels; else the outline of each tile."""
    width, height = sheet.lattice.width, sheet.lattice.height
    if sheet.grid == sheet.lattice and sheet.window == (sheet.stride, sheet.stride):
        down = "".join(f"M{col} 0V{height}" for col in range(sheet.stride, width, sheet.stride))
        return down + "".join(f"M0 {row}H{width}" for row in range(sheet.stride, height, sheet.stride))
    return "".join(_closed(_corners(sheet, window)) for window in tiles[:MOST_SHAPES])
