"""Building an area again: it goes on, repeats nothing, renumbers nothing, and refuses what would mix tiles."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.support.factories import counters, recount
from tiles.build.drop import area_rgb_drop
from tiles.build.services import BuildOptions, area_build_start
from tiles.core.errors import BadInput, Conflict
from tiles.core.paths import layer_path
from tiles.jobs.runner import chunk_lease, chunk_run, run_here
from tiles.jobs.services import job_cancel, job_pause
from tiles.models import Area, Job, JobChunk, ReviewDecision, TilePair
from tiles.raster.curve import space_key
from tiles.review.services import tile_approve, tile_reject

from .conftest import NORTH, WEST, Build, Inputs, colours, files_below, hills, write_raster

SIZE = 32


@pytest.fixture
def land(build: Build, inputs: Inputs) -> Area:
    return build(dems=[inputs.dems], imagery=inputs.raster, tile_size=SIZE)


def places(area: Area) -> list[tuple[object, ...]]:
    return list(area.tiles.order_by("index").values_list("index", "dem_file__name", "window_col", "window_row"))


def test_files_are_cut_in_natural_order(land: Area) -> None:
    """part2 before part10, each column by column from the top left."""
    first = [("part2.tif", col, row) for col in (0, 32, 64) for row in (0, 32)]
    second = [("part10.tif", col, row) for col in (0, 32) for row in (0, 32)]
    assert places(land) == [(index, *place) for index, place in enumerate([*first, *second])]


def test_building_again_does_nothing_twice(land: Area, build: Build, data_folder: Path) -> None:
    rows = list(land.tiles.order_by("index").values())
    files = {path: path.stat().st_mtime_ns for path in (data_folder / "areas").rglob("*")}
    build()
    assert list(land.tiles.order_by("index").values()) == rows
    assert {path: path.stat().st_mtime_ns for path in (data_folder / "areas").rglob("*")} == files
    assert land.jobs.first().total == 0


def test_new_files_are_numbered_behind(land: Area, build: Build, inputs: Inputs) -> None:
    """Even when their names sort before those the area has."""
    before = places(land)
    write_raster(inputs.dems / "part1.tif", hills(40, 70, seed=9), north=NORTH - 300)
    build(dems=[inputs.dems])
    after = places(land)
    assert after[: len(before)] == before
    assert [place[1] for place in after[len(before) :]] == ["part1.tif", "part1.tif"]
    assert [place[0] for place in after] == list(range(len(after)))


@pytest.mark.parametrize(("change", "says"), [("changed", "has changed"), ("missing", "is missing")])
def test_other_heights_are_refused(land: Area, inputs: Inputs, change: str, says: str) -> None:
    path = inputs.dems / "part2.tif"
    if change == "changed":
        write_raster(path, hills(70, 100, seed=3))
    else:
        path.unlink()
    with pytest.raises(BadInput, match=f"part2.tif.*{says}") as error:
        area_build_start(slug="land", thorough=True)
    assert error.value.extra["field"] == "dems"
    assert land.jobs.count() == 1


def test_heights_that_change_unseen_are_refused_by_the_worker(land: Area, build: Build, inputs: Inputs) -> None:
    """A page looks at sizes only; the job compares checksums before it makes anything."""
    path = inputs.dems / "part2.tif"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    build(ends=Job.State.FAILED)
    assert "part2.tif is not the file this area was cut from" in land.jobs.first().error


def test_inputs_may_move_to_another_folder(land: Area, build: Build, inputs: Inputs, tmp_path: Path) -> None:
    before = places(land)
    assert all(tile.space == space_key(tile.lon, tile.lat) for tile in land.tiles.all()), "placed on the curve"
    moved = tmp_path / "elsewhere"
    shutil.move(inputs.folder, moved)
    with pytest.raises(BadInput, match="missing"):
        area_build_start(slug="land")
    build(dems=[moved / "dem"], imagery=f"raster:{moved / 'picture.tif'}")
    assert places(land) == before
    assert {file.path for file in land.dem_files.all()} == {str(path) for path in (moved / "dem").iterdir()}
    build()


def test_another_tile_size_is_refused(land: Area) -> None:
    with pytest.raises(BadInput, match="32 x 32") as error:
        area_build_start(slug="land", options=BuildOptions(tile_size=64))
    assert error.value.extra["field"] == "tile_size"


def test_other_imagery_is_refused(land: Area, inputs: Inputs) -> None:
    for options in (BuildOptions(bands=(3, 2, 1)), BuildOptions(nir=2)):
        with pytest.raises(BadInput, match=r"other imagery.*bands"):
            area_build_start(slug="land", options=options)
    write_raster(inputs.imagery, colours(90, 180), west=WEST - 150, north=NORTH + 150)
    with pytest.raises(BadInput, match=r"picture\.tif has changed"):
        area_build_start(slug="land")


def test_imagery_that_changes_unseen_is_refused_by_the_worker(land: Area, build: Build, inputs: Inputs) -> None:
    content = bytearray(inputs.imagery.read_bytes())
    content[-1] ^= 1
    inputs.imagery.write_bytes(content)
    build(ends=Job.State.FAILED)
    assert "picture.tif has changed" in land.jobs.first().error


def test_what_could_not_be_read_is_tried_again(build: Build, inputs: Inputs) -> None:
    """The imagery vanishes under the build, and comes back."""
    job = area_build_start(
        slug="land",
        dems=[inputs.dems],
        imagery=inputs.raster,
        options=BuildOptions(tile_size=SIZE),
        background=False,
    )
    _run_plan(job)
    away = inputs.imagery.rename(inputs.folder / "away.tif")
    job = run_here(job.pk, lambda _job: None)
    assert (job.state, job.failures) == (Job.State.DONE, {"unreadable": 10})
    area = Area.objects.get()
    assert counters(area) == recount(area) == {"failed": 10, "failed:unreadable": 10}
    assert "picture.tif is gone" in area.tiles.all()[0].failure_detail
    away.rename(inputs.imagery)
    build()
    assert area.tiles.filter(build_state="built").count() == 10
    assert counters(area) == recount(area)


def _run_plan(job: Job) -> None:
    lease = chunk_lease(job.pk)
    assert lease is not None
    chunk_run(lease)
    assert Job.objects.get(pk=job.pk).total == 10


def test_a_cancelled_build_goes_on_where_it_was(
    build: Build, inputs: Inputs, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiles.build.kind.PIXELS_A_CHUNK", 3 * SIZE * SIZE)
    monkeypatch.setattr("tiles.build.hand.SECONDS_A_CHUNK", 600.0)  # however busy this machine is
    job = area_build_start(
        slug="land", dems=[inputs.dems], imagery=inputs.raster, options=BuildOptions(tile_size=SIZE), background=False
    )
    _run_plan(job)
    for _chunk in range(2):
        lease = chunk_lease(job.pk)
        assert lease is not None
        chunk_run(lease)
    job_cancel(job_id=job.pk, by=None)
    area = Area.objects.get()
    kept = list(area.tiles.filter(build_state="built").order_by("id").values("id", "version", "layers", "built_at"))
    assert len(kept) == 6
    build()
    again = area.tiles.filter(id__in=[row["id"] for row in kept]).order_by("id")
    assert list(again.values("id", "version", "layers", "built_at")) == kept
    assert area.tiles.filter(build_state="built").count() == 10
    assert area.jobs.first().total == 4
    assert counters(area) == recount(area)


def test_the_same_command_joins_an_open_job_and_a_different_one_waits(inputs: Inputs, build: Build) -> None:
    asked = {"dems": [inputs.dems], "imagery": inputs.raster, "background": False}
    job = area_build_start(slug="land", options=BuildOptions(tile_size=SIZE), **asked)
    assert area_build_start(slug="land", options=BuildOptions(tile_size=SIZE), **asked).pk == job.pk
    assert area_build_start(slug="land").pk == job.pk, "with what it was given before"
    with pytest.raises(Conflict, match="being built now"):
        area_build_start(slug="land", options=BuildOptions(void_limit=5))
    write_raster(inputs.dems / "more.tif", hills(40, 40))
    with pytest.raises(Conflict, match="being built now"):
        area_build_start(slug="land", dems=[inputs.dems])
    job_pause(job_id=job.pk, by=None)
    assert area_build_start(slug="land").state == Job.State.QUEUED, "resumed"
    assert run_here(job.pk, lambda _job: None).state == Job.State.DONE


def test_a_full_disk_pauses_the_job_and_room_lets_it_go_on(inputs: Inputs, build: Build, settings: object) -> None:
    job = area_build_start(
        slug="land", dems=[inputs.dems], imagery=inputs.raster, options=BuildOptions(tile_size=SIZE), background=False
    )
    _run_plan(job)
    least, settings.DEMETER_MIN_FREE = settings.DEMETER_MIN_FREE, 2**60  # type: ignore[attr-defined]
    job = run_here(job.pk, lambda _job: None)
    assert job.state == Job.State.PAUSED
    assert "nearly full" in job.error
    settings.DEMETER_MIN_FREE = least  # type: ignore[attr-defined]
    job = area_build_start(slug="land", background=False)
    assert run_here(job.pk, lambda _job: None).state == Job.State.DONE
    assert TilePair.objects.filter(build_state="built").count() == 10


def test_a_worker_that_dies_again_and_again_costs_one_tile(
    inputs: Inputs, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stand-in for a crash inside GDAL: leases that end without a word, always at the same tile."""
    job = area_build_start(
        slug="land", dems=[inputs.dems], imagery=inputs.raster, options=BuildOptions(tile_size=SIZE), background=False
    )
    _run_plan(job)
    chunk = job.chunks.get(stage=1)
    culprit = chunk.payload["tiles"][0]
    JobChunk.objects.filter(pk=chunk.pk).update(attempts=5, state="leased", token=9, expires_at="2020-01-01T00:00Z")
    job = run_here(job.pk, lambda _job: None)
    assert (job.state, job.error) == (Job.State.DONE, ""), "the tile failed, the build did not"
    assert (job.done, job.failed, job.failures) == (9, 1, {"crashed": 1})
    area = Area.objects.get()
    assert area.tiles.get(failure="crashed").pk == culprit
    assert counters(area) == recount(area)
    build()
    assert area.tiles.filter(build_state="built").count() == 10, "tried again by the next run"


