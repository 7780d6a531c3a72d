"""Every decision about a tile goes through here, and becomes one row of the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from tiles.core.errors import BadInput, Conflict, NotAllowed, NotFound, Stale
from tiles.core.permissions import REVIEW_TILES, require
from tiles.models import Area, AreaCounter, ReviewDecision, TilePair
from tiles.models.choices import REASON_BY_CODE, BuildState, ReviewState

from .selectors import current_state, standing_decision

LayerVersions = Mapping[str, int]
Verb = ReviewDecision.Verb

NOTE_LENGTH = 2000
UNKNOWN_TILE = "There is no such tile. It may have been renumbered; reload the page."
NOT_BUILT = "This tile is not built: there is nothing to judge yet."
NOTE_WANTED = "This reason needs a note: say what is wrong with the tile."
NOTE_TOO_LONG = f"The note is too long: keep it below {NOTE_LENGTH} characters."
OTHER_ENTRY = "This id belongs to another decision. Reload the page and decide again."
PIXELS_CHANGED = "The tile was rebuilt since you saw it. Look at it again before you decide."
DECIDED_MEANWHILE = "Somebody else decided about this tile since you saw it."
NOT_ARRIVED = "The decision to undo never arrived here, so there is nothing to undo."
NOT_YOURS = "Only the person who made a decision can undo it."
UNDONE_ALREADY = "This decision was undone already."
UNDO_OF_UNDO = "An undo cannot be undone: decide again instead."
DECIDED_SINCE = "There is a newer decision about this tile, so this one cannot be undone any more."


def tile_approve(
    *, tile_id: int, seen: LayerVersions, seen_version: int, by: Any, client_id: UUID, note: str = ""
) -> ReviewDecision:
    """Approve a tile. Repeating a client_id returns the first decision.

    seen: layer name -> content version on the screen; seen_version: the tile's version then.
    Raises NotAllowed, NotFound, Conflict when the tile is not built, and Stale when it was rebuilt, or decided by
    somebody else, since.
    """
    return _decide(tile_id, Verb.APPROVE, ReviewState.APPROVED, "", note, seen, seen_version, by, client_id)


def tile_reject(
    *, tile_id: int, reason: str, seen: LayerVersions, seen_version: int, by: Any, client_id: UUID, note: str = ""
) -> ReviewDecision:
    """Reject a tile for one of its area's reasons. Raises BadInput for another one or a missing note, and as above."""
    return _decide(tile_id, Verb.REJECT, ReviewState.REJECTED, reason, note, seen, seen_version, by, client_id)


def tile_unsure(
    *, tile_id: int, seen: LayerVersions, seen_version: int, by: Any, client_id: UUID, note: str = ""
) -> ReviewDecision:
    """Leave a tile for a second look. Raises as `tile_approve`."""
    return _decide(tile_id, Verb.UNSURE, ReviewState.UNSURE, "", note, seen, seen_version, by, client_id)


def decision_undo(*, undoes: UUID, by: Any, client_id: UUID, tile_id: int | None = None) -> ReviewDecision:
    """Put a tile back to what it was before one of one's own decisions, named by its client_id.

    The decision must be the newest of its tile that is not undone, so decisions are undone in turn, to any depth.
    Repeating a client_id returns the first entry. Raises NotAllowed, NotFound when the decision never arrived or is
    about another tile than tile_id, Conflict when it is undone already, Stale when there is a newer one.
    """
    require(by, REVIEW_TILES)
    with transaction.atomic():
        found = ReviewDecision.objects.filter(client_id=undoes).first()
        if found is None or (tile_id is not None and found.tile_id != tile_id):
            raise NotFound(NOT_ARRIVED, code="nothing_to_undo")
        tile = _locked(found.tile_id)
        entry = ReviewDecision(
            tile=tile,
            verb=Verb.UNDO,
            to_state=found.from_state,
            to_reason=found.from_reason,
            layers_seen=tile.layer_versions(),
            by=by,
            client_id=client_id,
            undoes=found,
        )
        earlier = _earlier(entry)
        if earlier:
            return earlier
        _check_undo(tile, found, by)
        return _record(tile, entry)


