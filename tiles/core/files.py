"""Files land whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from .errors import ApplicationError, DiskFull

TEMPORARY = ".tmp-"


def temporary_name(path: Path, owner: str) -> Path:
    """The name under which `owner` (a lease, say) writes what will become `path`, in the same folder."""
    return path.with_name(f".{path.name}{TEMPORARY}{owner}")


@contextlib.contextmanager
def written_whole(path: Path, owner: str) -> Iterator[BinaryIO]:
    """Write `path` so that a reader sees the old file or the whole new one.

    Yields a binary file. When the block ends the bytes are flushed to the disk and the file takes its
    name; when it raises, nothing is left. Raises DiskFull when the disk is, ApplicationError when the
    folder cannot be written.
    """
    temporary = temporary_name(path, owner)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        _drop(temporary)
        raise readable(error, path) from error
    except BaseException:
        _drop(temporary)
        raise


def _drop(temporary: Path) -> None:
    with contextlib.suppress(OSError):  # where its folder cannot even be entered there is nothing to remove
        temporary.unlink()


def write_whole(path: Path, content: bytes, owner: str) -> None:
    """`written_whole` for bytes at hand."""
    stage(path, content, owner)
    try:
        land(path, owner)
    except OSError as error:
        _drop(temporary_name(path, owner))
        raise readable(error, path) from error


def stage(path: Path, content: bytes, owner: str) -> None:
    """Put on the disk what `land` will make `path`. Raises as `written_whole` does, and then leaves nothing."""
    temporary = temporary_name(path, owner)
    try:
        # Five times a tile: so no buffer, and no look at the folder before it is missed.
        handle = _opened(temporary)
        try:
            left = memoryview(content)
            while left:
                left = left[os.write(handle, left) :]
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        _drop(temporary)
        raise readable(error, path) from error
    except BaseException:
        _drop(temporary)
        raise


def _opened(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        return os.open(path, flags, 0o666)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, 0o666)


def land(path: Path, owner: str) -> None:
    """Give what was staged its name. Make it outlast a power cut by `sync_folder`."""
    temporary_name(path, owner).replace(path)


def sync_folder(folder: Path) -> None:
    """Make the renames in `folder` outlast a power cut. Once for many files, since it is slow."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_temporary(folder: Path, owner: str = "") -> None:
    """Remove what a dead writer left in `folder`: all of it, or only that of `owner`."""
    for left in folder.glob(f".*{TEMPORARY}{owner or '*'}"):
        left.unlink(missing_ok=True)


def require_free(folder: Path, least: int) -> None:
    """Raise DiskFull, with the `wanted` bytes, when fewer than `least` are free where `folder` lies or would lie."""
    free = free_bytes(folder)
    if free < least:
        raise DiskFull(
            f"The disk is nearly full: {free / 1e9:.1f} GB free, {least / 1e9:.1f} GB wanted. Make room, then go on.",
            wanted=least,
        )


def free_bytes(folder: Path) -> int:
    """How many bytes are free where `folder` lies or would lie."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free


def readable(error: OSError, path: Path) -> ApplicationError:
    """An operating system's error as a sentence; names the folder's last part only."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull("The disk is full. Make room, then go on: nothing half-written was left.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return ApplicationError(
            f"The data folder cannot be written ({path.parent.name}: {error.strerror}). Check its owner and mode.",
            code="unwritable",
        )
    return ApplicationError(f"Writing {path.name} failed: {error.strerror or error}.", code="write_failed")
