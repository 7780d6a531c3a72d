"""What a person did last, as one can take it back: a single decision, or many entries of one action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Case, Exists, OuterRef, QuerySet, Value, When

from tiles.models import Area, Job, ReviewDecision, TileMark

from .bulk import KIND
from .selectors import COUNT_LIMIT

Verb = ReviewDecision.Verb


@dataclass(frozen=True)
class Action:
    """Entries that share an id and still stand. verb: of a decision, or the kind of a mark.

    count: of how many tiles; capped: there may be more. newest: the last decision; None for marks, and while a job has
    made none yet.
    """

    id: UUID
    verb: str
    count: int
    capped: bool
    newest: ReviewDecision | None


def action_newest(*, area: Area, by: Any, marks: bool = False) -> Action | None:
    """The person's newest action in an area of which something still stands, to any depth; None when there is none.

    marks: tags and assignments count too. An entry stands while neither an undo nor a newer one about the same
    follows. A job that is at work is an action from its start on, and what another one is taking back is none any
    more. Costs what was undone since.
    """
    jobs = list(area.jobs.filter(kind=KIND, started_by=by, state__in=Job.OPEN).order_by("-id"))
    going = [UUID(job.parameters["undoes"]) for job in jobs if "undoes" in job.parameters]
    newest = _newest(area, by, going, marks=marks)
    at_work = next((job for job in jobs if _is_own(job, going, marks=marks)), None)
    if at_work and (newest is None or newest.at < at_work.created_at or str(newest.action) == at_work.subject):
        total = at_work.total or at_work.done
        return Action(UUID(at_work.subject), _verb(at_work), total, capped=not at_work.total, newest=None)
    if newest is None:
        return None
    if isinstance(newest, TileMark):
        count, capped = _counted(_marks(area, by).filter(action=newest.action))
        return Action(newest.action, newest.kind, count, capped, newest=None)
    count, capped = _counted(_decisions(area, by).filter(action=newest.action))
    return Action(newest.action, newest.verb, count, capped, newest)


def _counted(entries: QuerySet[Any]) -> tuple[int, bool]:
    """How many there are, up to COUNT_LIMIT, and whether there may be more."""
    found = entries.order_by()[: COUNT_LIMIT + 1].count()
    return min(found, COUNT_LIMIT), found > COUNT_LIMIT


def _newest(area: Area, by: Any, going: list[UUID], *, marks: bool) -> ReviewDecision | TileMark | None:
    decision = _decisions(area, by).exclude(action__in=going).select_related("tile", "by", "undoes").first()
    mark = _marks(area, by).exclude(action__in=going).first() if marks else None
    if mark is None or (decision is not None and decision.at >= mark.at):
        return decision
    return mark


def _is_own(job: Job, going: list[UUID], *, marks: bool) -> bool:
    """Whether a job does something that can be taken back, and nobody is at that."""
    if "undoes" in job.parameters or ("mark" in job.parameters and not marks):
        return False
    return UUID(job.subject) not in going


def _verb(job: Job) -> str:
    mark = job.parameters.get("mark")
    return str(mark["kind"] if mark else job.parameters["verb"])


def _decisions(area: Area, by: Any) -> QuerySet[ReviewDecision]:
    """Those that stand, newest first."""
    decided = ReviewDecision.objects.filter(undone_by__isnull=True).exclude(verb=Verb.UNDO)
    later = decided.filter(tile=OuterRef("tile"), id__gt=OuterRef("id"))
    return decided.filter(by=by, tile__area=area).exclude(Exists(later)).order_by("-id")


def _marks(area: Area, by: Any) -> QuerySet[TileMark]:
    """Those that stand, newest first. Of a tag, only what was noted about the same word replaces it."""
    word = Case(When(kind=TileMark.Kind.ASSIGN, then=Value("")), When(after="", then="before"), default="after")
    noted = TileMark.objects.filter(undone_by__isnull=True, undoes__isnull=True).alias(word=word)
    later = noted.filter(tile=OuterRef("tile"), kind=OuterRef("kind"), word=OuterRef("word"), id__gt=OuterRef("id"))
    return noted.filter(by=by, tile__area=area).exclude(Exists(later)).order_by("-id")
