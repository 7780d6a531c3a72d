"""The review queue and the log, read. Nothing here counts or sorts a whole table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet, Subquery
from django.utils import timezone

from tiles.core.errors import BadInput, NotFound
from tiles.models import Area, AreaCounter, ReviewDecision, TilePair
from tiles.models.choices import BuildState, ReviewState

from .orders import BY_NUMBER, Order
from .shuffle import Shuffle

COUNTED = ("built", *ReviewState.values)
PAGE_SIZE = 24
PAGE_LIMIT = 100
HISTORY_SIZE = 50
DAY_LIMIT = 10_000
COUNT_LIMIT = 10_000


@dataclass(frozen=True)
class QueuePage:
    """Tiles in the order that was asked for, and whether there are more on either side."""

    tiles: list[TilePair]
    has_before: bool
    has_after: bool


@dataclass(frozen=True)
class DayNumbers:
    """What one person decided today, undone entries left out: verb -> number. capped: there may be more."""

    verbs: dict[str, int]
    capped: bool


def area_by_slug(slug: str) -> Area:
    """Raises NotFound."""
    area = Area.objects.filter(slug=slug).first()
    if area is None:
        raise NotFound("There is no such area. Choose one from the list of areas.")
    return area


def queue(*, area: Area) -> QuerySet[TilePair]:
    """The tiles of an area that can be judged: those that are built."""
    return TilePair.objects.filter(area=area, build_state=BuildState.BUILT)


def queue_page(
    *,
    tiles: QuerySet[TilePair],
    after: int | None = None,
    before: int | None = None,
    start: int | None = None,
    size: int = PAGE_SIZE,
    order: Order | Shuffle = BY_NUMBER,
) -> QueuePage:
    """One page of filtered tiles of one area, in the order of the numbers or of a measure and then the numbers.

    after, before: exclusive bounds, at most one of them; start: from this number on. The bounds are numbers of tiles,
    whose places in the order hold even when the filter leaves them out. Reads size + 1 rows, each run of them through
    the order's index. Raises BadInput for two bounds or a size out of range.
    """
    if sum(bound is not None for bound in (after, before, start)) > 1:
        raise BadInput("Give one of after, before and from, not two.")
    if not 1 <= size <= PAGE_LIMIT:
        raise BadInput(f"A page holds 1 to {PAGE_LIMIT} tiles.")
    tiles = tiles.select_related("dem_file", "assigned_to")
    if isinstance(order, Shuffle):
        return QueuePage(*order.page(tiles, after=after, before=before, start=start, size=size))
    if order.by_number:
        return _page_by_number(tiles, after, before, start, size, down=order.down)
    bound = next((number for number in (after, before, start) if number is not None), None)
    place = None if bound is None else _place(tiles, order.column, bound)
    if bound is None or place is None:
        found = _read(order.runs(tiles), size + 1)
        return QueuePage(found[:size], has_before=False, has_after=len(found) > size)
    if before is not None:
        found = _read(order.runs_before(tiles, bound, place[0]), size + 1)
        return QueuePage(found[:size][::-1], has_before=len(found) > size, has_after=True)
    found = _read(order.runs_after(tiles, bound, place[0], inclusive=start is not None), size + 1)
    return QueuePage(found[:size], has_before=True, has_after=len(found) > size)


def height_range(*, area_id: int) -> tuple[float, float] | None:
    """The lowest and highest height of an area's built tiles in metres, each read off an index; None without any."""
    tiles = TilePair.objects.filter(area_id=area_id, build_state=BuildState.BUILT)
    lowest = tiles.filter(dem_min__isnull=False).order_by("dem_min").values("dem_min")[:1]
    highest = tiles.filter(dem_max__isnull=False).order_by("-dem_max").values("dem_max")[:1]
    low, high = Area.objects.filter(pk=area_id).values_list(Subquery(lowest), Subquery(highest)).get()
    return None if low is None or high is None else (low, high)


def _page_by_number(
    tiles: QuerySet[TilePair], after: int | None, before: int | None, start: int | None, size: int, *, down: bool
) -> QueuePage:
    """The number is its own keyset: a bound need not be the number of a tile."""
    ahead, behind = ("lt", "gt") if down else ("gt", "lt")
    forth, back = ("-index", "index") if down else ("index", "-index")
    if before is not None:
        found = list(tiles.filter(**{f"index__{behind}": before}).order_by(back)[: size + 1])
        return QueuePage(found[:size][::-1], has_before=len(found) > size, has_after=True)
    if after is not None:
        tiles = tiles.filter(**{f"index__{ahead}": after})
    elif start is not None:
        tiles = tiles.filter(**{f"index__{ahead}e": start})
    found = list(tiles.order_by(forth)[: size + 1])
    bounded = after is not None or bool(start)
    return QueuePage(found[:size], has_before=bounded, has_after=len(found) > size)


