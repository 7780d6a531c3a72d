"""Which files of a folder are rasters, in the order in which their tiles are numbered."""

import re
from pathlib import Path

from tiles.raster.errors import NotARaster, Unreadable

EXTENSIONS = frozenset({".tif", ".tiff", ".hgt", ".asc", ".dt0", ".dt1", ".dt2", ".jp2", ".png", ".jpg", ".jpeg"})
# "~" and "._" come from editors and from macOS; ".tmp." and ".part." from interrupted copies.
_TEMPORARY = re.compile(r"^[.~]|\.(tmp|part|partial|crdownload)(\.|$)", re.IGNORECASE)


def natural_key(path: Path) -> tuple[tuple[int, int, str], ...]:
    """Sort key by which tile_2 comes before tile_10, the same on every machine.

    Case is ignored first and breaks ties last, so that no two different names compare equal.
    """
    parts = re.split(r"([0-9]+)", path.name.casefold())
    key = [(0, int(part), "") if i % 2 else (1, 0, part) for i, part in enumerate(parts)]
    return (*key, (2, 0, path.name))


def is_raster_name(path: Path) -> bool:
    """Whether the name has a raster's extension and is not that of a hidden or temporary file."""
    return path.suffix.lower() in EXTENSIONS and not _TEMPORARY.search(path.name)


def list_rasters(path: Path) -> list[Path]:
    """List a raster file, or the rasters that lie directly in a folder, in natural order.

    Raises NotARaster when there is none, Unreadable when the path is absent or the folder may not be listed.
    """
    if not path.exists():
        raise Unreadable(f"{path.name} does not exist on this machine.")
    if path.is_file():
        if not is_raster_name(path):
            raise NotARaster(f"{path.name} is not named like a raster; expected one of {_expected()}.")
        return [path]
    try:
        children = list(path.iterdir())
    except OSError as error:
        raise Unreadable(f"The folder {path.name} cannot be listed: {error.strerror or 'no access'}.") from error
    found = sorted((child for child in children if is_raster_name(child) and child.is_file()), key=natural_key)
    if not found:
        raise NotARaster(f"The folder {path.name} holds no raster; expected files ending in {_expected()}.")
    return found


def _expected() -> str:
    return ", ".join(sorted(EXTENSIONS))
