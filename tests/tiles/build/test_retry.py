"""Trying again what a build could not make: all of it, or what failed for one reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from tests.support.factories import counters, recount
from tiles.build.restretch import area_restretch
from tiles.build.retry import build_retry
from tiles.core.errors import BadInput, Conflict, NotAllowed, NotFound
from tiles.jobs.runner import run_here
from tiles.models import Area, Job, TilePair
from tiles.models.choices import BuildState

from .conftest import NORTH, WEST, Build, Inputs, colours, hills, write_raster

SIZE = 32


@pytest.fixture
def land(build: Build, inputs: Inputs) -> Area:
    """Ten tiles: tile_0 is void, tiles 6 to 9 are beyond the imagery, the others are built."""
    heights = hills(70, 100)
    heights[:5, :5] = -32768
    write_raster(inputs.dems / "part2.tif", heights, nodata=-32768)
    write_raster(inputs.imagery, colours(80, 105), west=WEST - 150, north=NORTH + 150)
    area = build(dems=[inputs.dems], imagery=inputs.raster, tile_size=SIZE)
    assert counters(area) == {"built": 5, "pending": 5, "captioned": 5, "failed": 5} | {
        "failed:void": 1,
        "failed:not_covered": 4,
    }
    return area


def indexes(area: Area, **fields: Any) -> list[int]:
    return list(area.tiles.filter(**fields).order_by("index").values_list("index", flat=True))


def test_all_that_failed_is_tried_again_by_a_new_job(land: Area, person: Callable[..., Any]) -> None:
    first = land.jobs.get()
    built = list(land.tiles.filter(build_state="built").order_by("index").values())
    curator = person("curator")
    again = build_retry(job_id=first.pk, by=curator, background=False)
    assert again.pk != first.pk
    assert again.started_by == curator
    assert indexes(land, build_state=BuildState.PLANNED) == [0, 6, 7, 8, 9]
    assert counters(land) == recount(land)
    again = run_here(again.pk, lambda _job: None)
    assert (again.state, again.total, again.failures) == (Job.State.DONE, 5, {"void": 1, "not_covered": 4})
    assert list(land.tiles.filter(build_state="built").order_by("index").values()) == built
    assert counters(land) == recount(land)
    assert first.events.filter(message__startswith=f"Tried again by job {again.pk}").exists()
    assert again.events.filter(message__startswith=f"Tries again what job {first.pk}").exists()


def test_what_failed_for_one_reason_alone(land: Area) -> None:
    TilePair.objects.filter(index=9).update(failure="crashed")
    again = build_retry(job_id=land.jobs.get().pk, reason="void", background=False)
    assert indexes(land, build_state=BuildState.PLANNED) == [0]
    again = run_here(again.pk, lambda _job: None)
    assert (again.total, again.failures) == (1, {"void": 1})
    assert indexes(land, failure="crashed") == [9], "though any other build would have tried it"


def test_tiles_that_failed_for_what_has_gone_away_are_built(land: Area, inputs: Inputs) -> None:
    """As after a fault of the source: here its tiles are said to have failed."""
    failed = land.tiles.filter(index__in=[1, 2])
    failed.update(build_state="failed", failure="source", failure_detail="Refused.")
    for name, change in {"built": -2, "pending": -2, "failed": 2, "failed:source": 2}.items():
        counter, _ = land.counters.get_or_create(name=name)
        counter.value += change
        counter.save()
    again = run_here(build_retry(job_id=land.jobs.get().pk, reason="source", background=False).pk, lambda _job: None)
    assert (again.done, again.failed) == (2, 0)
    assert indexes(land, failure="source") == []
    assert counters(land) == recount(land)


def test_what_is_refused(land: Area, inputs: Inputs, person: Callable[..., Any]) -> None:
    job = land.jobs.get()
    with pytest.raises(NotAllowed):
        build_retry(job_id=job.pk, by=person("reviewer"))
    with pytest.raises(NotFound):
        build_retry(job_id=999)
    with pytest.raises(BadInput, match="not_covered"):
        build_retry(job_id=job.pk, reason="rain")
    with pytest.raises(Conflict, match="nothing to try"):
        build_retry(job_id=job.pk, reason="crashed")
    other = run_here(area_restretch(slug="land", percent=3, background=False).pk, lambda _job: None)
    with pytest.raises(Conflict, match="Only what a build"):
        build_retry(job_id=other.pk)
    hidden = inputs.imagery.rename(inputs.folder / "away.tif")
    with pytest.raises(BadInput):
        build_retry(job_id=job.pk)
    assert indexes(land, build_state=BuildState.PLANNED) == [], "why they failed is not forgotten"
    hidden.rename(inputs.imagery)
    again = build_retry(job_id=job.pk, background=False)
    with pytest.raises(Conflict, match="not over"):
        build_retry(job_id=again.pk)
    with pytest.raises(Conflict):
        build_retry(job_id=job.pk)
    assert land.jobs.filter(kind="build").count() == 2


def test_the_job_page_leads_to_the_tiles_and_tries_them_again(land: Area, signed_in: Callable[[str], Client]) -> None:
    job = land.jobs.get()
    page = signed_in("viewer").get(reverse("job", args=[job.pk])).content.decode()
    assert 'href="/areas/land/?failure=not_covered#failures"' in page
    assert "Once more" not in page
    listed = signed_in("viewer").get("/areas/land/?failure=not_covered").content.decode()
    assert "tile_7" in listed
    assert '<td class="nowrap">tile_0<' not in listed
    curator = signed_in("curator")
    page = curator.get(reverse("job", args=[job.pk])).content.decode()
    assert "Try 4 again" in page
    assert "Try all 5 failed again" in page
    assert signed_in("reviewer").post(reverse("job-retry", args=[job.pk])).status_code == 403
    answer = curator.post(reverse("job-retry", args=[job.pk]), {"reason": "not_covered"})
    again = Job.objects.latest("id")
    assert answer["Location"] == reverse("job", args=[again.pk])
    assert again.pk != job.pk
    late = curator.post(reverse("job-retry", args=[job.pk]), {"reason": "not_covered"}, follow=True)
    assert "nothing to try again" in late.content.decode()
    assert Job.objects.latest("id") == again


def test_the_command(land: Area, capsys: pytest.CaptureFixture[str]) -> None:
    job = land.jobs.get()
    call_command("jobs", "retry", str(job.pk), "--reason", "void")
    again = Job.objects.latest("id")
    assert f"Job {again.pk}, Build land: queued." in capsys.readouterr().out
    assert indexes(land, build_state=BuildState.PLANNED) == [0]
    with pytest.raises(CommandError, match="not over"):
        call_command("jobs", "retry", str(again.pk))
    with pytest.raises(CommandError, match="Which job"):
        call_command("jobs", "retry")
