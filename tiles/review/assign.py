"""Which numbers of an area are whose to look at, and how far everybody is."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import IntegerField, OuterRef, Q, QuerySet, Subquery

from tiles.core.errors import BadInput, NotFound
from tiles.core.permissions import BUILD_AREA, REVIEW_TILES, require
from tiles.models import Area, Assignment, QueueEntry, TilePair
from tiles.models.choices import WAITING_STATES, BuildState, ReviewState

from .selectors import COUNT_LIMIT

What = QueueEntry.What
MOST_AN_AREA = 200
HIGHEST = 999_999_999


class CappedCount(Subquery):
    """How many rows a query has, counted to COUNT_LIMIT + 1 and no further."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def range_assign(*, area: Area, person: Any, first: int, last: int, by: Any) -> Assignment:
    """Make tiles `first` to `last` of an area, both within, one person's to look at.

    Raises NotAllowed, and BadInput for numbers that make no range, a person who may not review, a range that
    overlaps another one, and too many of them.
    """
    require(by, BUILD_AREA)
    if not 0 <= first <= last <= HIGHEST:
        raise BadInput("A range goes from a number to the same or a higher one.", field="last")
    if not person.has_perm(REVIEW_TILES):
        raise BadInput(f"{person.shown_name} may not review. Choose somebody who may.", field="person")
    with transaction.atomic():
        Area.objects.select_for_update(no_key=True).get(pk=area.pk)
        ranges = Assignment.objects.filter(area=area)
        other = ranges.filter(first__lte=last, last__gte=first).select_related("person").first()
        if other:
            raise BadInput(
                f"Tiles {other.first} to {other.last} are {other.person.shown_name}'s already. "
                "Choose numbers beside them, or take that range back first.",
                code="overlap",
                field="first",
            )
        if ranges.count() >= MOST_AN_AREA:
            raise BadInput(f"An area has at most {MOST_AN_AREA} ranges. Take some back first.")
        made = Assignment.objects.create(area=area, person=person, first=first, last=last)
        _log(made, What.ASSIGN, by)
    return made


def range_take_back(*, area: Area, assignment_id: int, by: Any) -> None:
    """End an assignment. Decisions that were made stay. Raises NotAllowed, NotFound."""
    require(by, BUILD_AREA)
    with transaction.atomic():
        Area.objects.select_for_update(no_key=True).get(pk=area.pk)
        found = Assignment.objects.filter(pk=assignment_id, area=area).first()
        if found is None:
            raise NotFound("There is no such range any more. Reload the page.")
        _log(found, What.UNASSIGN, by)
        found.delete()


def ranges_of(*, area: Area, person: Any) -> list[tuple[int, int]]:
    """A person's ranges in an area, first and last number each."""
    return list(Assignment.objects.filter(area=area, person=person).values_list("first", "last"))


def in_ranges(ranges: list[tuple[int, int]]) -> Q:
    """The tiles of these ranges; of no range, none."""
    found = Q(pk__in=[])
    for first, last in ranges:
        found |= Q(index__range=(first, last))
    return found


def assignments_listed(*, area: Area) -> QuerySet[Assignment]:
    """An area's ranges by number, each with `built` and `left`, its tiles and those that wait for somebody's look.

    Both are counted to COUNT_LIMIT + 1 within the range, in one query for all.
    """
    tiles = TilePair.objects.filter(
        area=OuterRef("area"),
        build_state=BuildState.BUILT,
        index__gte=OuterRef("first"),
        index__lte=OuterRef("last"),
    ).order_by()
    # Naming the states lets the index on state and number serve both.
    built = tiles.filter(review_state__in=ReviewState.values).values("index")[: COUNT_LIMIT + 1]
    waiting = tiles.filter(review_state__in=[ReviewState.PENDING, *WAITING_STATES]).values("index")
    listed = Assignment.objects.filter(area=area).select_related("person").order_by("first")
    return listed.annotate(built=CappedCount(built), left=CappedCount(waiting[: COUNT_LIMIT + 1]))


def _log(assignment: Assignment, what: str, by: Any) -> None:
    detail = {"person": assignment.person_id, "first": assignment.first, "last": assignment.last}
    QueueEntry.objects.create(area=assignment.area, what=what, detail=detail, by=by)
