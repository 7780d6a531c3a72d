"""Deciding about all tiles that match a filter, as a job, and taking a whole action back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import QueryDict

from tiles.core.errors import BadInput, Conflict, NotAllowed, NotFound
from tiles.core.permissions import REVIEW_TILES, require
from tiles.jobs.leases import Lease
from tiles.jobs.planned import PlannedKind
from tiles.jobs.services import job_cancel, job_start
from tiles.models import Area, Job, JobChunk, ReviewDecision, TileMark

from .checks import NOT_ARRIVED, NOT_YOURS, UNDO_OF_UNDO, decision_words_check
from .filters import TileFilter
from .marks import Mark, mark_checked, marks_undo, tiles_mark
from .recording import Outcome
from .selectors import tiles_of
from .services import decisions_undo, tiles_decide

Verb = ReviewDecision.Verb
KIND = "bulk_decide"
RESTRETCH = "restretch"
AT_ONCE = 500
"""Tiles that one request may decide about or undo; more of them are a job."""
PLAN, TILES = range(2)
TILES_A_CHUNK = 400
TILES_A_WRITE = 100
VERBS = (Verb.APPROVE, Verb.REJECT, Verb.UNSURE, Verb.RESET)
TITLES = {Verb.APPROVE: "Approve", Verb.REJECT: "Reject", Verb.UNSURE: "Leave unsure", Verb.RESET: "Reset"}
# Failures of such a job, by what the jobs page makes words of.
STALE, UNCHANGED = "changed_meanwhile", "stood_so_already"


def bulk_start(
    *,
    area: Area,
    query: str,
    seen_at: datetime,
    verb: str,
    by: Any,
    action: UUID,
    reason: str = "",
    note: str = "",
    background: bool = True,
) -> Job:
    """Decide about all built tiles that match a filter, in a job; repeating an action returns its first job.

    query: as TileFilter reads it. seen_at: when the person saw what matches; tiles that somebody else decided about,
    or that were made again, since then are skipped. Raises NotAllowed, BadInput for a wrong filter or reason, and
    Conflict for tiles that are not built.
    """
    require(by, REVIEW_TILES)
    if verb not in VERBS:
        raise BadInput(f"Tiles cannot be decided about with {verb!r}. Use one of {', '.join(VERBS)}.")
    decision_words_check(area=area, verb=verb, reason=reason, note=note)
    asked = _filter(area, query, by)
    if asked.form.cleaned_data.get("failure"):
        raise Conflict("Tiles that could not be built cannot be judged. Remove that from the filter.", code="not_built")
    parameters = {
        "verb": verb,
        "reason": reason,
        "note": note,
        "query": asked.asked(order=False),
        "seen_at": seen_at.isoformat(),
    }
    return _start(area, by, action, f"{TITLES[Verb(verb)]} what matches in {area.name}", parameters, background)


def bulk_mark_start(*, area: Area, query: str, mark: Mark, by: Any, action: UUID, background: bool = True) -> Job:
    """Put a mark on all tiles that match a filter, in a job; repeating an action returns its first job.

    Raises NotAllowed, BadInput for a wrong filter, word or person.
    """
    require(by, REVIEW_TILES)
    mark = mark_checked(mark=mark)
    parameters = {"query": _filter(area, query, by).asked(order=False), "mark": asdict(mark)}
    tagging = f"Tag {mark.value} on" if mark.on else f"Tag {mark.value} off"
    what = "Assign" if mark.kind == TileMark.Kind.ASSIGN else tagging
    return _start(area, by, action, f"{what} what matches in {area.name}", parameters, background)


def action_undo(*, area: Area, action: UUID, by: Any, undo: UUID, background: bool = True) -> Outcome | Job:
    """Take back all of one's own entries of an action that still stand; `undo` is the new action.

    What somebody decided about since stays and is said. A job that still works on the action is cancelled first.
    Up to AT_ONCE entries are undone at once, more by a job, which is returned. Repeating an undo returns the same.
    Raises NotAllowed, NotFound when there is no such action, Conflict when it is an undo itself.
    """
    require(by, REVIEW_TILES)
    again = Job.objects.filter(kind=KIND, subject=str(undo)).first()
    if again:
        return again
    job = Job.objects.filter(kind=KIND, subject=str(action), area=area).first()
    if job and job.started_by_id != by.pk:
        raise NotAllowed(NOT_YOURS, code="not_yours")
    if job and job.state in Job.OPEN:
        job_cancel(job_id=job.pk, by=by)
    entries = ReviewDecision.objects.filter(action=action, tile__area=area)
    found = list(entries.values_list("pk", flat=True)[: AT_ONCE + 1])
    marks = [] if found else list(_marks_of(area, str(action)).values_list("pk", flat=True)[: AT_ONCE + 1])
    if 0 < len(marks) <= AT_ONCE:
        return marks_undo(area=area, undoes=marks, by=by, action=undo)
    if marks:
        return _undo_start(area, by, action, undo, TileMark.objects.get(pk=marks[0]), background)
    if not found and not job:
        raise NotFound(NOT_ARRIVED, code="nothing_to_undo")
    if len(found) <= AT_ONCE:
        return decisions_undo(area=area, undoes=found, by=by, action=undo)
    return _undo_start(area, by, action, undo, ReviewDecision.objects.get(pk=found[0]), background)


def _undo_start(
    area: Area, by: Any, action: UUID, undo: UUID, first: ReviewDecision | TileMark, background: bool
) -> Job:
    """first: any entry of the action."""
    if first.by_id != by.pk:
        raise NotAllowed(NOT_YOURS, code="not_yours")
    if first.undoes_id:
        raise Conflict(UNDO_OF_UNDO, code="undo_of_undo")
    title = f"Undo a decision about many tiles of {area.name}"
    parameters = {"undoes": str(action)}
    if isinstance(first, TileMark):
        title, parameters["of"] = f"Undo a mark on many tiles of {area.name}", "marks"
    return _start(area, by, undo, title, parameters, background)


def _start(area: Area, by: Any, action: UUID, title: str, parameters: Mapping[str, Any], background: bool) -> Job:
    with transaction.atomic():
        Area.objects.select_for_update().get(pk=area.pk)
        earlier = Job.objects.filter(kind=KIND, subject=str(action)).first()
        if earlier:
            if earlier.started_by_id != by.pk or earlier.parameters != parameters:
                raise Conflict("This id belongs to another action. Reload the page.", code="client_id_taken")
            return earlier
        return job_start(
            kind=KIND,
            title=title[:200],
            subject=str(action),
            chunks=[{"do": "plan"}],
            by=by,
            area=area,
            parameters=parameters,
            background=background,
        )


def _filter(area: Area, query: str, by: Any) -> TileFilter:
    """Raises BadInput."""
    asked = TileFilter(QueryDict(query), queryset=tiles_of(area=area), by=by)
    asked.checked()
    return asked


def _plan(lease: Lease) -> None:
    job = lease.job
    area = Area.objects.get(jobs=job)
    items, stale = _items(lease, area)
    pieces = [
        {"do": "work", "items": items[start : start + TILES_A_CHUNK]} for start in range(0, len(items), TILES_A_CHUNK)
    ]
    lease.beat()
    with lease.fence():
        if job.chunks.filter(stage=TILES).exists():
            return  # an earlier attempt came so far
        lease.expect(total=len(items) + stale)
        if stale:
            lease.count(failures={STALE: stale})
        lease.add_chunks(pieces, stage=TILES)


def _items(lease: Lease, area: Area) -> tuple[list[Any], int]:
    """What is to be done one by one, and how many are left out because they changed since they were seen."""
    asked = lease.job.parameters
    if "undoes" in asked:
        return (_marks_to_undo if asked.get("of") == "marks" else _entries_of)(area, asked["undoes"]), 0
    if "mark" in asked:
        tiles = _filter(area, asked["query"], lease.job.started_by).checked().order_by("pk")
        return list(tiles.values_list("pk", flat=True).iterator(2000)), 0
    return _tiles_matching(lease, area)


def _marks_of(area: Area, action: str) -> QuerySet[TileMark]:
    return TileMark.objects.filter(action=UUID(action), tile__area=area)


def _marks_to_undo(area: Area, action: str) -> list[int]:
    return list(_marks_of(area, action).order_by("tile_id").values_list("pk", flat=True))


def _entries_of(area: Area, action: str) -> list[int]:
    entries = ReviewDecision.objects.filter(action=UUID(action), tile__area=area)
    return list(entries.order_by("tile_id").values_list("pk", flat=True))


def _tiles_matching(lease: Lease, area: Area) -> tuple[list[list[int]], int]:
    """[tile id, version] of what matches and is as it was seen; and how many are not."""
    job = lease.job
    seen_at = datetime.fromisoformat(job.parameters["seen_at"])
    _require_same_pictures(area, seen_at)
    tiles = _filter(area, job.parameters["query"], job.started_by).checked().order_by("pk")
    as_seen, stale = [], 0
    for pk, version, built_at, decided_at, person in tiles.values_list(
        "pk", "version", "built_at", "decided_at", "decided_by"
    ).iterator(2000):
        by_others = decided_at and decided_at > seen_at and person != job.started_by_id
        if by_others or (built_at and built_at > seen_at):
            stale += 1
        else:
            as_seen.append([pk, version])
    return as_seen, stale


def _require_same_pictures(area: Area, seen_at: datetime) -> None:
    """Tiles do not say when their picture was stretched anew, but the job that does it says when it ran."""
    since = Q(finished_at=None) | Q(finished_at__gt=seen_at)
    if area.jobs.filter(since, kind=RESTRETCH, started_at__isnull=False).exists():
        raise Conflict("The pictures of this area were stretched anew since you asked. Look at them, then ask again.")


def _work(lease: Lease) -> None:
    job = lease.job
    area = Area.objects.get(jobs=job)
    items = list(lease.payload["items"])
    while items:
        now, items = items[:TILES_A_WRITE], items[TILES_A_WRITE:]
        with lease.fence():
            outcome = _do(job, area, now)
            failures = {STALE: len(outcome.stale), UNCHANGED: len(outcome.unchanged)}
            lease.count(done=outcome.done, failures={name: number for name, number in failures.items() if number})
            left = {"do": "work", "items": items}
            JobChunk.objects.filter(pk=lease.chunk_id).update(payload=left)
        lease.payload = left


def _do(job: Job, area: Area, items: Sequence[Any]) -> Outcome:
    asked, action = job.parameters, UUID(job.subject)
    if "undoes" in asked:
        take_back = marks_undo if asked.get("of") == "marks" else decisions_undo
        return take_back(area=area, undoes=items, by=job.started_by, action=action)
    if "mark" in asked:
        mark = Mark(**asked["mark"])
        return tiles_mark(area=area, tile_ids=items, mark=mark, by=job.started_by, action=action)
    return tiles_decide(
        area=area,
        seen=dict(items),
        verb=asked["verb"],
        reason=asked["reason"],
        note=asked["note"],
        by=job.started_by,
        action=action,
    )


JOB = PlannedKind(KIND, plan=_plan, work=_work)
