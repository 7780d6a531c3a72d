"""Starting and steering jobs, and reading how far they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.support.jobs_app.kinds import Writing, writing_start
from tiles.core.errors import Conflict, NotFound
from tiles.jobs.queue import waiting_wakes
from tiles.jobs.runner import chunk_lease, chunk_run, run_here
from tiles.jobs.selectors import job_failures, job_open, job_progress
from tiles.jobs.services import job_cancel, job_pause, job_resume, job_start
from tiles.jobs.words import duration_words, rate_words
from tiles.models import Job

pytestmark = pytest.mark.django_db


def test_starting_wakes_the_workers_on_commit(
    writing: Path, django_capture_on_commit_callbacks: Callable[..., Any], settings: Any
) -> None:
    settings.DEMETER_WORKERS = 2
    with django_capture_on_commit_callbacks(execute=True):
        writing_start(chunks=1, steps=1)
        assert waiting_wakes() == 0
    assert waiting_wakes() == 2


def test_a_subject_has_one_open_job(writing: Path) -> None:
    first = writing_start(chunks=1, steps=1, background=False)
    with pytest.raises(Conflict) as refused:
        writing_start(chunks=1, steps=1, background=False)
    assert refused.value.code == "already_running"
    assert job_open(kind=Writing.name, subject="1x1") == first
    run_here(first.pk, lambda _job: None)
    assert job_open(kind=Writing.name, subject="1x1") is None
    writing_start(chunks=1, steps=1, background=False)


def test_a_job_without_chunks_is_done_at_once(writing: Path) -> None:
    job = job_start(kind=Writing.name, title="Nothing", subject="", chunks=[], background=False)
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert job.finished_at


def test_the_log_says_who_did_what(writing: Path, person: Callable[..., Any]) -> None:
    curator = person("curator", "ada")
    job = writing_start(chunks=1, steps=1, background=False)
    job_pause(job_id=job.pk, by=curator)
    job_resume(job_id=job.pk, by=None)
    job_cancel(job_id=job.pk, by=curator)
    messages = list(job.events.values_list("message", flat=True))
    assert messages == [
        "Started by the command line.",
        "Paused by ada.",
        "Resumed by the command line.",
        "Cancelled by ada.",
        "ended cancelled",
    ]


@pytest.mark.parametrize(
    ("state", "refused"),
    [
        ("queued", {"resume"}),
        ("running", {"resume"}),
        ("paused", {"pause"}),
        ("done", {"pause", "resume", "cancel"}),
        ("failed", {"pause", "resume", "cancel"}),
        ("cancelled", {"pause", "resume", "cancel"}),
    ],
)
def test_what_can_be_done_in_which_state(writing: Path, state: str, refused: set[str]) -> None:
    steering = {"pause": job_pause, "resume": job_resume, "cancel": job_cancel}
    for name, steer in steering.items():
        job = writing_start(chunks=1, steps=1, background=False)
        Job.objects.filter(pk=job.pk).update(state=state)
        if name in refused:
            with pytest.raises(Conflict):
                steer(job_id=job.pk, by=None)
            assert Job.objects.get(pk=job.pk).state == state
        else:
            steer(job_id=job.pk, by=None)
            assert Job.objects.get(pk=job.pk).state != state
        Job.objects.filter(pk=job.pk).update(state="done")


def test_steering_a_job_that_is_not_there(writing: Path) -> None:
    with pytest.raises(NotFound):
        job_pause(job_id=99, by=None)


def test_progress(writing: Path) -> None:
    job = writing_start(chunks=2, steps=5, background=False)
    progress = job_progress(job)
    assert (progress.share, progress.rate, progress.seconds_left, progress.left) == (0, None, None, 0)
    lease = chunk_lease()
    assert lease
    chunk_run(lease)
    job.refresh_from_db()
    job.done, job.failed, job.pace = 4, 1, {"start": [timezone.now().timestamp() - 10, 0], "middle": [0, 0]}
    progress = job_progress(job)
    assert progress.share == 0.5
    assert progress.left == 5
    assert progress.rate == pytest.approx(0.5, rel=0.1)
    assert progress.seconds_left == pytest.approx(10, rel=0.1)
    job.state = Job.State.PAUSED
    assert job_progress(job).seconds_left is None


def test_the_rate_forgets_a_night_without_a_worker(writing: Path) -> None:
    writing_start(chunks=1, steps=9, background=False)
    lease = chunk_lease()
    assert lease
    yesterday = (timezone.now() - timedelta(hours=12)).timestamp()
    Job.objects.update(started_at=timezone.now() - timedelta(hours=13), done=2, total=9)
    Job.objects.update(pace={"start": [yesterday - 60, 0], "middle": [yesterday, 2]})
    for _ in range(2):
        with lease.fence():
            lease.count(done=1)
        # Both marks are a minute older, as if a minute had gone by.
        job = Job.objects.get()
        job.pace = {name: [at - 61, steps] for name, (at, steps) in job.pace.items()}
        job.save()
    with lease.fence():
        lease.count(done=3)
    rate = job_progress(Job.objects.get()).rate
    assert rate == pytest.approx(3 / 61, rel=0.1)


def test_failures_are_listed_with_words_and_the_most_frequent_first(writing: Path) -> None:
    job = writing_start(chunks=1, steps=1, background=False)
    job.failures = {"void": 2, "not_covered": 5, "odd_one": 1}
    assert [(line.code, line.label, line.number) for line in job_failures(job)] == [
        ("not_covered", "Not covered by the imagery", 5),
        ("void", "Too many voids in the heights", 2),
        ("odd_one", "odd one", 1),
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (273600, "3 d 4 h")],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words


@pytest.mark.parametrize(("rate", "words"), [(12.34, "12.3 a second"), (0.2, "12 a minute"), (0.005, "18 an hour")])
def test_rates_in_words(rate: float, words: str) -> None:
    assert rate_words(rate) == words


def test_the_command_lists_jobs(writing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("jobs")
    assert "No jobs yet" in capsys.readouterr().out
    job = writing_start(chunks=1, steps=4, background=False)
    Job.objects.filter(pk=job.pk).update(done=2, failed=1, total=4, failures={"void": 1})
    call_command("jobs")
    shown = capsys.readouterr().out
    for text in (str(job.pk), "Writing", "queued", "1 too many voids in the heights"):
        assert text in shown


def test_the_command_steers_jobs(writing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job = writing_start(chunks=1, steps=4, background=False)
    for action, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        call_command("jobs", action, str(job.pk))
        job.refresh_from_db()
        assert job.state == state
        assert f"Job {job.pk}, Writing: {state}." in capsys.readouterr().out
    with pytest.raises(CommandError, match="cancelled"):
        call_command("jobs", "pause", str(job.pk))
    with pytest.raises(CommandError, match="Which job"):
        call_command("jobs", "pause")
    with pytest.raises(CommandError, match="no such job"):
        call_command("jobs", "cancel", "999")


def test_the_command_shows_one_job(
    writing: Path, person: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    job = writing_start(chunks=1, steps=4, background=False)
    job_pause(job_id=job.pk, by=person("curator", "ada"))
    changes = {"done": 2, "failed": 1, "total": 4, "failures": {"void": 1}, "error": "The disk is full."}
    Job.objects.filter(pk=job.pk).update(**changes, room_wanted=0, started_by=person("curator", "ada"))
    for number, seconds in enumerate((0.5, 4.94, 1.8, None), start=1):
        job.chunks.create(number=number, state="done", seconds=seconds)
    call_command("jobs", "show", str(job.pk))
    shown = capsys.readouterr().out
    for text in (
        "Writing: waiting for room. Started by ada",
        "2 done, 1 failed, 1 left.",
        "3 chunks of work ended: median 1.8 s, the slowest 4.9 s.",
        "The disk is full.",
        "1  void: Too many voids in the heights.",
    ):
        assert text in shown
    assert shown.index("Started by the command line.") < shown.index("Paused by ada.")
    call_command("jobs")
    listed = capsys.readouterr().out
    assert "waiting for room" in listed
    assert "ada" in listed
    with pytest.raises(CommandError, match="Which job"):
        call_command("jobs", "show", "999")
