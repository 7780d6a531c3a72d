"""Files land whole, in folders that stay small, and nowhere else."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiles.core.errors import ApplicationError, DiskFull
from tiles.core.files import remove_temporary, require_free, temporary_name, write_whole, written_whole
from tiles.core.paths import EXTENSIONS, TILES_PER_FOLDER, area_folder, layer_path, release_folder


def test_a_file_is_there_whole(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "tile_1.png", b"pixels", "1-1")
    assert (tmp_path / "a" / "tile_1.png").read_bytes() == b"pixels"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["tile_1.png"]


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "tile_1.png"
    path.write_bytes(b"old")
    with pytest.raises(TypeError), written_whole(path, "1-1") as file:
        file.writelines([b"half of the new", None])  # type: ignore[list-item]
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_until_the_end_only_the_temporary_name_is_there(tmp_path: Path) -> None:
    path = tmp_path / "tile_1.png"
    with written_whole(path, "7-2") as file:
        file.write(b"new")
        assert not path.exists()
        assert temporary_name(path, "7-2").exists()
    assert path.read_bytes() == b"new"


def test_what_a_dead_writer_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    kept = tmp_path / "tile_1.png"
    kept.write_bytes(b"kept")
    left, other = temporary_name(kept, "7-2"), temporary_name(kept, "8-1")
    left.write_bytes(b"half")
    other.write_bytes(b"half")
    remove_temporary(tmp_path, "7-*")
    assert set(tmp_path.iterdir()) == {kept, other}
    remove_temporary(tmp_path)
    assert set(tmp_path.iterdir()) == {kept}


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [(errno.ENOSPC, DiskFull, "disk is full"), (errno.EACCES, ApplicationError, "cannot be written")],
)
def test_a_full_or_closed_disk_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception], words: str
) -> None:
    def refuse(*_arguments: Any) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(kind, match=words):
        write_whole(tmp_path / "tile_1.png", b"pixels", "1-1")
    assert list(tmp_path.iterdir()) == []


def test_too_little_room_is_said_before_anything_is_written(tmp_path: Path) -> None:
    require_free(tmp_path / "not" / "there" / "yet", 1)
    with pytest.raises(DiskFull, match="nearly full"):
        require_free(tmp_path / "not" / "there" / "yet", 2**62)


@given(st.integers(0, 10**9), st.sampled_from(sorted(EXTENSIONS)))
def test_every_tile_has_one_place_and_no_folder_holds_more_than_its_share(index: int, layer: str) -> None:
    path = layer_path("coast", layer, index)
    assert path.name == f"tile_{index}.{EXTENSIONS[layer]}"
    assert path.is_relative_to(area_folder("coast"))
    first = index // TILES_PER_FOLDER * TILES_PER_FOLDER
    assert path.parent == layer_path("coast", layer, first).parent
    assert path.parent != layer_path("coast", layer, first + TILES_PER_FOLDER).parent
    assert TILES_PER_FOLDER <= 10_000


@pytest.mark.parametrize("slug", ["", "..", "a/b", "../x", "A", "a b", "-a", "a" * 81, "a\n", "a\0"])
def test_no_text_of_a_request_leads_elsewhere(slug: str) -> None:
    for place in (lambda: layer_path(slug, "png", 1), lambda: area_folder(slug), lambda: release_folder(slug)):
        with pytest.raises(ValueError, match="not a slug"):
            place()


@pytest.mark.parametrize(("layer", "index"), [("../png", 1), ("secret", 1), ("png", -1)])
def test_no_other_layer_or_number_has_a_place(layer: str, index: int) -> None:
    with pytest.raises(ValueError, match="no such layer"):
        layer_path("coast", layer, index)
