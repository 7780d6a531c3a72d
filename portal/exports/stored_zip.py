"""A zip writer for big archives of files that are compressed already.

Python's zipfile goes back to patch an entry's header once its data is through, so nothing can be hashed while it is
written. Here size and checksum are known before the first byte: bytes only ever go forward. Entries are stored, in
the order given, all of 1980-01-01 and mode 0644, with zip64 exactly where a number needs it, and nothing that
depends on the machine. Source: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from typing import BinaryIO, Protocol

COPY_BLOCK = 1 << 20
_DAY_ZERO = 0x0021  # 1980-01-01
_UNIX = 3 << 8
_MODE = 0o100644 << 16
_PLAIN, _ZIP64 = 20, 45
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF


Data = bytes | memoryview


class Writable(Protocol):
    def write(self, data: Data, /) -> object: ...


class ChangedWhileRead(Exception):
    """An entry's data is not what was announced; the archive is spoilt."""


class StoredZip:
    """Writes a zip to `out`, front to back. `directory` holds the list of entries meanwhile, in or out of memory."""

    def __init__(self, out: Writable, directory: BinaryIO) -> None:
        self._out = out
        self._directory = directory
        self._position = 0
        self._entries = 0
        self._listed = 0

    @property
    def entries(self) -> int:
        return self._entries

    def size_with(self, files: Iterable[tuple[str, int]]) -> int:
        """Bytes of the whole archive if these files, each a name and its size, were the rest of it."""
        position, listed, entries = self._position, self._listed, self._entries
        for name, size in files:
            path = name.encode("ascii")
            listed += len(_central_header(path, size, 0, position))
            position += len(_local_header(path, size, 0)) + size
            entries += 1
        return position + listed + len(_end(entries, listed, position, position + listed))

    def add(self, name: str, *, size: int, crc: int, blocks: Iterable[Data], at_hand: bool = False) -> None:
        """Append a file of `size` bytes with CRC-32 `crc`. Raises ChangedWhileRead when the blocks are others.

        at_hand: they were in memory when `crc` was worked out, and still are, so that it need not be done again.
        """
        path = name.encode("ascii")
        offset = self._position
        self._write(_local_header(path, size, crc))
        start, found = self._position, crc if at_hand else 0
        for block in blocks:
            self._write(block)
            if not at_hand:
                found = zlib.crc32(block, found)
        if (self._position - start, found) != (size, crc):
            raise ChangedWhileRead(name)
        header = _central_header(path, size, crc, offset)
        self._directory.write(header)
        self._listed += len(header)
        self._entries += 1

    def finish(self) -> int:
        """Write the directory; the archive is whole then. Returns its size in bytes."""
        start = self._position
        self._directory.seek(0)
        while block := self._directory.read(COPY_BLOCK):
            self._write(block)
        self._write(_end(self._entries, self._position - start, start, self._position))
        return self._position

    def _write(self, data: Data) -> None:
        self._out.write(data)
        self._position += len(data)


def _local_header(path: bytes, size: int, crc: int) -> bytes:
    large = size >= _MAX32
    extra = struct.pack("<HHQQ", 1, 16, size, size) if large else b""
    shown = _MAX32 if large else size
    needed = _ZIP64 if large else _PLAIN
    lengths = (len(path), len(extra))
    return struct.pack("<4s5H3I2H", b"PK\3\4", needed, 0, 0, 0, _DAY_ZERO, crc, shown, shown, *lengths) + path + extra


def _central_header(path: bytes, size: int, crc: int, offset: int) -> bytes:
    numbers = [*([size, size] if size >= _MAX32 else []), *([offset] if offset >= _MAX32 else [])]
    extra = struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers) if numbers else b""
    needed = _ZIP64 if numbers else _PLAIN
    shown = min(size, _MAX32)
    head = struct.pack("<4s6H3I", b"PK\1\2", _UNIX | _ZIP64, needed, 0, 0, 0, _DAY_ZERO, crc, shown, shown)
    tail = struct.pack("<5H2I", len(path), len(extra), 0, 0, 0, _MODE, min(offset, _MAX32))
    return head + tail + path + extra


def _end(entries: int, size: int, start: int, position: int) -> bytes:
    """The end of the central directory, `size` bytes long, that began at `start`."""
    numbers = (min(entries, _MAX16), min(entries, _MAX16), min(size, _MAX32), min(start, _MAX32), 0)
    plain = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, *numbers)
    if entries < _MAX16 and size < _MAX32 and start < _MAX32:
        return plain
    record = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, _UNIX | _ZIP64, _ZIP64, 0, 0, entries, entries, size, start)
    return record + struct.pack("<4sIQI", b"PK\6\7", 0, position, 1) + plain