def _decide(area: Area, person: Any) -> None:
    first, second = area.tiles.order_by("index")[:2]
    for tile, decide, more in ((first, tile_approve, {}), (second, tile_reject, {"reason": "cloud"})):
        decide(
            tile_id=tile.pk, seen=tile.layer_versions(), seen_version=tile.version, by=person, client_id=uuid4(), **more
        )


def test_a_remake_with_the_same_pixels_leaves_decisions_alone(land: Area, build: Build, person: Any) -> None:
    _decide(land, person("reviewer"))
    before = list(land.tiles.order_by("index").values("index", "version", "layers", "review_state", "reason"))
    build(remake=True)
    assert list(land.tiles.order_by("index").values("index", "version", "layers", "review_state", "reason")) == before
    assert land.jobs.first().done == 10


def test_dropped_imagery_comes_back_with_a_remake(land: Area, build: Build, person: Any) -> None:
    """And decisions about the other layers stand."""
    before = {tile.index: tile.layers for tile in land.tiles.all()}
    drop = area_rgb_drop(area_id=land.pk, by=person("curator"), background=False)
    with pytest.raises(Conflict, match="dropped"):
        area_build_start(slug="land", remake=True)
    run_here(drop.pk, lambda _job: None)
    _decide(land, person("reviewer"))
    build(remake=True)
    assert {tile.index: tile.layers for tile in land.tiles.all()} == before
    assert layer_path("land", "rgb", 0).is_file()
    assert list(land.tiles.order_by("index").values_list("review_state", flat=True))[:2] == ["approved", "rejected"]