def _read(runs: Iterable[QuerySet[TilePair]], most: int) -> list[TilePair]:
    """The first rows of runs that follow each other."""
    found: list[TilePair] = []
    for run in runs:
        if len(found) < most:
            found += run[: most - len(found)]
    return found


def _place(tiles: QuerySet[TilePair], column: str, index: int) -> tuple[object] | None:
    """The value of the area's tile of this number, whether or not the filter holds for it; None: no such tile."""
    area = tiles.values_list("area_id", flat=True).first()
    if area is None:
        return None
    return TilePair.objects.filter(area_id=area, index=index).values_list(column).first()


def tiles_counted(*, tiles: QuerySet[Any], exact: bool = False) -> tuple[int, bool]:
    """How many there are, and whether there may be more: counts to COUNT_LIMIT and no further unless `exact`."""
    if exact:
        return tiles.order_by().count(), False
    found = tiles.order_by()[: COUNT_LIMIT + 1].count()
    return min(found, COUNT_LIMIT), found > COUNT_LIMIT


def tiles_of(*, area: Area) -> QuerySet[TilePair]:
    """All tiles of an area, for a TileFilter, which keeps the built ones unless it is asked for a failure."""
    return TilePair.objects.filter(area=area)


def tile_by_index(*, area: Area, index: int) -> TilePair:
    """Raises NotFound."""
    tile = TilePair.objects.select_related("dem_file", "assigned_to").filter(area=area, index=index).first()
    if tile is None:
        raise NotFound(f"{area.name} has no tile {index}.")
    return tile


def review_counts(*, area_id: int) -> dict[str, int]:
    """The maintained counts of an area's built tiles by review state, and of all of them as `built`."""
    values = dict(AreaCounter.objects.filter(area_id=area_id, name__in=COUNTED).values_list("name", "value"))
    return {name: values.get(name, 0) for name in COUNTED}


def current_state(tile: TilePair) -> dict[str, Any]:
    """What stands now, for someone whose write was stale. `by` is empty when nobody or a rule decided last."""
    last = ReviewDecision.objects.select_related("by").filter(tile=tile).order_by("-id").first()
    return {
        "state": tile.review_state,
        "reason": tile.reason,
        "version": tile.version,
        "layers": tile.layer_versions(),
        "by": last.by.shown_name if last and last.by else "",
        "at": last.at.isoformat() if last else None,
    }


def standing_decision(*, tile_id: int) -> ReviewDecision | None:
    """The newest decision about a tile that is neither undone nor itself an undo."""
    return (
        ReviewDecision.objects.filter(tile_id=tile_id, undone_by__isnull=True)
        .exclude(verb=ReviewDecision.Verb.UNDO)
        .order_by("-id")
        .first()
    )


def decisions_of_tile(*, tile_id: int, size: int = HISTORY_SIZE) -> list[ReviewDecision]:
    """The log of one tile, newest first."""
    return list(
        ReviewDecision.objects.filter(tile_id=tile_id).select_related("by", "undoes", "tile").order_by("-id")[:size]
    )


def decisions_of_person(*, by: Any, area: Area, size: int = HISTORY_SIZE) -> list[ReviewDecision]:
    """A person's last entries in an area, newest first: looked for among their last `size` everywhere."""
    last = ReviewDecision.objects.filter(by=by).select_related("by", "undoes", "tile").order_by("-id")[:size]
    return [entry for entry in last if entry.tile.area_id == area.pk]


def decisions_today(*, by: Any, area: Area, now: datetime | None = None) -> DayNumbers:
    """What a person decided in an area since midnight. Costs what the day's work costs, not the log's length."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    entries = ReviewDecision.objects.filter(by=by, undone_by__isnull=True).exclude(verb=ReviewDecision.Verb.UNDO)
    rows = entries.order_by("-id").values_list("verb", "at", "tile__area_id")[:DAY_LIMIT]
    verbs: Counter[str] = Counter()
    read = 0
    for verb, at, area_id in rows.iterator(500):
        if at < midnight:
            break
        read += 1
        if area_id == area.pk:
            verbs[verb] += 1
    return DayNumbers(dict(verbs), capped=read == DAY_LIMIT)
