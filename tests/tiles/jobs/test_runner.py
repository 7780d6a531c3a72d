"""Working jobs in this process: stages, tries, failures, pausing and cancelling."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.support.jobs_app.kinds import Writing, folder_of, hold, writing_start
from tiles.jobs.chunks import MAX_ATTEMPTS
from tiles.jobs.leases import Lease
from tiles.jobs.runner import chunk_lease, chunk_run, run_here
from tiles.jobs.services import job_cancel, job_pause, job_resume
from tiles.jobs.sweep import sweep
from tiles.models import Job, JobChunk


def work_all() -> None:
    """Work until nothing is runnable now."""
    while lease := chunk_lease():
        chunk_run(lease)


def messages(job: Job) -> list[str]:
    return list(job.events.values_list("message", flat=True))


def chunk_states(job: Job) -> list[str]:
    return list(job.chunks.values_list("state", flat=True))


def retry_now() -> None:
    """The wait before the next try is over."""
    JobChunk.objects.exclude(not_before=None).update(not_before=timezone.now() - timedelta(seconds=1))


def no_temporary_file(job: Job) -> bool:
    return not list(folder_of(job).glob(".*"))


@pytest.mark.django_db
def test_a_job_runs_here_to_its_end(writing: Path) -> None:
    job = writing_start(chunks=3, steps=2, background=False)
    seen: list[int] = []
    ended = run_here(job.pk, lambda now: seen.append(now.done))
    assert ended.state == Job.State.DONE
    assert (ended.total, ended.done, ended.failed) == (6, 6, 0)
    assert ended.finished_at
    assert seen == sorted(seen)
    assert seen[-1] == 6
    assert len(list(folder_of(job).glob("step_*.txt"))) == 6
    assert messages(job).count("ended done") == 1


@pytest.mark.django_db
def test_a_stage_waits_for_the_stage_before(writing: Path) -> None:
    job = writing_start(chunks=2, steps=1, background=False)
    plan = chunk_lease()
    assert plan
    assert chunk_lease() is None, "nothing but the plan can be taken yet"
    chunk_run(plan)
    first, second = chunk_lease(), chunk_lease()
    assert first
    assert second
    chunk_run(first)
    assert chunk_lease() is None, "the seal waits for the second chunk"
    chunk_run(second)
    seal = chunk_lease()
    assert seal
    assert seal.payload == {}
    chunk_run(seal)
    assert Job.objects.get(pk=job.pk).state == Job.State.DONE


@pytest.mark.django_db
def test_workers_are_shared_among_jobs(writing: Path) -> None:
    long = writing_start(chunks=9, steps=1, background=False)
    short = writing_start(chunks=2, steps=1, background=False)
    leases = [chunk_lease(), chunk_lease()]
    assert {lease.job.pk for lease in leases if lease} == {long.pk, short.pk}


@pytest.mark.django_db
def test_a_bug_is_tried_again_later(writing: Path) -> None:
    job = writing_start(chunks=2, steps=2, crash=1, times=1, background=False)
    work_all()
    waiting = job.chunks.get(state=JobChunk.State.WAITING, stage=1)
    assert waiting.error == "ValueError: a bug"
    assert waiting.not_before
    assert waiting.not_before > timezone.now()
    assert no_temporary_file(job)
    retry_now()
    work_all()
    job.refresh_from_db()
    assert (job.state, job.done) == (Job.State.DONE, 4)
    assert any("Try 1 of 5 failed. ValueError: a bug" in message for message in messages(job))


@pytest.mark.django_db
def test_a_chunk_is_given_up_after_five_tries_and_the_rest_goes_on(writing: Path) -> None:
    job = writing_start(chunks=2, steps=2, crash=1, background=False)
    for _ in range(MAX_ATTEMPTS):
        work_all()
        retry_now()
    work_all()
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert job.finished_at
    assert job.error == "ValueError: a bug"
    assert job.done == 3
    assert (folder_of(job) / "sealed.txt").exists()
    assert messages(job).count("gave up 1") == 1
    assert messages(job).count("ended failed") == 1
    assert no_temporary_file(job)


@pytest.mark.django_db
def test_bad_input_fails_the_whole_job(writing: Path) -> None:
    job = writing_start(chunks=3, steps=2, bad_input=2, background=False)
    work_all()
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert job.error == "The input is bad. Mend it."
    assert job.finished_at
    assert sorted(chunk_states(job)) == ["cancelled", "cancelled", "done", "done", "failed"]
    assert messages(job).count("ended failed") == 1
    assert messages(job).count("The input is bad. Mend it.") == 1
    assert no_temporary_file(job)


@pytest.mark.django_db
def test_bad_input_ends_the_job_only_when_the_others_have_stopped(writing: Path, settings: Any) -> None:
    job = writing_start(chunks=2, steps=1, bad_input=0, background=False)
    work(chunk_lease())
    bad, other = chunk_lease(), chunk_lease()
    work(bad)
    job.refresh_from_db()
    assert (job.state, job.finished_at) == (Job.State.FAILED, None)
    work(other)
    job.refresh_from_db()
    assert job.finished_at
    assert job.done == 0, "its result came too late"
    assert messages(job).count("ended failed") == 1


def work(lease: Lease | None) -> None:
    assert lease
    chunk_run(lease)


@pytest.mark.django_db
def test_a_full_disk_pauses_the_job(writing: Path) -> None:
    job = writing_start(chunks=2, steps=2, disk_full=1, background=False)
    work_all()
    job.refresh_from_db()
    assert job.state == Job.State.PAUSED
    assert job.error == "The disk is full. Make room, then go on."
    assert job.waits_for_room
    assert set(job.chunks.filter(stage=1).values_list("attempts", flat=True)) == {0}, "given back untried"
    assert no_temporary_file(job)
    (folder_of(job) / "room").touch()
    job_resume(job_id=job.pk, by=None)
    work_all()
    job.refresh_from_db()
    assert (job.state, job.error, job.done, job.room_wanted) == (Job.State.DONE, "", 4, None)


@pytest.mark.django_db
def test_a_paused_job_gives_out_nothing(writing: Path) -> None:
    job = writing_start(chunks=2, steps=1, background=False)
    job_pause(job_id=job.pk, by=None)
    assert chunk_lease() is None
    assert run_here(job.pk, lambda _job: None).state == Job.State.PAUSED
    job_resume(job_id=job.pk, by=None)
    assert run_here(job.pk, lambda _job: None).state == Job.State.DONE


@pytest.mark.django_db
def test_a_job_paused_in_its_last_chunk_is_done_when_that_is(writing: Path) -> None:
    job = writing_start(chunks=1, steps=1, background=False)
    work(chunk_lease())
    work(chunk_lease())
    seal = chunk_lease()
    job_pause(job_id=job.pk, by=None)
    work(seal)
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert job.finished_at


@pytest.mark.django_db
def test_pausing_stops_whoever_is_at_work(writing: Path, settings: Any) -> None:
    job = writing_start(chunks=2, steps=2, background=False)
    work(chunk_lease())
    lease = chunk_lease()
    job_pause(job_id=job.pk, by=None)
    settings.DEMETER_LEASE_SECONDS = 0
    work(lease)
    assert set(chunk_states(job)) == {"done", "waiting"}
    assert set(job.chunks.filter(stage=1).values_list("attempts", flat=True)) == {0}


@pytest.mark.django_db
def test_cancelling_ends_a_job_when_nobody_is_at_work(writing: Path) -> None:
    job = writing_start(chunks=2, steps=2, background=False)
    work(chunk_lease())
    job_cancel(job_id=job.pk, by=None)
    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED
    assert job.finished_at
    assert set(chunk_states(job)) == {"done", "cancelled"}
    assert messages(job).count("ended cancelled") == 1
    assert chunk_lease() is None


@pytest.mark.django_db
def test_cancelling_waits_for_whoever_is_at_work(writing: Path) -> None:
    job = writing_start(chunks=2, steps=2, background=False)
    work(chunk_lease())
    lease = chunk_lease()
    job_cancel(job_id=job.pk, by=None)
    job.refresh_from_db()
    assert (job.state, job.finished_at) == (Job.State.CANCELLED, None)
    assert "ended cancelled" not in messages(job)
    work(lease)
    job.refresh_from_db()
    assert job.finished_at
    assert job.done == 0
    assert set(chunk_states(job)) == {"done", "cancelled"}
    assert messages(job).count("ended cancelled") == 1
    assert no_temporary_file(job)


@pytest.mark.django_db
def test_a_new_job_on_the_same_subject_may_start_while_the_cancelled_one_stops(writing: Path) -> None:
    first = writing_start(chunks=2, steps=2, background=False)
    work(chunk_lease())
    lease = chunk_lease()
    job_cancel(job_id=first.pk, by=None)
    second = writing_start(chunks=2, steps=2, background=False)
    work(lease)
    work_all()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.done) == (Job.State.CANCELLED, 0)
    assert (second.state, second.done) == (Job.State.DONE, 4)


@pytest.mark.django_db
def test_interrupting_a_foreground_run_gives_the_chunk_back(writing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = writing_start(chunks=1, steps=2, background=False)

    def interrupted(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Writing, "_seal", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_here(job.pk, lambda _job: None)
    assert list(job.chunks.filter(stage=2).values_list("state", "attempts")) == [("waiting", 0)]
    assert run_here(job.pk, lambda _job: None).state == Job.State.DONE


@pytest.mark.django_db
def test_a_foreground_run_takes_over_from_a_dead_one(writing: Path) -> None:
    job = writing_start(chunks=1, steps=2, background=False)
    dead = chunk_lease()
    assert dead
    JobChunk.objects.filter(pk=dead.chunk_id).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert run_here(job.pk, lambda _job: None).state == Job.State.DONE


def pause_and_resume(job: Job) -> None:
    job_pause(job_id=job.pk, by=None)
    job_resume(job_id=job.pk, by=None)


def take_from_living_hands(job: Job) -> None:
    leased = JobChunk.objects.filter(state="leased", attempts__lt=MAX_ATTEMPTS)
    for _ in range(10):
        leased.update(expires_at=timezone.now() - timedelta(seconds=1))
        sweep()


STEERING: dict[str, Callable[[Job], object]] = {
    "none": lambda _job: None,
    "pause": pause_and_resume,
    "cancel": lambda job: job_cancel(job_id=job.pk, by=None),
    "sweep": take_from_living_hands,
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("steering", STEERING)
def test_many_workers_at_once_end_a_job_once(writing: Path, steering: str) -> None:
    """Threads with connections of their own work, steer and sweep the same job: no deadlock, nothing twice."""
    job = writing_start(chunks=12, steps=5, background=False)

    hold().touch()

    def steer() -> None:
        while JobChunk.objects.filter(state="leased").count() < 4:
            threading.Event().wait(0.005)
        hold().unlink()
        STEERING[steering](job)

    def run() -> None:
        while not Job.objects.get(pk=job.pk).finished_at:
            run_here(job.pk, lambda _job: None, pause=threading.Event().wait)

    assert together([run, run, run, run, steer]) == []
    job.refresh_from_db()
    assert job.state == (Job.State.CANCELLED if steering == "cancel" else Job.State.DONE), messages(job)
    written = [message for message in messages(job) if message.startswith("step ")]
    assert len(written) == len(set(written)) == job.done
    assert messages(job).count(f"ended {job.state}") == 1
    assert not set(chunk_states(job)) & {"waiting", "leased"}
    assert no_temporary_file(job)
    assert steering == "cancel" or job.done == 60


def together(acts: list[Callable[[], None]]) -> list[BaseException]:
    """Run these at once in threads; returns what they raised."""
    failures: list[BaseException] = []

    def run(act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads)
    return failures
