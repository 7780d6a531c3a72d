"""Files of captions that people send: kept whole in a folder of their own until they are taken in, and swept later.

Nothing of an archive is unpacked but its one table; texts are read where they lie in it. So no name inside it is ever
a path here, and names that try are refused all the same.
"""

from __future__ import annotations

import re
import shutil
import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from uuid import UUID, uuid4

from django.conf import settings

from tiles.core.errors import BadInput, NotFound
from tiles.core.files import written_whole
from tiles.core.paths import data_folder
from tiles.core.permissions import BUILD_AREA, require
from tiles.models import Job

from .kinds import ARCHIVE, HIDDEN, SUFFIXES, TABLES, TEXT

GIVEN = "given"
MOST_BYTES = 64 * 2**20
MOST_UNPACKED = 256 * 2**20
MOST_ENTRIES = 200_000
OWNER = "captions"
DAY = 24 * 3600
GONE = "This file is not here any more. Send it again."
_PLAIN = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 80


def given_keep(*, name: str, chunks: Iterable[bytes], by: Any) -> UUID:
    """Keep a file that somebody sends; returns what it is known by. chunks: its bytes, in order.

    Raises NotAllowed, and BadInput for another kind of file, one that is too large, or an archive that is damaged,
    holds names that lead elsewhere, or holds neither texts nor one table.
    """
    require(by, BUILD_AREA)
    plain = _plain(name)
    given_sweep()
    known_by = uuid4()
    path = _folder(known_by) / plain
    path.parent.mkdir(parents=True)
    try:
        with written_whole(path, OWNER) as file:
            _copy(chunks, file, MOST_BYTES, f"{plain} is larger than {MOST_BYTES // 2**20} MB. Send it in parts.")
        if path.suffix.lower() == ARCHIVE:
            _archive_open(path)
    except BaseException:
        shutil.rmtree(path.parent, ignore_errors=True)
        raise
    return known_by


def given_path(key: str) -> Path:
    """The file of a key as in `given/<uuid>`. Raises NotFound when there is none (any more)."""
    try:
        folder = _folder(UUID(key.removeprefix(f"{GIVEN}/")))
    except ValueError as error:
        raise NotFound(GONE) from error
    files = [file for file in folder.iterdir() if not file.name.startswith(".")] if folder.is_dir() else []
    if len(files) != 1:
        raise NotFound(GONE)
    return files[0]


def given_key(known_by: UUID) -> str:
    return f"{GIVEN}/{known_by}"


def given_sweep(*, now: float | None = None) -> int:
    """Remove files older than DEMETER_UPLOAD_DAYS that no open job reads; returns how many."""
    oldest = (time.time() if now is None else now) - settings.DEMETER_UPLOAD_DAYS * DAY
    root, removed = _root(), 0
    for folder in root.iterdir() if root.is_dir() else ():
        if folder.stat().st_mtime > oldest:
            continue
        if not Job.objects.filter(state__in=Job.OPEN, parameters__source=f"{GIVEN}/{folder.name}").exists():
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


def _root() -> Path:
    return data_folder() / "uploads" / "captions"


def _folder(known_by: UUID) -> Path:
    return _root() / str(known_by)


def _plain(name: str) -> str:
    """The file's own name in plain letters. Raises BadInput for a kind that is not read."""
    last = PurePosixPath(name.replace("\\", "/")).name
    suffix = PurePosixPath(last).suffix.lower()
    if suffix not in SUFFIXES:
        raise BadInput(f"This is no file of captions. Send {', '.join(SUFFIXES)}.", field="file")
    stem = _PLAIN.sub("_", last[: -len(suffix)]).strip("._-")[:_LONGEST] or "captions"
    return f"{stem}{suffix}"


def _copy(chunks: Iterable[bytes], file: BinaryIO, most: int, too_large: str) -> None:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise BadInput(too_large, field="file")
        file.write(chunk)


def _archive_open(path: Path) -> None:
    """Check an archive; one that holds a table, and nothing else that is read, becomes that table."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _entries(archive, path.name)
            tables = [entry for entry in entries if PurePosixPath(entry.filename).suffix.lower() in TABLES]
            if len(tables) != 1 or len(entries) > 1:
                _require_texts(entries, tables, path.name)
                return
            table = path.with_suffix(PurePosixPath(tables[0].filename).suffix.lower())
            with archive.open(tables[0]) as source, written_whole(table, OWNER) as file:
                _copy(_chunks(source), file, MOST_UNPACKED, f"{path.name} holds too much. Send it in parts.")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise BadInput(f"{path.name} is no archive that can be read: {str(error)[:100]}.", field="file") from error
    path.unlink()


def _entries(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """What is read of an archive. Raises BadInput where it holds too much, or names that lead out of it."""
    every = [entry for entry in archive.infolist() if not entry.is_dir()]
    for entry in every:
        parts = entry.filename.replace("\\", "/").split("/")
        if ".." in parts or not parts[0] or ":" in parts[0]:
            raise BadInput(f"{name} holds a name that leads out of it: {entry.filename[:100]}.", field="file")
        if entry.flag_bits & 1:
            raise BadInput(f"{name} is locked with a password. Send it without.", field="file")
    if len(every) > MOST_ENTRIES or sum(entry.file_size for entry in every) > MOST_UNPACKED:
        raise BadInput(f"{name} holds too much. Send it in parts.", field="file")
    kept = [entry for entry in every if PurePosixPath(entry.filename).suffix.lower() in (*TABLES, TEXT)]
    return [entry for entry in kept if not entry.filename.startswith(HIDDEN)]


def _require_texts(entries: list[zipfile.ZipInfo], tables: list[zipfile.ZipInfo], name: str) -> None:
    if tables or not entries:
        raise BadInput(
            f"{name} holds {len(tables)} tables and {len(entries) - len(tables)} texts. Send texts alone or a table.",
            field="file",
        )


def _chunks(source: Any) -> Iterator[bytes]:
    while chunk := source.read(2**20):
        yield chunk