def _decide(
    tile_id: int,
    verb: str,
    state: str,
    reason: str,
    note: str,
    seen: LayerVersions,
    seen_version: int,
    by: Any,
    client_id: UUID,
) -> ReviewDecision:
    """The core that all verdicts share: check, then move the tile, its counters and the log in one transaction."""
    require(by, REVIEW_TILES)
    entry = ReviewDecision(
        tile_id=tile_id,
        verb=verb,
        to_state=state,
        to_reason=reason,
        note=note.strip(),
        layers_seen=dict(seen),
        by=by,
        client_id=client_id,
    )
    with transaction.atomic():
        tile = _locked(tile_id)
        earlier = _earlier(entry)
        if earlier:
            return earlier
        if tile.build_state != BuildState.BUILT:
            raise Conflict(NOT_BUILT, code="not_built")
        _check_words(tile.area, entry)
        _check_fresh(tile, seen, seen_version, by)
        return _record(tile, entry)


def _locked(tile_id: int) -> TilePair:
    tile = TilePair.objects.select_for_update(of=("self",)).select_related("area").filter(pk=tile_id).first()
    if tile is None:
        raise NotFound(UNKNOWN_TILE)
    return tile


def _earlier(entry: ReviewDecision) -> ReviewDecision | None:
    """The entry that this client_id made already. Raises Conflict when it says something else."""
    found = ReviewDecision.objects.select_related("by").filter(client_id=entry.client_id).first()
    if found is None:
        return None
    same = ("tile_id", "by_id", "verb", "to_reason", "undoes_id")
    if any(getattr(found, name) != getattr(entry, name) for name in same):
        raise Conflict(OTHER_ENTRY, code="client_id_taken")
    return found


def _check_words(area: Area, entry: ReviewDecision) -> None:
    if len(entry.note) > NOTE_LENGTH:
        raise BadInput(NOTE_TOO_LONG, code="note_too_long")
    if entry.verb != Verb.REJECT:
        return
    if entry.to_reason not in area.reasons or entry.to_reason not in REASON_BY_CODE:
        known = ", ".join(area.reasons)
        raise BadInput(f"{area.name} knows no reason {entry.to_reason!r}. Reasons: {known}.", code="unknown_reason")
    if REASON_BY_CODE[entry.to_reason].needs_note and not entry.note:
        raise BadInput(NOTE_WANTED, code="note_wanted")


def _check_fresh(tile: TilePair, seen: LayerVersions, seen_version: int, by: Any) -> None:
    """One's own later decisions are no surprise; anybody else's, a rule's or a rebuild's are."""
    if _pixels_differ(seen, tile.layer_versions()):
        raise Stale(PIXELS_CHANGED, cause="layers", current=current_state(tile))
    if tile.version == seen_version:
        return
    own = tile.decisions.filter(tile_version__gt=seen_version, by=by).count()
    if own != tile.version - seen_version:
        raise Stale(DECIDED_MEANWHILE, cause="decision", current=current_state(tile))


def _pixels_differ(seen: LayerVersions, now: LayerVersions) -> bool:
    """Whether a layer has come or changed. One that was dropped since, to make room, changes no picture."""
    return any(seen.get(name) != version for name, version in now.items())


def _check_undo(tile: TilePair, found: ReviewDecision, by: Any) -> None:
    if found.by_id != by.pk:
        raise NotAllowed(NOT_YOURS, code="not_yours")
    if found.verb == Verb.UNDO:
        raise Conflict(UNDO_OF_UNDO, code="undo_of_undo")
    if ReviewDecision.objects.filter(undoes=found).exists():
        raise Conflict(UNDONE_ALREADY, code="undone_already")
    standing = standing_decision(tile_id=tile.pk)
    if standing is None or standing.pk != found.pk:
        raise Stale(DECIDED_SINCE, cause="decision", current=current_state(tile))


def _record(tile: TilePair, entry: ReviewDecision) -> ReviewDecision:
    """Append the entry and move the tile and its counters with it. The caller holds the tile's lock."""
    before: Counter[str] = tile.counted
    entry.from_state, entry.from_reason = tile.review_state, tile.reason
    tile.review_state, tile.reason = entry.to_state, entry.to_reason
    tile.version += 1
    entry.tile_version = tile.version
    entry.action = entry.client_id
    try:
        with transaction.atomic():
            entry.save()
    except IntegrityError as error:
        # Two requests with one id about two tiles: the lock on the tile does not keep them apart.
        raise Conflict(OTHER_ENTRY, code="client_id_taken") from error
    tile.save(update_fields=["review_state", "reason", "version"])
    AreaCounter.objects.move(tile.area_id, before, tile.counted)
    return entry
