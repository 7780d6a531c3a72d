"""The files inside the archive of a release: found, listed and read one by one, without unpacking it.

Entries are stored as they are, so a file is a range of bytes of the archive. Where each lies is read once from the
lists of the zips into a small database beside the archive, which is made again when it is not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tiles.core.errors import Gone, NotFound
from tiles.core.files import readable, temporary_name

from .keeping import members_path
from .models import Release, ReleaseFile
from .stores import archive_open
from .zip_reading import NotAStoredZip, data_start, zip_entries

SUMS = "SHA256SUMS"
FORMAT = 1
PAGE = 200
_BATCH = 5_000
_BEHIND_ALL = "\U0010ffff"
_TABLES = """
CREATE TABLE member (path TEXT PRIMARY KEY, folder TEXT NOT NULL, archive INTEGER NOT NULL, header INTEGER NOT NULL,
    size INTEGER NOT NULL, sha256 TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE folder (path TEXT PRIMARY KEY, parent TEXT NOT NULL, files INTEGER NOT NULL, size INTEGER NOT NULL)
    WITHOUT ROWID;
"""
_INDEXES = f"CREATE INDEX in_folder ON member (folder, path); PRAGMA user_version = {FORMAT};"


@dataclass(frozen=True)
class Member:
    """A file inside. archive: position of the zip that holds it. header: where its entry begins there."""

    path: str
    archive: int
    header: int
    size: int
    sha256: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Folder:
    """path ends with a slash. files, size: of all that is in it, however deep."""

    path: str
    files: int
    size: int


@dataclass(frozen=True)
class Listing:
    """A page of files, in the order of their paths. after: the path behind which the next page begins, or ""."""

    members: list[Member]
    after: str


def members_page(release: Release, *, under: str = "", after: str = "", size: int = PAGE) -> Listing:
    """The files whose path begins with `under`. Raises NotFound, Gone."""
    with _index(release) as index:
        begin = "path > ?" if after >= under and after else "path >= ?"
        rows = _rows(index, f"{begin} AND path < ?", (max(after, under), under + _BEHIND_ALL), size + 1)
    return _listing(rows, size)


def folder_page(release: Release, folder: str, *, after: str = "", size: int = PAGE) -> tuple[list[Folder], Listing]:
    """What lies in a folder itself ("" for the outermost): its folders, and a page of its files.

    Raises NotFound, Gone.
    """
    with _index(release) as index:
        folders = index.execute("SELECT path, files, size FROM folder WHERE parent = ? ORDER BY path", (folder,))
        inner = [Folder(*row) for row in folders]
        listing = _listing(_rows(index, "folder = ? AND path > ?", (folder, after), size + 1), size)
    if folder and not (inner or listing.members or after):
        raise NotFound(f"{release.name} has no such folder. Look at the list of its files.")
    return inner, listing


def member_find(release: Release, path: str) -> Member:
    """Raises NotFound, Gone."""
    with _index(release) as index:
        found = _rows(index, "path = ?", (path,), 1)
    if not found:
        raise NotFound(f"{release.name} has no such file. Look at the list of its files.")
    return found[0]


def member_open(release: Release, member: Member) -> tuple[BinaryIO, int]:
    """The archive that holds a file, open, and where the file's bytes begin in it. Raises NotFound, Suspended."""
    archive = archive_open(release, release.files.get(position=member.archive))
    try:
        return archive, data_start(archive, member.header)
    except NotAStoredZip as error:
        archive.close()
        raise damaged(release) from error
    except BaseException:
        archive.close()
        raise


def require_archive(release: Release) -> None:
    """Raise NotFound where there is no archive yet, Gone where there is none any more."""
    if release.archive_removed_at:
        raise Gone(
            f"The archive of {release.name} was removed on {release.archive_removed_at:%Y-%m-%d} to free its disk. "
            "Its manifest and checksums are kept: see its page."
        )
    if not release.has_archive:
        raise NotFound(f"{release.name} is not ready yet. Look at its page.")


def missing(release: Release) -> NotFound:
    return NotFound(f"The archive of {release.name} is missing from the data folder. Tell whoever runs this site.")


def damaged(release: Release) -> NotFound:
    return NotFound(f"The archive of {release.name} is damaged. Tell whoever runs this site.")


@contextlib.contextmanager
def _index(release: Release) -> Iterator[sqlite3.Connection]:
    require_archive(release)
    path = members_path(release.name)
    if not path.is_file():
        _index_make(release, path)
    # Nobody writes to it: a new one is put in its place.
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as index:
        yield index


def _rows(index: sqlite3.Connection, where: str, values: tuple[object, ...], size: int) -> list[Member]:
    columns = "path, archive, header, size, sha256"
    order = f"SELECT {columns} FROM member WHERE {where} ORDER BY path LIMIT {size}"  # noqa: S608 only values are typed
    return [Member(*row) for row in index.execute(order, values)]


def _listing(rows: list[Member], size: int) -> Listing:
    return Listing(rows[:size], rows[size - 1].path if len(rows) > size else "")


def _index_make(release: Release, path: Path) -> None:
    temporary = temporary_name(path, f"{os.getpid()}-{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(temporary, isolation_level=None)) as index:
            index.execute("PRAGMA journal_mode = OFF")
            index.execute("PRAGMA synchronous = OFF")
            index.executescript(_TABLES)
            index.execute("BEGIN")
            for file in release.files.all():
                _archive_note(index, release, file)
            _folders_note(index)
            index.execute("COMMIT")
            index.executescript(_INDEXES)
        temporary.replace(path)
    except FileNotFoundError as error:
        raise missing(release) from error
    except (NotAStoredZip, ValueError) as error:
        raise damaged(release) from error
    except OSError as error:
        raise readable(error, path) from error
    finally:
        temporary.unlink(missing_ok=True)


def _archive_note(index: sqlite3.Connection, release: Release, file: ReleaseFile) -> None:
    """Put the list of one zip into the index, and the checksums where it holds them. One thing at a time in memory."""
    root, batch = f"{release.name}/", []
    with archive_open(release, file) as archive:
        for entry in zip_entries(archive):
            path = entry.name.removeprefix(root)
            batch.append((path, _folder_of(path), file.position, entry.header, entry.size, ""))
            if len(batch) == _BATCH:
                index.executemany("INSERT OR REPLACE INTO member VALUES (?, ?, ?, ?, ?, ?)", batch)
                batch.clear()
        index.executemany("INSERT OR REPLACE INTO member VALUES (?, ?, ?, ?, ?, ?)", batch)
        sums = _rows(index, "path = ? AND archive = ?", (SUMS, file.position), 1)
        if sums:
            _sums_note(index, archive, sums[0])


def _sums_note(index: sqlite3.Connection, archive: BinaryIO, sums: Member) -> None:
    archive.seek(data_start(archive, sums.header))
    digest, left = hashlib.sha256(), sums.size
    while left:
        line = archive.readline(left)
        if not line:
            raise NotAStoredZip("the checksums are cut off")
        left -= len(line)
        digest.update(line)
        sha256, _, path = line.decode("ascii").rstrip("\n").partition("  ")
        index.execute("UPDATE member SET sha256 = ? WHERE path = ?", (sha256, path))
    index.execute("UPDATE member SET sha256 = ? WHERE path = ?", (digest.hexdigest(), SUMS))


def _folders_note(index: sqlite3.Connection) -> None:
    """Folders that hold files, and those around them, each with the sum of what is in it."""
    totals: dict[str, list[int]] = {}
    for folder, files, size in index.execute("SELECT folder, COUNT(*), SUM(size) FROM member GROUP BY folder"):
        around = folder
        while around:
            total = totals.setdefault(around, [0, 0])
            total[0] += files
            total[1] += size
            around = _folder_of(around.rstrip("/"))
    rows = [(path, _folder_of(path.rstrip("/")), *total) for path, total in totals.items()]
    index.executemany("INSERT INTO folder VALUES (?, ?, ?, ?)", rows)


def _folder_of(path: str) -> str:
    """What the path is in, with a slash at its end; "" for the outermost."""
    return path[: path.rfind("/") + 1]
