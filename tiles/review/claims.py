"""Claims: tiles that stand before one person are handed out to nobody else.

They are taken a page of the queue at a time, renewed by whoever holds them while they work, given back on leaving,
and run out by themselves. A decision ends its claim without a write: a claim holds for one version of its tile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from tiles.core.errors import BadInput, Stale
from tiles.core.permissions import REVIEW_TILES, require
from tiles.models import Area, QueueEntry, TileClaim, TilePair
from tiles.models.choices import SETTLED_STATES, BuildState

from .selectors import current_state

What = QueueEntry.What
MOST_HELD = 500
"""Tiles that one page may hold: those it has loaded ahead, and those it decided about without a connection."""


class Held(NamedTuple):
    """What a page holds: until when, and the claims of others on tiles that it asked for in vain."""

    until: datetime
    lost: list[TileClaim]


def claims_in_force(*, area: Area) -> QuerySet[TileClaim]:
    """The claims on tiles of an area that hold just now."""
    return TileClaim.objects.filter(area=area, until__gt=timezone.now(), tile__version=F("tile_version"))


def claims_of_others(*, area: Area, by: Any, tile_ids: Iterable[int] | None = None) -> dict[int, TileClaim]:
    """tile id -> the claim of somebody else, of these tiles or of all; `by` of a claim is loaded."""
    claims = claims_in_force(area=area).exclude(by=by).select_related("by", "tile")
    if tile_ids is not None:
        claims = claims.filter(tile__in=list(tile_ids))
    return {claim.tile_id: claim for claim in claims}


@contextmanager
def claiming(*, area: Area) -> Iterator[None]:
    """A transaction in which nobody else claims tiles of the area, so that what is read as free stays free."""
    with transaction.atomic():
        Area.objects.select_for_update(no_key=True).only("pk").get(pk=area.pk)
        _sweep(area)
        yield


def tiles_claim(*, area: Area, tiles: Sequence[TilePair], by: Any, page: UUID) -> datetime:
    """Claim tiles for a page of a person, inside `claiming`; says until when. None of them is anybody else's."""
    until = timezone.now() + timedelta(seconds=settings.DEMETER_CLAIM_SECONDS)
    held = set(claims_in_force(area=area).filter(by=by).values_list("tile_id", flat=True))
    claims = [
        TileClaim(tile=tile, area=area, by=by, page=page, tile_version=tile.version, until=until)
        for tile in sorted(tiles, key=lambda tile: tile.pk)  # one order, so that two writers cannot deadlock
    ]
    TileClaim.objects.bulk_create(
        claims, update_conflicts=True, unique_fields=["tile"], update_fields=["by", "page", "tile_version", "until"]
    )
    _log(area, What.CLAIM, {by.pk: [tile.index for tile in tiles if tile.pk not in held]})
    return until


def claims_hold(*, area: Area, numbers: Sequence[int], by: Any, page: UUID) -> Held:
    """Renew what a page holds: just the tiles of these numbers from now on, as far as they are not somebody else's.

    What is settled meanwhile needs nobody and is let go. Raises NotAllowed, BadInput for too many.
    """
    require(by, REVIEW_TILES)
    if len(numbers) > MOST_HELD:
        raise BadInput(f"A page holds at most {MOST_HELD} tiles.")
    with claiming(area=area):
        wanted = TilePair.objects.filter(area=area, build_state=BuildState.BUILT, index__in=list(numbers))
        wanted = wanted.exclude(review_state__in=SETTLED_STATES)
        tiles = {tile.pk: tile for tile in wanted.only("pk", "index", "version")}
        others = claims_of_others(area=area, by=by, tile_ids=tiles)
        free = [tile for pk, tile in tiles.items() if pk not in others]
        until = tiles_claim(area=area, tiles=free, by=by, page=page)
        TileClaim.objects.filter(area=area, by=by, page=page).exclude(tile__in=free).delete()
    return Held(until, sorted(others.values(), key=lambda claim: claim.tile.index))


def claims_release(*, area: Area, by: Any, page: UUID) -> int:
    """Give back all that a page holds; returns how many tiles came free. Raises NotAllowed."""
    require(by, REVIEW_TILES)
    with claiming(area=area):
        mine = TileClaim.objects.filter(area=area, by=by, page=page)
        numbers = list(claims_in_force(area=area).filter(by=by, page=page).values_list("tile__index", flat=True))
        mine.delete()
        _log(area, What.RELEASE, {by.pk: sorted(numbers)})
    return len(numbers)


def claim_check(*, tile: TilePair, by: Any) -> None:
    """Raise Stale when the tile stands before somebody else just now."""
    claim = TileClaim.objects.select_related("by").filter(tile=tile, tile_version=tile.version).first()
    if claim is None or claim.by_id == by.pk or claim.until <= timezone.now():
        return
    message = f"{claim.by.shown_name} is looking at this tile. Leave it to them, or decide all the same."
    raise Stale(message, cause="claim", current={**current_state(tile), "claim": claim_payload(claim)})


def claim_payload(claim: TileClaim) -> dict[str, Any]:
    return {"by": claim.by.shown_name, "until": claim.until.isoformat()}


def claims_shown(*, area: Area) -> list[dict[str, Any]]:
    """Who has tiles of the area before them: by person the name, how many, the numbers, and until when."""
    by_person: dict[int, dict[str, Any]] = {}
    rows = claims_in_force(area=area).select_related("by").order_by("by__username", "tile__index")
    for claim in rows.annotate(index=F("tile__index")):
        entry = by_person.setdefault(claim.by_id, {"by": claim.by.shown_name, "tiles": [], "until": claim.until})
        entry["tiles"].append(claim.index)
        entry["until"] = max(entry["until"], claim.until)
    return list(by_person.values())


def _sweep(area: Area) -> None:
    """Remove the claims that ran out, and enter those in the log on whose tiles nothing was decided."""
    out = TileClaim.objects.filter(area=area, until__lte=timezone.now()).select_related("tile")
    numbers: dict[int, list[int]] = defaultdict(list)
    expired = list(out.order_by("tile__index").only("by", "tile_version", "tile__version", "tile__index"))
    if not expired:
        return
    for claim in expired:
        if claim.tile.version == claim.tile_version:
            numbers[claim.by_id].append(claim.tile.index)
    TileClaim.objects.filter(pk__in=[claim.pk for claim in expired]).delete()
    _log(area, What.LAPSE, numbers)


def _log(area: Area, what: str, numbers_of: Mapping[int, list[int]]) -> None:
    entries = [
        QueueEntry(area=area, what=what, by_id=by, detail={"tiles": numbers})
        for by, numbers in numbers_of.items()
        if numbers
    ]
    QueueEntry.objects.bulk_create(entries)
