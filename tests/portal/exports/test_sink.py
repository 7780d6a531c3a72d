"""The sink: shards that are kept, landings that were cut off, and always the same bytes."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.exports.archive import ArchiveSink, KeptDiffers, NotAsFrozen, Sealed, work_folder, work_kept, work_remove
from tests.support.releases import left_in

NAMES = st.text(alphabet="abcXYZ019", min_size=1, max_size=12)
FILES = st.dictionaries(NAMES, st.binary(max_size=900), max_size=12)
LAST = {"README.md": b"All of it.\n" * 20, "LICENSE": b"CC0\n"}


class Cut(Exception):
    """Where a writer dies."""


def sink(folder: Path, *, most: int, owner: str = "1-1") -> ArchiveSink:
    return ArchiveSink(folder, "v1", most=most, owner=owner, on_block=lambda: None, fence=contextlib.nullcontext)


def write(folder: Path, files: Mapping[str, bytes], *, most: int, until: int | None = None) -> Sealed:
    """Write and land an archive; `until`: die before that file, or before landing after the last one."""
    with sink(folder, most=most) as into:
        for number, (path, content) in enumerate(files.items()):
            if number == until:
                raise Cut
            into.add(path, content)
        sealed = into.seal(LAST)
        if until is not None:
            raise Cut
        into.stage("beside.json", b"{}")
        into.land()
    work_remove(folder)
    return sealed


def died(folder: Path, files: Mapping[str, bytes], *, most: int, until: int) -> dict[str, tuple[int, int]]:
    """Let a writer die, and give what marks the finished shards it left."""
    with contextlib.suppress(Cut):
        write(folder, files, most=most, until=until)
    return marks(work_folder(folder), "*.zip")


def marks(folder: Path, pattern: str) -> dict[str, tuple[int, int]]:
    """Name -> inode and time of writing."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.glob(pattern)}


def content_of(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in left_in(folder)}


def members(folder: Path, sealed: Sealed) -> Iterator[tuple[str, bytes]]:
    for file in sealed.files:
        with zipfile.ZipFile(folder / file.name) as archive:
            assert archive.testzip() is None
            for name in archive.namelist():
                yield name, archive.read(name)


