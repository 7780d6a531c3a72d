"""Another stretch on the stored imagery: the pixels a build would make, and nothing else is touched."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from portal.exports.models import Release
from portal.exports.services import release_create
from portal.exports.wanted import Terms
from tests.support.factories import counters, recount
from tests.support.releases import archive_path, work
from tiles.build.drop import area_rgb_drop
from tiles.build.restretch import area_restretch
from tiles.build.services import area_build_start
from tiles.core.errors import BadInput, Conflict, NotAllowed
from tiles.core.paths import layer_path
from tiles.jobs.runner import chunk_lease, chunk_run, run_here
from tiles.jobs.services import job_cancel, job_pause
from tiles.models import Area, Job, JobChunk, ReviewDecision, TilePair
from tiles.review.services import tile_approve

from .conftest import NORTH, WEST, Build, Inputs, colours, files_below, write_raster

SIZE = 32
STRETCHES: list[dict[str, Any]] = [
    {"percent": 5.0},
    {"percent": 0.0},
    {"per_channel_percent": True},
    {"normalisation": "joint"},
    {"normalisation": "none", "percent": 2.0},
]
TERMS = Terms(licences={"land": "CC0"}, attributions={"land": "The testers"})


@pytest.fixture
def land(build: Build, inputs: Inputs) -> Area:
    return build(dems=[inputs.dems], imagery=inputs.raster, tile_size=SIZE)


def restretched(slug: str = "land", *, ends: str = Job.State.DONE, **stretch: Any) -> Job:
    job = run_here(area_restretch(slug=slug, background=False, **stretch).pk, lambda _job: None)
    assert job.state == ends, job.error
    return job


def approve(tile: TilePair, by: Any) -> None:
    tile.refresh_from_db()
    tile_approve(tile_id=tile.pk, seen=tile.layer_versions(), seen_version=tile.version, by=by, client_id=uuid4())


def pictures(area: Area) -> dict[str, bytes]:
    folder = layer_path(area.slug, "png", 0).parent.parent.parent
    return {path: content for path, content in files_below(folder).items() if path.startswith(("png", "preview"))}


def without_source(inputs: Inputs) -> None:
    shutil.rmtree(inputs.folder)


@pytest.mark.parametrize("stretch", STRETCHES, ids=str)
@pytest.mark.parametrize(
    ("dtype", "nodata"), [("uint16", 0), ("uint8", None), ("float32", None), ("float32", -9999), ("uint8", 0)], ids=str
)
def test_the_pixels_are_those_of_a_build_with_that_stretch(
    build: Build, inputs: Inputs, stretch: dict[str, Any], dtype: str, nodata: float | None
) -> None:
    """Also where imagery is missing, is of floats, or uses every value of its type; with the source gone."""
    picture = colours(80, 180) / 16 if dtype == "float32" else colours(80, 180) % 256
    picture = (picture // np.array([1, 2, 4]).reshape(3, 1, 1)).astype(dtype)
    picture[:, 20:30, 20:36] = nodata or 0
    if nodata is None and dtype == "float32":
        picture[:, 20:30, 20:36] = np.nan
    write_raster(inputs.imagery, picture, west=WEST - 150, north=NORTH + 150, nodata=nodata)
    asked = {"dems": [inputs.dems], "imagery": inputs.raster, "tile_size": SIZE, "uncovered_limit": 60}
    wanted = build("wanted", **asked, **stretch)
    land = build("land", **asked)
    before = pictures(land)
    without_source(inputs)
    job = restretched(**stretch)
    assert (job.done, job.failed, job.total) == (10, 0, 10)
    assert pictures(land) == pictures(wanted) != before
    for made, tile in zip(wanted.tiles.order_by("index"), land.tiles.order_by("index"), strict=True):
        assert tile.parameters == made.parameters
        assert tile.flags == made.flags
        assert {name: layer["sha256"] for name, layer in tile.layers.items()} == {
            name: layer["sha256"] for name, layer in made.layers.items()
        }


def test_tiles_that_change_return_to_pending_with_a_new_version(land: Area, inputs: Inputs, person: Any) -> None:
    first, second = land.tiles.order_by("index")[:2]
    approve(first, person("reviewer"))
    old = {tile.index: tile for tile in land.tiles.all()}
    others = {path: content for path, content in all_files(land).items() if not path.startswith(("png", "preview"))}
    without_source(inputs)
    job = restretched(percent=5, by=person("curator"))
    assert job.started_by == person("curator")
    for tile in land.tiles.all():
        versions = old[tile.index].layer_versions()
        assert tile.layer_versions() == {**versions, "png": 2, "preview": 2}
        assert tile.version > old[tile.index].version
        assert (tile.review_state, tile.parameters["percent"]) == ("pending", 5)
        assert tile.measures == old[tile.index].measures
    entry = ReviewDecision.objects.get(verb="reset")
    assert (entry.tile_id, entry.from_state, entry.to_state, entry.by) == (first.pk, "approved", "pending", None)
    assert entry.layers_seen["png"] == 2
    assert {path: content for path, content in all_files(land).items() if path in others} == others
    assert counters(land) == recount(land)
    land.refresh_from_db()
    assert land.recipe["stretch"]["percent"] == 5, "for the tiles that are built later"
    assert second.review_state == "pending"


def all_files(area: Area) -> dict[str, bytes]:
    return files_below(layer_path(area.slug, "png", 0).parent.parent.parent)


def test_identical_pixels_keep_their_version_and_their_decision(
    build: Build, inputs: Inputs, person: Any, data_folder: Path
) -> None:
    """The same three bands give the same picture however the lowest and highest value are found."""
    grey = np.repeat(colours(80, 180, bands=1), 3, axis=0)
    write_raster(inputs.imagery, grey, west=WEST - 150, north=NORTH + 150)
    land = build(dems=[inputs.dems], imagery=inputs.raster, tile_size=SIZE)
    for tile in land.tiles.all():
        approve(tile, person("reviewer"))
    rows = list(land.tiles.order_by("index").values("version", "layers", "review_state", "built_at"))
    files = {path: path.stat().st_mtime_ns for path in (data_folder / "areas").rglob("*.*")}
    job = restretched(normalisation="joint")
    assert job.done == 10
    assert list(land.tiles.order_by("index").values("version", "layers", "review_state", "built_at")) == rows
    assert {path: path.stat().st_mtime_ns for path in (data_folder / "areas").rglob("*.*")} == files
    assert set(land.tiles.values_list("parameters__normalisation", flat=True)) == {"joint"}


def test_a_flat_tile_is_rejected_by_rule_again(build: Build, inputs: Inputs) -> None:
    write_raster(inputs.dems / "part2.tif", np.full((70, 100), 7, np.int16))
    land = build(dems=[inputs.dems], imagery=inputs.raster, tile_size=SIZE)
    flat = list(land.tiles.filter(reason="flat").values_list("pk", flat=True))
    assert len(flat) == 6
    restretched(percent=5)
    assert list(land.tiles.filter(reason="flat").values_list("pk", flat=True)) == flat
    assert list(ReviewDecision.objects.filter(tile=flat[0]).values_list("verb", flat=True)) == [
        "reject",
        "reset",
        "reject",
    ]
    assert counters(land) == recount(land)


def test_tiles_without_usable_imagery_stay_as_they_are(land: Area, data_folder: Path) -> None:
    dropped, damaged, missing, *_others = land.tiles.order_by("index")
    dropped.layers.pop("rgb")
    dropped.save()
    layer_path("land", "rgb", 0).unlink()
    path = layer_path("land", "rgb", damaged.index)
    path.write_bytes(path.read_bytes()[:-40] + bytes(40))
    layer_path("land", "rgb", missing.index).unlink()
    old = {tile.index: (tile.layers, tile.version, tile.parameters) for tile in land.tiles.all()[:3]}
    before = pictures(land)
    job = restretched(percent=5)
    assert (job.done, job.failed, job.failures) == (7, 3, {"rgb_dropped": 1, "rgb_damaged": 2})
    for tile in land.tiles.order_by("index")[:3]:
        assert (tile.layers, tile.version, tile.parameters) == old[tile.index]
        name = f"png/0/tile_{tile.index}.png"
        assert pictures(land)[name] == before[name]
    messages = " ".join(job.events.values_list("message", flat=True))
    assert "1 tile without unstretched imagery, which was dropped: tile_0." in messages
    assert "2 tiles with unstretched imagery that is damaged or missing: tile_1, tile_2." in messages


def test_a_later_build_makes_what_could_not_be_stretched(land: Area, build: Build, data_folder: Path) -> None:
    """From the source, with the new stretch, and only that."""
    layer_path("land", "rgb", 3).unlink()
    restretched(percent=5)
    build()
    assert land.jobs.first().total == 1
    assert set(land.tiles.values_list("parameters__percent", flat=True)) == {5}


def test_what_is_refused(land: Area, person: Callable[..., Any]) -> None:
    with pytest.raises(NotAllowed):
        area_restretch(slug="land", percent=5, by=person("reviewer"))
    for stretch in ({"percent": 50}, {"percent": -1}, {"normalisation": "odd"}):
        with pytest.raises(BadInput):
            area_restretch(slug="land", **stretch)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="no area"):
        area_restretch(slug="nowhere")
    Area.objects.create(slug="empty", name="Empty")
    with pytest.raises(Conflict, match="no built tiles"):
        area_restretch(slug="empty", percent=5)
    run_here(area_rgb_drop(area_id=land.pk, by=person("curator"), background=False).pk, lambda _job: None)
    with pytest.raises(Conflict, match="was dropped"):
        area_restretch(slug="land", percent=5)
    land.refresh_from_db()
    assert land.recipe["stretch"]["percent"] == 1
    assert not Job.objects.filter(kind="restretch").exists()


def test_one_job_at_a_time_works_on_an_area(land: Area, person: Callable[..., Any]) -> None:
    job = area_restretch(slug="land", percent=5, background=False)
    assert area_restretch(slug="land", percent=5) == job
    job_pause(job_id=job.pk, by=None)
    assert area_restretch(slug="land", percent=5).state == Job.State.QUEUED, "resumed"
    with pytest.raises(Conflict, match="in another way"):
        area_restretch(slug="land", percent=6)
    for start in (
        lambda: area_build_start(slug="land"),
        lambda: area_rgb_drop(area_id=land.pk, by=person("curator")),
    ):
        with pytest.raises(Conflict, match="stretched anew now"):
            start()
    job_cancel(job_id=job.pk, by=None)
    build = area_build_start(slug="land", remake=True, background=False)
    with pytest.raises(Conflict, match="being built now"):
        area_restretch(slug="land", percent=6)
    job_cancel(job_id=build.pk, by=None)
    area_rgb_drop(area_id=land.pk, by=person("curator"), background=False)
    with pytest.raises(Conflict, match="dropped now"):
        area_restretch(slug="land", percent=6)


def consistent(area: Area) -> bool:
    """Whether every picture on the disk is the one its row speaks of."""
    return all(
        sha256(layer_path(area.slug, layer, tile.index).read_bytes()).hexdigest() == tile.layers[layer]["sha256"]
        for tile in area.tiles.all()
        for layer in ("png", "preview")
    )


def test_a_cancelled_run_leaves_whole_tiles_and_another_one_finishes(
    land: Area, inputs: Inputs, monkeypatch: pytest.MonkeyPatch, data_folder: Path
) -> None:
    monkeypatch.setattr("tiles.build.restretch.PIXELS_A_CHUNK", 3 * SIZE * SIZE)
    job = area_restretch(slug="land", percent=5, background=False)
    without_source(inputs)
    for _chunk in ("plan", "three tiles"):
        lease = chunk_lease(job.pk)
        assert lease is not None
        chunk_run(lease)
    lease = chunk_lease(job.pk)
    assert lease is not None
    job_cancel(job_id=job.pk, by=None)
    chunk_run(lease)
    assert consistent(land)
    assert sorted(land.tiles.values_list("parameters__percent", flat=True)) == [1] * 7 + [5] * 3
    assert not list(data_folder.rglob(".*tmp*"))
    assert restretched().done == 10, "with what the area has been given"
    assert set(land.tiles.values_list("parameters__percent", flat=True)) == {5}
    assert consistent(land)


def test_a_worker_that_dies_again_and_again_costs_one_tile(land: Area) -> None:
    job = area_restretch(slug="land", percent=5, background=False)
    lease = chunk_lease(job.pk)
    assert lease is not None
    chunk_run(lease)
    chunk = job.chunks.get(stage=1)
    JobChunk.objects.filter(pk=chunk.pk).update(attempts=5, state="leased", token=9, expires_at="2020-01-01T00:00Z")
    job = run_here(job.pk, lambda _job: None)
    assert (job.state, job.done, job.failures) == (Job.State.DONE, 9, {"restretch_died": 1})
    assert sorted(land.tiles.values_list("index", "parameters__percent"))[:2] == [(0, 1), (1, 5)]


def test_released_versions_keep_their_bytes(land: Area, inputs: Inputs, person: Callable[..., Any]) -> None:
    Area.objects.update(licence="CC0-1.0", attribution="Nobody")
    for tile in land.tiles.all():
        approve(tile, person("reviewer"))
    released = work(
        release_create(name="before", area_slugs=["land"], terms=TERMS, by=person("curator"), background=False)
    )
    archive = archive_path("before").read_bytes()
    being_made = release_create(name="during", area_slugs=["land"], terms=TERMS, by=person("curator"), background=False)
    restretched(percent=5)
    being_made = work(being_made)
    assert being_made.state == Release.State.FAILED
    assert "is not the one that was approved" in being_made.error
    released.refresh_from_db()
    assert released.state == Release.State.READY
    assert archive_path("before").read_bytes() == archive
    with zipfile.ZipFile(archive_path("before")) as whole:
        assert whole.testzip() is None
    for tile in land.tiles.all():
        approve(tile, person("reviewer"))
    after = work(release_create(name="after", area_slugs=["land"], terms=TERMS, by=person("curator"), background=False))
    assert after.state == Release.State.READY
    assert archive_path("after").read_bytes() != archive


def test_the_command(land: Area, inputs: Inputs, capsys: pytest.CaptureFixture[str]) -> None:
    without_source(inputs)
    call_command("restretch", "land", "--normalisation", "joint", "--percent", "3")
    assert "10 tiles stretched anew" in capsys.readouterr().out
    assert set(land.tiles.values_list("parameters__normalisation", "parameters__percent")) == {("joint", 3.0)}
    call_command("restretch", "land", "--per-channel-percent", "--background")
    job = Job.objects.latest("id")
    assert f"/jobs/{job.pk}/" in capsys.readouterr().out
    assert job.parameters["stretch"] == {"normalisation": "joint", "percent": 3.0, "per_channel_percent": True}
    job_cancel(job_id=job.pk, by=None)
    layer_path("land", "rgb", 0).unlink()
    call_command("restretch", "land", "--no-per-channel-percent")
    said = capsys.readouterr().out
    assert "9 tiles stretched anew, 1 failed." in said
    assert "the unstretched imagery is damaged or missing" in said
    with pytest.raises(CommandError, match="no area"):
        call_command("restretch", "nowhere")
    with pytest.raises(CommandError, match="to below 50"):
        call_command("restretch", "land", "--percent", "60")


def test_a_disk_that_is_full_pauses_it(land: Area, settings: Any) -> None:
    job = area_restretch(slug="land", percent=5, background=False)
    least, settings.DEMETER_MIN_FREE = settings.DEMETER_MIN_FREE, 2**60
    job = run_here(job.pk, lambda _job: None)
    assert (job.state, job.waits_for_room, job.done) == (Job.State.PAUSED, True, 0)
    settings.DEMETER_MIN_FREE = least
    assert run_here(area_restretch(slug="land", background=False).pk, lambda _job: None).done == 10
