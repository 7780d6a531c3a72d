"""The queue of one person: what waits for their look, in any order, handed out so that nobody else gets it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import django_filters
from django.db.models import Q

from tiles.core.permissions import REVIEW_TILES, require
from tiles.models import Area, TileClaim, TilePair
from tiles.models.choices import WAITING_STATES, Policy, ReviewState

from .assign import in_ranges, ranges_of
from .claims import claim_payload, claiming, claims_of_others, tiles_claim
from .filters import TileFilter
from .marked import tiles_payload_marked
from .orders import Order
from .policy import needs_second, voted_by
from .selectors import PAGE_SIZE, QueuePage, queue_page

QUEUE = "queue"
QUEUED = (ReviewState.PENDING, *WAITING_STATES)
HANDED_OUT = (QUEUE, ReviewState.PENDING, ReviewState.UNSURE, *WAITING_STATES)
"""What is claimed when it is handed out. Who goes through what is settled only looks."""
KEYSETS = ("index", "score")
"""Columns that an index holds beside the state: in their order each state is read by itself, and the states merged."""


class QueueFilter(TileFilter):
    """As for every list, and `state=queue`: what waits for a look of whoever asks. `mine`: first looks at tiles of
    one's own ranges only; what waits for a second or third look is for everybody who did not judge it."""

    state = django_filters.ChoiceFilter(
        method="unfiltered",
        choices=[(QUEUE, "To review"), *ReviewState.choices],
        empty_label="All",
        label="State",
    )
    mine = django_filters.ChoiceFilter(
        method="unfiltered", choices=[("1", "Mine")], empty_label="Everybody's", label="Range"
    )


@dataclass(frozen=True)
class Handed:
    """A page of the queue, and until when its tiles are the person's; None: they were only looked at."""

    page: QueuePage
    until: datetime | None


def queue_handed_out(
    *, area: Area, asked: QueueFilter, by: Any, page: UUID, size: int = PAGE_SIZE, **bounds: Any
) -> Handed:
    """Read a page of the queue as a person sees it, and claim its tiles for a page of theirs.

    What others have claimed is left out. bounds: as `queue_page` takes them. Raises NotAllowed, BadInput.
    """
    require(by, REVIEW_TILES)
    if not claims(asked):
        return Handed(queue_read(area=area, asked=asked, by=by, size=size, **bounds), None)
    with claiming(area=area):
        taken = list(claims_of_others(area=area, by=by))
        found = queue_read(area=area, asked=asked, by=by, size=size, without=taken, **bounds)
        until = tiles_claim(area=area, tiles=found.tiles, by=by, page=page) if found.tiles else None
    return Handed(found, until)


def queue_read(
    *, area: Area, asked: QueueFilter, by: Any, size: int = PAGE_SIZE, without: list[int] | None = None, **bounds: Any
) -> QueuePage:
    """The same without claiming. without: keys of tiles that are left out."""
    tiles = asked.checked()
    if without:
        tiles = tiles.exclude(pk__in=without)
    order = asked.chosen_order
    parts = _parts(area, asked, by)
    if len(parts) == 1 or not isinstance(order, Order) or order.column not in KEYSETS:
        one = Q()
        for part in parts:
            one |= part
        return queue_page(tiles=tiles.filter(one), size=size, order=order, **bounds)
    pages = [queue_page(tiles=tiles.filter(part), size=size, order=order, **bounds) for part in parts]
    return _merged(pages, order, size, back=bounds.get("before") is not None)


def claims(asked: QueueFilter) -> bool:
    """Whether what the filter shows is work, to be claimed, or something to look through."""
    cleaned = asked.form.cleaned_data if asked.form.is_valid() else {}
    return cleaned.get("state") in HANDED_OUT


def default_state(area: Area, counts: dict[str, int]) -> str:
    """Where a reviewer begins: with all that waits, which is what is pending while nothing waits for a second look."""
    waits = area.policy != Policy.ONE or any(counts[state] for state in WAITING_STATES)
    return QUEUE if waits else ReviewState.PENDING


def tiles_payload_queued(
    *, area: Area, tiles: Iterable[TilePair], by: Any, claimed: Mapping[int, TileClaim] | None = None
) -> list[dict[str, Any]]:
    """Tiles for the review page of a person: whose look they need, and who else has them before them.

    claimed: the claims of others by tile id, where they are known already; else they are read, once for all.
    """
    listed = list(tiles)
    if claimed is None:
        claimed = claims_of_others(area=area, by=by, tile_ids=[tile.pk for tile in listed])
    marked = tiles_payload_marked(tiles=listed, slug=area.slug, by=by)
    return [
        {
            **payload,
            "second_look": (two := needs_second(area, tile.index)),
            "yours": two and voted_by(tile, by.pk),
            "claim": claim_payload(claimed[tile.pk]) if tile.pk in claimed else None,
        }
        for tile, payload in zip(listed, marked, strict=True)
    ]


def _parts(area: Area, asked: QueueFilter, by: Any) -> list[Q]:
    """The filter by state and range, as parts that have no tile in common."""
    cleaned = asked.form.cleaned_data
    state, within = cleaned.get("state"), Q()
    if cleaned.get("mine"):
        within = in_ranges(ranges_of(area=area, person=by))
    if state != QUEUE:
        return [within & Q(review_state=state) if state else within]
    # With one reviewer nobody has to wait for anybody: whoever left a tile waiting may settle it, too.
    first, second = (Q(), Q()) if area.policy == Policy.ONE else (~Q(first_by=by), ~Q(second_by=by))
    return [
        Q(review_state=ReviewState.PENDING) & within,
        Q(review_state=ReviewState.SECOND) & first,
        Q(review_state=ReviewState.DISPUTED) & first & second,
    ]


def _merged(pages: list[QueuePage], order: Order, size: int, *, back: bool) -> QueuePage:
    """Pages of different states from the same bound, as one."""

    def place(tile: TilePair) -> tuple[float, int]:
        sign = -1 if order.down else 1
        return (sign * tile.index, 0) if order.by_number else (sign * tile.score, -sign * tile.index)

    tiles = sorted((tile for page in pages for tile in page.tiles), key=place)
    more = len(tiles) > size
    has_before, has_after = any(page.has_before for page in pages), any(page.has_after for page in pages)
    if back:
        return QueuePage(tiles[-size:], has_before=more or has_before, has_after=has_after)
    return QueuePage(tiles[:size], has_before=has_before, has_after=more or has_after)
