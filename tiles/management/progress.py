"""A job's progress in a terminal, or line by line where there is none."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from tiles.jobs.selectors import job_progress
from tiles.models import Job
from tiles.models.choices import Failure

LOOK_SECONDS = 0.3
LINE_SECONDS = 5.0


@contextlib.contextmanager
def job_shown(job: Job, console: Console, *, note: str = "reading the elevation models") -> Iterator[None]:
    """Show how far a job is for as long as the block lasts; reads the job's row, whoever does the work.

    note: what it is doing until the number of its steps is known.

    On a terminal a bar with rate, time left and failures by reason; elsewhere a line of the same every few seconds.
    """
    over = threading.Event()
    with _bar(job, console, note) if console.is_terminal else contextlib.nullcontext(_lines(console)) as show:
        watcher = threading.Thread(target=_watch, args=(job.pk, show, over), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()


def progress_text(job: Job) -> str:
    """Rate, time left and failures, as far as they are known: "12.3 tiles/s, 1:40 left, void 3"."""
    progress = job_progress(job)
    parts = []
    if progress.rate:
        parts.append(f"{progress.rate:.1f} tiles/s")
    if progress.seconds_left is not None:
        minutes, seconds = divmod(round(progress.seconds_left), 60)
        parts.append(f"{minutes}:{seconds:02} left")
    parts += [f"{failure_word(code)} {number}" for code, number in sorted(job.failures.items())]
    return ", ".join(parts)


def failure_word(code: str) -> str:
    """A failure's code as the terminal says it."""
    return Failure(code).label.lower() if code in Failure.values else code


def _watch(job_id: int, show: Callable[[Job], None], over: threading.Event) -> None:
    try:
        while not over.wait(LOOK_SECONDS):
            if job := Job.objects.filter(pk=job_id).first():
                show(job)
        if job := Job.objects.filter(pk=job_id).first():
            show(job)
    finally:
        connection.close()  # this thread's own


@contextlib.contextmanager
def _bar(job: Job, console: Console, note: str) -> Iterator[Callable[[Job], None]]:
    columns: tuple[Any, ...] = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(job.title, total=None, note=note)

        def show(now: Job) -> None:
            if now.total:
                bar.update(task, total=now.total, completed=now.done + now.failed, note=progress_text(now))

        yield show


def _lines(console: Console) -> Callable[[Job], None]:
    said: dict[str, Any] = {"at": time.monotonic(), "steps": 0}

    def show(now: Job) -> None:
        steps = now.done + now.failed
        due = time.monotonic() - said["at"] > LINE_SECONDS or steps == now.total
        if steps != said["steps"] and due:
            said.update(at=time.monotonic(), steps=steps)
            note = progress_text(now)
            console.print(
                f"{steps} of {now.total} tiles" + (f", {note}" if note else ""), markup=False, highlight=False
            )

    return show
