"""Every decision about a tile goes through here, and becomes one row of the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from tiles.core.errors import BadInput, Conflict, NotAllowed, NotFound, Stale
from tiles.core.permissions import REVIEW_TILES, require
from tiles.models import Area, AreaCounter, ReviewDecision, TilePair
from tiles.models.choices import REASON_BY_CODE, WAITING_STATES, BuildState, ReviewState

from .claims import claim_check
from .policy import Round, Standing, needs_second, rounds_waiting, standing_again, verdict_weigh
from .selectors import current_state, standing_decision

LayerVersions = Mapping[str, int]
Weighed = tuple[ReviewDecision, Standing]
Verb = ReviewDecision.Verb

NOTE_LENGTH = 2000
MOVED = ("review_state", "reason", "version", "decided_by", "decided_at", "first_by", "second_by")
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
    *,
    tile_id: int,
    seen: LayerVersions,
    seen_version: int,
    by: Any,
    client_id: UUID,
    note: str = "",
    past_claim: bool = False,
) -> ReviewDecision:
    """Approve a tile. Repeating a client_id returns the first decision.

    seen: layer name -> content version on the screen; seen_version: the tile's version then; past_claim: on purpose,
    though somebody else has it before them. Raises NotAllowed, NotFound, Conflict when the tile is not built, and
    Stale when it was rebuilt, or decided by somebody else, since, or stands before somebody else.
    """
    return _decide(tile_id, Verb.APPROVE, "", note, seen, seen_version, by, client_id, past_claim)


def tile_reject(
    *,
    tile_id: int,
    reason: str,
    seen: LayerVersions,
    seen_version: int,
    by: Any,
    client_id: UUID,
    note: str = "",
    past_claim: bool = False,
) -> ReviewDecision:
    """Reject a tile for one of its area's reasons. Raises BadInput for another one or a missing note, and as above."""
    return _decide(tile_id, Verb.REJECT, reason, note, seen, seen_version, by, client_id, past_claim)


def tile_unsure(
    *,
    tile_id: int,
    seen: LayerVersions,
    seen_version: int,
    by: Any,
    client_id: UUID,
    note: str = "",
    past_claim: bool = False,
) -> ReviewDecision:
    """Leave a tile for a second look. Raises as `tile_approve`."""
    return _decide(tile_id, Verb.UNSURE, "", note, seen, seen_version, by, client_id, past_claim)


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
        waiting = rounds_waiting([tile.pk], without=[found.pk]).get(tile.pk, {})
        return _record(tile, entry, standing_again(found.from_state, waiting))


@dataclass(frozen=True)
class Outcome:
    """What became of the tiles of one action: how many entries there are of it, and the numbers of the tiles without.

    unchanged: they stood as was asked already. stale: somebody changed them since they were seen.
    """

    done: int = 0
    unchanged: list[int] = field(default_factory=list)
    stale: list[int] = field(default_factory=list)


def tiles_decide(
    *, area: Area, seen: Mapping[int, int], verb: str, by: Any, action: UUID, reason: str = "", note: str = ""
) -> Outcome:
    """Approve, reject or reset some tiles of an area at once, as one action that can be undone as one.

    seen: tile id -> its version when it was seen; it grows with every decision and with every change of pixels.
    Whatever changed since is left alone and said. The id of an entry follows from the action and its tile, so a
    repeated call adds nothing and returns the same. Raises NotAllowed, BadInput for a wrong reason, NotFound,
    Conflict when a tile is not built or the action was another one.
    """
    require(by, REVIEW_TILES)
    with transaction.atomic():
        # All rows first and in one order, counters last and once: batches cannot deadlock with each other or with
        # somebody who judges a single tile.
        tiles = _all_locked(seen, area)
        client_ids = {tile.pk: uuid5(action, f"tile {tile.pk}") for tile in tiles}
        earlier = ReviewDecision.objects.in_bulk(list(client_ids.values()), field_name="client_id")
        rounds = _rounds_of(tiles)
        entries: list[Weighed] = []
        outcome = Outcome(done=len(earlier))
        for tile in tiles:
            entry = ReviewDecision(
                tile=tile,
                verb=verb,
                reason=reason,
                note=note.strip(),
                layers_seen=tile.layer_versions(),
                by=by,
                client_id=client_ids[tile.pk],
                action=action,
            )
            if entry.client_id in earlier:
                _require_same(earlier[entry.client_id], entry)
                continue
            _check_words(area, entry)
            if tile.build_state != BuildState.BUILT:
                raise Conflict(NOT_BUILT, code="not_built")
            waiting = rounds.get(tile.pk, {})
            standing = _weigh(tile, area, entry, waiting)
            if _decided_by_others(tile, seen[tile.pk], by):
                outcome.stale.append(tile.index)
            elif _says_nothing_new(tile, entry, waiting):
                outcome.unchanged.append(tile.index)
            else:
                entries.append((entry, standing))
        return _record_all(area, entries, outcome)