def test_a_remake_with_other_pixels_returns_tiles_to_pending(land: Area, build: Build, person: Any) -> None:
    _decide(land, person("reviewer"))
    old = {tile.index: tile for tile in land.tiles.all()}
    with pytest.raises(BadInput, match="another stretch"):
        area_build_start(slug="land", options=BuildOptions(percent=5))
    build(percent=5, remake=True)
    for tile in land.tiles.all():
        versions, before = tile.layer_versions(), old[tile.index].layer_versions()
        assert versions == {**before, "png": 2, "preview": 2}
        assert tile.review_state == "pending"
        assert tile.version > old[tile.index].version
        assert tile.parameters["percent"] == 5
    resets = ReviewDecision.objects.filter(verb="reset").order_by("tile__index")
    assert [(entry.from_state, entry.from_reason, entry.to_state, entry.by) for entry in resets] == [
        ("approved", "", "pending", None),
        ("rejected", "cloud", "pending", None),
    ]
    assert counters(land) == recount(land)


def test_a_remake_that_was_stopped_is_finished_by_the_next_run(
    land: Area, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiles.build.kind.PIXELS_A_CHUNK", 4 * SIZE * SIZE)
    monkeypatch.setattr("tiles.build.hand.SECONDS_A_CHUNK", 600.0)  # however busy this machine is
    job = area_build_start(slug="land", options=BuildOptions(percent=5), remake=True, background=False)
    for _chunk in ("plan", "four tiles"):
        lease = chunk_lease(job.pk)
        assert lease is not None
        chunk_run(lease)
    job_cancel(job_id=job.pk, by=None)
    build()
    assert land.jobs.first().total == 6
    assert {tile.parameters["percent"] for tile in land.tiles.all()} == {5}


def test_a_remake_that_fails_keeps_the_built_tile(land: Area, build: Build, inputs: Inputs) -> None:
    job = area_build_start(slug="land", remake=True, background=False)
    lease = chunk_lease(job.pk)
    assert lease is not None
    chunk_run(lease)
    inputs.imagery.unlink()
    before = files_below(layer_path("land", "png", 0).parent)
    job = run_here(job.pk, lambda _job: None)
    assert job.failures == {"unreadable": 10}
    assert land.tiles.filter(build_state="built").count() == 10
    assert files_below(layer_path("land", "png", 0).parent) == before