@given(files=FILES, most=st.integers(200, 3000), cut=st.integers(0, 12))
def test_whole_whatever_happened(files: dict[str, bytes], most: int, cut: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        calm, disturbed = Path(name) / "calm", Path(name) / "disturbed"
        sealed = write(calm, files, most=most)
        found = dict(members(calm, sealed))
        sums = found.pop("v1/SHA256SUMS").decode()
        assert found == {f"v1/{path}": content for path, content in {**files, **LAST}.items()}
        assert sums == "".join(f"{hashlib.sha256(found[f'v1/{p}']).hexdigest()}  {p}\n" for p in [*files, *LAST])
        kept = died(disturbed, files, most=most, until=cut)
        assert work_kept(disturbed) == sum((work_folder(disturbed) / name).stat().st_size for name in kept)
        assert write(disturbed, files, most=most) == sealed
        assert content_of(disturbed) == content_of(calm)
        landed = [mark for _name, mark in sorted(marks(disturbed, "v1*.zip").items())]
        assert landed[: len(kept)] == [mark for _name, mark in sorted(kept.items())]


def test_shards_have_the_chosen_size_but_for_one_large_file(tmp_path: Path) -> None:
    files = {"a": b"a" * 900, "b": b"b" * 900, "large": b"c" * 5000, "d": b"d" * 10}
    sealed = write(tmp_path, files, most=2200)
    held = {file.name: [path for path, _content in members(tmp_path, Sealed((file,)))] for file in sealed.files}
    assert held == {
        "v1-00001.zip": ["v1/a", "v1/b"],
        "v1-00002.zip": ["v1/large"],
        "v1-00003.zip": ["v1/d", "v1/README.md", "v1/LICENSE", "v1/SHA256SUMS"],
    }
    assert [file.size <= 2200 for file in sealed.files] == [True, False, True]
    assert sealed.size == sum((tmp_path / file.name).stat().st_size for file in sealed.files)
    assert sealed.sha256 == hashlib.sha256(sealed.sums.encode()).hexdigest()
    alone = write(tmp_path / "alone", files, most=1 << 20)
    assert [file.name for file in alone.files] == ["v1.zip"]
    assert alone.sha256 == hashlib.sha256((tmp_path / "alone" / "v1.zip").read_bytes()).hexdigest()


def test_what_tells_of_all_files_is_in_the_last_shard(tmp_path: Path) -> None:
    """They do not fit behind `b` together, so all begin a new one."""
    files = {"a": b"a" * 900, "b": b"b" * 900}
    sealed = write(tmp_path, files, most=2300)
    last = [path for path, _content in members(tmp_path, Sealed(sealed.files[-1:]))]
    assert (len(sealed.files), last) == (2, ["v1/README.md", "v1/LICENSE", "v1/SHA256SUMS"])


FOUR = {name: name.encode() * 1500 for name in "abcd"}


def test_kept_shards_need_no_source(tmp_path: Path) -> None:
    """What is in a finished shard is not read again: the files are gone, and that goes unnoticed."""
    source = tmp_path / "source"
    source.mkdir()
    for name, content in FOUR.items():
        (source / name).write_bytes(content)

    def layers(into: ArchiveSink, until: str = "") -> None:
        for name, content in FOUR.items():
            if name == until:
                raise Cut
            into.add_file(name, source / name, sha256=hashlib.sha256(content).hexdigest())

    out = tmp_path / "out"
    with contextlib.suppress(Cut), sink(out, most=2000) as into:
        layers(into, until="d")
    for name in "ab":
        (source / name).unlink()
    with sink(out, most=2000) as into:
        layers(into)
        into.seal(LAST)
        into.land()
    work_remove(out)
    write(tmp_path / "calm", FOUR, most=2000)
    assert content_of(out) == {n: c for n, c in content_of(tmp_path / "calm").items() if n != "beside.json"}
    with pytest.raises(NotAsFrozen), sink(tmp_path / "other", most=2000) as into:
        layers(into)
    with pytest.raises(NotAsFrozen), sink(tmp_path / "other", most=2000) as into:
        into.add_file("c", source / "c", sha256="0" * 64)
    assert left_in(work_folder(tmp_path / "other")) == []


def test_a_damaged_shard_is_written_again(tmp_path: Path) -> None:
    kept = died(tmp_path / "v", FOUR, most=2000, until=3)
    assert sorted(kept) == ["00001.zip", "00002.zip"]
    shard = work_folder(tmp_path / "v") / "00002.zip"
    shard.write_bytes(shard.read_bytes()[:-1] + b"?")
    write(tmp_path / "v", FOUR, most=2000)
    write(tmp_path / "calm", FOUR, most=2000)
    assert content_of(tmp_path / "v") == content_of(tmp_path / "calm")
    assert marks(tmp_path / "v", "v1-00001.zip")["v1-00001.zip"] == kept["00001.zip"]


@pytest.mark.parametrize("journal", [b"", b"{}\n", b"[1,2]\nnonsense"])
def test_a_journal_that_says_nothing_keeps_nothing(journal: bytes, tmp_path: Path) -> None:
    died(tmp_path / "v", FOUR, most=2000, until=3)
    (work_folder(tmp_path / "v") / "00001.jsonl").write_bytes(journal)
    write(tmp_path / "v", FOUR, most=2000)
    write(tmp_path / "calm", FOUR, most=2000)
    assert content_of(tmp_path / "v") == content_of(tmp_path / "calm")


def test_a_spoilt_line_of_a_journal(tmp_path: Path) -> None:
    died(tmp_path / "v", FOUR, most=2000, until=3)
    journal = work_folder(tmp_path / "v") / "00002.jsonl"
    journal.write_bytes(b"\0" + journal.read_bytes()[1:])
    with pytest.raises(KeptDiffers):
        write(tmp_path / "v", FOUR, most=2000)
    assert left_in(work_folder(tmp_path / "v")) == ["00001.jsonl", "00001.zip"]


def test_shards_of_another_size_are_not_kept(tmp_path: Path) -> None:
    died(tmp_path / "v", FOUR, most=2000, until=3)
    write(tmp_path / "v", FOUR, most=4000)
    write(tmp_path / "calm", FOUR, most=4000)
    assert content_of(tmp_path / "v") == content_of(tmp_path / "calm")


def test_other_content_drops_the_shards_from_there_on(tmp_path: Path) -> None:
    """As another version of a package would make it."""
    kept = died(tmp_path / "v", FOUR, most=2000, until=3)
    other = {**FOUR, "b": b"other" * 300}
    with pytest.raises(KeptDiffers):
        write(tmp_path / "v", other, most=2000)
    assert left_in(work_folder(tmp_path / "v")) == ["00001.jsonl", "00001.zip"]
    write(tmp_path / "v", other, most=2000)
    write(tmp_path / "calm", other, most=2000)
    assert content_of(tmp_path / "v") == content_of(tmp_path / "calm")
    assert marks(tmp_path / "v", "v1-00001.zip")["v1-00001.zip"] == kept["00001.zip"]


@pytest.mark.parametrize("landed", [1, 2, 5])
def test_a_landing_that_was_cut_off(landed: int, tmp_path: Path) -> None:
    died(tmp_path / "v", FOUR, most=2000, until=5)
    work = work_folder(tmp_path / "v")
    shards = sorted(work.glob("*.zip"))
    before = [path.stat().st_ino for path in shards]
    for path in shards[:landed]:
        path.rename(tmp_path / "v" / f"v1-{path.name}")
    sealed = write(tmp_path / "v", FOUR, most=2000)
    write(tmp_path / "calm", FOUR, most=2000)
    assert content_of(tmp_path / "v") == content_of(tmp_path / "calm")
    assert [(tmp_path / "v" / file.name).stat().st_ino for file in sealed.files] == before


def test_large_files_are_not_held_in_memory(tmp_path: Path) -> None:
    """A file of 40 MB on the disk is read block by block, and comes out the same."""
    large = tmp_path / "large"
    with large.open("wb") as file:
        for number in range(40):
            file.write(os.urandom(1 << 10) * 1024 if number % 2 else bytes(1 << 20))
    digest = hashlib.sha256(large.read_bytes()).hexdigest()
    with sink(tmp_path / "v", most=10 << 20) as into:
        into.add_file("large", large, sha256=digest)
        into.add("small", io.BytesIO(b"small"))
        sealed = into.seal(LAST)
        into.land()
    found = dict(members(tmp_path / "v", sealed))
    assert hashlib.sha256(found["v1/large"]).hexdigest() == digest
    assert found["v1/small"] == b"small"
