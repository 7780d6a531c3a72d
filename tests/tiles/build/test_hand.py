"""What a worker takes in hand at once: a few seconds of work, and of imagery from afar the next before the last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.earthengine import StandIn, status
from tiles.jobs.runner import run_here
from tiles.jobs.services import job_resume
from tiles.models import Job, JobChunk

from .conftest import Build, Inputs

SIZE = 32
TILES_STAGE = 1

pytestmark = pytest.mark.django_db


def chunks() -> list[tuple[str, int, int]]:
    """State, tries and tiles left of every chunk of tiles."""
    found = JobChunk.objects.filter(stage=TILES_STAGE).order_by("number")
    return [(chunk.state, chunk.attempts, len(chunk.payload["tiles"])) for chunk in found]


def asked(inputs: Inputs) -> dict[str, Any]:
    return {"dems": [inputs.dems], "imagery": "earthengine", "tile_size": SIZE}


def test_when_its_time_is_over_the_rest_of_a_chunk_is_offered_anew(
    inputs: Inputs, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiles.build.hand.SECONDS_A_CHUNK", 0.0)
    area = build(dems=[inputs.dems], imagery=inputs.raster, tile_size=SIZE)
    assert chunks() == [("done", 1, 0)] * 10
    assert sorted(area.tiles.values_list("version", "build_state")) == [(1, "built")] * 10


def test_a_worker_that_has_asked_for_all_of_its_chunk_takes_the_next_one_over(
    inputs: Inputs, build: Build, earthengine: StandIn
) -> None:
    area = build(**asked(inputs))
    assert chunks() == [("done", 1, 0), ("done", 0, 4), ("done", 0, 2)], "four tiles a chunk, all made by one hand"
    assert area.tiles.filter(build_state="built").count() == 10
    assert len(earthengine.requests) == 10


def test_what_was_taken_over_is_given_back_with_the_rest(
    inputs: Inputs, build: Build, data_folder: Path, earthengine: StandIn
) -> None:
    refused = status(401, "UNAUTHENTICATED", "Invalid credentials")
    earthengine.faults = [*[None] * 6, *[refused] * 20]
    area = build(ends=Job.State.PAUSED, **asked(inputs))
    planned = set(area.tiles.filter(build_state="planned").values_list("pk", flat=True))
    held = [set(chunk.payload["tiles"]) for chunk in JobChunk.objects.filter(stage=TILES_STAGE, state="waiting")]
    assert planned
    assert set().union(*held) == planned
    assert sum(map(len, held)) == len(planned), "no tile is in two chunks"
    earthengine.faults = []
    job = Job.objects.get()
    job_resume(job_id=job.pk, by=None)
    ended = run_here(job.pk, lambda _job: None)
    assert (ended.state, ended.done, ended.failed) == (Job.State.DONE, 10, 0)
