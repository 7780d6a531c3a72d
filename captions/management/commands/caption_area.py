"""`manage.py caption_area <slug> --captioner NAME`: let a captioner describe an area from the shell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from tiles.core.errors import ApplicationError
from tiles.jobs.runner import run_here
from tiles.jobs.words import duration_words, failures_listed
from tiles.management.progress import job_shown
from tiles.models import Area, Job
from tiles.review.selectors import area_by_slug

from ...captioners import captioner_names
from ...importing.records import source_key
from ...importing.services import import_start, import_survey
from ...instructions import guide_of, instruction_write
from ...writing.options import IMPORT, Budget, Captioning
from ...writing.selectors import trial_of
from ...writing.services import captioning_start


class Command(BaseCommand):
    help = (
        "Let a captioner describe the tiles of an area. The same command again goes on where an earlier one was "
        "stopped; what was answered is never asked twice. People's texts are never replaced."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the area's short name, as in japan-korea")
        parser.add_argument(
            "--captioner", required=True, metavar="NAME", help="rules, import, or one of CAPTION_ENDPOINTS"
        )
        parser.add_argument("--source", type=Path, metavar="FILE_OR_FOLDER", help="of import; beneath DEMETER_SOURCES")
        parser.add_argument("--instruction", metavar="TEXT", help="what it is told: a new version for the area")
        parser.add_argument("--terms", metavar="A,B,...", help="the terms that an answer may choose from")
        parser.add_argument("--propose-only", action="store_true", help="write no captions: for comparing only")
        parser.add_argument("--only-missing", action="store_true", help="only tiles it has said nothing of before")
        parser.add_argument("--among", default="", metavar="FILTER", help="only these, as in origin=rules&finding=sea")
        parser.add_argument("--limit", type=int, default=0, metavar="TILES")
        parser.add_argument("--budget-tokens", type=int, default=0, metavar="TOKENS", help="pause when they are spent")
        parser.add_argument("--budget-money", type=float, default=0.0, metavar="AMOUNT", help="by the set prices")
        parser.add_argument("--dry-run", action="store_true", help="ten tiles: shows texts, time and cost first")
        parser.add_argument("--background", action="store_true", help="leave the work to the running worker")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._handle(options)
        except ApplicationError as error:
            raise CommandError(error.message) from error

    def _handle(self, options: dict[str, Any]) -> None:
        area = area_by_slug(options["slug"])
        name = options["captioner"]
        if name == IMPORT:
            self._import(area, options)
            return
        if name not in captioner_names():
            raise CommandError(f"There is no captioner {name!r}. There are: {', '.join(captioner_names())}.")
        self._instruct(area, options)
        job = captioning_start(
            area=area,
            asked=Captioning(
                captioner=name,
                make_captions=not options["propose_only"],
                only_missing=options["only_missing"],
                limit=options["limit"],
                trial=options["dry_run"],
                among=options["among"],
            ),
            budget=Budget(tokens=options["budget_tokens"], money=options["budget_money"]),
            background=options["background"],
        )
        self._work(job, options)

    def _work(self, job: Job, options: dict[str, Any]) -> None:
        if options["background"]:
            self.stdout.write(f"Started: the worker describes {options['slug']}. Look at /jobs/{job.pk}/ of the site.")
            return
        with job_shown(job, Console(stderr=True), note="choosing tiles"):
            job = run_here(job.pk, lambda _job: None)
        self._report(job, options["dry_run"])

    def _import(self, area: Area, options: dict[str, Any]) -> None:
        if options["source"] is None:
            raise CommandError("Say what to take captions from: --source FILE_OR_FOLDER, beneath DEMETER_SOURCES.")
        key = source_key(options["source"])
        if options["dry_run"]:
            survey = import_survey(area=area, key=key)
            self.stdout.write(survey.in_words())
            for name in (*survey.unmatched_names, *survey.unusable_names):
                self.stdout.write(f"  {name}")
            return
        background, propose = options["background"], options["propose_only"]
        self._work(import_start(area=area, key=key, make_captions=not propose, background=background), options)

    def _instruct(self, area: Area, options: dict[str, Any]) -> None:
        if options["instruction"] is None and options["terms"] is None:
            return
        guide = guide_of(area)
        terms = guide.terms if options["terms"] is None else options["terms"].split(",")
        instruction_write(area=area, text=options["instruction"] or guide.text, terms=terms, by=None)

    def _report(self, job: Job, trial: bool) -> None:
        if trial:
            self._show(job)
        spent = job.parameters.get("spent", {})
        words = f", {spent['tokens']:,.0f} tokens" if spent.get("tokens") else ""
        words += f", {spent['money']:.4g} by the prices that are set" if spent.get("money") else ""
        self.stdout.write(f"{job.done:,} of {job.total:,} tiles described, {job.failed:,} failed{words}.")
        for _code, label, number in failures_listed(job.failures):
            self.stdout.write(f"  failed   {number:>7,}  {label}")
        if job.state == Job.State.PAUSED:
            raise CommandError(f"{job.error or 'The job was paused.'} The same command goes on.")
        if job.state != Job.State.DONE:
            raise CommandError(job.error or "The job was cancelled. The same command starts another one.")

    def _show(self, job: Job) -> None:
        trial = trial_of(job)
        for line in trial.lines:
            terms = ", ".join(line.proposal.components.get("terms", []))
            self.stdout.write(f"{line.proposal.tile.name}  {line.seconds:.1f} s  {line.tokens:,} tokens  [{terms}]")
            self.stdout.write(f"  {line.proposal.text}")
        cost = f", {trial.money:,.2f} by the prices that are set" if trial.money else ""
        self.stdout.write(
            f"All {trial.tiles:,} tiles would take about {duration_words(trial.seconds)} and {trial.tokens:,} "
            f"tokens{cost}."
        )
