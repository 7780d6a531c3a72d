"""Where files lie below DEMETER_DATA. One function a kind of thing, and nobody joins paths elsewhere."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

from django.conf import settings

TILES_PER_FOLDER = 1000
EXTENSIONS = {
    "rgb": "tif",
    "png": "png",
    "dem": "tif",
    "dem255": "tif",
    "void": "png",
    "nir": "tif",
    "sar": "tif",
    "preview": "jpg",
}
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_UPLOAD = re.compile(r"[a-z0-9](?:[a-z0-9 ._-]*[a-z0-9_-])?\.(?:tiff?|hgt)", re.IGNORECASE)
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)


def layer_path(area: str, layer: str, index: int, *, data: Path | None = None) -> Path:
    """`<data>/areas/<area>/<layer>/<index // 1000>/tile_<index>.<ext>`. data: another data folder than this site's.

    Raises ValueError for a slug, layer or index that is not one of ours: no text of a request
    reaches the file system through here.
    """
    return area_folder(area, data=data) / layer / str(index // TILES_PER_FOLDER) / tile_file(layer, index)


def tile_file(layer: str, index: int) -> str:
    """`tile_<index>.<ext>`."""
    if layer not in EXTENSIONS or index < 0:
        raise ValueError(f"no such layer file: {layer} {index}")
    return f"tile_{index}.{EXTENSIONS[layer]}"


def area_folder(area: str, *, data: Path | None = None) -> Path:
    """`<data>/areas/<area>`. Raises ValueError for what is not a slug."""
    return (data or data_folder()) / "areas" / _slug(area)


def atlas_folder(area: str) -> Path:
    """`<data>/atlas/<area>`: pictures that can be made again. Raises ValueError for what is not a slug."""
    return data_folder() / "atlas" / _slug(area)


def release_folder(name: str) -> Path:
    """`<data>/releases/<name>`. Raises ValueError for what is not a slug."""
    return data_folder() / "releases" / _slug(name)


def uploads_folder() -> Path:
    """`<data>/uploads/dems`, where accepted uploads lie under their names."""
    return data_folder() / "uploads" / "dems"


def parts_folder() -> Path:
    """`<data>/uploads/parts`, with a folder for each upload that is not accepted yet."""
    return data_folder() / "uploads" / "parts"


def upload_path(name: str) -> Path:
    """`<data>/uploads/dems/<name>`. Raises ValueError for what is no upload's name."""
    return uploads_folder() / _upload_name(name)


def part_path(upload: UUID, name: str) -> Path:
    """`<data>/uploads/parts/<upload>/<name>`: the name tells GDAL where on Earth an HGT tile lies.

    Raises ValueError for what is no upload's name.
    """
    return parts_folder() / str(upload) / _upload_name(name)


def is_upload_name(name: str) -> bool:
    """Whether a file may be called so on every system: plain letters, one raster's extension, no reserved word."""
    return len(name) <= 100 and bool(_UPLOAD.fullmatch(name)) and not _RESERVED.fullmatch(name.partition(".")[0])


def _upload_name(name: str) -> str:
    if not is_upload_name(name):
        raise ValueError(f"not the name of an upload: {name!r}")
    return name


def data_folder() -> Path:
    return Path(settings.DEMETER_DATA)


def _slug(name: str) -> str:
    if not _SLUG.fullmatch(name):
        raise ValueError(f"not a slug: {name!r}")
    return name
