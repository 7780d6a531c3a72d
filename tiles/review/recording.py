"""Entering decisions in the log, and moving tiles and counters with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.utils import timezone

from tiles.core.errors import Conflict
from tiles.models import Area, AreaCounter, ReviewDecision, TilePair

from .checks import OTHER_ENTRY
from .policy import Standing

Weighed = tuple[ReviewDecision, Standing]

MOVED = ("review_state", "reason", "version", "decided_by", "decided_at", "first_by", "second_by")


@dataclass(frozen=True)
class Outcome:
    """What became of the tiles of one action: how many entries there are of it, and the numbers of the tiles without.

    unchanged: they stood as was asked already. stale: somebody changed them since they were seen.
    """

    done: int = 0
    unchanged: list[int] = field(default_factory=list)
    stale: list[int] = field(default_factory=list)


def entries_record(area: Area, weighed: Sequence[Weighed], outcome: Outcome) -> Outcome:
    """Append entries about different tiles, which the caller has locked, and move what follows from them."""
    change: Counter[str] = Counter()
    for entry, standing in weighed:
        change.update(_move(entry.tile, entry, standing))
    entries = [entry for entry, _standing in weighed]
    ReviewDecision.objects.bulk_create(entries)
    TilePair.objects.bulk_update([entry.tile for entry in entries], MOVED)
    AreaCounter.objects.add(area.pk, change)
    return Outcome(outcome.done + len(entries), outcome.unchanged, outcome.stale)


def entry_record(tile: TilePair, entry: ReviewDecision, standing: Standing) -> ReviewDecision:
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
