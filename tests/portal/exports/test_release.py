"""What a release takes, keeps, and puts into its archive."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import rasterio
from PIL import Image

from portal.exports.archive import work_folder
from portal.exports.jobs import ReleaseJob
from portal.exports.models import Release
from portal.exports.services import (
    release_cancel,
    release_create,
    release_delete,
    release_resume,
    release_retry,
)
from tests.support.factories import SIZE, heights_of, make_area, make_tile
from tests.support.programs import program
from tests.support.releases import BESIDE, archive_path, job_of, left_in, work
from tiles.core.errors import BadInput, Conflict, DiskFull, NotAllowed
from tiles.core.paths import layer_path, release_folder
from tiles.jobs.runner import chunk_lease, chunk_run
from tiles.models import Area, Job, TilePair
from tiles.review.services import decision_undo, tile_reject

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)

Coast = tuple[Area, list[TilePair]]


def unpacked(release: Release, to: Path) -> Path:
    with zipfile.ZipFile(archive_path(release.name)) as archive:
        assert archive.testzip() is None
        archive.extractall(to)
    return to / release.name


def manifest(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_region_folders(coast: Coast, released: Callable[..., Release], tmp_path: Path) -> None:
    release = released("coast-v1", "coast")
    assert (release.state, release.error, release.tile_count) == (Release.State.READY, "", 4)
    folder = unpacked(release, tmp_path / "out")
    kinds = {"png-stretched-unique": "png", "DEM-unique": "tif", "DEM_255-unique": "tif"}
    expected = {f"coast/{kind}/tile_{n}.{ext}" for kind, ext in kinds.items() for n in range(4)}
    expected |= {"coast/void-unique/tile_2.png", *(f"TextPrompt-coast/tile_{n}.txt" for n in range(3))}
    expected |= {"figures/heights.svg", "figures/texts.svg"}  # the rest of these tiles is all alike
    assert files_in(folder) == expected | {*("README.md", "LICENSE", "CITATION.cff", "manifest.jsonl", "SHA256SUMS")}
    assert (folder / "TextPrompt-coast/tile_1.txt").read_bytes() == b"A hill above the sea, number 1.\n"
    for layer, kind in (("png", "png-stretched-unique"), ("dem", "DEM-unique"), ("dem255", "DEM_255-unique")):
        source = layer_path("coast", layer, 1)
        assert (folder / "coast" / kind / source.name).read_bytes() == source.read_bytes()


def test_checksums_and_unzip_agree(coast: Coast, released: Callable[..., Release], tmp_path: Path) -> None:
    release = released("coast-v1", "coast")
    archive = archive_path("coast-v1")
    content = archive.read_bytes()
    assert (release.size, release.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    subprocess.run([program("unzip"), "-tqq", str(archive)], check=True, capture_output=True)
    subprocess.run([program("unzip"), "-qq", str(archive), "-d", str(tmp_path / "out")], check=True)
    folder = tmp_path / "out" / "coast-v1"
    subprocess.run([program("sha256sum"), "--quiet", "--strict", "-c", "SHA256SUMS"], cwd=folder, check=True)
    covered = {line.split("  ", 1)[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    assert covered == files_in(folder) - {"SHA256SUMS"}
    (folder / "coast/DEM-unique/tile_0.tif").write_bytes(b"other")
    assert subprocess.run([program("sha256sum"), "--status", "-c", "SHA256SUMS"], cwd=folder).returncode == 1


def test_manifest_leads_back(coast: Coast, released: Callable[..., Release], reviewer: Any, tmp_path: Path) -> None:
    reviewer.display_name = "Rey Viewer"
    reviewer.save()
    area, _tiles = coast
    folder = unpacked(released("coast-v1", "coast", named=True), tmp_path)
    records = manifest(folder)
    assert [record["index"] for record in records] == [0, 1, 2, 3]
    record = records[2]
    assert {file["role"] for file in record["files"]} == {"png", "dem", "dem255", "void", "caption"}
    for file in record["files"]:
        content = (folder / file["path"]).read_bytes()
        assert (file["sha256"], file["bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (record["tile"], record["area"], record["licence"]) == ("tile_2", "coast", "CC BY 4.0")
    assert record["dem"]["source"] == area.dem_files.get().name
    assert record["dem"]["window"] == {"col": 0, "row": 2 * SIZE, "width": SIZE, "height": SIZE}
    assert record["grid"]["crs"] == "EPSG:32633"
    assert record["void_share"] == pytest.approx(1 / 16)
    assert record["decision"]["state"] == "approved"
    assert (record["decision"]["by"], record["decision"]["note"]) == ("Rey Viewer", "as it should be")
    assert record["caption"]["text"] == "A hill above the sea, number 2."
    assert (record["caption"]["revision"], record["caption"]["origin"]) == (1, "person")
    assert records[3]["caption"] is None


def test_depth_opens_in_pillow_and_turns_back_into_metres(
    coast: Coast, released: Callable[..., Release], tmp_path: Path
) -> None:
    folder = unpacked(released("coast-v1", "coast"), tmp_path)
    for record in manifest(folder)[:2]:
        depth = np.asarray(Image.open(folder / f"coast/DEM_255-unique/{record['tile']}.tif"))
        assert (depth.dtype, depth.min(), depth.max()) == (np.uint8, 0, 255)
        metres = record["dem_min"] + depth / 255 * (record["dem_max"] - record["dem_min"])
        true = heights_of(record["index"])
        level = record["grey_level"]
        assert np.all(true - metres > -1e-3)
        assert np.all(true - metres < level + 1e-3)
        inner = depth < 255
        assert np.abs(metres + level / 2 - true)[inner].max() <= level / 2 + 1e-3
        with rasterio.open(folder / f"coast/DEM-unique/{record['tile']}.tif") as dem:
            assert np.array_equal(dem.read(1), true)


def test_the_readme_loads_the_data(coast: Coast, released: Callable[..., Release], tmp_path: Path) -> None:
    folder = unpacked(released("coast-v1", "coast"), tmp_path)
    code = (folder / "README.md").read_text().split("```python\n")[1].split("```")[0]
    code += "    print(tile['tile'], rgb.shape, depth.shape, round(float(metres[-1, -1])), known.mean(), text)\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert lines[2].startswith(f"tile_2 ({SIZE}, {SIZE}, 3) ({SIZE}, {SIZE}) ")
    assert lines[2].endswith(" 0.9375 A hill above the sea, number 2.")


def test_the_readme_says_what_it_is(
    coast: Coast, approve: Callable[[TilePair], None], released: Callable[..., Release], tmp_path: Path
) -> None:
    seen = {"satellite": "Sentinel-2", "imagery_from": date(2021, 1, 1), "imagery_to": date(2023, 12, 31)}
    made_up = make_area("made-up", synthetic=True, licence="CC0", imagery_gsd=10.0, **seen)
    approve(make_tile(made_up, 7))
    approve(make_tile(made_up, 8, heights=np.full((SIZE, SIZE), 5, np.float32)))
    folder = unpacked(released("both-v1", "coast", "made-up", notes="For the <first> run & more."), tmp_path)
    text = (folder / "README.md").read_text()
    assert text.startswith("# both-v1\n\n> **SYNTHETIC DATA.** made-up:")
    assert "For the <first> run & more." in text
    assert "| made-up (synthetic) | 1 | 64 x 64 px |" in text
    assert "- Licence: CC BY 4.0\n- Attribution: The surveyors" in text
    assert "Left out although approved: 1 flat" in text
    assert "| terrain (DTM) | EGM96 | unknown, taken as metres |" in text
    assert "- Imagery: Sentinel-2, 2021-01-01 to 2023-12-31, native resolution 10 m" in text
    assert "- Heights: nothing is known of them" in text
    assert "SYNTHETIC" not in (unpacked(released("coast-v1", "coast"), tmp_path) / "README.md").read_text()


def test_later_work_does_not_change_a_release(
    coast: Coast,
    curator: Any,
    reviewer: Any,
    approve: Callable[[TilePair], None],
    caption: Callable[..., None],
    tmp_path: Path,
) -> None:
    area, tiles = coast
    release = release_create(name="coast-v1", area_slugs=["coast"], by=curator, background=False)
    tile = TilePair.objects.get(pk=tiles[0].pk)
    versions = tile.layer_versions()
    tile_reject(
        tile_id=tile.pk, reason="cloud", seen=versions, seen_version=tile.version, by=reviewer, client_id=uuid4()
    )
    caption(tiles[1], "Something else altogether.", base=1)
    approve(tiles[4])
    area.licence = "none at all"
    area.save()
    folder = unpacked(work(release), tmp_path)
    records = manifest(folder)
    assert [record["index"] for record in records] == [0, 1, 2, 3]
    assert records[0]["decision"]["state"] == "approved"
    assert (folder / "TextPrompt-coast/tile_1.txt").read_text() == "A hill above the sea, number 1.\n"
    assert records[1]["caption"]["revision"] == 1
    assert {record["licence"] for record in records} == {"CC BY 4.0"}


def test_the_decision_that_stands_is_the_one_that_counts(
    coast: Coast, reviewer: Any, released: Callable[..., Release], tmp_path: Path
) -> None:
    _area, tiles = coast
    tile = TilePair.objects.get(pk=tiles[0].pk)
    approved = tile.decisions.get()
    rejected = tile_reject(
        tile_id=tile.pk,
        reason="cloud",
        seen=tile.layer_versions(),
        seen_version=tile.version,
        by=reviewer,
        client_id=uuid4(),
    )
    decision_undo(undoes=rejected.client_id, by=reviewer, client_id=uuid4())
    release = released("coast-v1", "coast")
    assert release.entries.get(tile=tile).decision == approved


def test_flat_tiles_are_left_out_and_counted(
    coast: Coast, approve: Callable[[TilePair], None], released: Callable[..., Release]
) -> None:
    area, _tiles = coast
    flat = make_tile(area, 10, heights=np.full((SIZE, SIZE), 12, np.float32))
    few = make_tile(area, 11, heights=np.repeat(np.arange(SIZE, dtype=np.float32) // 5, SIZE).reshape(SIZE, SIZE))
    enough = make_tile(area, 12, heights=np.repeat(np.arange(SIZE, dtype=np.float32) // 4, SIZE).reshape(SIZE, SIZE))
    assert (few.distinct_heights, enough.distinct_heights) == (13, 16)
    for tile in (flat, few, enough):
        approve(tile)
    release = released("coast-v1", "coast")
    assert release.left_out == {"few_heights": 1, "flat": 1}
    assert [entry.tile.index for entry in release.entries.select_related("tile")] == [0, 1, 2, 3, 12]


def test_tiles_without_the_layers_or_with_others_than_approved_are_left_out(
    coast: Coast, released: Callable[..., Release]
) -> None:
    _area, tiles = coast
    without = TilePair.objects.get(pk=tiles[0].pk)
    del without.layers["dem255"]
    without.save()
    newer = TilePair.objects.get(pk=tiles[1].pk)
    newer.layers["png"]["v"] = 2
    newer.save()
    unused = TilePair.objects.get(pk=tiles[2].pk)
    del unused.layers["rgb"]  # a curator dropped it; the layout does not need it
    unused.save()
    release = released("coast-v1", "coast")
    assert release.left_out == {"missing_layer": 1, "changed": 1}
    assert release.tile_count == 2


def test_same_bytes_again(coast: Coast, released: Callable[..., Release]) -> None:
    release = released("coast-v1", "coast")
    first = archive_path("coast-v1").read_bytes()
    archive_path("coast-v1").unlink()
    Release.objects.filter(pk=release.pk).update(state=Release.State.FAILED)
    again = work(release_retry(release_id=release.pk, by=None, background=False))
    assert again.state == Release.State.READY
    assert archive_path("coast-v1").read_bytes() == first
    assert left_in(release_folder("coast-v1")) == ["coast-v1.zip", *BESIDE]


@committed
def test_a_layer_that_changed_since_fails_the_release(coast: Coast, released: Callable[..., Release]) -> None:
    layer_path("coast", "dem", 2).write_bytes(b"something else")
    release = released("coast-v1", "coast")
    assert release.state == Release.State.FAILED
    assert "coast tile_2: the file of its layer dem is not the one that was approved" in release.error
    assert left_in(release_folder("coast-v1")) == []
    assert job_of(release).state == Job.State.FAILED


@committed
def test_a_missing_layer_fails_the_release(coast: Coast, released: Callable[..., Release]) -> None:
    layer_path("coast", "png", 3).unlink()
    release = released("coast-v1", "coast")
    assert release.state == Release.State.FAILED
    assert "coast tile_3" in release.error


@committed
def test_a_failed_release_can_be_tried_again_or_removed(
    coast: Coast, released: Callable[..., Release], curator: Any
) -> None:
    path = layer_path("coast", "dem", 2)
    content = path.read_bytes()
    path.unlink()
    release = released("coast-v1", "coast")
    path.write_bytes(content)
    again = work(release_retry(release_id=release.pk, by=curator, background=False))
    assert (again.state, again.error) == (Release.State.READY, "")
    with pytest.raises(Conflict):
        release_retry(release_id=release.pk, by=curator)
    with pytest.raises(Conflict):
        release_delete(release_id=release.pk, by=curator)
    path.unlink()
    failed = released("coast-v2", "coast")
    release_delete(release_id=failed.pk, by=curator)
    assert not Release.objects.filter(name="coast-v2").exists()
    path.write_bytes(content)
    assert released("coast-v2", "coast").state == Release.State.READY


@pytest.mark.parametrize(
    "name", ["", "Coast", "a_b", "../up", "-x", "new", "x" * 81, "a b", "ü", "coast\u202e", "coast\n"]
)
def test_names(name: str, coast: Coast, curator: Any) -> None:
    with pytest.raises(BadInput, match="cannot be the name of a release"):
        release_create(name=name, area_slugs=["coast"], by=curator)


def test_notes_hide_nothing(coast: Coast, curator: Any) -> None:
    with pytest.raises(BadInput, match=r"hold an invisible character \(U\+2066\)"):
        release_create(name="coast-v1", area_slugs=["coast"], notes="A first\nrelease\u2066", by=curator)


def test_a_name_is_given_once(coast: Coast, released: Callable[..., Release], curator: Any) -> None:
    released("coast-v1", "coast")
    with pytest.raises(Conflict, match="There is already a release 'coast-v1'"):
        release_create(name="coast-v1", area_slugs=["coast"], by=curator)
    assert Release.objects.count() == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"area_slugs": []}, "Choose at least one area"),
        ({"area_slugs": ["coast", "nowhere"]}, "There is no area nowhere"),
        ({"layout": "floppy"}, "There is no layout 'floppy'. Layouts: rs3dbench"),
        ({"area_slugs": ["empty"]}, "No tile of empty is approved"),
        ({"area_slugs": ["level"]}, "No approved tile of level can be released: 1 flat"),
        ({"notes": "x" * 10_001}, "The notes are too long"),
    ],
)
def test_what_cannot_be_released(
    options: dict[str, Any], message: str, coast: Coast, curator: Any, approve: Callable[[TilePair], None]
) -> None:
    make_tile(make_area("empty"), 0)
    approve(make_tile(make_area("level"), 0, heights=np.zeros((SIZE, SIZE), np.float32)))
    with pytest.raises(BadInput) as refused:
        release_create(**{"name": "v1", "area_slugs": ["coast"], "by": curator, **options})
    assert message in refused.value.message
    assert not Release.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "annotator", "reviewer"])
def test_only_curators_make_releases(role: str, coast: Coast, released: Callable[..., Release], person: Any) -> None:
    with pytest.raises(NotAllowed):
        release_create(name="v1", area_slugs=["coast"], by=person(role))
    release = released("v2", "coast")
    for service in (release_retry, release_delete, release_cancel, release_resume):
        with pytest.raises(NotAllowed):
            service(release_id=release.pk, by=person(role))


def test_a_full_disk_is_said_before_anything_happens(coast: Coast, curator: Any, settings: Any) -> None:
    settings.DEMETER_MIN_FREE = 1 << 60
    with pytest.raises(DiskFull):
        release_create(name="v1", area_slugs=["coast"], by=curator)
    assert not Release.objects.exists()


@committed
def test_a_disk_that_fills_up_meanwhile_pauses_the_release(coast: Coast, curator: Any, settings: Any) -> None:
    release = release_create(name="v1", area_slugs=["coast"], by=curator, background=False)
    enough, settings.DEMETER_MIN_FREE = settings.DEMETER_MIN_FREE, 1 << 60
    work(release)
    assert release.state == Release.State.BUILDING
    assert job_of(release).state == Job.State.PAUSED
    assert "nearly full" in job_of(release).error
    settings.DEMETER_MIN_FREE = enough
    release_resume(release_id=release.pk, by=curator)
    assert work(release).state == Release.State.READY


def test_progress_counts_tiles(coast: Coast, released: Callable[..., Release]) -> None:
    job = job_of(released("v1", "coast"))
    assert (job.state, job.total, job.done, job.failed) == (Job.State.DONE, 4, 4, 0)


@committed
def test_a_cancelled_release_never_lands(coast: Coast, curator: Any) -> None:
    release = release_create(name="v1", area_slugs=["coast"], by=curator, background=False)
    lease = chunk_lease(release.job_id)
    assert lease is not None
    release_cancel(release_id=release.pk, by=curator)
    chunk_run(lease)  # the worker had not heard of it yet
    release.refresh_from_db()
    assert (release.state, release.error) == (Release.State.FAILED, "It was cancelled.")
    assert left_in(release_folder("v1")) == []


def test_what_a_dead_writer_left_is_removed_and_the_next_try_is_whole(coast: Coast, curator: Any) -> None:
    release = release_create(name="v1", area_slugs=["coast"], by=curator, background=False)
    lease = chunk_lease(release.job_id)
    assert lease is not None
    folder = work_folder(release_folder("v1"))
    folder.mkdir(parents=True)
    (folder / f".00001.zip.tmp-{lease.owner}").write_bytes(b"half an archive")
    (folder / ".00001.zip.tmp-999-1").write_bytes(b"somebody else's")
    chunk = job_of(release).chunks.get()
    ReleaseJob().discard(chunk)
    ReleaseJob().discard(chunk)
    assert left_in(folder) == [".00001.zip.tmp-999-1"]
    ReleaseJob().run(lease)
    release.refresh_from_db()
    assert release.state == Release.State.READY
