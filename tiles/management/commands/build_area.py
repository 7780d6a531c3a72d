"""`manage.py build_area <slug> --dem <folder> --imagery raster:<folder>`: tiles from the shell."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError
from django.urls import reverse
from rich.console import Console

from tiles.build.door import NORMALISATIONS
from tiles.build.selectors import BuildSummary, build_summary
from tiles.build.services import AreaFacts, BuildOptions, area_build_start
from tiles.core.errors import ApplicationError, Conflict
from tiles.jobs.runner import run_here
from tiles.jobs.services import job_cancel
from tiles.management.griding import add_grid, grid_asked, grid_warnings
from tiles.management.progress import failure_word, job_shown
from tiles.management.search import add_search, search_asked
from tiles.models import Area, Job, SkippedWindow


class Command(BaseCommand):
    help = (
        "Cut elevation models into tiles and pair them with imagery. The same command again goes on where an earlier "
        "run was stopped, tries again what may succeed now, and takes in new elevation models."
    )
    # They read the database: one that is not there would end in a traceback, before a sentence can be said.
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the area's short name, as in japan-korea")
        parser.add_argument("--background", action="store_true", help="leave the work to the running worker")
        parser.add_argument("--remake", action="store_true", help="make the built tiles again too")
        inputs = parser.add_argument_group("inputs; an area that has them needs them no more")
        inputs.add_argument("--dem", nargs="+", action="extend", default=[], type=Path, metavar="FILE_OR_FOLDER")
        inputs.add_argument("--imagery", default="", metavar="raster:FILE_OR_FOLDER | stac:URL | earthengine")
        inputs.add_argument("--bands", type=_bands, metavar="R,G,B", help="counted from 1 (default 1,2,3), or B4,B3,B2")
        inputs.add_argument("--nir", type=_band, metavar="BAND", help="near infrared, when there is one")
        add_search(parser)
        _add_recipe(parser)
        add_grid(parser)
        _add_facts(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(stderr=True)
        try:
            if console.is_terminal:
                console.print("Reading the inputs ...")
            job = area_build_start(
                slug=options["slug"],
                dems=[path.absolute() for path in options["dem"]],
                imagery=options["imagery"],
                options=_build_options(options),
                facts=AreaFacts(**{name: options[name] for name in AreaFacts.__dataclass_fields__}),
                remake=options["remake"],
                thorough=True,
                background=options["background"],
            )
            for warning in grid_warnings(job):
                self.stderr.write(self.style.WARNING(warning))
            if options["background"]:
                self.stdout.write(f"Started: the worker builds {options['slug']}. Look at /jobs/{job.pk}/ of the site.")
                return
            job = self._work(job, console)
        except ApplicationError as error:
            raise CommandError(error.message) from error
        except (OperationalError, ProgrammingError) as error:
            raise CommandError(
                f"The database cannot be used ({error}). See to DEMETER_DATA, then run: python manage.py migrate"
            ) from error
        self._report(job)

    def _work(self, job: Job, console: Console) -> Job:
        try:
            with job_shown(job, console):
                return run_here(job.pk, lambda _job: None)
        except KeyboardInterrupt:
            raise CommandError(_stopped(job), returncode=130) from None

    def _report(self, job: Job) -> None:
        area = Area.objects.get(jobs=job)
        summary = build_summary(area)
        for line in _summary_lines(summary):
            self.stdout.write(line)
        if job.state == Job.State.PAUSED:
            raise CommandError(f"{job.error or 'The job was paused.'} The same command goes on.")
        if job.state != Job.State.DONE:
            raise CommandError(job.error or "The job was cancelled. The same command goes on.")
        if summary.built:
            self.stdout.write(self.style.SUCCESS(f"Review them at {reverse('review', args=[area.slug])} of the site."))


def _build_options(options: dict[str, Any]) -> BuildOptions:
    names = set(BuildOptions.__dataclass_fields__) - {"search", "grid"}
    return BuildOptions(
        **{name: options[name] for name in names}, search=search_asked(options), grid=grid_asked(options)
    )


def _add_recipe(parser: CommandParser) -> None:
    recipe = parser.add_argument_group("how tiles are made")
    recipe.add_argument("--tile-size", type=int, metavar="PIXELS", help="16 to 4096 (default 512)")
    recipe.add_argument("--void-limit", type=float, metavar="PERCENT", help="of a tile without heights (default 0)")
    recipe.add_argument(
        "--uncovered-limit", type=float, metavar="PERCENT", help="of a tile without imagery (default 0)"
    )
    recipe.add_argument("--normalisation", choices=NORMALISATIONS, help="before the stretch (default per_channel)")
    recipe.add_argument("--percent", type=float, help="of the stretch, at either end; 0 is off (default 1)")
    recipe.add_argument(
        "--per-channel-percent", action="store_true", default=None, help="stretch each channel by itself, as published"
    )
    recipe.add_argument(
        "--pack-rgb",
        action="store_true",
        default=None,
        help="deflate the unstretched imagery too: less disk for more time",
    )


def _add_facts(parser: CommandParser) -> None:
    facts = parser.add_argument_group("what the area says of itself; what is not said is shown as unknown")
    facts.add_argument("--name")
    facts.add_argument("--description")
    facts.add_argument("--licence")
    facts.add_argument("--attribution")
    facts.add_argument("--vertical-datum", metavar="DATUM", help="EGM96, EGM2008, WGS 84 ellipsoid ...")
    facts.add_argument(
        "--height-unit", choices=Area.HeightUnit.values, help="of the elevation models; feet become metres"
    )
    facts.add_argument("--surface", choices=Area.Surface.values, help="surface or bare ground")
    facts.add_argument("--satellite", help="what took the imagery, as in Sentinel-2")
    facts.add_argument("--dem-gsd", type=float, metavar="METRES", help="native resolution (default: the file's)")
    facts.add_argument("--imagery-gsd", type=float, metavar="METRES", help="native resolution (default: the file's)")
    for name in ("dem-from", "dem-to", "imagery-from", "imagery-to"):
        facts.add_argument(f"--{name}", type=_date, metavar="YYYY-MM-DD")
    facts.add_argument("--synthetic", action="store_true", default=None, help="generated, not observed")


def _bands(text: str) -> tuple[int | str, ...]:
    return tuple(_band(part) for part in text.split(","))


def _band(text: str) -> int | str:
    """The number of a raster's band, or the name of one of Earth Engine's."""
    if not text.strip():
        raise ArgumentTypeError("give three numbers, as in 1,2,3, or names, as in B4,B3,B2")
    return int(text) if text.lstrip("-").isdecimal() else text.strip()


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError("give a date as 2021-07-31") from error


def _stopped(job: Job) -> str:
    """End the job after Ctrl-C, so that the same command can start a new one; says what is kept."""
    try:
        job_cancel(job_id=job.pk, by=None)
    except Conflict:
        return "Stopped, but the build was over already."
    done = Job.objects.values_list("done", flat=True).get(pk=job.pk)
    return f"Stopped. {done} {'tile' if done == 1 else 'tiles'} of this run are kept; the same command goes on."


def _summary_lines(summary: BuildSummary) -> list[str]:
    failed = sum(summary.failed.values())
    lines = [f"{summary.built:,} tiles built, {failed:,} failed" + _of_planned(summary) + "."]
    lines += [f"  failed   {number:>7,}  {failure_word(code)}" for code, number in summary.failed.items()]
    for code, number in summary.skipped.items():
        lines.append(f"  skipped  {number:>7,}  {SkippedWindow.Reason(code).label.lower()}")
    if summary.built:
        shares = ", ".join(f"{name} {size // summary.built:,}" for name, size in summary.layer_bytes.items())
        lines.append(f"  {summary.bytes_per_tile:,} bytes a tile: {shares}")
    return lines


def _of_planned(summary: BuildSummary) -> str:
    return f", {summary.planned:,} still to make" if summary.planned else ""
