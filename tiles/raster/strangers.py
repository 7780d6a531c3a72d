"""Whether a file that came over the network is an elevation model from which tiles can be cut.

Such a file is looked at more closely than one that somebody put on this machine: what it really is must agree with its
name before GDAL sees it, and its size is limited before a pixel is decoded.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rasterio.windows import Window

from tiles.raster.dem import require_dem
from tiles.raster.errors import BadBands, DriverNotAllowed, NotARaster, RasterError
from tiles.raster.grid import Grid
from tiles.raster.reading import open_raster

MOST_PIXELS = 2_000_000_000
"""As many as 44,700 x 44,700: a small file can claim to be any size."""
MOST_BLOCK_BYTES = 128 * 2**20
"""Of one strip or tile when it is decoded: it is the least that can be read at once."""
STORABLE = frozenset({"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"})
HGT_BYTES = {1201 * 1201 * 2: "3 arc seconds", 3601 * 3601 * 2: "1 arc second", 1801 * 3601 * 2: "1 arc second"}
HGT_VOID = -32768
HGT_HEIGHTS = (-1000, 9000)
READ_BYTES = 16 * 2**20

_HGT_NAME = re.compile(r"[NS][0-9]{2}[EW][0-9]{3}\.hgt", re.IGNORECASE)
_TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class TooLarge(RasterError):
    """The raster claims more pixels than are read."""

    code = "too_large"


@dataclass(frozen=True)
class Stranger:
    """What there is to read. step: whole rows of blocks, so that none is decoded twice."""

    width: int
    height: int
    row_bytes: int
    step: int


def is_hgt(name: str) -> bool:
    return name.lower().endswith(".hgt")


def require_kind(name: str, size: int) -> None:
    """Raise NotARaster when a file of this name and this many bytes cannot be a GeoTIFF or HGT tile."""
    if not is_hgt(name):
        return
    if not _HGT_NAME.fullmatch(name):
        raise NotARaster(f"An HGT tile says where it lies by its name, as in N46E008.hgt; {name} does not.")
    if size not in HGT_BYTES:
        raise NotARaster(
            f"{name} has {size:,} bytes; an HGT tile has {', '.join(f'{n:,}' for n in sorted(HGT_BYTES))}."
        )


def stranger_inspect(path: Path) -> Stranger:
    """Look at the head of a file, and no pixel yet.

    Raises RasterError: NotARaster or DriverNotAllowed when it is not what its name says, TooLarge, BadBands for what
    is no single band of numbers that can be kept, MissingCrs, Unreadable.
    """
    require_kind(path.name, path.stat().st_size)
    if not is_hgt(path.name):
        _require_tiff(path)
    with open_raster(path) as dataset:
        wanted = "SRTMHGT" if is_hgt(path.name) else "GTiff"
        if dataset.driver != wanted:
            raise DriverNotAllowed(f"{path.name} is of another format than its name says. Send GeoTIFF or HGT.")
        require_dem(dataset)
        if dataset.dtypes[0] not in STORABLE:
            raise BadBands(f"{path.name} holds {dataset.dtypes[0]} numbers. Convert it to float32.")
        Grid.of(dataset)
        rows, columns = dataset.block_shapes[0]
        pixel_bytes = sum(np.dtype(name).itemsize for name in dataset.dtypes)
        if dataset.width * dataset.height > MOST_PIXELS:
            raise TooLarge(
                f"{path.name} has {dataset.width:,} x {dataset.height:,} pixels; at most {MOST_PIXELS:,} are read. "
                "Cut it into several files."
            )
        if rows * columns * pixel_bytes > MOST_BLOCK_BYTES:
            raise TooLarge(f"{path.name} can only be read as a whole. Store it in tiles: gdal_translate -co TILED=YES.")
        row_bytes = dataset.width * pixel_bytes
        return Stranger(dataset.width, dataset.height, row_bytes, max(READ_BYTES // (row_bytes * rows), 1) * rows)


def stranger_read(path: Path, first: int, last: int, step: int, beat: Callable[[], None]) -> None:
    """Decode the rows from first to before last of every band, so that a damaged or cut file is found.

    beat() is called every step rows. Raises Unreadable, and NotARaster for HGT heights that no place on Earth has.
    """
    with open_raster(path) as dataset:
        for row in range(first, last, step):
            pixels = dataset.read(window=Window(0, row, dataset.width, min(step, last - row)))
            if is_hgt(path.name):
                _require_earthly(pixels, path.name)
            beat()


def _require_tiff(path: Path) -> None:
    with path.open("rb") as stream:
        head = stream.read(4)
    if head not in _TIFF_HEADS:
        raise NotARaster(f"{path.name} is not a GeoTIFF, whatever its name says. Send GeoTIFF or HGT.")


def _require_earthly(pixels: np.ndarray, name: str) -> None:
    """Any bytes of the right length make an HGT tile."""
    heights = pixels[pixels != HGT_VOID]
    if heights.size and not (HGT_HEIGHTS[0] <= heights.min() and heights.max() <= HGT_HEIGHTS[1]):
        raise NotARaster(f"{name} holds heights from {heights.min()} to {heights.max()} m: it is no HGT tile.")
