"""The bytes of an upload on the disk."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from tiles.core.files import readable, sync_folder
from tiles.core.paths import part_path, parts_folder, uploads_folder
from tiles.models import DemUpload


def part_of(upload: DemUpload) -> Path:
    return part_path(upload.uuid, upload.name)


@contextlib.contextmanager
def part_locked(upload: DemUpload) -> Iterator[int]:
    """Hold the file of an upload against every other writer; yields its descriptor.

    Held for as long as a chunk takes to be written, never while one is on its way through the network: a request whose
    sender is gone may hang for hours. Raises ApplicationError when the disk does not let it be written.
    """
    path = part_of(upload)
    try:
        new = not path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise readable(error, path) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        if new:
            for folder in (path.parent, path.parent.parent, path.parent.parent.parent):
                sync_folder(folder)
        yield file
    finally:
        os.close(file)


def part_write(file: int, content: bytes, offset: int, name: str) -> None:
    """Put bytes where they belong and flush them to the disk. Raises DiskFull, ApplicationError."""
    try:
        rest = memoryview(content)
        while rest:
            offset += (written := os.pwrite(file, rest, offset))
            rest = rest[written:]
        os.fsync(file)
    except OSError as error:
        raise readable(error, Path(name)) from error


def part_tail(upload: DemUpload, most: int) -> tuple[int, bytes]:
    """Where the last bytes that were received begin, and these, at most so many."""
    start = max(0, upload.received - most)
    try:
        with part_of(upload).open("rb") as stream:
            stream.seek(start)
            return start, stream.read(upload.received - start)
    except FileNotFoundError:
        return start, b""


def part_land(upload: DemUpload, path: Path) -> None:
    """Give a checked file its name in the folder of uploads. Raises ApplicationError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part_of(upload).replace(path)
        sync_folder(path.parent)
        sync_folder(uploads_folder().parent)
    except OSError as error:
        raise readable(error, path) from error


def part_drop(upload: DemUpload) -> None:
    """Remove what is there of an upload. Can be called twice."""
    folder_drop(parts_folder() / str(upload.uuid))


def folder_drop(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def parts_listed() -> list[UUID]:
    """The uploads that have a folder."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for folder in parts_folder().iterdir():
            with contextlib.suppress(ValueError):
                found.append(UUID(folder.name))
    return found
