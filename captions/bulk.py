"""Changing many captions as one action, at once or as a job, and taking the whole action back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import QuerySet
from django.http import QueryDict

from tiles.core.errors import BadInput, Conflict, NotAllowed, NotFound, Stale
from tiles.core.permissions import BUILD_AREA, RECTIFY_CAPTIONS, require
from tiles.jobs.leases import Lease
from tiles.jobs.planned import PlannedKind
from tiles.jobs.services import job_cancel, job_start
from tiles.models import Job, JobChunk

from .changes import Among, Walk
from .edits import Edit, edit_of
from .models import Caption, CaptionRevision
from .services import caption_put_back, caption_rectify, caption_restore

KIND = "captions_edit"
AT_ONCE = 500
"""Captions that one request may change or take back; more of them are a job."""
MOST_LEFT_OUT = 1000
PLAN, CAPTIONS = range(2)
CAPTIONS_A_CHUNK = 400
CAPTIONS_A_WRITE = 50
NAMES_LOGGED = 20
# Failures of such a job, by what the jobs page makes words of.
STALE, UNCHANGED, REFUSED = "changed_meanwhile", "stood_so_already", "cannot_be_so"
NOT_ARRIVED = "What you want to undo never arrived here, so there is nothing to undo."
NOT_YOURS = "Only the person who changed many captions at once can take that back."
UNDO_OF_UNDO = "An undo cannot be undone: make the change again instead."
OTHER_ACTION = "This id belongs to another action. Reload the page."
UNKNOWN_CAPTION = "One of these captions is not there. Reload the page."

Place = tuple[str, int]
"""The slug of an area and the number of a tile."""


@dataclass
class Outcome:
    """What became of the captions of one action: how many it changed, and where the others are.

    unchanged: they stood so already. stale: somebody saved them since they were seen. refused: what would come out
    cannot be a caption, or the tile is not built any more.
    """

    done: int = 0
    unchanged: list[Place] = field(default_factory=list)
    stale: list[Place] = field(default_factory=list)
    refused: list[Place] = field(default_factory=list)

    @property
    def failures(self) -> dict[str, int]:
        """By the codes of a job's failures; none that is 0."""
        numbers = {STALE: len(self.stale), UNCHANGED: len(self.unchanged), REFUSED: len(self.refused)}
        return {code: number for code, number in numbers.items() if number}


def captions_edit(*, seen: Mapping[int, int], edit: Edit, by: Any, action: UUID) -> Outcome:
    """Change some captions as one action that can be undone as one.

    seen: caption key -> its version when the change was previewed; what was saved since is left alone and said. Each
    change is one revision, whose id follows from the action and the caption, so that a repeated call adds nothing and
    returns the same. How far people have come with a caption stays. Raises NotAllowed, NotFound, and Conflict when
    the action is somebody else's.
    """
    require(by, RECTIFY_CAPTIONS)
    outcome = Outcome()
    for keys in _portions(sorted(seen)):
        with transaction.atomic():
            captions = list(_captions().filter(pk__in=keys).order_by("tile_id"))
            if len(captions) < len(keys):
                raise NotFound(UNKNOWN_CAPTION)
            ids = {caption.pk: uuid5(action, f"caption {caption.pk}") for caption in captions}
            made = _made(ids.values(), by)
            for caption in captions:
                if ids[caption.pk] in made:
                    outcome.done += 1
                else:
                    _tell(outcome, caption, _edit_one(caption, seen[caption.pk], edit, by, ids[caption.pk], action))
    return outcome


def revisions_take_back(*, keys: Sequence[int], by: Any, action: UUID) -> Outcome:
    """Bring back what stood before each of these revisions, given by their keys, as one action.

    Those taken back already are `unchanged`; captions with a newer revision are `stale` and stay, as are a captioner's
    that somebody accepted. A repeated call adds nothing and returns the same. Raises NotAllowed when one is somebody
    else's, or a captioner's and `by` starts none; Conflict when one took something back.
    """
    require(by, RECTIFY_CAPTIONS)
    outcome = Outcome()
    for portion in _portions(keys):
        with transaction.atomic():
            rows = CaptionRevision.objects.select_related("caption__tile", "caption__area")
            revisions = list(rows.filter(pk__in=portion).order_by("caption__tile_id"))
            ids = {revision.pk: uuid5(action, f"undo {revision.client_id}") for revision in revisions}
            made = _made(ids.values(), by)
            for revision in revisions:
                _require_undoable(revision, by)
                if ids[revision.pk] in made:
                    outcome.done += 1
                else:
                    _tell(outcome, revision.caption, _take_back(revision, by, ids[revision.pk], action))
    return outcome


