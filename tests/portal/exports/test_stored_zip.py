"""The zip writer against other people's readers."""

from __future__ import annotations

import io
import subprocess
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.exports.stored_zip import ChangedWhileRead, StoredZip
from tests.support.programs import program

NAMES = st.text(alphabet="abcXYZ019-_./ ", min_size=1, max_size=40)
FILES = st.dictionaries(NAMES, st.binary(max_size=2000), max_size=12)


def written(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    archive = StoredZip(out, io.BytesIO())
    for name, content in files.items():
        archive.add(name, size=len(content), crc=zlib.crc32(content), blocks=[content[:7], content[7:]])
    assert archive.finish() == len(out.getvalue())
    return out.getvalue()


@given(files=FILES)
def test_zipfile_reads_what_was_written(files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(written(files))) as archive:
        assert archive.namelist() == list(files)
        assert {name: archive.read(name) for name in archive.namelist()} == files
        assert archive.testzip() is None


def test_nothing_depends_on_the_day_or_the_machine() -> None:
    content = written({"a/b.txt": b"one", "c.txt": b""})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert (entry.compress_type, entry.create_system) == (zipfile.ZIP_STORED, 3)
            assert entry.external_attr == 0o100644 << 16
            assert (entry.extra, entry.comment, entry.flag_bits) == (b"", b"", 0)
    assert content == written({"a/b.txt": b"one", "c.txt": b""})


def test_same_as_zipfile_writes() -> None:
    """For small entries every byte that zipfile writes of its own accord is the same."""
    files = {"a/b.txt": b"one", "c.txt": b"two"}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr, entry.create_system = 0o100644 << 16, 3
            archive.writestr(entry, content)
    ours = bytearray(written(files))
    theirs = out.getvalue()
    start = ours.index(b"PK\1\2")
    for entry in range(2):
        made_by = start + entry * (46 + len("a/b.txt")) + 4
        assert (ours[made_by], theirs[made_by]) == (45, 20)  # which version of the format the writer knows
        ours[made_by] = 20
    assert bytes(ours) == theirs


@pytest.mark.parametrize("blocks", [[b"longer"], [b"shor"], [b"other"], []])
def test_data_that_is_not_what_was_announced(blocks: list[bytes]) -> None:
    archive = StoredZip(io.BytesIO(), io.BytesIO())
    with pytest.raises(ChangedWhileRead):
        archive.add("a", size=5, crc=zlib.crc32(b"short"), blocks=blocks)


@pytest.mark.parametrize(("count", "zip64"), [(65_534, False), (65_535, True), (70_000, True)])
def test_many_entries(count: int, zip64: bool, tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with path.open("wb") as out, tempfile.TemporaryFile() as directory:
        archive = StoredZip(out, directory)
        for number in range(count):
            archive.add(f"{number}.txt", size=0, crc=0, blocks=[])
        archive.finish()
    assert (b"PK\6\6" in path.read_bytes()[-200:]) == zip64
    with zipfile.ZipFile(path) as read:
        assert len(read.namelist()) == count
    subprocess.run([program("unzip"), "-tqq", str(path)], check=True)


class SparseFile(io.RawIOBase):
    """A file in which blocks of zeros take no room on the disk."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def write(self, data: bytes) -> int:  # type: ignore[override]
        if data.count(0) == len(data):
            self._file.seek(len(data), io.SEEK_CUR)
        else:
            self._file.write(data)
        return len(data)

    def close(self) -> None:
        self._file.close()


def zeros(size: int, block: bytes = bytes(1 << 24)) -> Iterator[bytes]:
    while size > 0:
        yield block[:size]
        size -= len(block)


def crc_of_zeros(size: int) -> int:
    crc = 0
    for block in zeros(size):
        crc = zlib.crc32(block, crc)
    return crc


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1 << 32) - 2, (1 << 32) - 1, (1 << 32) + 5])
def test_entries_and_offsets_beyond_four_gibibytes(size: int, tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    out = SparseFile(path)
    archive = StoredZip(out, io.BytesIO())
    archive.add("large.bin", size=size, crc=crc_of_zeros(size), blocks=zeros(size))
    archive.add("after.txt", size=5, crc=zlib.crc32(b"after"), blocks=[b"after"])
    total = archive.finish()
    out.close()
    assert path.stat().st_size == total
    with zipfile.ZipFile(path) as read:
        assert [entry.file_size for entry in read.infolist()] == [size, 5]
        assert read.read("after.txt") == b"after"
    if size != (1 << 32) - 1:  # unzip 6.0 takes that very size, written as zip64 must, for the mark of zip64
        subprocess.run([program("unzip"), "-tqq", str(path)], check=True)
