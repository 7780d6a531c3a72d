"""Areas whose imagery comes from a STAC catalogue, built through the command, against a stand-in on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from django.core.management import CommandError, call_command

from tests.support.stac import Reply, StacServer, bands_of
from tiles.core.paths import layer_path
from tiles.jobs.runner import run_here
from tiles.jobs.services import job_resume
from tiles.models import Area, Job, JobEvent, TilePair
from tiles.models.choices import BuildState, Failure

from .conftest import hills, write_raster

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue(settings: Any) -> Iterator[StacServer]:
    """Two passes over the first of the three tiles of `dem`, of 32 x 32 pixels of 30 m, and a strip of the second."""
    with StacServer() as server:
        settings.DEMETER_STAC_HOSTS = [server.host]
        settings.DEMETER_STAC_SECONDS = 20
        for number, red in enumerate((1000, 3000)):
            server.scene(
                f"S{number}", bands_of(red, red + 500, red + 800, red + 900, size=100), day=f"2023-06-0{number + 1}"
            )
        yield server


@pytest.fixture
def dem(tmp_path: Path) -> Path:
    return write_raster(tmp_path / "dem" / "part.tif", hills(32, 96))


def build(*arguments: object) -> str:
    out = StringIO()
    call_command("build_area", *map(str, arguments), stdout=out)
    return out.getvalue()


def days(*more: object) -> tuple[object, ...]:
    return ("--start", "2023-01-01", "--end", "2023-12-31", "--tile-size", 32, *more)


def test_an_area_is_built_end_to_end(catalogue: StacServer, dem: Path, data_folder: Path) -> None:
    said = build("land", "--dem", dem, "--imagery", f"stac:{catalogue.url}/", *days())
    assert "1 tiles built, 2 failed" in said
    area = Area.objects.get(slug="land")
    assert (area.satellite, area.imagery_gsd) == ("Sentinel-2", 10.0)
    assert (str(area.imagery_from), str(area.imagery_to)) == ("2023-01-01", "2023-12-31")
    built, partly, failed = area.tiles.order_by("index")
    assert built.build_state == BuildState.BUILT
    assert (built.satellite, built.native_gsd) == ("Sentinel-2", 10.0)
    assert built.imagery["source"] == "stac"
    assert [scene["id"] for scene in built.imagery["scenes"]] == ["S0", "S1"]
    assert built.imagery["clear_observations"] == {"min": 2, "mean": 2.0}
    with (
        rasterio.open(layer_path("land", "rgb", built.index)) as rgb,
        rasterio.open(layer_path("land", "dem", built.index)) as heights,
    ):
        assert (rgb.crs, rgb.transform, rgb.shape) == (heights.crs, heights.transform, heights.shape)
        np.testing.assert_allclose(rgb.read()[:, 5, 5], [0.2, 0.25, 0.28], atol=1e-6)
    assert (partly.failure, failed.failure) == (Failure.NOT_COVERED, Failure.NOT_COVERED)
    assert partly.failure_detail == "96.9 % of the tile have no imagery; the limit is 0 %."
    assert failed.failure_detail.startswith("The catalogue has no scene of sentinel-2-l2a here from 2023-01-01")


def test_a_second_run_makes_what_failed_for_the_server(catalogue: StacServer, dem: Path, data_folder: Path) -> None:
    gone = [True]
    catalogue.faults.append(lambda path: Reply(404) if "S1/red" in path and gone[0] else None)
    assert "0 tiles built, 3 failed" in build("land", "--dem", dem, "--imagery", f"stac:{catalogue.url}", *days())
    tile = TilePair.objects.get(index=0)
    assert tile.failure == Failure.SOURCE
    assert tile.failure_detail == "red of scene S1 cannot be had: the server does not have it."
    gone[0] = False
    assert "1 tiles built, 2 failed" in build("land")


@pytest.mark.parametrize("path", ["/search", ".tif"])
@pytest.mark.parametrize("status", [401, 403])
def test_a_server_that_refuses_pauses_the_build_once_and_no_tile_fails(
    catalogue: StacServer, dem: Path, data_folder: Path, path: str, status: int
) -> None:
    refuses = [True]
    catalogue.faults.append(lambda asked: Reply(status) if path in asked and refuses[0] else None)
    with pytest.raises(CommandError, match=f"{catalogue.host} .* Then resume this job"):
        build("land", "--dem", dem, "--imagery", f"stac:{catalogue.url}", *days())
    refuses[0] = False
    assert_paused_and_goes_on()


@pytest.mark.parametrize("path", ["/search", ".tif"])
def test_a_server_that_is_down_pauses_the_build_once_and_no_tile_fails(
    catalogue: StacServer, dem: Path, data_folder: Path, path: str
) -> None:
    is_down = [True]
    # Nobody waits for an hour: it is more than a tile may take.
    later = Reply(503, headers={"Retry-After": "3600"})
    catalogue.faults.append(lambda asked: later if path in asked and is_down[0] else None)
    with pytest.raises(CommandError, match=f"{catalogue.host} is down, .* Then resume this job"):
        build("land", "--dem", dem, "--imagery", f"stac:{catalogue.url}", *days())
    is_down[0] = False
    assert_paused_and_goes_on()


def test_files_on_a_host_that_is_not_configured_pause_the_build_once(
    catalogue: StacServer, dem: Path, data_folder: Path, settings: Any
) -> None:
    with StacServer() as stranger:
        for item in catalogue.items:
            for asset in item["assets"].values():
                asset["href"] = asset["href"].replace(catalogue.host, stranger.host)
        stranger.files = catalogue.files
        with pytest.raises(CommandError, match=f"{stranger.host} is not among the hosts .* Then resume this job"):
            build("land", "--dem", dem, "--imagery", f"stac:{catalogue.url}", *days())
        assert stranger.asked == []
        settings.DEMETER_STAC_HOSTS = [catalogue.host, stranger.host]
        assert_paused_and_goes_on()


def assert_paused_and_goes_on() -> None:
    """The job is paused with one reason and every tile is planned; resumed it makes the one and fails the others."""
    job = Job.objects.get()
    assert (job.state, job.done, job.failed, job.room_wanted) == (Job.State.PAUSED, 0, 0, None)
    assert job.error.endswith("Then resume this job: no tile was failed for it.")
    assert [event.message for event in job.events.filter(level=JobEvent.Level.ERROR)] == [f"Paused. {job.error}"]
    assert not TilePair.objects.exclude(build_state=BuildState.PLANNED).exists()
    job_resume(job_id=job.pk, by=None)
    ended = run_here(job.pk, lambda _job: None)
    assert (ended.state, ended.done, ended.failed, ended.error) == (Job.State.DONE, 1, 2, "")


def test_another_recipe_is_refused(catalogue: StacServer, dem: Path, data_folder: Path) -> None:
    build("land", "--dem", dem, "--imagery", f"stac:{catalogue.url}", *days())
    recipe = Area.objects.get(slug="land").recipe["imagery"]
    for arguments, says in (
        (("--cloud-limit", 5), "the cloud limit was 20.0 and not 5.0"),
        (("--end", "2023-11-30"), "the last day was 2023-12-31 and not 2023-11-30"),
        (("--composite", "least_cloudy"), "the composite was median and not least_cloudy"),
        (("--mask", "9,10,11"), "the mask was 0,1,3,8,9,10 and not 0,9,10,11"),
        (("--assets", "red=B04"), "the naming of the assets"),
        (("--bands", "1,2,3"), "Bands by number belong to raster imagery"),
    ):
        with pytest.raises(CommandError, match=says):
            build("land", *arguments)
    build("land", "--cloud-limit", 20, "--start", "2023-01-01")
    assert Area.objects.get(slug="land").recipe["imagery"] == recipe


def test_a_catalogue_that_is_not_configured_leaves_nothing(
    catalogue: StacServer, dem: Path, data_folder: Path, settings: Any
) -> None:
    settings.DEMETER_STAC_HOSTS = []
    with pytest.raises(CommandError, match=f"{catalogue.host} is not among the hosts"):
        build("land", "--dem", dem, "--imagery", f"stac:{catalogue.url}", *days())
    assert catalogue.asked == []
    assert not Area.objects.exists()
    assert not Job.objects.exists()
