"""`manage.py jobs`: what the jobs page shows, and the same buttons."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.live import Live
from rich.table import Table

from tiles.build.retry import REASONS, build_retry
from tiles.core.errors import ApplicationError
from tiles.jobs.selectors import job_chunk_times, job_failures, job_log, job_progress, jobs_listed
from tiles.jobs.services import job_cancel, job_pause, job_resume
from tiles.jobs.words import duration_words, failures_listed, rate_words
from tiles.models import Job

STEERING = {"pause": job_pause, "resume": job_resume, "cancel": job_cancel}


class Command(BaseCommand):
    help = (
        "List jobs, newest first, show one with its log, or pause, resume or cancel one, or try again what a build "
        "could not make: that is a new job, for the running worker."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", nargs="?", choices=["list", "show", *STEERING, "retry"], default="list")
        parser.add_argument("id", nargs="?", type=int, help="the job to show, pause, resume, cancel or try again")
        parser.add_argument("--reason", default="", choices=REASONS, help="of retry: only what failed for this")
        parser.add_argument("--limit", type=int, default=20, help="how many to list (default 20)")
        parser.add_argument("--watch", action="store_true", help="go on showing them until interrupted")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "show":
            self._show(options["id"])
            return
        if options["action"] != "list":
            self._steer(options["action"], options["id"], options["reason"])
            return
        if options["watch"]:
            _watch(options["limit"])
        elif jobs_listed().exists():
            _console().print(_table(options["limit"]))
        else:
            self.stdout.write("No jobs yet. `python manage.py build_area` starts one.")

    def _show(self, job_id: int | None) -> None:
        """What the job's page shows: how far it is, what failed, and its log, the oldest line first."""
        job = jobs_listed().filter(pk=job_id or 0).first()
        if job is None:
            raise CommandError("Which job? `python manage.py jobs` lists them; then `python manage.py jobs show ID`.")
        self.stdout.write(f"{job.title}: {_state(job)}. Started by {_who(job)}, {job.created_at:%Y-%m-%d %H:%M}.")
        progress = job_progress(job)
        parts = [f"{progress.done:,} done", f"{progress.failed:,} failed", f"{progress.left:,} left"]
        if progress.rate:
            parts.append(rate_words(progress.rate))
        if progress.seconds_left is not None:
            parts.append(f"about {duration_words(progress.seconds_left)} left")
        self.stdout.write(", ".join(parts) + ".")
        if times := job_chunk_times(job):
            self.stdout.write(f"{times.words}.")
        if job.error:
            self.stdout.write(job.error)
        for line in job_failures(job):
            self.stdout.write(f"  {line.number:>7,}  {line.code}: {line.label}. {line.example}")
        for event in reversed(job_log(job)):
            self.stdout.write(f"{event.at:%Y-%m-%d %H:%M:%S}  {event.message}")

    def _steer(self, action: str, job_id: int | None, reason: str) -> None:
        if job_id is None:
            raise CommandError(f"Which job? `python manage.py jobs {action} ID`; `python manage.py jobs` lists them.")
        try:
            if action == "retry":
                job = build_retry(job_id=job_id, reason=reason)
            else:
                job = STEERING[action](job_id=job_id, by=None)
        except ApplicationError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Job {job.pk}, {job.title}: {job.get_state_display().lower()}.")


def _console() -> Console:
    """The terminal; wide lines where the output goes to a file or another program."""
    console = Console()
    return console if console.is_terminal else Console(width=200)


def _watch(limit: int) -> None:
    try:
        with Live(_table(limit), console=_console(), auto_refresh=False) as live:
            while True:
                time.sleep(1)
                live.update(_table(limit), refresh=True)
    except KeyboardInterrupt:
        return


def _table(limit: int) -> Table:
    table = Table("id", "job", "state", box=None, pad_edge=False)
    for heading in ("done", "failed", "of", "rate", "left"):
        table.add_column(heading, justify="right")
    table.add_column("started by")
    table.add_column("failures, or why it stopped")
    for job in jobs_listed()[:limit]:
        table.add_row(*_cells(job))
    return table


def _state(job: Job) -> str:
    return "waiting for room" if job.waits_for_room else job.get_state_display().lower()


def _who(job: Job) -> str:
    return job.started_by.shown_name if job.started_by else "the command line"


def _cells(job: Job) -> list[str]:
    progress = job_progress(job)
    failures = [f"{number} {label.lower()}" for _code, label, number in failures_listed(job.failures)]
    return [
        str(job.pk),
        job.title,
        _state(job),
        f"{progress.done:,}",
        f"{progress.failed:,}",
        f"{progress.total:,}" if progress.total else "",
        rate_words(progress.rate) if progress.rate else "",
        duration_words(progress.seconds_left) if progress.seconds_left is not None else "",
        _who(job),
        "; ".join([*([job.error] if job.error else []), *failures]),
    ]
