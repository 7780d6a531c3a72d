"""Views of the gallery that people keep by name."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import QueryDict

from tiles.core.errors import BadInput, Conflict, NotFound
from tiles.core.permissions import VIEW_DATA, require
from tiles.core.words import hidden_character
from tiles.models import Area, SavedView

from .filters import TileFilter
from .selectors import tiles_of

MOST_A_PERSON = 100
SHOWN = 200


def views_listed(*, by: Any, area: Area) -> QuerySet[SavedView]:
    """One's own views and those that others share, of this area or of every area, by name."""
    here = Q(area=area) | Q(area=None)
    return views_open_to(by).filter(here).select_related("owner").order_by("name", "id")[:SHOWN]


def views_open_to(by: Any) -> QuerySet[SavedView]:
    """One's own views and those that others share, of all areas; shared ones alone when by is None."""
    return SavedView.objects.filter(Q(owner=by) | Q(shared=True) if by is not None else Q(shared=True))


def view_save(
    *, area: Area, name: str, query: str, by: Any, shared: bool = False, everywhere: bool = False
) -> SavedView:
    """Keep a filter and an order by name; one's own view of that name is replaced.

    query: as TileFilter reads it; what it does not know is left out. everywhere: for every area, not this one alone.
    Raises NotAllowed, BadInput for a name or a filter that makes no sense, Conflict when one has too many.
    """
    require(by, VIEW_DATA)
    name = " ".join(name.split())
    if not name:
        raise BadInput("Give the view a name.", field="name")
    if hidden := hidden_character(name):
        raise BadInput(f"The name holds an invisible character ({hidden}). Type it again without.", field="name")
    asked = TileFilter(QueryDict(query), queryset=tiles_of(area=area), by=by)
    asked.checked()
    with transaction.atomic():
        view = SavedView.objects.select_for_update().filter(owner=by, name=name).first()
        if view is None and SavedView.objects.filter(owner=by).count() >= MOST_A_PERSON:
            raise Conflict(f"You keep {MOST_A_PERSON} views already. Remove one first.")
        view = view or SavedView(owner=by, name=name)
        view.area, view.query, view.shared = None if everywhere else area, asked.asked(), shared
        try:
            view.full_clean()
        except ValidationError as error:
            raise BadInput(" ".join(error.messages)) from error
        view.save()
    return view


def view_remove(*, view_id: int, by: Any) -> None:
    """Forget one of one's own views. Raises NotAllowed, NotFound."""
    require(by, VIEW_DATA)
    removed, _what = SavedView.objects.filter(pk=view_id, owner=by).delete()
    if not removed:
        raise NotFound("You have no such view. Reload the page.")
