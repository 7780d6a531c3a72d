"""Which windows of an elevation file become tiles, and what number each gets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rasterio.windows import Window

from tiles.raster.arrays import NumberArray
from tiles.raster.dem import require_dem
from tiles.raster.reading import plain_errors

SEA = "sea"
PARTIAL = "partial"
AOI = "aoi"


@dataclass
class ScannedWindow:
    """One window of a file. col, row: pixel offset of its upper left corner.

    number: index of the tile in its area, or None when the window makes no tile, and then skipped says why:
    "sea" (every raw value is 0), "partial" (it reaches over the edge of the file) or "aoi" (nobody asked for it).
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
    stride: int | None = None,
    wanted: Callable[[int, int], bool] | None = None,
    on_band: Callable[[int, int], None] | None = None,
) -> list[ScannedWindow]:
    """Find and number the windows of an open elevation file, column by column from the top left.

    tile_size: pixels, both ways. first_number: number of the first tile, so that numbers run on through files.
    stride: pixels from window to window (tile_size). wanted(col, row): whether a whole window may become a tile (all).
    The file is read once, in horizontal bands of tile_size rows, one in memory at a time; on_band(done, all) is
    called after each, and may raise to stop. Raw values are compared, so a nodata value or NaN is not zero.
    Returns windows in numbering order: x outer, y inner. Raises BadBands, Unreadable.
    Source: the tiling of RS3DBench, arXiv 2509.18897.
    """
    if tile_size < 1:
        raise ValueError("A tile has at least one pixel.")
    require_dem(dataset)
    step = stride or tile_size
    columns = range(0, dataset.width - tile_size + 1, step)
    rows = range(0, dataset.height - tile_size + 1, step)
    reasons: dict[tuple[int, int], str | None] = {}
    with plain_errors(str(dataset.name).rsplit("/", 1)[-1]):
        for done, row in enumerate(rows, 1):
            asked = [col for col in columns if wanted is None or wanted(col, row)]
            reasons |= dict.fromkeys(((col, row) for col in columns), AOI)
            reasons |= _seas_of_band(dataset, row, tile_size, asked)
            if on_band is not None:
                on_band(done, len(rows))
    return windows_numbered(dataset.width, dataset.height, step, reasons, first_number)


def _seas_of_band(dataset: Any, row: int, size: int, columns: list[int]) -> dict[tuple[int, int], str | None]:
    """Why these whole windows of one band take no number: where every raw value is 0."""
    if not columns:
        return {}
    left = columns[0]
    band: NumberArray = dataset.read(1, window=Window(left, row, columns[-1] + size - left, size))
    return {(col, row): None if band[:, col - left : col - left + size].any() else SEA for col in columns}


def windows_numbered(
    width: int, height: int, step: int, reasons: Mapping[tuple[int, int], str | None], first: int
) -> list[ScannedWindow]:
    """Number the windows of a raster of this size, x outer, y inner, and say why others have none.

    step: pixels from window to window. reasons: by column and row; None for a tile; a window without is "partial".
    """
    windows = []
    number = first
    for col in range(0, width, step):
        for row in range(0, height, step):
            skipped = reasons.get((col, row), PARTIAL)
            windows.append(ScannedWindow(None if skipped else number, col, row, skipped))
            number += not skipped
    return windows
