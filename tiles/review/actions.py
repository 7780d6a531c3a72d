"""What a person did last, as one can take it back: a single decision, or many of one action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from tiles.models import Area, Job, ReviewDecision

from .bulk import KIND
from .selectors import tiles_counted

Verb = ReviewDecision.Verb


@dataclass(frozen=True)
class Action:
    """Decisions that share an id and still stand.

    count: of how many tiles; capped: there may be more. newest: the last entry; None while a job has made none yet.
    """

    id: UUID
    verb: str
    count: int
    capped: bool
    newest: ReviewDecision | None


def action_newest(*, area: Area, by: Any) -> Action | None:
    """The person's newest action in an area of which something still stands, to any depth; None when there is none.

    A decision stands while neither an undo nor a newer decision about its tile follows. A job that is at work is an
    action from its start on, and what another one is taking back is none any more. Costs what was undone since.
    """
    jobs = list(area.jobs.filter(kind=KIND, started_by=by, state__in=Job.OPEN).order_by("-id"))
    going = [UUID(job.parameters["undoes"]) for job in jobs if "undoes" in job.parameters]
    newest = _standing(area, by).exclude(action__in=going).select_related("tile", "by", "undoes").first()
    at_work = next((job for job in jobs if "undoes" not in job.parameters and UUID(job.subject) not in going), None)
    if at_work and (newest is None or newest.at < at_work.created_at or str(newest.action) == at_work.subject):
        total = at_work.total or at_work.done
        return Action(UUID(at_work.subject), at_work.parameters["verb"], total, capped=not at_work.total, newest=None)
    if newest is None:
        return None
    count, capped = tiles_counted(tiles=_standing(area, by).filter(action=newest.action))
    return Action(newest.action, newest.verb, count, capped, newest)


def _standing(area: Area, by: Any) -> QuerySet[ReviewDecision]:
    """Newest first."""
    decided = ReviewDecision.objects.filter(undone_by__isnull=True).exclude(verb=Verb.UNDO)
    later = decided.filter(tile=OuterRef("tile"), id__gt=OuterRef("id"))
    return decided.filter(by=by, tile__area=area).exclude(Exists(later)).order_by("-id")
