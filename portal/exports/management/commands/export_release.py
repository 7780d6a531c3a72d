"""`manage.py export_release <name> --area <slug> --out <folder>`: a release from the shell."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from portal.exports.layouts import LAYOUTS
from portal.exports.models import Release
from portal.exports.placing import archive_place, place_check
from portal.exports.selectors import left_out_sentences
from portal.exports.services import release_create, release_resume, release_retry
from tiles.core.errors import ApplicationError
from tiles.jobs.runner import run_here
from tiles.models import Job

LOOK_EVERY = 0.3


class Command(BaseCommand):
    help = "Make a release of what is approved now in some areas, and put its archive into a folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="small letters, digits and hyphens, as in coast-v1")
        parser.add_argument("--area", nargs="+", action="extend", required=True, metavar="SLUG", help="may be repeated")
        parser.add_argument("--layout", default="rs3dbench", help=f"one of {', '.join(LAYOUTS)}")
        parser.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="where the archive is put")
        parser.add_argument("--notes", default="", help="goes into the archive's README.md")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            place_check(options["name"], options["out"])
            release = self._release(options)
            with _shown(release):
                run_here(_job_id(release), lambda _job: None)
            release.refresh_from_db()
            if release.state != Release.State.READY:
                raise CommandError(release.error or Job.objects.get(pk=_job_id(release)).error)
            placed = archive_place(release, options["out"])
        except ApplicationError as error:
            raise CommandError(error.message) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped. The same command goes on; so does a running worker.", returncode=130) from None
        self._report(release, placed)

    def _release(self, options: dict[str, Any]) -> Release:
        """A new release, or the unfinished one that an earlier run of this very command left."""
        left = Release.objects.filter(name=options["name"], layout=options["layout"]).exclude(state=Release.State.READY)
        unfinished = left.first()
        if unfinished is None or {area["slug"] for area in unfinished.contents} != set(options["area"]):
            return release_create(
                name=options["name"],
                area_slugs=options["area"],
                layout=options["layout"],
                notes=options["notes"],
                by=None,
                background=False,
            )
        self.stdout.write("Going on with what this release took when it was first asked for.")
        if unfinished.state == Release.State.FAILED:
            return release_retry(release_id=unfinished.pk, by=None, background=False)
        if Job.objects.get(pk=_job_id(unfinished)).state == Job.State.PAUSED:
            release_resume(release_id=unfinished.pk, by=None)
        return unfinished

    def _report(self, release: Release, placed: Path) -> None:
        for sentence in left_out_sentences(release.left_out):
            self.stdout.write(f"Left out: {sentence}.")
        self.stdout.write(f"{release.tile_count:,} tiles, {release.size:,} bytes, sha256 {release.sha256}")
        self.stdout.write(self.style.SUCCESS(str(placed)))


@contextlib.contextmanager
def _shown(release: Release) -> Iterator[None]:
    """A progress bar for as long as the block lasts. It reads the job's row, whoever does the work."""
    over = threading.Event()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        watcher = threading.Thread(target=_watch, args=(release, bar, over), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()


def _watch(release: Release, bar: Progress, over: threading.Event) -> None:
    task = bar.add_task(release.name, total=release.tile_count)
    try:
        while not over.wait(LOOK_EVERY):
            done = Job.objects.filter(pk=_job_id(release)).values_list("done", flat=True).first()
            bar.update(task, completed=done or 0)
    finally:
        connection.close()  # this thread's own


def _job_id(release: Release) -> int:
    if release.job_id is None:
        raise ValueError("a release has a job from the start")
    return release.job_id
