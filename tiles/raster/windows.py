"""Which windows of an elevation file become tiles, and what number each gets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rasterio.windows import Window

from tiles.raster.arrays import NumberArray
from tiles.raster.dem import require_dem
from tiles.raster.reading import plain_errors

SEA = "sea"
PARTIAL = "partial"


@dataclass
class ScannedWindow:
    """One window of a file. col, row: pixel offset of its upper left corner.

    number: index of the tile in its area, or None when the window makes no tile, and then skipped says why:
    "sea" (every raw value is 0) or "partial" (it reaches over the edge of the file).
    """

    number: int | None
    col: int
    row: int
    skipped: str | None


def scan_windows(
    dataset: Any,
    tile_size: int,
    *,
    first_number: int = 0,
    on_band: Callable[[int, int], None] | None = None,
) -> list[ScannedWindow]:
    """Find and number the windows of an open elevation file, column by column from the top left.

    tile_size: pixels, both ways. first_number: number of the first tile, so that numbers run on through files.
    The file is read once, in horizontal bands of tile_size rows, one in memory at a time; on_band(done, all) is
    called after each, and may raise to stop. Raw values are compared, so a nodata value or NaN is not zero.
    Returns windows in numbering order: x outer, y inner. Raises BadBands, Unreadable.
    Source: the tiling of RS3DBench, arXiv 2509.18897.
    """
    if tile_size < 1:
        raise ValueError("A tile has at least one pixel.")
    require_dem(dataset)
    columns, rows = dataset.width // tile_size, dataset.height // tile_size
    land: list[list[bool]] = []
    with plain_errors(str(dataset.name).rsplit("/", 1)[-1]):
        for index in range(rows):
            land.append(_land_of_band(dataset, index * tile_size, tile_size, columns))
            if on_band is not None:
                on_band(index + 1, rows)
    return number_windows(dataset.width, dataset.height, tile_size, land, first_number)


def _land_of_band(dataset: Any, row: int, size: int, columns: int) -> list[bool]:
    """Tell, for each whole window of one band, whether any raw value differs from 0."""
    if columns == 0:
        return []
    band: NumberArray = dataset.read(1, window=Window(0, row, columns * size, size))
    return [bool(band[:, col : col + size].any()) for col in range(0, columns * size, size)]


def number_windows(width: int, height: int, size: int, land: list[list[bool]], first: int) -> list[ScannedWindow]:
    """Number the windows of a file of this width and height; land[row][column]: whether a whole window is no sea."""
    windows = []
    number = first
    for col in range(0, width, size):
        for row in range(0, height, size):
            if col + size > width or row + size > height:
                windows.append(ScannedWindow(None, col, row, PARTIAL))
            elif not land[row // size][col // size]:
                windows.append(ScannedWindow(None, col, row, SEA))
            else:
                windows.append(ScannedWindow(number, col, row, None))
                number += 1
    return windows
