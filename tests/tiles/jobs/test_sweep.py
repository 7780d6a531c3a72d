"""The sweeper: expired leases, jobs that do not say that they are over, and waking workers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.support.jobs_app.kinds import Writing, folder_of, writing_start
from tiles.core.files import temporary_name
from tiles.jobs.chunks import MAX_ATTEMPTS
from tiles.jobs.leases import Lease
from tiles.jobs.queue import waiting_wakes
from tiles.jobs.runner import chunk_lease, chunk_run
from tiles.jobs.services import job_cancel, job_pause
from tiles.jobs.sweep import sweep, work_waits
from tiles.models import Job, JobChunk

pytestmark = pytest.mark.django_db


def die(lease: Lease | None) -> JobChunk:
    """The holder of this lease died a while ago, in the middle of a file."""
    assert lease
    temporary = temporary_name(folder_of(lease.job) / "step_0.txt", lease.owner)
    temporary.parent.mkdir(parents=True, exist_ok=True)
    temporary.write_text("half")
    JobChunk.objects.filter(pk=lease.chunk_id).update(expires_at=timezone.now() - timedelta(seconds=1))
    return JobChunk.objects.get(pk=lease.chunk_id)


def test_a_living_lease_is_left_alone(writing: Path) -> None:
    writing_start(chunks=1, steps=1, background=False)
    lease = chunk_lease()
    assert lease
    assert sweep() == 0
    with lease.fence():
        pass


def test_what_a_dead_worker_held_is_offered_again(writing: Path) -> None:
    job = writing_start(chunks=1, steps=1, background=False)
    chunk = die(chunk_lease())
    assert sweep() == 1
    assert sweep() == 0
    chunk.refresh_from_db()
    assert (chunk.state, chunk.expires_at, chunk.attempts) == ("waiting", None, 1)
    assert not list(folder_of(job).glob(".*"))
    assert job.events.filter(level="warning").count() == 1


def test_a_chunk_at_which_workers_die_is_given_up(writing: Path) -> None:
    job = writing_start(chunks=1, steps=1, background=False)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert die(chunk_lease()).attempts == attempt
        assert sweep() == 1
    assert chunk_lease() is None
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert job.error == "The worker died 5 times while at it."
    assert job.events.filter(message="gave up 0").count() == 1
    assert job.events.filter(message="ended failed").count() == 1


@pytest.mark.parametrize("attempts", [1, MAX_ATTEMPTS])
def test_a_cancelled_job_ends_when_its_dead_worker_is_found(writing: Path, attempts: int) -> None:
    job = writing_start(chunks=1, steps=1, background=False)
    chunk = die(chunk_lease())
    JobChunk.objects.filter(pk=chunk.pk).update(attempts=attempts)
    job_cancel(job_id=job.pk, by=None)
    sweep()
    chunk.refresh_from_db()
    job.refresh_from_db()
    assert chunk.state == JobChunk.State.CANCELLED
    assert job.finished_at
    assert job.events.filter(message="ended cancelled").count() == 1
    assert not list(folder_of(job).glob(".*"))


def test_a_paused_job_keeps_what_its_dead_worker_held(writing: Path) -> None:
    job = writing_start(chunks=1, steps=1, background=False)
    chunk = die(chunk_lease())
    job_pause(job_id=job.pk, by=None)
    sweep()
    chunk.refresh_from_db()
    job.refresh_from_db()
    assert (chunk.state, job.state) == ("waiting", "paused")


@pytest.mark.parametrize(("state", "ends"), [("running", "done"), ("paused", "done"), ("cancelled", "cancelled")])
def test_a_job_that_does_not_say_it_is_over_is_ended(writing: Path, state: str, ends: str) -> None:
    job = writing_start(chunks=1, steps=1, background=False)
    left = "waiting" if state == "cancelled" else "done"
    JobChunk.objects.filter(job=job).update(state=left)
    Job.objects.filter(pk=job.pk).update(state=state)
    sweep()
    job.refresh_from_db()
    assert (job.state, bool(job.finished_at)) == (ends, True)
    assert not job.chunks.filter(state__in=JobChunk.OPEN).exists()
    assert job.events.filter(message=f"ended {ends}").count() == 1


def test_one_job_that_cannot_be_mended_does_not_keep_the_others(
    writing: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = writing_start(chunks=1, steps=1, background=False)
    die(chunk_lease(broken.pk))
    other = writing_start(chunks=2, steps=1, background=False)
    die(chunk_lease(other.pk))
    discard = Writing.discard

    def fail(kind: Writing, chunk: JobChunk) -> None:
        if chunk.job_id == broken.pk:
            raise RuntimeError("a bug")
        discard(kind, chunk)

    monkeypatch.setattr(Writing, "discard", fail)
    assert sweep() == 1
    assert list(other.chunks.values_list("state", flat=True)) == ["waiting"]
    assert "a bug" in caplog.text


def test_workers_are_woken_for_work_but_not_more_than_there_are(writing: Path, settings: object) -> None:
    settings.DEMETER_WORKERS = 3  # type: ignore[attr-defined]
    assert not work_waits()
    sweep()
    assert waiting_wakes() == 0
    writing_start(chunks=1, steps=1, background=False)
    assert work_waits()
    sweep()
    sweep()
    assert waiting_wakes() == 3


def test_what_waits_for_room_goes_on_by_itself(writing: Path, settings: Any) -> None:
    job = writing_start(chunks=1, steps=2, disk_full=1, background=False)
    while lease := chunk_lease():
        chunk_run(lease)
    job.refresh_from_db()
    assert (job.state, job.waits_for_room) == (Job.State.PAUSED, True)
    least, settings.DEMETER_MIN_FREE = settings.DEMETER_MIN_FREE, 2**60
    Job.objects.update(room_wanted=0)  # as if nothing had been free then
    (folder_of(job) / "room").touch()
    sweep()
    job.refresh_from_db()
    assert job.waits_for_room, "there is no room yet"
    assert not work_waits()
    settings.DEMETER_MIN_FREE = least
    sweep()
    job.refresh_from_db()
    assert (job.state, job.error, job.room_wanted) == (Job.State.RUNNING, "", None)
    assert waiting_wakes() > 0
    assert job.events.filter(message__contains="room on the disk again").count() == 1
    while lease := chunk_lease():
        chunk_run(lease)
    job.refresh_from_db()
    assert (job.state, job.done) == (Job.State.DONE, 2)


def test_a_write_that_failed_waits_for_more_room_than_there_was(writing: Path) -> None:
    """Nobody knows how much it takes, and a quota may say no where the disk has room."""
    job = writing_start(chunks=1, steps=1, disk_full=0, background=False)
    while lease := chunk_lease():
        chunk_run(lease)
    job.refresh_from_db()
    assert job.room_wanted is not None
    assert job.room_wanted > 0, "beyond DEMETER_MIN_FREE"


def test_what_a_person_paused_stays_paused(writing: Path) -> None:
    job = writing_start(chunks=1, steps=1, background=False)
    job_pause(job_id=job.pk, by=None)
    sweep()
    job.refresh_from_db()
    assert (job.state, job.waits_for_room) == (Job.State.PAUSED, False)


def test_nobody_is_woken_for_work_that_cannot_be_taken_yet(writing: Path) -> None:
    job = writing_start(chunks=1, steps=1, background=False)
    JobChunk.objects.update(not_before=timezone.now() + timedelta(minutes=1))
    assert not work_waits()
    JobChunk.objects.update(not_before=None)
    job_pause(job_id=job.pk, by=None)
    assert not work_waits()


def test_looking_for_work_costs_the_same_for_a_large_job(writing: Path, django_assert_num_queries: object) -> None:
    job = writing_start(chunks=3000, steps=1, background=False)
    lease = chunk_lease()
    assert lease
    chunk_run(lease)
    assert job.chunks.count() == 3002
    with django_assert_num_queries(4):  # type: ignore[operator]  # jobs; two states' lowest stage; one chunk
        assert work_waits()
