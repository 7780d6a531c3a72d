"""An area built from Earth Engine, from the command to its tiles; and what the check says."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import rasterio
from django.core.management import CommandError, call_command

from tests.support import earthengine as server
from tests.support.earthengine import PROJECT, StandIn, status
from tests.support.postgres import free_port
from tiles.jobs.runner import run_here
from tiles.jobs.services import job_resume
from tiles.models import Area, Job, JobEvent, QuotaLease
from tiles.models.choices import BuildState, Failure

from .conftest import Build, Inputs, hills, write_raster

SIZE = 32

pytestmark = pytest.mark.django_db


def run(*arguments: object) -> str:
    out = StringIO()
    call_command("build_area", *map(str, arguments), stdout=out)
    return out.getvalue()


def check() -> str:
    out = StringIO()
    call_command("check_earthengine", "--seconds", "3", stdout=out)
    return out.getvalue()


def test_an_area_is_built_end_to_end(inputs: Inputs, data_folder: Path, earthengine: StandIn) -> None:
    said = run("land", "--dem", inputs.dems, "--imagery", "earthengine", "--tile-size", SIZE, "--end", "2022-12-31")
    assert "10 tiles built, 0 failed." in said
    area = Area.objects.get()
    assert (area.satellite, area.imagery_gsd, str(area.imagery_to)) == ("Sentinel-2", 10.0, "2022-12-31")
    tile = area.tiles.get(index=3)
    assert tile.imagery["preset"] == "cloud-score"
    assert {"rgb", "nir", "png", "dem"} <= set(tile.layers)
    assert len(earthengine.requests) == 10
    with rasterio.open(next((data_folder / "areas" / "land" / "rgb").rglob("tile_3.tif"))) as dataset:
        corner = (dataset.transform.c, dataset.transform.f)
        places = {
            (place["translateX"], place["translateY"]): asked
            for asked in earthengine.requests
            if (place := asked["grid"]["affineTransform"])
        }
        asked = places[corner]
        assert (dataset.read(1) == server.values(asked["grid"], asked["bandIds"])[0]).all()
    lease = QuotaLease.objects.get()
    assert lease.slots == 0


def test_the_same_command_goes_on_and_another_request_is_refused(
    inputs: Inputs, data_folder: Path, earthengine: StandIn
) -> None:
    earthengine.faults = [status(400, "INVALID_ARGUMENT", "Something is odd.")]
    command = ("land", "--dem", inputs.dems, "--imagery", "earthengine", "--tile-size", SIZE, "--preset", "published")
    assert "9 tiles built, 1 failed." in run(*command)
    failed = Area.objects.get().tiles.get(failure=Failure.SOURCE)
    assert "Something is odd." in failed.failure_detail
    with pytest.raises(CommandError, match=r"cloud limit was 20\.0 and not 50\.0"):
        run(*command, "--cloud-limit", 50)
    with pytest.raises(CommandError, match="its"):
        run("land", "--imagery", "earthengine", "--preset", "cloud-score")
    with pytest.raises(CommandError, match="it came from earthengine and not from raster"):
        run("land", "--imagery", inputs.raster)
    assert "10 tiles built, 0 failed." in run("land")
    assert len(earthengine.requests) == 11


@pytest.mark.parametrize(
    ("when", "fault", "says"),
    [
        ("signing in", status(403, "forbidden", "Project is not registered to use Earth Engine."), "Register it"),
        ("building", status(403, "SERVICE_DISABLED", "API has not been used in project 7 before"), "API is off"),
        ("building", status(401, "UNAUTHENTICATED", "Invalid credentials"), "EARTHENGINE_CREDENTIALS"),
        ("building", status(429, "RESOURCE_EXHAUSTED", "Quota exceeded for the day."), "until there is quota again"),
    ],
)
def test_a_refused_account_pauses_the_build_once_and_no_tile_fails(
    inputs: Inputs, build: Build, earthengine: StandIn, settings: Any, when: str, fault: Any, says: str
) -> None:
    settings.EARTHENGINE_TILE_SECONDS = 3 if "quota" in says else 60
    if when == "building":
        earthengine.always = fault
    else:
        earthengine.algorithms_fault = fault
    asked: dict[str, Any] = {"dems": [inputs.dems], "imagery": "earthengine", "tile_size": SIZE}
    area = build(ends=Job.State.PAUSED, **asked)
    job = Job.objects.get()
    assert says in job.error
    assert "resume this job" in job.error
    assert (job.done, job.failed, job.room_wanted) == (0, 0, None)
    assert not area.tiles.exclude(build_state=BuildState.PLANNED).exists()
    assert [event.message for event in job.events.filter(level=JobEvent.Level.ERROR)] == [f"Paused. {job.error}"]
    earthengine.always = earthengine.algorithms_fault = None
    settings.EARTHENGINE_TILE_SECONDS = 60
    job_resume(job_id=job.pk, by=None)
    ended = run_here(job.pk, lambda _job: None)
    assert (ended.state, ended.done, ended.failed, ended.error) == (Job.State.DONE, 10, 0, "")
    assert len({json.dumps(request["grid"]) for request in earthengine.requests[-10:]}) == 10


def test_an_outage_in_the_middle_pauses_the_build_once_and_no_tile_fails(
    inputs: Inputs, build: Build, earthengine: StandIn, settings: Any
) -> None:
    """Some tiles are there by then. What is down is asked for until the time of a tile is over."""
    settings.EARTHENGINE_TILE_SECONDS = 3
    earthengine.faults = [None] * 4
    earthengine.always = status(503, "UNAVAILABLE", "Down.")
    area = build(ends=Job.State.PAUSED, dems=[inputs.dems], imagery="earthengine", tile_size=SIZE)
    job = Job.objects.get()
    assert "not even a constant is computed now" in job.error
    assert "resume this job" in job.error
    assert (job.failed, job.room_wanted) == (0, None)
    states = area.tiles.values_list("build_state", flat=True)
    assert set(states) <= {BuildState.PLANNED, BuildState.BUILT}
    assert [event.message for event in job.events.filter(level=JobEvent.Level.ERROR)] == [f"Paused. {job.error}"]
    earthengine.always = None
    settings.EARTHENGINE_TILE_SECONDS = 60
    job_resume(job_id=job.pk, by=None)
    ended = run_here(job.pk, lambda _job: None)
    assert (ended.state, ended.done, ended.failed, ended.error) == (Job.State.DONE, 10, 0, "")


def test_no_imagery_is_bought_for_heights_that_are_void(
    tmp_path: Path, data_folder: Path, earthengine: StandIn
) -> None:
    heights = hills(SIZE, 3 * SIZE)
    heights[:, :SIZE] = -9999
    write_raster(tmp_path / "dem.tif", heights, nodata=-9999)
    run("land", "--dem", tmp_path / "dem.tif", "--imagery", "earthengine", "--tile-size", SIZE)
    assert len(earthengine.requests) == 2


def test_options_of_earth_engine_say_nothing_to_a_raster(inputs: Inputs, data_folder: Path) -> None:
    with pytest.raises(CommandError, match="not searched: leave out preset"):
        run("land", "--dem", inputs.dems, "--imagery", inputs.raster, "--tile-size", SIZE, "--preset", "published")
    with pytest.raises(CommandError, match="by their numbers"):
        run("land", "--dem", inputs.dems, "--imagery", inputs.raster, "--tile-size", SIZE, "--bands", "B4,B3,B2")
    assert not Area.objects.exists()


def test_the_check_says_that_all_is_well(earthengine: StandIn) -> None:
    said = check()
    assert PROJECT in said
    assert "succeeded" in said
    assert len(earthengine.requests) == 1


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (status(403, "forbidden", "Project is not registered to use Earth Engine."), "Register it"),
        (status(403, "SERVICE_DISABLED", "Earth Engine API has not been used in project 7 before"), "API is off"),
        (status(401, "UNAUTHENTICATED", "Invalid credentials"), "EARTHENGINE_CREDENTIALS"),
        (status(403, "forbidden", "Caller does not have permission"), "Check its roles"),
        (status(503, "UNAVAILABLE", "Down"), "503"),
    ],
)
def test_the_check_says_what_is_wrong(earthengine: StandIn, fault: Any, says: str) -> None:
    earthengine.algorithms_fault = fault
    with pytest.raises(CommandError, match=says):
        check()


@pytest.mark.parametrize(
    ("credentials", "project", "says"),
    [
        ("", PROJECT, "no credentials"),
        ("anonymous", "", "EARTHENGINE_PROJECT"),
        ("/nowhere/key.json", PROJECT, r"key\.json, cannot be read"),
        ("manage.py", PROJECT, "not the key file"),
        ("default", PROJECT, "no default credentials"),
    ],
)
def test_the_check_says_what_is_not_set(
    earthengine: StandIn, settings: Any, monkeypatch: pytest.MonkeyPatch, credentials: str, project: str, says: str
) -> None:
    # Or the client looks for default credentials at a host of Google's.
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
    monkeypatch.setenv("CLOUDSDK_CONFIG", "/nowhere")
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    settings.EARTHENGINE_CREDENTIALS, settings.EARTHENGINE_PROJECT = credentials, project
    with pytest.raises(CommandError, match=says):
        check()


def test_the_check_says_that_the_quota_is_used_up(earthengine: StandIn) -> None:
    earthengine.always = status(429, "RESOURCE_EXHAUSTED", "Quota exceeded for the day.")
    with pytest.raises(CommandError, match="until there is quota again"):
        check()


def test_the_check_says_that_there_is_no_network(earthengine: StandIn, settings: Any) -> None:
    settings.EARTHENGINE_URL = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(CommandError, match="Check the network"):
        check()
