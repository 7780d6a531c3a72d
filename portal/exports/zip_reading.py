"""Reading the list of a zip of stored entries, wherever it lies: on the disk, or on a store that gives ranges.

Python's zipfile keeps an object an entry in memory, which for 200,000 of them takes seconds and over a hundred
megabytes. Here entries come one by one. Source: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

BLOCK = 1 << 20
LOCAL = 30
"""Bytes of an entry's own header, without its name and what follows that."""
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_MOST_COMMENT = 0xFFFF


class NotAStoredZip(Exception):
    """It is damaged, or not a zip whose entries are stored as they are."""


@dataclass(frozen=True)
class ZipEntry:
    """header: where the entry begins in the archive; its data follows that header. size: bytes of the data."""

    name: str
    header: int
    size: int
    crc: int


def zip_entries(file: BinaryIO) -> Iterator[ZipEntry]:
    """The entries of a seekable file, in the order of its directory. Raises NotAStoredZip."""
    count, start, left = _directory(file)
    file.seek(start)
    held, place = b"", 0
    for _entry in range(count):
        while len(held) - place < _CENTRAL.size or len(held) - place < _length(held, place):
            block = file.read(min(BLOCK, left))
            if not block:
                raise NotAStoredZip("the directory is cut off")
            held, place, left = held[place:] + block, 0, left - len(block)
        yield _entry_of(held, place)
        place += _length(held, place)


def data_start(file: BinaryIO, entry: int) -> int:
    """Where the data of an entry begins whose header stands at `entry`. Raises NotAStoredZip."""
    file.seek(entry)
    head = file.read(LOCAL)
    if len(head) < LOCAL or head[:4] != b"PK\3\4" or head[8:10] != b"\0\0":
        raise NotAStoredZip("an entry is not where the directory says")
    name, extra = struct.unpack("<2H", head[26:30])
    return entry + LOCAL + int(name) + int(extra)


def _directory(file: BinaryIO) -> tuple[int, int, int]:
    """Number of entries, where their list begins, and its bytes."""
    whole = file.seek(0, os.SEEK_END)
    tail_start = max(whole - _END.size - _MOST_COMMENT, 0)
    file.seek(tail_start)
    tail = file.read(whole - tail_start)
    place = tail.rfind(b"PK\5\6")
    if place < 0 or place + _END.size > len(tail):
        raise NotAStoredZip("it has no directory")
    _sign, _disk, _first, _here, count, size, start, _comment = _END.unpack_from(tail, place)
    if count == _MAX16 or _MAX32 in (size, start):
        return _directory64(file, tail_start + place - _LOCATOR.size)
    return count, start, size


def _directory64(file: BinaryIO, locator: int) -> tuple[int, int, int]:
    if locator < 0:
        raise NotAStoredZip("it has no directory")
    file.seek(locator)
    sign, _disk, place, _disks = _LOCATOR.unpack(file.read(_LOCATOR.size))
    if sign != b"PK\6\7":
        raise NotAStoredZip("it has no directory")
    file.seek(place)
    sign, *_rest, count, size, start = _END64.unpack(file.read(_END64.size))
    if sign != b"PK\6\6":
        raise NotAStoredZip("it has no directory")
    return count, start, size


def _length(held: bytes, place: int) -> int:
    name, extra, comment = struct.unpack_from("<3H", held, place + 28)
    return _CENTRAL.size + int(name) + int(extra) + int(comment)


def _entry_of(held: bytes, place: int) -> ZipEntry:
    fields = _CENTRAL.unpack_from(held, place)
    sign, method, crc, packed, size = fields[0], fields[4], *fields[7:10]
    if sign != b"PK\1\2" or method != 0 or packed != size:
        raise NotAStoredZip("its entries are not stored as they are")
    name_start = place + _CENTRAL.size
    name_end, header = name_start + fields[10], fields[16]
    if _MAX32 in (size, header):
        numbers = _zip64(held[name_end : name_end + fields[11]])
        if size == _MAX32:
            size = next(numbers)
            next(numbers)  # the same, packed
        if header == _MAX32:
            header = next(numbers)
    return ZipEntry(held[name_start:name_end].decode("utf-8"), header, size, crc)


def _zip64(extra: bytes) -> Iterator[int]:
    """The numbers that did not fit, in their order."""
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, place)
        if kind == 1:
            yield from struct.unpack_from(f"<{length // 8}Q", extra, place + 4)
        place += 4 + length