def captions_edit_start(
    *,
    among: Among,
    edit: Edit,
    seen_at: datetime,
    by: Any,
    action: UUID,
    left_out: Iterable[int] = (),
    background: bool = True,
) -> Job:
    """Change all captions of a filter that the edit changes, in a job; repeating an action returns its first job.

    seen_at: when the person saw the preview; captions saved since then are skipped and named in the job's log.
    left_out: keys of captions that stay as they are. Raises NotAllowed, BadInput for too many of these, Conflict when
    the id is another action's.
    """
    require(by, RECTIFY_CAPTIONS)
    kept = sorted(set(left_out))
    if len(kept) > MOST_LEFT_OUT:
        raise BadInput(f"Leave out at most {MOST_LEFT_OUT:,} captions, or narrow the filter.", code="too_many_left_out")
    parameters = {"edit": edit.asked(), "among": among.asked, "seen_at": seen_at.isoformat(), "left_out": kept}
    return _start(by, action, f"{edit.title} many captions", parameters, background)


def captions_edit_undo(*, action: UUID, by: Any, undo: UUID, background: bool = True) -> Outcome | Job:
    """Take back all of an action of one's own that still stands; `undo` is the new action.

    What somebody saved since stays and is said. A job that still works on the action is cancelled first. Up to AT_ONCE
    captions are done at once, more by a job, which is returned. Repeating an undo returns the same. Raises NotAllowed,
    NotFound when there is no such action, Conflict when it is an undo itself.
    """
    require(by, RECTIFY_CAPTIONS)
    again = _job(undo)
    if again:
        return again
    job = _job(action)
    if job and job.started_by_id != by.pk:
        raise NotAllowed(NOT_YOURS, code="not_yours")
    if job and job.state in Job.OPEN:
        job_cancel(job_id=job.pk, by=by)
    if not job and not _undone_by(action).exists():
        raise NotFound(NOT_ARRIVED, code="nothing_to_undo")
    return action_take_back(
        action=action, by=by, undo=undo, title="Undo a change of many captions", background=background
    )


def action_take_back(*, action: UUID, by: Any, undo: UUID, title: str, background: bool = True) -> Outcome | Job:
    """Take back the revisions of an action: up to AT_ONCE at once, more by a job of this title, which is returned.

    Raises as `revisions_take_back` does.
    """
    again = _job(undo)
    if again:
        return again
    revisions = _undone_by(action)
    found = list(revisions.values_list("pk", flat=True)[: AT_ONCE + 1])
    if len(found) <= AT_ONCE:
        return revisions_take_back(keys=found, by=by, action=undo)
    _require_undoable(revisions[0], by)
    return _start(by, undo, title, {"undoes": str(action)}, background)


def _edit_one(caption: Caption, version: int, edit: Edit, by: Any, client_id: UUID, action: UUID) -> str:
    """What became of a caption, as Outcome calls it."""
    if caption.version != version:
        return "stale"
    edited = edit.on(caption.text, caption.components)
    if edited is None:
        return "unchanged"
    if edited.problem:
        return "refused"
    return _outcome_of(
        lambda: caption_rectify(
            tile_id=caption.tile_id,
            text=edited.text,
            components=edited.components,
            base_version=version,
            by=by,
            client_id=client_id,
            action=action,
        ),
        client_id,
    )


def _take_back(revision: CaptionRevision, by: Any, client_id: UUID, action: UUID) -> str:
    caption, before = revision.caption, revision.number - 1
    if caption.version != revision.number:
        taken_back = caption.revisions.filter(number=revision.number + 1, restores__number=before, action__isnull=False)
        return "unchanged" if taken_back.exists() else "stale"
    if revision.author_id is None:
        return "done" if caption_put_back(revision=revision, by=by, client_id=client_id, action=action) else "stale"
    return _outcome_of(
        lambda: caption_restore(
            tile_id=caption.tile_id,
            number=before,
            base_version=revision.number,
            by=by,
            client_id=client_id,
            action=action,
        ),
        client_id,
    )


def _outcome_of(write: Callable[[], CaptionRevision], client_id: UUID) -> str:
    try:
        written = write()
    except Stale:
        return "stale"
    except (BadInput, Conflict):
        return "refused"
    return "done" if written.client_id == client_id else "unchanged"


def _tell(outcome: Outcome, caption: Caption, what: str) -> None:
    if what == "done":
        outcome.done += 1
    else:
        getattr(outcome, what).append((caption.area.slug, caption.tile.index))


def _require_undoable(revision: CaptionRevision, by: Any) -> None:
    if revision.author_id is None:
        require(by, BUILD_AREA)
    elif revision.author_id != by.pk:
        raise NotAllowed(NOT_YOURS, code="not_yours")
    if revision.restores_id:
        raise Conflict(UNDO_OF_UNDO, code="undo_of_undo")


