"""A finished archive, put where somebody wants it."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from tiles.core.errors import ApplicationError, BadInput, Conflict
from tiles.core.files import readable, sync_folder, temporary_name, write_whole
from tiles.core.paths import release_folder

from .archive import archive_names
from .croissant import croissant_path
from .models import Release, ReleaseFile
from .stores import archive_open


def place_check(name: str, folder: Path) -> None:
    """Raise unless the archive `name` could be put into `folder`: before the work, not after it."""
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is not a folder. Give --out a folder.")
    for there in (folder / f"{name}.zip", folder / archive_names(name, 2)[0]):
        if there.exists():
            raise Conflict(f"{there} is there already. Remove it, or choose another folder.", code="exists")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ApplicationError(f"{folder} cannot be made: {error.strerror}. Choose another folder.") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ApplicationError(f"{folder} cannot be written. Choose another folder, or change its mode.")


def archive_place(release: Release, folder: Path) -> list[Path]:
    """Put the files of the archive (hard links where that can be, else copies), the checksum of each, and the
    description into `folder`. Returns where the files are."""
    owner = str(os.getpid())
    placed = [_place(release, file, folder, owner) for file in release.files.all()]
    described = croissant_path(release.name)
    if described.exists():  # releases of old have none
        write_whole(folder / f"{release.name}.croissant.json", described.read_bytes(), owner)
    return placed


def checksum_line(release: Release) -> str:
    """What `sha256sum -c` reads."""
    return f"{release.sha256}  {release.name}.zip\n"


def _place(release: Release, file: ReleaseFile, folder: Path, owner: str) -> Path:
    place = folder / file.name
    temporary = temporary_name(place, owner)
    try:
        _bring(release, file, temporary)
        temporary.replace(place)
        sync_folder(folder)
    except OSError as error:
        raise readable(error, place) from error
    finally:
        temporary.unlink(missing_ok=True)
    write_whole(folder / f"{file.name}.sha256", f"{file.sha256}  {file.name}\n".encode(), owner)
    return place


def _bring(release: Release, file: ReleaseFile, to: Path) -> None:
    if not release.store:
        with contextlib.suppress(OSError):  # another file system, or one without links
            to.hardlink_to(release_folder(release.name) / file.name)
            return
    with archive_open(release, file) as source, to.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
        target.flush()
        os.fsync(target.fileno())
