"""The sink of a release: whole shards are kept, and the archive lands whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from tiles.core.files import readable, remove_temporary, sync_folder, temporary_name

from .shards import BLOCK, Fence, GrowingShard, Member, Shard, shard_file, shards_drop, shards_kept
from .stored_zip import ChangedWhileRead, Data

SUMS = "SHA256SUMS"
WORK = ".parts"
MEGABYTE = 1_000_000
_AT_ONCE = 16 * BLOCK
"""Layers up to this many bytes are read once, into memory; all else twice, first for its checksums."""
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class NotAsFrozen(Exception):
    """A file is missing, or is not the one that the release froze."""


class KeptDiffers(Exception):
    """What an earlier try left is not what this one writes, from shard `number` on: begin again without it."""

    def __init__(self, number: int) -> None:
        super().__init__(f"shard {number} differs")
        self.number = number


@dataclass(frozen=True)
class SealedFile:
    """A file that people download."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Sealed:
    """A whole archive: one file, or several that unpack into the same folder."""

    files: tuple[SealedFile, ...]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def sums(self) -> str:
        """What `sha256sum -c` reads."""
        return "".join(f"{file.sha256}  {file.name}\n" for file in self.files)

    @property
    def sha256(self) -> str:
        """That of the only file; else that of `sums`."""
        return self.files[0].sha256 if len(self.files) == 1 else hashlib.sha256(self.sums.encode()).hexdigest()


def archive_names(name: str, count: int) -> list[str]:
    """`<name>.zip`, or `<name>-00001.zip` and on."""
    return [f"{name}.zip"] if count == 1 else [f"{name}-{shard_file(number)}" for number in range(1, count + 1)]


def work_folder(folder: Path) -> Path:
    """Where shards grow before they land in `folder`."""
    return folder / WORK


def work_kept(folder: Path) -> int:
    """Bytes of the finished shards that wait to land in `folder`."""
    shards = [journal.with_suffix(".zip") for journal in work_folder(folder).glob("[0-9]*.jsonl")]
    return sum(shard.stat().st_size for shard in shards if shard.exists())


def work_remove(folder: Path) -> None:
    """Remove all that was not landed in `folder`. Can be called twice."""
    shutil.rmtree(work_folder(folder), ignore_errors=True)


