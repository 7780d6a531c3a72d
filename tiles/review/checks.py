"""What must hold before a decision about a tile is entered in the log, and what is said when it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tiles.core.errors import BadInput, Conflict, NotAllowed, Stale
from tiles.models import Area, ReviewDecision, TilePair
from tiles.models.choices import REASON_BY_CODE

from .selectors import current_state, standing_decision

LayerVersions = Mapping[str, int]
Verb = ReviewDecision.Verb

NOTE_LENGTH = 2000
UNKNOWN_TILE = "There is no such tile. It may have been renumbered; reload the page."
NOT_ARRIVED = "The decision to undo never arrived here, so there is nothing to undo."
NOTE_WANTED = "This reason needs a note: say what is wrong with the tile."
NOTE_TOO_LONG = f"The note is too long: keep it below {NOTE_LENGTH} characters."
OTHER_ENTRY = "This id belongs to another decision. Reload the page and decide again."
PIXELS_CHANGED = "The tile was rebuilt since you saw it. Look at it again before you decide."
DECIDED_MEANWHILE = "Somebody else decided about this tile since you saw it."
NOT_YOURS = "Only the person who made a decision can undo it."
UNDONE_ALREADY = "This decision was undone already."
UNDO_OF_UNDO = "An undo cannot be undone: decide again instead."
DECIDED_SINCE = "There is a newer decision about this tile, so this one cannot be undone any more."


def same_entry_require(found: ReviewDecision, entry: ReviewDecision) -> None:
    same = ("tile_id", "by_id", "verb", "reason", "undoes_id")
    if any(getattr(found, name) != getattr(entry, name) for name in same):
        raise Conflict(OTHER_ENTRY, code="client_id_taken")


def decision_words_check(*, area: Area, verb: str, reason: str, note: str) -> None:
    """Raise BadInput unless this may be said about a tile of the area."""
    words_check(area, ReviewDecision(verb=verb, reason=reason, note=note.strip()))


def words_check(area: Area, entry: ReviewDecision) -> None:
    if len(entry.note) > NOTE_LENGTH:
        raise BadInput(NOTE_TOO_LONG, code="note_too_long")
    if entry.verb != Verb.REJECT:
        return
    if entry.reason not in area.reasons or entry.reason not in REASON_BY_CODE:
        known = ", ".join(area.reasons)
        raise BadInput(f"{area.name} knows no reason {entry.reason!r}. Reasons: {known}.", code="unknown_reason")
    if REASON_BY_CODE[entry.reason].needs_note and not entry.note:
        raise BadInput(NOTE_WANTED, code="note_wanted")


def fresh_check(tile: TilePair, seen: LayerVersions, seen_version: int, by: Any) -> None:
    """One's own later decisions are no surprise; anybody else's, a rule's or a rebuild's are."""
    if _pixels_differ(seen, tile.layer_versions()):
        raise Stale(PIXELS_CHANGED, cause="layers", current=current_state(tile))
    if decided_by_others(tile, seen_version, by):
        raise Stale(DECIDED_MEANWHILE, cause="decision", current=current_state(tile))


def decided_by_others(tile: TilePair, seen_version: int, by: Any) -> bool:
    """Whether anything but this person's own decisions moved the tile since it had that version."""
    if tile.version == seen_version:
        return False
    own = tile.decisions.filter(tile_version__gt=seen_version, by=by).count()
    return bool(own != tile.version - seen_version)


def _pixels_differ(seen: LayerVersions, now: LayerVersions) -> bool:
    """Whether a layer has come or changed. One that was dropped since, to make room, changes no picture."""
    return any(seen.get(name) != version for name, version in now.items())


def undo_check(tile: TilePair, found: ReviewDecision, by: Any) -> None:
    if found.by_id != by.pk:
        raise NotAllowed(NOT_YOURS, code="not_yours")
    if found.verb == Verb.UNDO:
        raise Conflict(UNDO_OF_UNDO, code="undo_of_undo")
    if ReviewDecision.objects.filter(undoes=found).exists():
        raise Conflict(UNDONE_ALREADY, code="undone_already")
    standing = standing_decision(tile_id=tile.pk)
    if standing is None or standing.pk != found.pk:
        raise Stale(DECIDED_SINCE, cause="decision", current=current_state(tile))
