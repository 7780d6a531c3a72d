"""What an upload may be called."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from tiles.core.errors import BadInput, Conflict
from tiles.core.paths import is_upload_name, uploads_folder
from tiles.models import DemUpload
from tiles.raster.listing import is_raster_name
from tiles.raster.strangers import is_hgt

from .selectors import name_holder

LONGEST = 90
TRIES = 100


class NameTaken(Conflict):
    """There is a file of this name; `extra["suggestion"]` is a free name, empty where the name has a meaning."""

    code = "name_taken"


def require_name(name: str) -> None:
    """Raise BadInput for a name that some system could not have, or that is none of a GeoTIFF or HGT tile."""
    if Path(name).suffix.lower() not in (".tif", ".tiff", ".hgt"):
        raise BadInput("Elevation models can be sent as GeoTIFF (.tif, .tiff) or HGT (.hgt).", code="bad_format")
    if not (is_upload_name(name) and is_raster_name(Path(name))):
        raise BadInput(
            "A file's name may have plain letters, digits, spaces, dots, - and _. Give it another name.",
            code="bad_name",
            suggestion="" if is_hgt(name) else suggested(name),
        )


def require_free_name(name: str) -> None:
    """Raise NameTaken, with a free name, when a file of this name is there or on its way."""
    suggestion = "" if is_hgt(name) else suggested(name)
    holder = name_holder(name)
    if holder is not None and holder.state != DemUpload.State.ACCEPTED:
        raise NameTaken(
            f"{holder.name} is on its way already, from {holder.owner.shown_name}. Wait for it, or take another name.",
            suggestion=suggestion,
            size=holder.size,
        )
    if holder is not None or file_of(name):
        raise NameTaken(
            f"{name} was uploaded before. Choose it in the list, or send this one under another name.",
            suggestion=suggestion,
            size=holder.size if holder else None,
        )


def file_of(name: str) -> Path | None:
    """The file in the folder of uploads that a name belongs to, whatever its case."""
    folder = uploads_folder()
    if not folder.is_dir():
        return None
    return next((file for file in folder.iterdir() if file.name.lower() == name.lower()), None)


def suggested(name: str) -> str:
    """A name that can be had, as near to this one as may be; empty when none is found."""
    suffix = Path(name).suffix.lower()
    plain = unicodedata.normalize("NFKD", Path(name.replace("\\", "/")).name[: -len(suffix)])
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", plain.encode("ascii", "ignore").decode()).strip("_-")[:LONGEST] or "dem"
    for number in range(1, TRIES):
        candidate = f"{stem}{suffix}" if number == 1 else f"{stem}-{number}{suffix}"
        usable = is_upload_name(candidate) and is_raster_name(Path(candidate))
        if usable and name_holder(candidate) is None and file_of(candidate) is None:
            return candidate
    return ""