class ArchiveSink:
    """An archive that is being written to land in `folder` as `<name>.zip`, or in shards of at most `most` bytes.

    All files go into the folder `name`, in the order given. A shard that is full is committed inside `fence`, and
    stays whatever happens. A later sink for the same archive takes what it is given first for what these hold, and
    neither reads nor writes it again; it raises KeptDiffers where that is not so, and the shards from there on are
    gone then: begin again. After `seal` the archive is whole and on the disk, `land` gives its files their names.
    Leaving the block before leaves finished shards only. `on_block` is called at least once a megabyte and may raise.
    A full disk comes out as DiskFull, one that cannot be written as ApplicationError.
    """

    def __init__(
        self, folder: Path, name: str, *, most: int, owner: str, on_block: Callable[[], None], fence: Fence
    ) -> None:
        self._folder, self._work = folder, work_folder(folder)
        self._name, self._most, self._owner = name, most, owner
        self._on_block, self._fence = on_block, fence
        self._stack = contextlib.ExitStack()
        self._shards: list[Shard] = []
        self._growing: GrowingShard | None = None
        self._closing = False
        self._beside: list[str] = []

    def __enter__(self) -> Self:
        try:
            self._work.mkdir(parents=True, exist_ok=True)
            self._sums = self.spool()
            with self._fence():
                self._take_back()
            self._shards = shards_kept(self._work, most=self._most, on_block=self._on_block)
            self._again = self._kept_members(tuple(self._shards))
            with self._fence():
                shards_drop(self._work, first=len(self._shards) + 1)
        except BaseException as error:
            self._abort()
            if isinstance(error, OSError):
                raise readable(error, self._folder / self._name) from error
            raise
        return self

    @property
    def shards(self) -> tuple[Shard, ...]:
        """Those that are finished, in their order; all of them once it is sealed."""
        return tuple(self._shards)

    def spool(self) -> BinaryIO:
        """A nameless file for what is gathered while tiles are written; gone with the process."""
        return self._stack.enter_context(tempfile.TemporaryFile(dir=self._work))

    def add(self, path: str, source: BinaryIO | bytes) -> Member:
        """Append a file."""
        return self._add(path, source, sha256="")

    def add_file(self, path: str, source: Path, *, sha256: str) -> Member:
        """Append a file on the disk. Raises NotAsFrozen when it is missing, or not the one with that checksum.

        What an earlier try has put into a shard is not looked at again.
        """
        kept = next(self._again, None)
        if kept is not None:
            number, member = kept
            self._on_block()
            if (member.path, member.sha256) != (path, sha256):
                raise KeptDiffers(number)
            return self._sum(member)
        try:
            file = source.open("rb")
        except FileNotFoundError as error:
            raise NotAsFrozen(path) from error
        with file:
            at_once = _size(file) <= _AT_ONCE
            file.seek(0)
            return self._add(path, file.read() if at_once else file, sha256=sha256)

    def seal(self, last: Mapping[str, BinaryIO | bytes]) -> Sealed:
        """Append `last` and the checksums of all files, all in one shard, and wait until the disk has the archive."""
        self._closing = True
        sizes = [(path, _size(source)) for path, source in last.items()]
        lines = sum(len(_sum_line(Member(path, size, 0, "0" * 64))) for path, size in sizes)
        if self._growing and not self._growing.takes([*sizes, (SUMS, self._sums.tell() + lines)]):
            self._commit()
        for path, source in last.items():
            self.add(path, source)
        self.add(SUMS, self._sums)
        if self._growing:
            self._commit()
        names = archive_names(self._name, len(self._shards))
        files = zip(names, self._shards, strict=True)
        return Sealed(tuple(SealedFile(name, shard.size, shard.sha256) for name, shard in files))

    def stage(self, name: str, source: BinaryIO | bytes) -> None:
        """Put on the disk what will land beside the archive as `name`."""
        with temporary_name(self._work / name, self._owner).open("wb") as file:
            for block in self._blocks(source):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        self._beside.append(name)

    def land(self) -> None:
        """Give the sealed archive and what is beside it their names. Inside a fence.

        Raises FileNotFoundError when somebody removed them meanwhile.
        """
        for name in self._beside:
            temporary_name(self._work / name, self._owner).replace(self._folder / name)
        for shard, name in zip(self._shards, archive_names(self._name, len(self._shards)), strict=True):
            shard.path.replace(self._folder / name)
        sync_folder(self._folder)

    def _add(self, path: str, content: BinaryIO | bytes, *, sha256: str) -> Member:
        digest, crc, size = hashlib.sha256(), 0, 0
        for block in self._blocks(content):
            digest.update(block)
            crc = zlib.crc32(block, crc)
            size += len(block)
        member = Member(path, size, crc, digest.hexdigest())
        if sha256 and sha256 != member.sha256:
            raise NotAsFrozen(path)
        kept = next(self._again, None)
        if kept is None:
            self._append(member, content)
        elif kept[1] != member:
            raise KeptDiffers(kept[0])
        return self._sum(member)

    def _append(self, member: Member, content: BinaryIO | bytes) -> None:
        if self._growing and not (self._closing or self._growing.takes([(member.path, member.size)])):
            self._commit()
        if self._growing is None:
            self._growing = GrowingShard(
                self._work,
                len(self._shards) + 1,
                root=self._name,
                most=self._most,
                owner=self._owner,
                directory=self.spool(),
            )
            self._stack.callback(self._growing.close)
        try:
            self._growing.add(member, self._blocks(content), at_hand=isinstance(content, bytes))
        except ChangedWhileRead as error:
            raise NotAsFrozen(member.path) from error

    def _sum(self, member: Member) -> Member:
        self._sums.write(_sum_line(member))
        return member

    def _commit(self) -> None:
        if self._growing:
            self._shards.append(self._growing.commit(self._fence))
            self._growing = None

    def _kept_members(self, shards: tuple[Shard, ...]) -> Iterator[tuple[int, Member]]:
        for shard in shards:
            try:
                for member in shard.members():
                    yield shard.number, member
            except (ValueError, TypeError) as error:  # a journal that the disk spoilt
                raise KeptDiffers(shard.number) from error

    def _take_back(self) -> None:
        """Undo a landing that was cut off: its shards go back to their journals."""
        for journal in self._work.glob("[0-9]*.jsonl"):
            shard, number = journal.with_suffix(".zip"), int(journal.stem)
            for name in (f"{self._name}-{shard.name}", *((f"{self._name}.zip",) if number == 1 else ())):
                landed = self._folder / name
                if landed.exists() and not shard.exists():
                    landed.replace(shard)

    def _blocks(self, content: BinaryIO | bytes) -> Iterator[Data]:
        if isinstance(content, bytes):
            whole = memoryview(content)
            for start in range(0, len(whole), BLOCK):
                self._on_block()
                yield whole[start : start + BLOCK]
            return
        content.seek(0)
        while block := content.read(BLOCK):
            self._on_block()
            yield block

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._abort()
        if isinstance(error, KeptDiffers):
            with self._fence():
                shards_drop(self._work, first=error.number)
        if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
            raise readable(error, self._folder / self._name) from error

    def _abort(self) -> None:
        """Close everything, and remove what is not finished."""
        with contextlib.suppress(OSError):  # the bytes are fsynced already, or not wanted any more
            self._stack.close()
        remove_temporary(self._work, owner=self._owner)


def _sum_line(member: Member) -> bytes:
    return f"{member.sha256}  {member.path}\n".encode("ascii")


def _size(source: BinaryIO | bytes) -> int:
    return len(source) if isinstance(source, bytes) else source.seek(0, os.SEEK_END)
