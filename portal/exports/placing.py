"""A finished archive, put where somebody wants it."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from tiles.core.errors import ApplicationError, BadInput, Conflict
from tiles.core.files import readable, sync_folder, temporary_name, write_whole

from .archive import archive_path
from .croissant import croissant_path
from .models import Release
from .stores import archive_open


def place_check(name: str, folder: Path) -> None:
    """Raise unless the archive `name` could be put into `folder`: before the work, not after it."""
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is not a folder. Give --out a folder.")
    if (folder / f"{name}.zip").exists():
        raise Conflict(f"{folder / name}.zip is there already. Remove it, or choose another folder.", code="exists")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ApplicationError(f"{folder} cannot be made: {error.strerror}. Choose another folder.") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ApplicationError(f"{folder} cannot be written. Choose another folder, or change its mode.")


def archive_place(release: Release, folder: Path) -> Path:
    """Put the archive (a hard link where that can be, else a copy), its checksum and its description into `folder`."""
    place = folder / f"{release.name}.zip"
    temporary = temporary_name(place, str(os.getpid()))
    try:
        _bring(release, temporary)
        temporary.replace(place)
        sync_folder(folder)
    except OSError as error:
        raise readable(error, place) from error
    finally:
        temporary.unlink(missing_ok=True)
    write_whole(folder / f"{place.name}.sha256", checksum_line(release).encode(), str(os.getpid()))
    described = croissant_path(release.name)
    if described.exists():  # releases of old have none
        write_whole(folder / f"{release.name}.croissant.json", described.read_bytes(), str(os.getpid()))
    return place


def checksum_line(release: Release) -> str:
    """What `sha256sum -c` reads."""
    return f"{release.sha256}  {release.name}.zip\n"


def _bring(release: Release, to: Path) -> None:
    if not release.store:
        with contextlib.suppress(OSError):  # another file system, or one without links
            to.hardlink_to(archive_path(release.name))
            return
    with archive_open(release, release.files.get(position=0)) as source, to.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
        target.flush()
        os.fsync(target.fileno())
