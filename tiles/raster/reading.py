"""Opening rasters: only known formats, only the one file that was named, and errors a person understands.

GDAL can be talked into opening much more than the file it is given: a .vrt or a WMS description names other files
and URLs, and so can an .ovr, .msk or .aux.xml beside a plain GeoTIFF. So:

- only ALLOWED_DRIVERS are probed;
- files beside the raster do not exist for GDAL (an empty sibling list, and no .aux.xml reading or writing); a world
  file, .prj or .aux.xml is read as text by sidecar.py when the file itself is not georeferenced. The one exception
  is the .prj of an .asc grid, which GDAL reads as plain text by itself;
- a GeoTIFF whose own tags name an external overview is refused, and network file systems are shut.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from tiles.raster.errors import DriverNotAllowed, MissingCrs, NotARaster, RasterError, Unreadable
from tiles.raster.grid import Grid
from tiles.raster.listing import list_rasters, natural_key
from tiles.raster.sidecar import find_georeference, staged

__all__ = [
    "ALLOWED_DRIVERS",
    "RasterInfo",
    "inspect",
    "list_rasters",
    "natural_key",
    "open_raster",
    "verify",
]

ALLOWED_DRIVERS = ("GTiff", "SRTMHGT", "AAIGrid", "DTED", "JP2OpenJPEG", "PNG", "JPEG")
SAFE_ENV: dict[str, Any] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "CPL_VSIL_CURL_ALLOWED_FILENAME": "none",
    # libjpeg only warns when a file ends early, and GDAL would hand out grey pixels in its place.
    "GDAL_ERROR_ON_LIBJPEG_WARNING": "TRUE",
}
# For a staging folder: it holds one link and one .aux.xml that was written here.
STAGED_ENV = SAFE_ENV | {"GDAL_DISABLE_READDIR_ON_OPEN": "FALSE", "GDAL_PAM_ENABLED": "YES"}
VERIFY_BYTES = 32 * 2**20
PNG_TAIL = 65536

# Whether a missing position matters is decided here, by MissingCrs; rasterio's warning would only repeat it.
warnings.filterwarnings("ignore", category=NotGeoreferencedWarning, module=r"tiles\.raster\.")

_OURS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"\x89PNG", b"\xff\xd8\xff", b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")
_OUR_TEXT = (b"uhl1", b"ncols", b"nrows")
_FOREIGN = (
    *(b"<vrtdataset", b"<gdal_", b"<wmt", b"<gdalproxy", b"<ogrvrt", b"<?xml"),
    *(b"\x89hdf", b"cdf\x01", b"cdf\x02", b"%pdf", b"gif8", b"grib", b"ehfa", b"sqlite format 3", b"pk\x03\x04"),
)


@dataclass(frozen=True)
class RasterInfo:
    """What a file says about itself. dtype: NumPy name of band 1; colours: one word a band; file_size: bytes."""

    name: str
    driver: str
    grid: Grid | None
    count: int
    dtype: str
    nodata: float | None
    colours: tuple[str, ...]
    file_size: int


@contextmanager
def open_raster(path: Path, *, need_crs: bool = True) -> Iterator[Any]:
    """Open one local raster file for reading; yields a rasterio DatasetReader.

    With need_crs a file that is not georeferenced, by itself or by a world file, .prj or .aux.xml beside it, raises
    MissingCrs. Other errors: NotARaster, DriverNotAllowed, Unreadable; read errors inside the block become
    Unreadable too.
    """
    file = _regular_file(path)
    with plain_errors(file.name), ExitStack() as stack:
        dataset = _open_alone(file, stack)
        if not is_located(dataset):
            found = find_georeference(file)
            if found is not None:
                link = stack.enter_context(staged(file, found))
                stack.enter_context(rasterio.Env(**STAGED_ENV))
                dataset = stack.enter_context(rasterio.open(link, driver=dataset.driver, sharing=False))
            elif need_crs:
                raise MissingCrs(f"{file.name} does not say where on Earth it lies: it has no {_lacks(dataset)}.")
        yield dataset


def inspect(path: Path, *, need_crs: bool = True) -> RasterInfo:
    """Read what a file says about itself without reading pixels. Raises as open_raster does."""
    with open_raster(path, need_crs=need_crs) as dataset:
        return RasterInfo(
            name=path.name,
            driver=dataset.driver,
            grid=Grid.of(dataset) if is_located(dataset) else None,
            count=dataset.count,
            dtype=dataset.dtypes[0],
            nodata=dataset.nodata,
            colours=tuple(colour.name for colour in dataset.colorinterp),
            file_size=path.stat().st_size,
        )


def verify(path: Path, *, need_crs: bool = True) -> RasterInfo:
    """Read every pixel of every band, in bounded memory, so that a truncated or corrupt file is found now.

    Raises Unreadable for such a file, and otherwise as open_raster does.
    """
    info = inspect(path, need_crs=need_crs)
    with open_raster(path, need_crs=need_crs) as dataset:
        block = dataset.block_shapes[0][0]
        row_bytes = dataset.width * sum(np.dtype(name).itemsize for name in dataset.dtypes)
        rows = max(VERIFY_BYTES // (row_bytes * block), 1) * block
        for row in range(0, dataset.height, rows):
            dataset.read(window=Window(0, row, dataset.width, min(rows, dataset.height - row)))
    return info


@contextmanager
def plain_errors(name: str) -> Iterator[None]:
    """Turn what rasterio and GDAL raise while reading into Unreadable; name is what the message calls the file."""
    try:
        yield
    except RasterError:
        raise
    except (RasterioIOError, CPLE_BaseError) as error:
        raise Unreadable(f"{name} is damaged or cut short and cannot be read.") from error


def open_checked(name: Any, drivers: tuple[str, ...], stack: ExitStack) -> Any:
    """Open a path or in-memory file with these drivers only, and refuse one that names another file."""
    stack.enter_context(rasterio.Env(**SAFE_ENV))
    # rasterio.open takes one driver only; the class behind it takes the list that GDAL is to try.
    dataset = stack.enter_context(DatasetReader(name, driver=list(drivers), sharing=False))
    if "OVERVIEW_FILE" in dataset.tags(ns="OVERVIEWS"):
        raise DriverNotAllowed(f"{Path(dataset.name).name} refers to another file for its overviews.")
    return dataset


def is_located(dataset: Any) -> bool:
    """Whether an open dataset has both a coordinate system and a position."""
    return dataset.crs is not None and not dataset.transform.is_identity


def require_whole_png(head: bytes, tail: bytes, name: str) -> None:
    """Raise Unreadable for a PNG without its end mark: GDAL reads the missing rows as black without a word."""
    if head.startswith(b"\x89PNG") and b"IEND\xaeB`\x82" not in tail:
        raise Unreadable(f"{name} is damaged or cut short and cannot be read.")


def _regular_file(path: Path) -> Path:
    """Make the path absolute, so that GDAL cannot read a prefix into it, and insist on a readable regular file."""
    if str(path).startswith("/vsi") or ":/" in str(path):
        raise NotARaster("A raster must be a file on this machine, not an address.")
    file = Path(path).absolute()
    if str(file).startswith("/vsi") or str(file.resolve()).startswith("/vsi"):
        raise NotARaster("A raster must be a file on this machine, not an address.")
    if not file.exists():
        raise Unreadable(f"{file.name} does not exist on this machine.")
    if not file.is_file():
        raise NotARaster(f"{file.name} is not a regular file.")
    if not os.access(file, os.R_OK):
        raise Unreadable(f"{file.name} may not be read by this process.")
    return file


def _open_alone(file: Path, stack: ExitStack) -> Any:
    try:
        dataset = open_checked(file, ALLOWED_DRIVERS, stack)
    except (RasterioIOError, CPLE_BaseError) as error:
        raise _why_not_opened(file) from error
    if dataset.driver == "PNG":
        with file.open("rb") as stream:
            head = stream.read(8)
            stream.seek(max(file.stat().st_size - PNG_TAIL, 0))
            require_whole_png(head, stream.read(), file.name)
    return dataset


def _why_not_opened(file: Path) -> RasterError:
    """Tell a damaged raster from a foreign format and from something that is no raster, by the first bytes."""
    with file.open("rb") as stream:
        head = stream.read(64)
    if not head:
        return Unreadable(f"{file.name} is empty.")
    lowered = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(_OURS) or lowered.startswith(_OUR_TEXT) or file.suffix.lower() == ".hgt":
        return Unreadable(f"{file.name} is damaged or cut short and cannot be read.")
    if lowered.startswith(_FOREIGN):
        return DriverNotAllowed(f"{file.name} is of a format that is not accepted; use GeoTIFF.")
    return NotARaster(f"{file.name} is not a raster.")


def _lacks(dataset: Any) -> str:
    return "coordinate system" if dataset.crs is None else "position"
