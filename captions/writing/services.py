"""Starting captionings, and taking back what they wrote."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from django.db import transaction
from django.http import QueryDict

from tiles.core.errors import BadInput, Conflict, NotFound
from tiles.core.permissions import BUILD_AREA, require
from tiles.jobs.chunks import job_locked
from tiles.jobs.selectors import job_open
from tiles.jobs.services import job_cancel, job_resume, job_start
from tiles.models import Area, Job, JobEvent

from ..bulk import Outcome, action_take_back
from ..captioners import captioner_of
from ..captioners.base import Spent
from ..changes import Among
from ..instructions import guide_of
from .keeping import action_of, undo_of
from .options import KIND, TRIAL_TILES, Budget, Captioning

NO_BUDGET = Budget()


def captioning_start(
    *,
    area: Area,
    asked: Captioning,
    budget: Budget = NO_BUDGET,
    by: Any = None,
    background: bool = True,
) -> Job:
    """Let a captioner write for an area or a selection of it, told a version of its instruction. by: nobody on the
    command line.

    The same captioning asked for again joins the job that is open, gives it the new budget, and resumes it when it is
    paused. A trial goes to a few tiles, and what it says is kept as proposals, so that no tile is paid for twice.
    A selection is what it is at the start of the job. Raises NotAllowed, BadInput for a captioner or a filter that
    cannot be used or a budget that cannot be kept, NotFound for an instruction that never was, and Conflict when this
    captioner is at work on the area with other options.
    """
    if by is not None:
        require(by, BUILD_AREA)
    asked.check()
    writer = captioner_of(asked.captioner)
    _check_budget(budget, writer.cost(Spent(1000, 1000)))
    limit = (asked.limit or TRIAL_TILES) if asked.trial else asked.limit
    among = Among.of(QueryDict(asked.among)).asked
    number = guide_of(area, number=asked.instruction).number
    asked = replace(asked, model=writer.model, instruction=number, limit=limit, among=among)
    subject = f"{area.slug}:{asked.captioner}"
    if (open_job := job_open(kind=KIND, subject=subject)) is not None:
        return _joined(open_job, asked, budget, by)
    if not area.counters.filter(name="built", value__gt=0).exists():
        raise Conflict("This area has no tiles yet. Build it, then let its tiles be described.")
    return job_start(
        kind=KIND,
        title=_title(area, asked),
        subject=subject,
        chunks=[{"do": "plan"}],
        by=by,
        area=area,
        parameters={"captioning": asked.to_dict(), "budget": asdict(budget), "spent": {}},
        background=background,
    )


def captioning_undo(*, job_id: int, by: Any, background: bool = True) -> Outcome | Job:
    """Bring back the texts that a captioning, or an import, replaced; once for each.

    What somebody saved or accepted since stays and is said. A job that is still at work is cancelled first. Up to
    AT_ONCE captions are done at once, more by a job, which is returned. Repeating it returns the same. Raises
    NotAllowed, and NotFound when there is no such job.
    """
    require(by, BUILD_AREA)
    job = Job.objects.filter(pk=job_id, kind=KIND).first()
    if job is None:
        raise NotFound("There is no such captioning. Look at the jobs page for those there are.")
    if job.state in Job.OPEN:
        job_cancel(job_id=job.pk, by=by)
    title = f"Undo: {job.title}"
    return action_take_back(action=action_of(job), by=by, undo=undo_of(job), title=title, background=background)


def _title(area: Area, asked: Captioning) -> str:
    what = "Trial captions" if asked.trial else "Captions"
    return f"{what} of {'a selection of ' if asked.among else ''}{area.slug} by {asked.captioner}"


def _check_budget(budget: Budget, price: float) -> None:
    if budget.tokens < 0 or budget.money < 0:
        raise BadInput("A budget is a number of tokens or an amount of money above zero.", field="budget")
    if budget.money and not price:
        raise BadInput(
            "A budget in money needs the captioner's prices: set its PRICE_IN and PRICE_OUT, or give tokens.",
            field="budget",
        )


def _joined(job: Job, asked: Captioning, budget: Budget, by: Any) -> Job:
    """The open job, going on. Raises Conflict when it is another captioning."""
    if Captioning.of(job.parameters) != asked:
        raise Conflict(
            f"{asked.captioner} is at work on this area already, with other options. Resume or cancel job {job.pk}.",
            code="already_running",
        )
    with transaction.atomic():
        job = job_locked(job.pk)
        if budget != NO_BUDGET and asdict(budget) != job.parameters["budget"]:
            job.parameters = {**job.parameters, "budget": asdict(budget)}
            job.save(update_fields=["parameters"])
            JobEvent.objects.create(job=job, message=f"New budget: {budget_words(budget)}.")
        paused = job.state == Job.State.PAUSED
    return job_resume(job_id=job.pk, by=by) if paused else job


def budget_words(budget: Budget) -> str:
    """As in "20,000 tokens, 1.5 (money)"; "none" without a limit."""
    parts = [f"{budget.tokens:,} tokens"] if budget.tokens else []
    parts += [f"{budget.money:g} (money)"] if budget.money else []
    return ", ".join(parts) or "none"
