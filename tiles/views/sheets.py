"""The windows of an elevation file, drawn over its hill shade as SVG."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass

from tiles.build.preview import VOID, Preview, Sheet
from tiles.raster.encode import encode_png
from tiles.raster.overlook import shade_picture
from tiles.raster.windows import PARTIAL, SEA, ScannedWindow

#: More numbers than these could not be read.
MOST_NUMBERS = 150
#: Stretches of windows of one reason; beyond these a picture says no more, and only weighs.
MOST_STRETCHES = 4000
REASONS = {
    SEA: ("sea", "all sea"),
    PARTIAL: ("partial", "cut off by the edge"),
    VOID: ("void", "likely to fail: void heights over the limit"),
}


@dataclass(frozen=True)
class Figure:
    """One drawing, in pixels of the file. picture: a data URI; hatched: paths by reason; numbers: x, y, text."""

    name: str
    width: int
    height: int
    picture: str
    shade_width: int
    shade_height: int
    lines: str
    hatched: dict[str, str]
    numbers: list[tuple[float, float, int]]
    font: float
    pitch: float
    incomplete: bool

    @property
    def half(self) -> float:
        return self.pitch / 2


def figure_of(sheet: Sheet, preview: Preview) -> Figure:
    """The drawing of a file that was looked at."""
    size, grid, overlook = preview.tile_size, sheet.grid, sheet.overlook
    if overlook is None:
        raise ValueError("only a file that was looked at can be drawn")
    png = encode_png(shade_picture(overlook, *grid.pixel_size_m()))
    tiles = [window for window in sheet.windows if window.number is not None]
    return Figure(
        name=sheet.path.name,
        width=grid.width,
        height=grid.height,
        picture=f"data:image/png;base64,{b64encode(png).decode()}",
        shade_width=overlook.raw.shape[1] * overlook.step,
        shade_height=overlook.raw.shape[0] * overlook.step,
        lines=_lines(grid.width, grid.height, size),
        hatched={reason: path for reason in REASONS if (path := _path(_of(sheet, reason), sheet, size))},
        numbers=_numbers(tiles, size) if len(tiles) <= MOST_NUMBERS and not sheet.about else [],
        font=size / 4,
        pitch=max(grid.width, grid.height) / 60,
        incomplete=not overlook.whole,
    )


def _of(sheet: Sheet, reason: str) -> Iterable[ScannedWindow]:
    """The windows of one reason, in numbering order: column by column."""
    if reason == VOID:
        return (window for window in sheet.windows if window.number in sheet.doomed)
    return (window for window in sheet.windows if window.skipped == reason)


def _path(windows: Iterable[ScannedWindow], sheet: Sheet, size: int) -> str:
    """Windows that follow each other down a column are one rectangle."""
    stretches: list[list[int]] = []
    for window in windows:
        bottom = min(window.row + size, sheet.grid.height)
        if stretches and stretches[-1][0] == window.col and stretches[-1][2] == window.row:
            stretches[-1][2] = bottom
        elif len(stretches) < MOST_STRETCHES:
            stretches.append([window.col, window.row, bottom])
        else:
            break
    right = sheet.grid.width
    return "".join(f"M{col} {top}H{min(col + size, right)}V{bottom}H{col}Z" for col, top, bottom in stretches)


def _lines(width: int, height: int, size: int) -> str:
    down = "".join(f"M{col} 0V{height}" for col in range(size, width, size))
    return down + "".join(f"M0 {row}H{width}" for row in range(size, height, size))


def _numbers(tiles: Iterable[ScannedWindow], size: int) -> list[tuple[float, float, int]]:
    return [
        (window.col + size / 2, window.row + size / 2, window.number) for window in tiles if window.number is not None
    ]
