"""Releases whose archive is cut into shards, and archives that are written again without the database."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from portal.exports.archive import work_folder
from portal.exports.jobs import ReleaseJob
from portal.exports.models import Release
from portal.exports.services import release_cancel, release_create, release_resume, release_retry, require_room
from tests.support.disk import SmallDisk
from tests.support.factories import make_area, make_tile
from tests.support.programs import program
from tests.support.releases import BESIDE, job_of, left_in, work
from tiles.core.errors import BadInput, DiskFull
from tiles.core.paths import layer_path, release_folder
from tiles.jobs.leases import Stopped
from tiles.jobs.runner import chunk_lease, chunk_run
from tiles.jobs.sweep import sweep
from tiles.models import Job, JobChunk, TilePair

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)

TILES, WIDE = 5, 256
FILES = ["v1-00001.zip", "v1-00002.zip", "v1-00003.zip"]


@pytest.fixture
def wide(data_folder: Path, approve: Callable[[TilePair], None]) -> list[TilePair]:
    """An area whose five tiles are noise: half a megabyte each."""
    area = make_area("wide", tile_size=WIDE)
    noise = np.random.default_rng(3)
    tiles = []
    for index in range(TILES):
        heights = noise.random((WIDE, WIDE), np.float32) * 1000
        colours = noise.integers(0, 256, (WIDE, WIDE, 3), np.uint8)
        tiles.append(make_tile(area, index, heights=heights, colours=colours))
        approve(tiles[-1])
    return tiles


@pytest.fixture
def begun(wide: list[TilePair], curator: Any) -> Release:
    """A release whose writer was stopped as soon as its first shard was finished."""
    release = release_create(name="v1", area_slugs=["wide"], shard_megabytes=1, by=curator, background=False)
    lease = chunk_lease(release.job_id)
    assert lease is not None
    journal = work_folder(release_folder("v1")) / "00001.jsonl"

    def beat() -> None:
        if journal.exists():
            raise Stopped

    lease.beat = beat  # type: ignore[method-assign]
    chunk_run(lease)
    assert left_in(journal.parent) == ["00001.jsonl", "00001.zip"]
    return release


def test_a_large_archive_is_cut(wide: list[TilePair], released: Callable[..., Release], tmp_path: Path) -> None:
    release = released("v1", "wide", shard_megabytes=1)
    folder = release_folder("v1")
    assert left_in(folder) == [*BESIDE, *FILES]
    files = list(release.files.values_list("position", "name", "size", "sha256"))
    assert [(position, name) for position, name, _size, _sha in files] == list(enumerate(FILES))
    for _position, name, size, sha256 in files:
        content = (folder / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (size, sha256)
        assert size <= 1_000_000
        with zipfile.ZipFile(folder / name) as archive:
            assert archive.testzip() is None
            archive.extractall(tmp_path)
    listed = "".join(f"{sha256}  {name}\n" for _position, name, _size, sha256 in files)
    assert release.sha256 == hashlib.sha256(listed.encode()).hexdigest()
    assert release.size == sum(size for _position, _name, size, _sha in files)
    subprocess.run([program("sha256sum"), "--quiet", "--strict", "-c", "SHA256SUMS"], cwd=tmp_path / "v1", check=True)
    assert (folder / "manifest.jsonl").read_bytes() == (tmp_path / "v1/manifest.jsonl").read_bytes()
    described = json.loads((folder / "croissant.json").read_text())["distribution"]
    assert [(one["contentUrl"], one["sha256"]) for one in described[:-1]] == [(f[1], f[3]) for f in files]
    assert described[-1]["containedIn"] == {"@id": described[-2]["@id"]}
    with zipfile.ZipFile(folder / FILES[-1]) as last:
        assert "v1/manifest.jsonl" in last.namelist()


def test_all_files_are_placed(wide: list[TilePair], tmp_path: Path) -> None:
    out = tmp_path / "out"
    call_command(
        "export_release", "v1", "--area", "wide", "--shard-megabytes", "1", "--out", str(out), stdout=StringIO()
    )
    assert left_in(out) == sorted(["v1.croissant.json", *FILES, *(f"{name}.sha256" for name in FILES)])
    for name in FILES:
        subprocess.run([program("sha256sum"), "--quiet", "-c", f"{name}.sha256"], cwd=out, check=True)
    Release.objects.all().delete()
    with pytest.raises(CommandError, match=r"v1-00001.zip is there already"):
        call_command("export_release", "v1", "--area", "wide", "--out", str(out))


@pytest.mark.parametrize("megabytes", [0, -1, 1_000_001])
def test_sizes_that_cannot_be(megabytes: int, wide: list[TilePair], curator: Any, signed_in: Any) -> None:
    with pytest.raises(BadInput, match="has from 1 to 1,000,000 megabytes"):
        release_create(name="v1", area_slugs=["wide"], shard_megabytes=megabytes, by=curator)
    asked = {"name": "v1", "areas": ["wide"], "shard_megabytes": megabytes}
    answer = signed_in("curator").post("/api/v1/releases/", asked, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_shard_size")


def test_the_size_by_the_page_and_the_api(wide: list[TilePair], signed_in: Any) -> None:
    client = signed_in("curator")
    asked = {"name": "v1", "areas": ["wide"], "shard_megabytes": 7}
    made = client.post("/api/v1/releases/", asked, content_type="application/json").json()
    assert made["shard_megabytes"] == 7
    page = client.get("/releases/new/").content.decode()
    assert 'name="shard_megabytes" value="4000"' in page
    for name, megabytes, expected in (("v2", "9", 9), ("v3", "", 4000)):
        form = {"name": name, "area": "wide", "layout": "rs3dbench", "client_id": str(uuid4())}
        form["shard_megabytes"] = megabytes
        assert client.post("/releases/new/", form).status_code == 302
        assert Release.objects.get(name=name).shard_megabytes == expected


@committed
def test_a_stopped_writer_goes_on(begun: Release) -> None:
    kept = (work_folder(release_folder("v1")) / "00001.zip").stat()
    layer_path("wide", "dem", 0).unlink()  # in the finished shard, so nobody reads it again
    assert work(begun).state == Release.State.READY
    assert left_in(release_folder("v1")) == [*BESIDE, *FILES]
    landed = (release_folder("v1") / FILES[0]).stat()
    assert (landed.st_ino, landed.st_mtime_ns) == (kept.st_ino, kept.st_mtime_ns)
    assert (job_of(begun).done, job_of(begun).state) == (TILES, Job.State.DONE)


@committed
def test_a_death_after_landing_leaves_no_journal(begun: Release) -> None:
    """The release is ready, but its writer died before it could close its chunk."""
    lease = chunk_lease(begun.job_id)
    assert lease is not None
    ReleaseJob().run(lease)
    begun.refresh_from_db()
    assert begun.state == Release.State.READY
    landed = (release_folder("v1") / FILES[0]).stat()
    JobChunk.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    sweep()
    assert work(begun).state == Release.State.READY
    assert job_of(begun).state == Job.State.DONE
    assert left_in(release_folder("v1")) == [*BESIDE, *FILES]
    assert (release_folder("v1") / FILES[0]).stat().st_ino == landed.st_ino


@committed
def test_a_cancelled_release_keeps_no_shard(begun: Release, curator: Any) -> None:
    release_cancel(release_id=begun.pk, by=curator)
    begun.refresh_from_db()
    assert begun.state == Release.State.FAILED
    assert not release_folder("v1").exists()
    assert work(release_retry(release_id=begun.pk, by=curator, background=False)).state == Release.State.READY
    assert left_in(release_folder("v1")) == [*BESIDE, *FILES]


@committed
def test_a_release_that_fails_midway_keeps_no_shard(begun: Release) -> None:
    layer_path("wide", "dem", 4).write_bytes(b"something else")
    assert work(begun).state == Release.State.FAILED
    assert not release_folder("v1").exists()


@committed
def test_a_full_disk_keeps_what_is_finished(begun: Release, curator: Any, settings: Any) -> None:
    enough, settings.DEMETER_MIN_FREE = settings.DEMETER_MIN_FREE, 1 << 60
    assert (work(begun).state, job_of(begun).state) == (Release.State.BUILDING, Job.State.PAUSED)
    assert left_in(work_folder(release_folder("v1"))) == ["00001.jsonl", "00001.zip"]
    settings.DEMETER_MIN_FREE = enough
    release_resume(release_id=begun.pk, by=curator)
    assert work(begun).state == Release.State.READY


@committed
def test_a_disk_that_fills_up_midway(begun: Release, disk: SmallDisk, curator: Any, settings: Any) -> None:
    """Really full, in the middle of the second shard."""
    shutil.copytree(settings.DEMETER_DATA, disk.folder, dirs_exist_ok=True)
    settings.DEMETER_DATA, settings.DEMETER_MIN_FREE = disk.folder, 0
    lease = chunk_lease(begun.job_id)
    assert lease is not None
    room = iter([True])

    def beat() -> None:
        if next(room, False):  # the job has looked whether there is room, and there was
            disk.fill(leave=400_000)

    lease.beat = beat  # type: ignore[method-assign]
    chunk_run(lease)
    assert (job_of(begun).state, job_of(begun).error[:16]) == (Job.State.PAUSED, "The disk is full")
    assert left_in(work_folder(release_folder("v1"))) == ["00001.jsonl", "00001.zip"]
    disk.make_room()
    release_resume(release_id=begun.pk, by=curator)
    assert work(begun).state == Release.State.READY
    assert left_in(release_folder("v1")) == [*BESIDE, *FILES]


def test_finished_shards_need_no_room(begun: Release) -> None:
    begun.planned_size = 1 << 43
    with pytest.raises(DiskFull):
        require_room(begun)
    os.truncate(work_folder(release_folder("v1")) / "00001.zip", 1 << 43)  # takes no room
    require_room(begun)


@pytest.fixture
def no_database() -> Iterator[None]:
    """Whoever asks the database for anything fails."""

    def refuse(*_asked: Any) -> Any:
        raise AssertionError("asked the database")

    with connection.execute_wrapper(refuse):
        yield


def rebuild(left: Path, *options: Any) -> str:
    said = StringIO()
    call_command("rebuild_release", str(left), *map(str, options), stdout=said)
    return said.getvalue()


@pytest.fixture
def moved(
    wide: list[TilePair], released: Callable[..., Release], tmp_path: Path, settings: Any
) -> tuple[Path, Path, dict[str, bytes]]:
    """What a release in three files left, its layers elsewhere, and what was in its files, which are gone."""
    released("v1", "wide", shard_megabytes=1)
    shutil.move(settings.DEMETER_DATA, tmp_path / "moved")
    left = tmp_path / "moved" / "releases" / "v1"
    contents = {name: (left / name).read_bytes() for name in [*BESIDE, *FILES]}
    for name in FILES:
        (left / name).unlink()
    return left, tmp_path / "moved", contents


def test_rebuilt_beside_its_record(moved: tuple[Path, Path, dict[str, bytes]], no_database: None) -> None:
    left, layers, contents = moved
    said = rebuild(left / "release.json", "--layers", layers)
    assert {name: (left / name).read_bytes() for name in left_in(left)} == contents
    for name in FILES:
        assert f"{hashlib.sha256(contents[name]).hexdigest()}  {left / name}" in said
    with pytest.raises(CommandError, match=r"v1-00001.zip is there already"):
        rebuild(left, "--layers", layers)


def test_what_cannot_be_rebuilt(moved: tuple[Path, Path, dict[str, bytes]], no_database: None, tmp_path: Path) -> None:
    left, layers, contents = moved
    record = json.loads((left / "release.json").read_text())

    def refused(words: str, *options: Any) -> None:
        with pytest.raises(CommandError, match=words):
            rebuild(left, "--out", tmp_path / "out", "--layers", *(options or (layers,)))
        assert left_in(tmp_path / "out") == []

    refused("is not a folder. Give --layers", tmp_path / "nowhere")
    for wrong in ("nonsense", "[]", '{"format": 1}', json.dumps({**record, "release": {"name": "../up"}})):
        (left / "release.json").write_text(wrong)
        refused("is not the record of a release")
    (left / "release.json").write_text(json.dumps({**record, "format": 2}))
    refused("is of format 2")
    other = {**record["release"], "notes": "Other words."}
    made_with = {**record["made_with"], "pillow": "0.1"}
    (left / "release.json").write_text(json.dumps({**record, "release": other, "made_with": made_with}))
    refused("Not the same bytes: v1-00003.zip. Nothing was kept. It was made with pillow 0.1, here ")
    (left / "release.json").write_bytes(contents["release.json"])
    layer = layer_path("wide", "dem", 4, data=layers)
    content = layer.read_bytes()
    layer.write_bytes(b"something else")
    refused("wide tile_4: the file of its layer dem is not the one that was approved")
    layer.write_bytes(content)
    (left / "manifest.jsonl").unlink()
    refused("manifest.jsonl is not there")
    with zipfile.ZipFile(BytesIO(contents[FILES[-1]])) as last:
        (left / "manifest.jsonl").write_bytes(last.read("v1/manifest.jsonl"))
    rebuild(left, "--out", tmp_path / "out", "--layers", layers)
    assert (tmp_path / "out" / FILES[0]).read_bytes() == contents[FILES[0]]
