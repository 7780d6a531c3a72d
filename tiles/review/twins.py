"""Near-duplicates as groups, so that a queue can bring them together."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from tiles.models import Area, TilePair
from tiles.raster.groups import groups_of

ROWS_AT_ONCE = 500


def area_twins_write(*, area: Area) -> int:
    """Give every tile of an area the group of near-duplicates that its `duplicate_of` makes; returns how many changed.

    A build that judges its tiles against each other says of each which earlier one it resembles, and that may resemble
    a third: here they become one group, with the original in it. Writing it again changes nothing.
    """
    with transaction.atomic():
        Area.objects.select_for_update().get(pk=area.pk)
        tiles = TilePair.objects.filter(area=area)
        pairs = tiles.filter(duplicate_of__isnull=False).values_list("index", "duplicate_of")
        now = groups_of((index, other) for index, other in pairs if other is not None)
        before = dict(tiles.filter(twins__isnull=False).values_list("index", "twins"))
        wrong = {index: now.get(index) for index in {*now, *before} if now.get(index) != before.get(index)}
        by_group: dict[int | None, list[int]] = {}
        for index, group in wrong.items():
            by_group.setdefault(group, []).append(index)
        for group, indexes in by_group.items():
            for start in range(0, len(indexes), ROWS_AT_ONCE):
                tiles.filter(index__in=indexes[start : start + ROWS_AT_ONCE]).update(twins=group)
    return len(wrong)


def twins_of_built(area_id: int, **_signal: Any) -> None:
    """Receiver of `area_built`."""
    area = Area.objects.filter(pk=area_id).first()
    if area:
        area_twins_write(area=area)
