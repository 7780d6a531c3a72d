"""`manage.py export_release <name> --area <slug> --out <folder>`: a release from the shell."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from portal.exports.layouts import LAYOUTS, layout_of
from portal.exports.management.wishes import add_wishes, terms_from, wanted_from
from portal.exports.models import Release
from portal.exports.placing import archive_place, place_check
from portal.exports.rehearsal import Rehearsal, release_rehearse
from portal.exports.selectors import left_out_sentences
from portal.exports.services import (
    SHARD_MEGABYTES,
    areas_chosen,
    release_cancel,
    release_create,
    release_resume,
    release_retry,
)
from portal.exports.wanted import Terms, Wanted
from tiles.core.errors import ApplicationError, Conflict
from tiles.jobs.runner import run_here
from tiles.management.progress import job_shown
from tiles.models import Job


class Command(BaseCommand):
    help = "Make a release of what is approved now in some areas, and put its archive into a folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="small letters, digits and hyphens, as in coast-v1")
        parser.add_argument("--area", nargs="+", action="extend", required=True, metavar="SLUG", help="may be repeated")
        parser.add_argument("--layout", default="rs3dbench", help=f"one of {', '.join(LAYOUTS)}")
        parser.add_argument(
            "--option", nargs="+", action="extend", default=[], metavar="NAME=NUMBER", help="of the layout; repeatable"
        )
        parser.add_argument("--out", type=Path, metavar="FOLDER", help="where the archive is put")
        parser.add_argument(
            "--shard-megabytes",
            type=int,
            default=SHARD_MEGABYTES,
            metavar="NUMBER",
            help="cut a larger archive into zip files of so much at the most",
        )
        parser.add_argument("--notes", default="", help="goes into the archive's README.md")
        parser.add_argument("--names", action="store_true", help="the manifest says people's names, not pseudonyms")
        add_wishes(parser)
        parser.add_argument("--dry-run", action="store_true", help="say what it would hold, and write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            areas = areas_chosen(options["area"])
            wanted, terms = wanted_from(options, areas), terms_from(options)
            if options["dry_run"]:
                layout = layout_of(options["layout"])
                chosen = _chosen(options["option"])
                self._rehearse(release_rehearse(areas=areas, layout=layout, wanted=wanted, terms=terms, options=chosen))
                return
            if options["out"] is None:
                raise CommandError("Say with --out into which folder the archive is put, or ask for a --dry-run.")
            place_check(options["name"], options["out"])
            release = self._release(options, wanted, terms)
            self._work(release)
            release.refresh_from_db()
            if release.state != Release.State.READY:
                job = Job.objects.get(pk=_job_id(release))
                raise CommandError(release.error or job.error or "The job was paused. The same command goes on.")
            placed = archive_place(release, options["out"])
        except ApplicationError as error:
            raise CommandError(error.message) from error
        self._report(release, placed)

    def _rehearse(self, found: Rehearsal) -> None:
        self.stdout.write(f"{found.layout_in_words}.")
        for one in found.areas:
            splits = "".join(f", {number:,} {name}" for name, number in sorted(one.taken.splits.items()))
            self.stdout.write(f"{one.area.slug}: {one.taken.tiles:,} tiles{splits}, {one.taken.size:,} bytes")
        for sentence in left_out_sentences(found.plan.reasons()):
            self.stdout.write(f"Left out: {sentence}.")
        for gap in found.report.get("gaps", []):
            between, tiles = " and ".join(gap["splits"]), " and ".join(gap["tiles"])
            self.stdout.write(f"{between} are {gap['metres']:,.0f} m apart: {tiles}.")
        for problem in found.problems:
            self.stdout.write(self.style.ERROR(problem.words) if problem.stops else self.style.WARNING(problem.words))
        took = "" if found.seconds is None else f", about {found.seconds:,.0f} s, {found.basis}"
        self.stdout.write(f"{found.tiles:,} tiles, about {found.size:,} bytes{took}. Nothing was written.")

    def _release(self, options: dict[str, Any], wanted: Wanted, terms: Terms) -> Release:
        """A new release, or the unfinished one that an earlier run of this very command left."""
        same = {name: options[name] for name in ("name", "layout", "shard_megabytes")}
        left = Release.objects.filter(**same).exclude(state=Release.State.READY)
        unfinished = left.first()
        asked = (set(options["area"]), wanted.record(), options["names"])
        left_asked = unfinished and ({area["slug"] for area in unfinished.contents}, unfinished.asked, unfinished.named)
        if unfinished is None or left_asked != asked:
            return release_create(
                name=options["name"],
                area_slugs=options["area"],
                layout=options["layout"],
                options=_chosen(options["option"]),
                notes=options["notes"],
                shard_megabytes=options["shard_megabytes"],
                wanted=wanted,
                terms=terms,
                named=options["names"],
                by=None,
                background=False,
            )
        self.stdout.write("Going on with what this release took when it was first asked for.")
        if unfinished.state == Release.State.FAILED:
            return release_retry(release_id=unfinished.pk, by=None, background=False)
        if Job.objects.get(pk=_job_id(unfinished)).state == Job.State.PAUSED:
            release_resume(release_id=unfinished.pk, by=None)
        return unfinished

    def _work(self, release: Release) -> None:
        job = Job.objects.get(pk=_job_id(release))
        try:
            with job_shown(job, Console(stderr=True)):
                run_here(job.pk, lambda _job: None)
        except KeyboardInterrupt:
            raise CommandError(_stopped(release), returncode=130) from None

    def _report(self, release: Release, placed: list[Path]) -> None:
        for sentence in left_out_sentences(release.left_out):
            self.stdout.write(f"Left out: {sentence}.")
        self.stdout.write(f"{release.tile_count:,} tiles, {release.size:,} bytes, sha256 {release.sha256}")
        for place in placed:
            self.stdout.write(self.style.SUCCESS(str(place)))


def _chosen(options: list[str]) -> dict[str, int]:
    chosen = {}
    for option in options:
        name, _, number = option.partition("=")
        if not number.isdecimal():
            raise CommandError(f"{option!r} is no option. Write it as in jpeg_quality=90.")
        chosen[name] = int(number)
    return chosen


def _stopped(release: Release) -> str:
    """End the job after Ctrl-C: no worker is to go on with what somebody stopped."""
    with contextlib.suppress(Conflict):
        release_cancel(release_id=release.pk, by=None)
    return "Stopped; nothing was left. The same command goes on with the tiles that this release took."


def _job_id(release: Release) -> int:
    if release.job_id is None:
        raise ValueError("a release has a job from the start")
    return release.job_id
