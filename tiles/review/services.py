"""Every decision about a tile goes through here, and becomes one row of the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import Max

from tiles.core.errors import Conflict, NotAllowed, NotFound
from tiles.core.permissions import REVIEW_TILES, require
from tiles.models import Area, ReviewDecision, TilePair
from tiles.models.choices import WAITING_STATES, BuildState, ReviewState

from .checks import (
    NOT_ARRIVED,
    NOT_YOURS,
    UNDO_OF_UNDO,
    UNKNOWN_TILE,
    LayerVersions,
    decided_by_others,
    fresh_check,
    same_entry_require,
    undo_check,
    words_check,
)
from .claims import claim_check
from .policy import Round, Standing, needs_second, rounds_waiting, standing_again, verdict_weigh
from .recording import Outcome, Weighed, entries_record, entry_record

Verb = ReviewDecision.Verb

NOT_BUILT = "This tile is not built: there is nothing to judge yet."


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
        undo_check(tile, found, by)
        waiting = rounds_waiting([tile.pk], without=[found.pk]).get(tile.pk, {})
        return entry_record(tile, entry, standing_again(found.from_state, waiting))


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
                same_entry_require(earlier[entry.client_id], entry)
                continue
            words_check(area, entry)
            if tile.build_state != BuildState.BUILT:
                raise Conflict(NOT_BUILT, code="not_built")
            waiting = rounds.get(tile.pk, {})
            standing = _weigh(tile, area, entry, waiting)
            if decided_by_others(tile, seen[tile.pk], by):
                outcome.stale.append(tile.index)
            elif _says_nothing_new(tile, entry, waiting):
                outcome.unchanged.append(tile.index)
            else:
                entries.append((entry, standing))
        return entries_record(area, entries, outcome)


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
        return entries_record(area, entries, outcome)


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
        words_check(tile.area, entry)
        fresh_check(tile, seen, seen_version, by)
        if not past_claim:
            claim_check(tile=tile, by=by)
        standing = _weigh(tile, tile.area, entry, _rounds_of([tile]).get(tile.pk, {}))
        return entry_record(tile, entry, standing)


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
    same_entry_require(found, entry)
    return found
