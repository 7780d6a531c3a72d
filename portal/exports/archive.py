"""The sink of a release: one archive that lands whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from tiles.core.files import readable, sync_folder, temporary_name
from tiles.core.paths import release_folder

from .stored_zip import ChangedWhileRead, StoredZip

BLOCK = 1 << 20
SUMS = "SHA256SUMS"
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class NotAsFrozen(Exception):
    """A file is missing, or is not the one that the release froze."""


@dataclass(frozen=True)
class Written:
    """A file of an archive."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Sealed:
    """A whole archive."""

    sha256: str
    size: int


def archive_path(name: str) -> Path:
    """`<data>/releases/<name>/<name>.zip`. Raises ValueError for what is not a slug."""
    return release_folder(name) / f"{name}.zip"


class ArchiveSink:
    """A zip that is being written under a temporary name beside `path`.

    All files go into the folder `root`. After `seal` the archive is whole and on the disk, `land` gives it its name;
    leaving the block without that, for whatever reason, leaves nothing. `on_block` is called at least once a
    megabyte and may raise. A full disk comes out as DiskFull, one that cannot be written as ApplicationError.
    """

    def __init__(self, path: Path, *, root: str, owner: str, on_block: Callable[[], None]) -> None:
        self._path = path
        self._root = root
        self._temporary = temporary_name(path, owner)
        self._on_block = on_block
        self._digest = hashlib.sha256()
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        folder = self._path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self._stack.enter_context(self._temporary.open("wb"))
            self._sums = self.spool()
            self._zip = StoredZip(self, self.spool())
        except OSError as error:
            self._abort()
            raise readable(error, self._path) from error
        return self

    def spool(self) -> BinaryIO:
        """A nameless file for what is gathered while tiles are written; gone with the process."""
        return self._stack.enter_context(tempfile.TemporaryFile(dir=self._path.parent))

    def add(self, path: str, source: BinaryIO | bytes, *, sha256: str = "") -> Written:
        """Append a file. With `sha256` it must be exactly that one; raises NotAsFrozen else.

        The source is read twice, the first time to know its size and checksums.
        """
        file = BytesIO(source) if isinstance(source, bytes) else source
        digest, crc, size = hashlib.sha256(), 0, 0
        for block in self._blocks(file):
            digest.update(block)
            crc = zlib.crc32(block, crc)
            size += len(block)
        written = Written(path, digest.hexdigest(), size)
        if sha256 and sha256 != written.sha256:
            raise NotAsFrozen(path)
        try:
            self._zip.add(f"{self._root}/{path}", size=size, crc=crc, blocks=self._blocks(file))
        except ChangedWhileRead as error:
            raise NotAsFrozen(path) from error
        self._sums.write(f"{written.sha256}  {path}\n".encode("ascii"))
        return written

    def add_file(self, path: str, source: Path, *, sha256: str) -> Written:
        """`add` for a file on the disk. Raises NotAsFrozen also when it is missing."""
        try:
            file = source.open("rb")
        except FileNotFoundError as error:
            raise NotAsFrozen(path) from error
        with file:
            return self.add(path, file, sha256=sha256)

    def seal(self) -> Sealed:
        """Add the checksums of all files, end the archive, and wait until the disk has it."""
        self.add(SUMS, self._sums)
        size = self._zip.finish()
        self._file.flush()
        os.fsync(self._file.fileno())
        return Sealed(self._digest.hexdigest(), size)

    @property
    def temporary(self) -> Path:
        """Where the archive lies until it lands."""
        return self._temporary

    def land(self) -> None:
        """Give the sealed archive its name. Raises FileNotFoundError when somebody removed it meanwhile."""
        self._temporary.replace(self._path)
        sync_folder(self._path.parent)

    def write(self, data: bytes) -> None:
        """What the zip writer calls: to the disk and into the archive's own checksum."""
        self._file.write(data)
        self._digest.update(data)

    def _blocks(self, file: BinaryIO) -> Iterator[bytes]:
        file.seek(0)
        while block := file.read(BLOCK):
            self._on_block()
            yield block

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._abort()
        if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
            raise readable(error, self._path) from error

    def _abort(self) -> None:
        """Close everything; once landed the temporary name is gone, and there is nothing to remove."""
        with contextlib.suppress(OSError):  # the bytes are fsynced already, or not wanted any more
            self._stack.close()
        self._temporary.unlink(missing_ok=True)
