"""What holds for every layout."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from django.core.management import call_command
from django.db import connection

from portal.exports.croissant import croissant_path
from portal.exports.layouts import LAYOUTS
from portal.exports.layouts.metadata import cell
from portal.exports.models import Release
from portal.exports.services import release_create, release_retry
from tests.support.programs import program
from tests.support.releases import BESIDE, archive_path, left_in, work
from tiles.core.errors import BadInput
from tiles.core.paths import release_folder

from .conftest import SPLITS, manifest

pytestmark = pytest.mark.django_db

RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
CARD = {"README.md", "LICENSE", "CITATION.cff", "manifest.jsonl", "SHA256SUMS"}
every_layout = pytest.mark.parametrize("layout", list(LAYOUTS))
PARQUET_ROLES = {"png": ("image", "bytes"), "dem255": ("depth", "bytes"), "dem": ("heights",), "void": ("void",)}


def content_of(folder: Path, file: dict[str, Any], record: dict[str, Any]) -> bytes:
    """What a file of the manifest holds, be it inside a tar, a zip or a Parquet shard."""
    path = folder / file["path"]
    if "member" not in file:
        return path.read_bytes()
    if path.suffix == ".tar":
        with tarfile.open(path) as shard:
            member = shard.extractfile(file["member"])
            assert member is not None
            return member.read()
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as dataset:
            return dataset.read(file["member"])
    found: Any = next(row for row in pq.read_table(path).to_pylist() if row["key"] == file["member"])
    for name in PARQUET_ROLES[file["role"]]:
        found = found[name]
    return bytes(found)


@every_layout
def test_the_archive_is_what_it_says(
    layout: str, unpacked: Callable[..., Path], splits: None, released: Callable[..., Release]
) -> None:
    folder = unpacked(layout)
    subprocess.run([program("sha256sum"), "--quiet", "--strict", "-c", "SHA256SUMS"], cwd=folder, check=True)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names > CARD
    records = manifest(folder)
    assert [(record["area"], record["index"]) for record in records] == [
        *(("coast", number) for number in range(4)),
        *(("con", number) for number in range(2)),
    ]
    assert [record["split"] for record in records] == [SPLITS[record["index"]] for record in records]
    for record in records:
        for file in record["files"]:
            content = content_of(folder, file, record)
            assert (file["sha256"], file["bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))


@every_layout
def test_its_page_shows_how_to_load_it(
    layout: str, unpacked: Callable[..., Path], signed_in: Callable[..., Any]
) -> None:
    unpacked(layout)
    page = signed_in("viewer").get("/releases/two-v1/").content.decode()
    assert f"Needs {LAYOUTS[layout].needs}; run it" in page
    assert "in the unpacked folder" in page
    described = signed_in("viewer").get("/releases/two-v1/download/croissant.json")
    assert described.content == croissant_path("two-v1").read_bytes()


def test_options_by_the_api(two_areas: None, signed_in: Callable[..., Any]) -> None:
    asked = {"name": "v1", "areas": ["con"], "layout": "mmm-rs", "options": {"jpeg_quality": 70}}
    made = signed_in("curator").post("/api/v1/releases/", asked, content_type="application/json")
    assert (made.status_code, made.json()["options"]) == (201, {"jpeg_quality": 70})


@every_layout
def test_names_suit_windows_too(layout: str, unpacked: Callable[..., Path], splits: None) -> None:
    folder = unpacked(layout)
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*")]
    for path in folder.rglob("*.zip"):
        with zipfile.ZipFile(path) as inner:
            names += inner.namelist()
    for path in folder.rglob("*.tar"):
        with tarfile.open(path) as shard:
            members = shard.getnames()
        names += members
        assert all("." not in name.split(".", 1)[0] and "/" not in name for name in members)
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9._/-]+", name), name
        assert not any(RESERVED.fullmatch(part) or part.endswith(".") for part in name.split("/")), name
    assert len({name.lower() for name in names}) == len(set(names))


@every_layout
def test_same_bytes_again(layout: str, unpacked: Callable[..., Path], splits: None, tmp_path: Path) -> None:
    """By the release once more, and from what lies beside its archive, without the database."""
    unpacked(layout)
    release = Release.objects.get()
    archive, description = archive_path("two-v1").read_bytes(), croissant_path("two-v1").read_bytes()
    archive_path("two-v1").unlink()
    Release.objects.filter(pk=release.pk).update(state=Release.State.FAILED)
    assert work(release_retry(release_id=release.pk, by=None, background=False)).state == Release.State.READY
    assert archive_path("two-v1").read_bytes() == archive
    assert croissant_path("two-v1").read_bytes() == description
    assert left_in(release_folder("two-v1")) == [*BESIDE, "two-v1.zip"]

    def refuse(*_asked: Any) -> Any:
        raise AssertionError("asked the database")

    with connection.execute_wrapper(refuse):
        call_command("rebuild_release", release_folder("two-v1"), out=tmp_path / "rebuilt", stdout=io.StringIO())
    assert (tmp_path / "rebuilt" / "two-v1.zip").read_bytes() == archive


def test_whose_it_is_and_how_it_is_cited(unpacked: Callable[..., Path]) -> None:
    folder = unpacked("csv")
    licences = (folder / "LICENSE").read_text()
    assert "coast\n  Licence: CC BY 4.0\n  Attribution: The surveyors\n" in licences
    cited = yaml.safe_load((folder / "CITATION.cff").read_text())
    assert (cited["cff-version"], cited["type"], cited["title"]) == ("1.2.0", "dataset", "two-v1")
    assert cited["authors"] == [{"name": "The surveyors"}, {"name": "Copernicus"}]
    assert "license" not in cited  # the two areas have different ones


def test_the_card_counts_the_splits(unpacked: Callable[..., Path], splits: None) -> None:
    text = (unpacked("rs3dbench") / "README.md").read_text()
    table = "| area | train | val | test |\n|---|---|---|---|\n| coast | 2 | 1 | 1 |\n| con | 1 | 1 | 0 |\n"
    assert f"## Splits\n\n{table}" in text
    assert "No split is given" not in text


def test_the_description_holds_the_archives_checksum(unpacked: Callable[..., Path]) -> None:
    unpacked("csv")
    described = json.loads(croissant_path("two-v1").read_text())
    archive = archive_path("two-v1").read_bytes()
    assert described["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    held = described["distribution"][0]
    assert (held["contentUrl"], held["sha256"]) == ("two-v1.zip", hashlib.sha256(archive).hexdigest())


@pytest.mark.parametrize(
    ("layout", "options", "message"),
    [
        ("csv", {"jpeg_quality": 90}, "The layout csv has no option 'jpeg_quality'. It has none."),
        ("mmm-rs", {"quality": 90}, "has no option 'quality'. Its options: jpeg_quality."),
        ("mmm-rs", {"jpeg_quality": 101}, "jpeg_quality is a whole number from 50 to 95."),
    ],
)
def test_options_that_cannot_be(
    layout: str, options: dict[str, int], message: str, two_areas: None, curator: Any
) -> None:
    with pytest.raises(BadInput) as refused:
        release_create(name="v1", area_slugs=["con"], layout=layout, options=options, by=curator)
    assert message in refused.value.message
    assert not Release.objects.exists()


def test_more_shards_of_a_smaller_size(
    unpacked: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, splits: None
) -> None:
    monkeypatch.setattr("portal.exports.layouts.shards.MEGABYTE", 1000)
    folder = unpacked("webdataset", shard_megabytes=1)
    index = json.loads((folder / "train-shards.json").read_text())
    assert [shard["nsamples"] for shard in index["shardlist"]] == [1, 1, 1]
    assert [shard["url"] for shard in index["shardlist"]] == [f"train-0000{n}.tar" for n in range(3)]
    with tarfile.open(folder / "train-00001.tar") as shard:
        names = shard.getnames()
        assert all((member.mtime, member.uid, member.mode) == (0, 0, 0o644) for member in shard)
    assert names == [f"coast_tile_3.{end}" for end in ("png", "dem.tif", "dem255.tif", "json", "txt")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("=1", "'=1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@a", "'@a"),
        ("\tx", "'\tx"),
        ("a=1", "a=1"),
        (-1.5, -1.5),
        (-1, -1),
    ],
)
def test_cells_that_a_spreadsheet_would_run(value: Any, expected: Any) -> None:
    assert cell(value) == expected


def test_the_lines_of_a_table_read_back(unpacked: Callable[..., Path], splits: None) -> None:
    folder = unpacked("csv")
    text = (folder / "metadata.csv").read_bytes()
    assert text.count(b"\r") == 0
    rows = list(csv.DictReader(io.StringIO(text.decode(), newline="")))
    assert [row["key"] for row in rows] == [f"coast_tile_{n}" for n in range(4)] + [f"con_tile_{n}" for n in range(2)]
    assert (rows[4]["caption"], rows[4]["category"]) == ("'=SUM(A1)\nA field.", "'=1+1")
    assert rows[3]["caption"] == ""
    assert float(rows[0]["dem_min"]) < float(rows[0]["dem_max"])
    assert rows[0]["synthetic"] == "false"
