"""`manage.py restretch <slug> --percent 2`: other pictures from the stored imagery."""

from __future__ import annotations

from argparse import BooleanOptionalAction
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from tiles.build.door import NORMALISATIONS
from tiles.build.restretch import area_restretch
from tiles.core.errors import ApplicationError, Conflict
from tiles.jobs.runner import run_here
from tiles.jobs.services import job_cancel
from tiles.jobs.words import failures_listed
from tiles.management.progress import job_shown
from tiles.models import Job


class Command(BaseCommand):
    help = (
        "Stretch the pictures of an area's tiles anew, from the unstretched imagery that is stored with them: neither "
        "the source imagery nor the elevation models are needed. What is not said stays as it is. Tiles whose pixels "
        "change go back to pending."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the area's short name, as in japan-korea")
        parser.add_argument("--normalisation", choices=NORMALISATIONS, help="before the stretch")
        parser.add_argument("--percent", type=float, help="of the stretch, at either end; 0 is off")
        parser.add_argument(
            "--per-channel-percent",
            action=BooleanOptionalAction,
            help="stretch each channel by itself, as published: 1 %%, blue 0.3 %%",
        )
        parser.add_argument("--background", action="store_true", help="leave the work to the running worker")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["slug"]
        asked = {name: options[name] for name in ("normalisation", "percent", "per_channel_percent", "background")}
        try:
            job = area_restretch(slug=slug, **asked)
        except ApplicationError as error:
            raise CommandError(error.message) from error
        if options["background"]:
            self.stdout.write(f"Started: the worker stretches {slug} anew. Look at /jobs/{job.pk}/ of the site.")
            return
        self._report(_worked(job))

    def _report(self, job: Job) -> None:
        failed = f", {job.failed:,} failed" if job.failed else ""
        self.stdout.write(f"{job.done:,} {'tile' if job.done == 1 else 'tiles'} stretched anew{failed}.")
        for _code, label, number in failures_listed(job.failures):
            self.stdout.write(f"  failed   {number:>7,}  {label[:1].lower()}{label[1:]}")
        if job.state == Job.State.PAUSED:
            raise CommandError(f"{job.error or 'The job was paused.'} The same command goes on.")
        if job.state != Job.State.DONE:
            raise CommandError(job.error or "The job was cancelled. The same command does the rest.")


def _worked(job: Job) -> Job:
    try:
        with job_shown(job, Console(stderr=True)):
            return run_here(job.pk, lambda _job: None)
    except KeyboardInterrupt:
        try:
            job_cancel(job_id=job.pk, by=None)
        except Conflict:
            raise CommandError("Stopped, but it was over already.", returncode=130) from None
        raise CommandError("Stopped. The same command does the rest.", returncode=130) from None