def _undone_by(action: UUID) -> QuerySet[CaptionRevision]:
    """The revisions of an action that can be taken back: all but first captions, before which nothing stood."""
    return CaptionRevision.objects.filter(action=action, number__gt=1).order_by("pk")


def _captions() -> Any:
    return Caption.objects.select_related("tile", "area")


def _made(client_ids: Iterable[UUID], by: Any) -> set[UUID]:
    """Those that an earlier call has made. Raises Conflict when it was somebody else's."""
    made = CaptionRevision.objects.filter(client_id__in=list(client_ids))
    authors = dict(made.values_list("client_id", "author_id"))
    if any(author not in (None, by.pk) for author in authors.values()):
        raise Conflict(OTHER_ACTION, code="client_id_taken")
    return set(authors)


def _portions(keys: Sequence[int]) -> Iterable[Sequence[int]]:
    return (keys[start : start + CAPTIONS_A_WRITE] for start in range(0, len(keys), CAPTIONS_A_WRITE))


def _job(action: UUID) -> Job | None:
    return Job.objects.filter(kind=KIND, subject=str(action)).first()


def _start(by: Any, action: UUID, title: str, parameters: Mapping[str, Any], background: bool) -> Job:
    earlier = _job(action)
    if earlier is None:
        try:
            return job_start(
                kind=KIND,
                title=title[:200],
                subject=str(action),
                chunks=[{"do": "plan"}],
                by=by,
                parameters=parameters,
                background=background,
            )
        except Conflict:  # the same request, at the same time
            earlier = _job(action)
    if earlier is None or earlier.started_by_id != by.pk or earlier.parameters != parameters:
        raise Conflict(OTHER_ACTION, code="client_id_taken")
    return earlier


def _plan(lease: Lease) -> None:
    undoes = lease.job.parameters.get("undoes")
    items, failures, late = (_revisions_of(undoes), {}, []) if undoes else _as_seen(lease)
    pieces = [
        {"do": "work", "items": items[start : start + CAPTIONS_A_CHUNK]}
        for start in range(0, len(items), CAPTIONS_A_CHUNK)
    ]
    lease.beat()
    with lease.fence():
        if lease.job.chunks.filter(stage=CAPTIONS).exists():
            return  # an earlier attempt came so far
        lease.expect(total=len(items) + sum(failures.values()))
        lease.count(failures=failures)
        _log_late(lease, late)
        lease.add_chunks(pieces, stage=CAPTIONS)


def _revisions_of(action: str) -> list[Any]:
    return list(_undone_by(UUID(action)).order_by("caption__tile_id").values_list("pk", flat=True))


def _as_seen(lease: Lease) -> tuple[list[Any], dict[str, int], list[Place]]:
    """[caption, version] of what changes and stands as it was seen; how many do not, by reason; some places."""
    asked = lease.job.parameters
    seen_at, left_out = datetime.fromisoformat(asked["seen_at"]), set(asked["left_out"])
    items: list[list[int]] = []
    late: list[int] = []
    refused = 0
    for caption, edited in Walk(Among.of(QueryDict(asked["among"])), edit_of(asked["edit"])).changes():
        lease.beat()
        if edited is None or caption.pk in left_out:
            continue
        if caption.updated_at > seen_at:
            late.append(caption.pk)
        elif edited.problem:
            refused += 1
        else:
            items.append([caption.pk, caption.version])
    failures = {code: number for code, number in ((STALE, len(late)), (REFUSED, refused)) if number}
    named = _captions().filter(pk__in=late[: NAMES_LOGGED + 1])
    return items, failures, [(caption.area.slug, caption.tile.index) for caption in named]


def _work(lease: Lease) -> None:
    job = lease.job
    items = list(lease.payload["items"])
    while items:
        now, items = items[:CAPTIONS_A_WRITE], items[CAPTIONS_A_WRITE:]
        with lease.fence():
            outcome = _do(job, now)
            lease.count(done=outcome.done, failures=outcome.failures)
            _log_late(lease, outcome.stale)
            left = {"do": "work", "items": items}
            JobChunk.objects.filter(pk=lease.chunk_id).update(payload=left)
        lease.payload = left


def _do(job: Job, items: Sequence[Any]) -> Outcome:
    asked, action = job.parameters, UUID(job.subject)
    if "undoes" in asked:
        return revisions_take_back(keys=items, by=job.started_by, action=action)
    return captions_edit(seen=dict(items), edit=edit_of(asked["edit"]), by=job.started_by, action=action)


def _log_late(lease: Lease, places: Sequence[Place]) -> None:
    if places:
        names = ", ".join(f"{slug} tile_{index}" for slug, index in places[:NAMES_LOGGED])
        more = " and more" if len(places) > NAMES_LOGGED else ""
        lease.log(f"Saved by somebody meanwhile and left as they are: {names}{more}.")


JOB = PlannedKind(KIND, plan=_plan, work=_work)