def decisions_undo(*, area: Area, undoes: Sequence[int], by: Any, action: UUID) -> Outcome:
    """Undo some of one's own decisions about tiles of an area, given by their keys, as one action.

    Those undone already are `unchanged`; those with a newer decision are `stale` and stay. A repeated call adds
    nothing and returns the same. Raises NotAllowed, and Conflict for an undo.
    """
    require(by, REVIEW_TILES)
    with transaction.atomic():
        found = list(ReviewDecision.objects.filter(pk__in=undoes, tile__area=area).order_by("tile_id"))
        tiles = {tile.pk: tile for tile in _all_locked([entry.tile_id for entry in found], area)}
        undone = dict(ReviewDecision.objects.filter(undoes__in=found).values_list("undoes_id", "action"))
        standing = _standing_of(tiles)
        rounds = rounds_waiting(tiles, without=[entry.pk for entry in found])
        entries: list[Weighed] = []
        outcome = Outcome(done=sum(made == action for made in undone.values()))
        for old in found:
            if old.by_id != by.pk:
                raise NotAllowed(NOT_YOURS, code="not_yours")
            if old.verb == Verb.UNDO:
                raise Conflict(UNDO_OF_UNDO, code="undo_of_undo")
            tile = tiles[old.tile_id]
            if old.pk in undone:
                if undone[old.pk] != action:
                    outcome.unchanged.append(tile.index)
            elif standing.get(tile.pk) != old.pk:
                outcome.stale.append(tile.index)
            else:
                again = standing_again(old.from_state, rounds.get(tile.pk, {}))
                entries.append((_undo_entry(tile, old, by, action), again))
        return _record_all(area, entries, outcome)


def decision_words_check(*, area: Area, verb: str, reason: str, note: str) -> None:
    """Raise BadInput unless this may be said about a tile of the area."""
    _check_words(area, ReviewDecision(verb=verb, reason=reason, note=note.strip()))


def _all_locked(tile_ids: Iterable[int], area: Area) -> list[TilePair]:
    """These tiles of an area by key. Raises NotFound when one is not there."""
    wanted = set(tile_ids)
    found = list(TilePair.objects.select_for_update().filter(pk__in=wanted, area=area).order_by("pk"))
    if len(found) < len(wanted):
        raise NotFound(UNKNOWN_TILE)
    return found


def _standing_of(tile_ids: Iterable[int]) -> dict[int, int]:
    """tile id -> key of the newest decision about it that is neither undone nor itself an undo."""
    entries = ReviewDecision.objects.filter(tile_id__in=list(tile_ids), undone_by__isnull=True)
    newest = entries.exclude(verb=Verb.UNDO).order_by().values("tile_id").annotate(newest=Max("id"))
    return dict(newest.values_list("tile_id", "newest"))


def _undo_entry(tile: TilePair, old: ReviewDecision, by: Any, action: UUID) -> ReviewDecision:
    return ReviewDecision(
        tile=tile,
        verb=Verb.UNDO,
        to_state=old.from_state,
        to_reason=old.from_reason,
        layers_seen=tile.layer_versions(),
        by=by,
        client_id=uuid5(action, f"undo {old.client_id}"),
        action=action,
        undoes=old,
    )


def _record_all(area: Area, weighed: Sequence[Weighed], outcome: Outcome) -> Outcome:
    """Append entries about different tiles, which the caller has locked, and move what follows from them."""
    change: Counter[str] = Counter()
    for entry, standing in weighed:
        change.update(_move(entry.tile, entry, standing))
    entries = [entry for entry, _standing in weighed]
    ReviewDecision.objects.bulk_create(entries)
    TilePair.objects.bulk_update([entry.tile for entry in entries], MOVED)
    AreaCounter.objects.add(area.pk, change)
    return Outcome(outcome.done + len(entries), outcome.unchanged, outcome.stale)


