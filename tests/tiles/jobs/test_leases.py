"""Leases: who may write, and until when."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.support.jobs_app.kinds import folder_of, writing_start
from tiles.core.files import temporary_name
from tiles.jobs.leases import Lease, LeaseLost, Stopped, ending
from tiles.jobs.runner import chunk_lease, chunk_run
from tiles.jobs.services import job_cancel, job_pause
from tiles.jobs.sweep import sweep
from tiles.models import Job, JobChunk, JobEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def lease(writing: Path) -> Lease:
    """A lease on the first chunk of a new job."""
    writing_start(chunks=2, steps=3, background=False)
    found = chunk_lease()
    assert found
    return found


def expire(lease: Lease) -> None:
    JobChunk.objects.filter(pk=lease.chunk_id).update(expires_at=timezone.now() - timedelta(seconds=1))


def lose(lease: Lease) -> None:
    expire(lease)
    assert sweep() == 1


def beat_due(settings: Any) -> None:
    settings.DEMETER_LEASE_SECONDS = 0  # every beat is due


def test_a_chunk_is_leased_once(lease: Lease) -> None:
    assert chunk_lease() is None
    chunk = JobChunk.objects.get(pk=lease.chunk_id)
    assert (chunk.state, chunk.token, chunk.attempts) == ("leased", 1, 1)
    assert chunk.expires_at
    assert chunk.expires_at > timezone.now()
    assert lease.owner == f"{chunk.pk}-1"
    assert Job.objects.get().state == Job.State.RUNNING
    assert Job.objects.get().started_at


def test_a_fence_renews_the_lease_and_keeps_what_is_written(lease: Lease) -> None:
    expire(lease)
    with lease.fence():
        lease.log("written")
    assert JobEvent.objects.filter(message="written").exists()
    assert JobChunk.objects.get(pk=lease.chunk_id).expires_at > timezone.now()  # type: ignore[operator]


def test_a_lost_lease_writes_nothing(lease: Lease) -> None:
    lose(lease)
    with pytest.raises(LeaseLost), lease.fence():
        lease.log("written")
    assert not JobEvent.objects.filter(message="written").exists()


def test_a_lost_lease_writes_nothing_after_the_chunk_was_leased_again(lease: Lease) -> None:
    lose(lease)
    second = chunk_lease()
    assert second
    assert (second.chunk_id, second.attempt) == (lease.chunk_id, 2)
    assert second.owner != lease.owner
    with pytest.raises(LeaseLost), lease.fence():
        pass
    with second.fence():
        second.log("the second writes")


def test_a_failing_block_undoes_what_it_wrote(lease: Lease) -> None:
    def write() -> None:
        with lease.fence():
            lease.count(done=1)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        write()
    assert Job.objects.get().done == 0


def test_losing_and_stopping_pass_handlers_of_ordinary_failures(lease: Lease) -> None:
    assert not issubclass(LeaseLost, Exception)
    assert not issubclass(Stopped, Exception)


def test_a_cancelled_job_takes_no_more_results(lease: Lease) -> None:
    job_cancel(job_id=lease.job.pk, by=None)
    with pytest.raises(Stopped), lease.fence():
        lease.count(done=1)
    assert Job.objects.get().done == 0


def test_a_paused_job_takes_what_is_finished_but_stops_at_the_beat(lease: Lease, settings: Any) -> None:
    job_pause(job_id=lease.job.pk, by=None)
    with lease.fence():
        lease.count(done=1)
    assert Job.objects.get().done == 1
    beat_due(settings)
    with pytest.raises(Stopped):
        lease.beat()


def test_a_beat_writes_only_now_and_then(lease: Lease, django_assert_num_queries: Any, settings: Any) -> None:
    with django_assert_num_queries(0):
        lease.beat()
    beat_due(settings)
    expire(lease)
    lease.beat()
    assert JobChunk.objects.get(pk=lease.chunk_id).expires_at > timezone.now() - timedelta(seconds=1)  # type: ignore[operator]


def test_a_beat_notices_a_lost_lease(lease: Lease, settings: Any) -> None:
    lose(lease)
    beat_due(settings)
    with pytest.raises(LeaseLost):
        lease.beat()


def test_a_process_that_is_to_end_stops_at_once(lease: Lease) -> None:
    ending.set()
    try:
        with pytest.raises(Stopped):
            lease.beat()
    finally:
        ending.clear()


def test_counting_adds_up_by_reason(lease: Lease) -> None:
    with lease.fence():
        lease.expect(total=10, done=2)
    with lease.fence():
        lease.count(done=3, failures={"void": 1})
        lease.count(failures={"void": 1, "blank": 1})
    job = Job.objects.get()
    assert (job.total, job.done, job.failed) == (10, 5, 3)
    assert job.failures == {"void": 2, "blank": 1}


def test_rows_are_written_inside_a_fence_only(lease: Lease) -> None:
    for write in (
        lambda: lease.count(done=1),
        lambda: lease.expect(total=1),
        lambda: lease.log("x"),
        lambda: lease.add_chunks([{}], stage=1),
    ):
        with pytest.raises(RuntimeError, match="fence"):
            write()


def test_who_lost_a_lease_leaves_the_next_holders_files_alone(lease: Lease) -> None:
    lose(lease)
    second = chunk_lease()
    assert second
    temporary = temporary_name(folder_of(second.job) / "step_0.txt", second.owner)
    temporary.parent.mkdir(parents=True)
    temporary.write_text("half")
    chunk_run(lease)
    assert temporary.exists()
    assert JobChunk.objects.get(pk=second.chunk_id).state == JobChunk.State.LEASED
    chunk_run(second)
    assert JobChunk.objects.get(pk=second.chunk_id).state == JobChunk.State.DONE
    assert not temporary.exists()
