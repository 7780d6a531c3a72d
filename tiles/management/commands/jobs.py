"""`manage.py jobs`: what the jobs page shows, and the same buttons."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.live import Live
from rich.table import Table

from tiles.core.errors import ApplicationError
from tiles.jobs.selectors import job_progress, jobs_listed
from tiles.jobs.services import job_cancel, job_pause, job_resume
from tiles.jobs.words import duration_words, failures_listed, rate_words
from tiles.models import Job

STEERING = {"pause": job_pause, "resume": job_resume, "cancel": job_cancel}


class Command(BaseCommand):
    help = "List jobs, newest first, or pause, resume or cancel one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", nargs="?", choices=["list", *STEERING], default="list")
        parser.add_argument("id", nargs="?", type=int, help="the job to pause, resume or cancel")
        parser.add_argument("--limit", type=int, default=20, help="how many to list (default 20)")
        parser.add_argument("--watch", action="store_true", help="go on showing them until interrupted")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] != "list":
            self._steer(options["action"], options["id"])
            return
        if options["watch"]:
            _watch(options["limit"])
        elif jobs_listed().exists():
            _console().print(_table(options["limit"]))
        else:
            self.stdout.write("No jobs yet. `python manage.py build_area` starts one.")

    def _steer(self, action: str, job_id: int | None) -> None:
        if job_id is None:
            raise CommandError(f"Which job? `python manage.py jobs {action} ID`; `python manage.py jobs` lists them.")
        try:
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
    table.add_column("failures, or why it stopped")
    for job in jobs_listed()[:limit]:
        table.add_row(*_cells(job))
    return table


def _cells(job: Job) -> list[str]:
    progress = job_progress(job)
    failures = [f"{number} {label.lower()}" for _code, label, number in failures_listed(job.failures)]
    return [
        str(job.pk),
        job.title,
        job.get_state_display().lower(),
        f"{progress.done:,}",
        f"{progress.failed:,}",
        f"{progress.total:,}" if progress.total else "",
        rate_words(progress.rate) if progress.rate else "",
        duration_words(progress.seconds_left) if progress.seconds_left is not None else "",
        "; ".join([*([job.error] if job.error else []), *failures]),
    ]
