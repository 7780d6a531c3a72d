"""release.json: with the manifest beside it, all that is needed to write the archive of a release again."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from tiles.core.errors import BadInput
from tiles.core.paths import release_folder

from .archive import Sealed, SealedFile
from .layouts import AboutRelease

RECORD = "release.json"
FORMAT = 1
MAKERS = ("Django", "numpy", "pillow", "pyarrow", "rasterio")
"""Packages whose versions may show in the bytes of an archive."""


class Record(NamedTuple):
    """made_with: package -> version."""

    about: AboutRelease
    sealed: Sealed
    made_with: dict[str, str]


def record_text(about: AboutRelease, sealed: Sealed) -> bytes:
    """The record as JSON."""
    record = {
        "format": FORMAT,
        "release": asdict(about),
        "files": [asdict(file) for file in sealed.files],
        "sha256": sealed.sha256,
        "made_with": made_with(),
    }
    return json.dumps(record, indent=1, ensure_ascii=False).encode() + b"\n"


def record_read(path: Path) -> Record:
    """Raises BadInput for what is no such record."""
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
        if found["format"] != FORMAT:
            raise BadInput(f"{path} is of format {found['format']}, which this version does not know.")
        known = {one.name for one in fields(AboutRelease)}
        release = {name: value for name, value in found["release"].items() if name in known}
        release_folder(release["name"])  # no path of somebody's making
        release |= {name: tuple(release[name]) for name in ("contents", "authors")}
        sealed = Sealed(tuple(SealedFile(**file) for file in found["files"]))
        return Record(AboutRelease(**release), sealed, found["made_with"])
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise BadInput(f"{path} is not the record of a release.") from error


def made_with() -> dict[str, str]:
    """Package -> version, here."""
    return {name: version(name) for name in MAKERS}