def _decide(
    tile_id: int,
    verb: str,
    reason: str,
    note: str,
    seen: LayerVersions,
    seen_version: int,
    by: Any,
    client_id: UUID,
    past_claim: bool,
) -> ReviewDecision:
    """The core that all verdicts share: check, then move the tile, its counters and the log in one transaction."""
    require(by, REVIEW_TILES)
    entry = ReviewDecision(
        tile_id=tile_id,
        verb=verb,
        reason=reason,
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
        if not past_claim:
            claim_check(tile=tile, by=by)
        standing = _weigh(tile, tile.area, entry, _rounds_of([tile]).get(tile.pk, {}))
        return _record(tile, entry, standing)


def _rounds_of(tiles: Iterable[TilePair]) -> dict[int, dict[int, str]]:
    """The verdicts that wait, of those tiles that wait: most batches have none, and ask nothing."""
    waiting = [tile.pk for tile in tiles if tile.review_state in WAITING_STATES]
    return rounds_waiting(waiting) if waiting else {}


def _weigh(tile: TilePair, area: Area, entry: ReviewDecision, waiting: Round) -> Standing:
    """What the entry makes of its tile by the area's policy; the entry is told."""
    two, by = needs_second(area, tile.index), entry.by_id
    assert by is not None  # noqa: S101 - rules write their entries themselves
    standing = verdict_weigh(state=tile.review_state, waiting=waiting, verb=entry.verb, by=by, two=two)
    entry.to_state = standing.state
    entry.to_reason = entry.reason if standing.state == ReviewState.REJECTED else ""
    return standing


def _says_nothing_new(tile: TilePair, entry: ReviewDecision, waiting: Round) -> bool:
    """Whether the tile stands so already: settled that way, or waiting after the same verdict of this person."""
    if (tile.review_state, tile.reason) != (entry.to_state, entry.to_reason):
        return False
    return tile.review_state not in WAITING_STATES or (entry.by_id, entry.verb) in waiting.items()


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
    _require_same(found, entry)
    return found


def _require_same(found: ReviewDecision, entry: ReviewDecision) -> None:
    same = ("tile_id", "by_id", "verb", "reason", "undoes_id")
    if any(getattr(found, name) != getattr(entry, name) for name in same):
        raise Conflict(OTHER_ENTRY, code="client_id_taken")


def _check_words(area: Area, entry: ReviewDecision) -> None:
    if len(entry.note) > NOTE_LENGTH:
        raise BadInput(NOTE_TOO_LONG, code="note_too_long")
    if entry.verb != Verb.REJECT:
        return
    if entry.reason not in area.reasons or entry.reason not in REASON_BY_CODE:
        known = ", ".join(area.reasons)
        raise BadInput(f"{area.name} knows no reason {entry.reason!r}. Reasons: {known}.", code="unknown_reason")
    if REASON_BY_CODE[entry.reason].needs_note and not entry.note:
        raise BadInput(NOTE_WANTED, code="note_wanted")


def _check_fresh(tile: TilePair, seen: LayerVersions, seen_version: int, by: Any) -> None:
    """One's own later decisions are no surprise; anybody else's, a rule's or a rebuild's are."""
    if _pixels_differ(seen, tile.layer_versions()):
        raise Stale(PIXELS_CHANGED, cause="layers", current=current_state(tile))
    if _decided_by_others(tile, seen_version, by):
        raise Stale(DECIDED_MEANWHILE, cause="decision", current=current_state(tile))


def _decided_by_others(tile: TilePair, seen_version: int, by: Any) -> bool:
    """Whether anything but this person's own decisions moved the tile since it had that version."""
    if tile.version == seen_version:
        return False
    own = tile.decisions.filter(tile_version__gt=seen_version, by=by).count()
    return bool(own != tile.version - seen_version)


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


def _record(tile: TilePair, entry: ReviewDecision, standing: Standing) -> ReviewDecision:
    """Append the entry and move the tile and its counters with it. The caller holds the tile's lock."""
    entry.action = entry.client_id
    change = _move(tile, entry, standing)
    try:
        with transaction.atomic():
            entry.save()
    except IntegrityError as error:
        # Two requests with one id about two tiles: the lock on the tile does not keep them apart.
        raise Conflict(OTHER_ENTRY, code="client_id_taken") from error
    tile.save(update_fields=MOVED)
    AreaCounter.objects.add(tile.area_id, change)
    return entry


def _move(tile: TilePair, entry: ReviewDecision, standing: Standing) -> Counter[str]:
    """Make the entry the newest about the tile, both in memory; returns the change of the area's counters."""
    before: Counter[str] = tile.counted
    entry.from_state, entry.from_reason = tile.review_state, tile.reason
    tile.review_state, tile.reason = entry.to_state, entry.to_reason
    tile.first_by_id, tile.second_by_id = standing.first_by, standing.second_by
    tile.version += 1
    entry.tile_version = tile.version
    tile.decided_by, tile.decided_at = entry.by, timezone.now()
    change = Counter(tile.counted)
    change.subtract(before)
    return change
