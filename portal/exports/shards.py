"""The shards of an archive while it is written: those that are finished, and the one that grows.

In a working folder `00001.zip` is a shard and `00001.jsonl` its journal: a line a member, and one about the shard. A
shard is finished once its journal has that name, and is never written again. The one that grows has temporary names
with its writer's in them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from tiles.core.files import land, sync_folder, temporary_name

from .stored_zip import Data, StoredZip

BLOCK = 1 << 20
_AHEAD = 4
"""Megabytes or files, whichever is more, that wait to be hashed at the most."""
_SYNC_EVERY = 64 * BLOCK
"""Bytes that may wait for the disk: with gigabytes the last fsync would outlast a lease."""
_TAIL = 4096

Fence = Callable[[], AbstractContextManager[None]]
"""Makes a block in which nobody else writes the same archive; entering it raises when somebody else does by now."""


class Member(NamedTuple):
    """A file in an archive: its path below the archive's root folder, bytes, CRC-32 and SHA-256."""

    path: str
    size: int
    crc: int
    sha256: str


@dataclass(frozen=True)
class Shard:
    """A finished shard, numbered from 1."""

    number: int
    path: Path
    journal: Path
    size: int
    sha256: str

    def members(self) -> Iterator[Member]:
        """In their order, read as they are asked for."""
        with self.journal.open("rb") as lines:
            for line in lines:
                found = json.loads(line)
                if isinstance(found, list):
                    yield Member(*found)

    def is_whole(self, on_block: Callable[[], None]) -> bool:
        """Whether the file is still the one that was written. Reads all of it."""
        digest = hashlib.sha256()
        try:
            with self.path.open("rb") as file:
                while block := file.read(BLOCK):
                    on_block()
                    digest.update(block)
        except FileNotFoundError:
            return False
        return digest.hexdigest() == self.sha256


def shards_kept(folder: Path, *, most: int, on_block: Callable[[], None]) -> list[Shard]:
    """The finished shards from the first on, up to one whose bytes are damaged or that was cut to another size."""
    kept: list[Shard] = []
    while (shard := _shard(folder, len(kept) + 1, most)) and shard.is_whole(on_block):
        kept.append(shard)
    return kept


def shards_drop(folder: Path, *, first: int) -> None:
    """Remove the shards from number `first` on. Each loses its journal before its bytes."""
    numbered = sorted(path for path in folder.iterdir() if path.stem.isdecimal() and int(path.stem) >= first)
    for path in numbered:  # .jsonl comes before .zip
        path.unlink(missing_ok=True)


def shard_file(number: int) -> str:
    return f"{number:05}.zip"


def _shard(folder: Path, number: int, most: int) -> Shard | None:
    path = folder / shard_file(number)
    journal = path.with_suffix(".jsonl")
    try:
        with journal.open("rb") as file:
            file.seek(max(journal.stat().st_size - _TAIL, 0))
            about = json.loads(file.read().splitlines()[-1])
        if about["most"] != most:
            return None
        return Shard(number, path, journal, about["size"], about["sha256"])
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        return None


class GrowingShard:
    """A shard that is being written. `most`: the bytes it was meant to have at the most."""

    def __init__(self, folder: Path, number: int, *, root: str, most: int, owner: str, directory: BinaryIO) -> None:
        self._number, self._root, self._most, self._owner = number, root, most, owner
        self._path = folder / shard_file(number)
        self._journal_path = self._path.with_suffix(".jsonl")
        self._file = temporary_name(self._path, owner).open("wb")
        self._journal = temporary_name(self._journal_path, owner).open("wb")
        self._directory = directory
        self._hash = _HashBeside()
        self._sync = _SyncBeside(self._file)
        self._zip = StoredZip(self, directory)

    def takes(self, files: Iterable[tuple[str, int]]) -> bool:
        """Whether these files, each a path and its size, may come into it. The first one always may."""
        named = ((self._named(path), size) for path, size in files)
        return not self._zip.entries or self._zip.size_with(named) <= self._most

    def add(self, member: Member, blocks: Iterable[Data], *, at_hand: bool) -> None:
        """Raises ChangedWhileRead when the blocks are not those of the member. at_hand: as in StoredZip.add."""
        self._zip.add(self._named(member.path), size=member.size, crc=member.crc, blocks=blocks, at_hand=at_hand)
        self._note(list(member))

    def write(self, data: Data) -> None:
        """What the zip writer calls."""
        self._file.write(data)
        self._hash.update(data)
        self._sync.wrote(len(data))

    def commit(self, fence: Fence) -> Shard:
        """End it, wait until the disk has it, and let it be finished if the fence still lets us."""
        size = self._zip.finish()
        sha256 = self._hash.hexdigest()
        self._note({"size": size, "sha256": sha256, "most": self._most})
        self._sync.wait()
        for file in (self._file, self._journal):
            file.flush()
            os.fsync(file.fileno())
        with fence():
            for path in (self._path, self._journal_path):
                land(path, self._owner)
                sync_folder(path.parent)
        self.close()
        return Shard(self._number, self._path, self._journal_path, size, sha256)

    def close(self) -> None:
        """Let go of what is open; the temporary files stay. Can be called twice."""
        self._hash.close()
        self._sync.close()
        for file in (self._file, self._journal, self._directory):
            file.close()

    def _named(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _note(self, line: Any) -> None:
        self._journal.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")


class _SyncBeside:
    """Sends a file to the disk in a thread of its own while it is written, so that little is left to wait for."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._sent: Future[None] | None = None
        self._waiting = 0

    def wrote(self, size: int) -> None:
        """Raises as `wait` does."""
        self._waiting += size
        if self._waiting >= _SYNC_EVERY:
            self.wait()
            self._file.flush()
            self._sent = self._thread.submit(os.fsync, self._file.fileno())
            self._waiting = 0

    def wait(self) -> None:
        """Raises OSError when the disk did not take what was sent: a later fsync would not say so again."""
        if self._sent is not None:
            self._sent.result()

    def close(self) -> None:
        """Before the file is closed."""
        self._thread.shutdown(cancel_futures=True)


class _HashBeside:
    """The SHA-256 of bytes in their order, worked out in a thread of its own while they are written."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._sent: deque[Future[None]] = deque()
        self._batch: list[Data] = []
        self._size = 0

    def update(self, data: Data) -> None:
        self._batch.append(data)
        self._size += len(data)
        if self._size >= BLOCK:
            self._send()

    def hexdigest(self) -> str:
        self._send()
        while self._sent:
            self._sent.popleft().result()
        return self._digest.hexdigest()

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)

    def _send(self) -> None:
        self._sent.append(self._thread.submit(self._hash, self._batch))
        self._batch, self._size = [], 0
        if len(self._sent) > _AHEAD:
            self._sent.popleft().result()

    def _hash(self, batch: list[Data]) -> None:
        for data in batch:
            self._digest.update(data)
