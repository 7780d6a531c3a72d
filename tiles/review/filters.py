"""The filter of tiles: one for the review queue, the gallery, bulk actions and the JSON."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

import django_filters
from django import forms
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import QueryDict
from django.utils import timezone

from tiles.core.errors import BadInput
from tiles.models import DemFile, TileFlag, TilePair, TileTag
from tiles.models.choices import REJECTION_REASONS, BuildState, Failure, ReviewState
from tiles.models.marks import WORD_LENGTH
from tiles.raster.terrain import LANDFORMS

from .measures import MEASURES
from .orders import BY_NUMBER, ORDER_CHOICES, ORDERS, RANDOM, Order
from .present import CAUSE_WORDS, FLAG_WORDS, SHARE_WORDS
from .shuffle import Shuffle
from .words import word_normal

Tiles = QuerySet[TilePair]
CAUSES = {**SHARE_WORDS, **CAUSE_WORDS, "shift": "shift", "spikes": "spikes", "duplicate": "duplicate"}
FROM, TO = "_from", "_to"
ORDERING = ("order", "seed")
MOST_SEED = 2**31 - 1
ME, NOBODY = "me", "nobody"
WHO_ASKS = "Sign in to ask for your own tiles."


class Chip(NamedTuple):
    """One part of a filter in words, and the query string without it."""

    words: str
    without: str


def _day_filter(column: str, end: bool) -> Callable[[Tiles, str, date], Tiles]:
    """Days are the site's; the bound is a moment, so that the column's index serves."""

    def keep(tiles: Tiles, name: str, day: date) -> Tiles:
        try:
            moment = timezone.make_aware(datetime.combine(day + timedelta(days=end), time.min))
        except OverflowError as error:
            raise BadInput(f"The filter's {name} is wrong: choose a day of this era.", code="bad_filter") from error
        return tiles.filter(**{f"{column}__{'lt' if end else 'gte'}": moment})

    return keep


def _named(tiles: Tiles, name: str, value: str) -> Tiles:
    """Tiles that name a code in their flags, or among the causes of their score. Both are short JSON."""
    column = {"flag": "flags", "cause": "causes"}[name]
    quoted = f'"{value}"' if name == "flag" else f'"code": "{value}"'
    return tiles.annotate(**{f"{name}_text": Cast(column, TextField())}).filter(**{f"{name}_text__contains": quoted})


class SeedFilter(django_filters.Filter):
    field_class = forms.IntegerField


class TileFilter(django_filters.FilterSet):
    """What is empty asks for nothing. Every measure of MEASURES has two bounds, `<column>_from` and `<column>_to`,
    both within; a tile without the value is left out.

    Built tiles only, except where `failure` asks for those that could not be built.
    """

    q = django_filters.CharFilter(
        method="looked_for",
        max_length=100,
        label="Search",
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "tile_42, a DEM file, a tag"}),
    )
    state = django_filters.ChoiceFilter(
        field_name="review_state", choices=ReviewState.choices, empty_label="All", label="State"
    )
    reason = django_filters.ChoiceFilter(
        field_name="reason",
        choices=[(reason.code, reason.label) for reason in REJECTION_REASONS],
        empty_label="Any reason",
        label="Reason",
    )
    landform = django_filters.ChoiceFilter(
        choices=[(landform.name, landform.label) for landform in LANDFORMS], empty_label="Any", label="Landform"
    )
    flag = django_filters.ChoiceFilter(
        method=_named, choices=list(FLAG_WORDS.items()), empty_label="Any or none", label="Flag"
    )
    cause = django_filters.ChoiceFilter(
        method=_named, choices=list(CAUSES.items()), empty_label="Any or none", label="Cause of the score"
    )
    failure = django_filters.ChoiceFilter(
        choices=[choice for choice in Failure.choices if choice[0]], empty_label="Built tiles", label="Not built"
    )
    decided_by = django_filters.ModelChoiceFilter(
        queryset=lambda _request: get_user_model().objects.order_by("username"),
        empty_label="Anybody or nobody",
        label="Decided last by",
    )
    decided_from = django_filters.DateFilter(method=_day_filter("decided_at", end=False), label="Decided from")
    decided_to = django_filters.DateFilter(method=_day_filter("decided_at", end=True), label="Decided to")
    built_from = django_filters.DateFilter(method=_day_filter("built_at", end=False), label="Built from")
    built_to = django_filters.DateFilter(method=_day_filter("built_at", end=True), label="Built to")
    flagged = django_filters.ChoiceFilter(
        method="of_mine", choices=[("mine", "Flagged by me")], empty_label="Any or none", label="For later"
    )
    tag = django_filters.CharFilter(method="with_tag", max_length=WORD_LENGTH, label="Tag")
    assigned = django_filters.CharFilter(method="of_assignee", max_length=150, label="Assigned to")
    order = django_filters.ChoiceFilter(
        method="unfiltered", choices=ORDER_CHOICES, empty_label="By number", label="Order"
    )
    seed = SeedFilter(method="unfiltered", min_value=0, max_value=MOST_SEED, label="Seed of the random order")

    class Meta:
        model = TilePair
        fields: list[str] = []

    def __init__(self, *args: Any, by: Any = None, **kwargs: Any) -> None:
        """by: who asks, for what is one's own."""
        super().__init__(*args, **kwargs)
        self.by = by

    @classmethod
    def get_filters(cls) -> dict[str, Any]:
        filters: dict[str, Any] = super().get_filters()
        for measure in MEASURES:
            for ending, lookup, word in ((FROM, "gte", "from"), (TO, "lte", "to")):
                filters[measure.column + ending] = django_filters.NumberFilter(
                    field_name=measure.column, lookup_expr=lookup, label=f"{measure.words} {word}"
                )
        return filters

    def unfiltered(self, tiles: Tiles, name: str, value: str) -> Tiles:
        """The order is the page's business: it needs the keyset."""
        return tiles

    def looked_for(self, tiles: Tiles, name: str, value: str) -> Tiles:
        """A number, or what is in the name of the DEM file or in a tag: there are few of either."""
        number = value.lower().removeprefix("tile_")
        if number.isascii() and number.isdigit() and len(number) < 10:
            return tiles.filter(index=int(number))
        files = DemFile.objects.filter(name__icontains=value).values("pk")
        tagged = TileTag.objects.filter(tag__word__icontains=word_normal(value)).values("tile")
        return tiles.filter(Q(dem_file__in=files) | Q(pk__in=tagged))

    def of_mine(self, tiles: Tiles, name: str, value: str) -> Tiles:
        return tiles.filter(pk__in=TileFlag.objects.filter(by=self._asking()).values("tile"))

    def with_tag(self, tiles: Tiles, name: str, value: str) -> Tiles:
        """Words of other areas are other words, but the tiles are of one area."""
        return tiles.filter(pk__in=TileTag.objects.filter(tag__word=word_normal(value)).values("tile"))

    def of_assignee(self, tiles: Tiles, name: str, value: str) -> Tiles:
        if value == NOBODY:
            return tiles.filter(assigned_to__isnull=True)
        if value == ME:
            return tiles.filter(assigned_to=self._asking())
        found = get_user_model().objects.filter(username=value).first()
        if found is None:
            raise BadInput("The filter's assigned is wrong: there is no such person.", code="bad_filter")
        return tiles.filter(assigned_to=found)

    def _asking(self) -> Any:
        if self.by is None:
            raise BadInput(WHO_ASKS, code="bad_filter")
        return self.by

    def filter_queryset(self, queryset: Tiles) -> Tiles:
        wanted = BuildState.FAILED if self.form.cleaned_data.get("failure") else BuildState.BUILT
        kept: Tiles = super().filter_queryset(queryset.filter(build_state=wanted))
        return kept

    @property
    def chosen_order(self) -> Order | Shuffle:
        asked = self.form.cleaned_data if self.form.is_valid() else {}
        name = asked.get("order")
        if name == RANDOM:
            return Shuffle(int(asked.get("seed") or 0))
        return ORDERS.get(name or "", BY_NUMBER)

    def checked(self) -> Tiles:
        """The filtered rows. Raises BadInput that names the first wrong field."""
        for name, errors in self.errors.items():
            raise BadInput(f"The filter's {name} is wrong: {errors[0]}", code="bad_filter")
        rows: Tiles = self.qs
        return rows

    def asked(self, *, without: str = "", order: bool = True) -> str:
        """The filter as a query string: known fields that ask for something, in one order, whoever wrote them."""
        query = QueryDict(mutable=True)
        for name, value in self.asked_fields().items():
            if name != without and (order or name not in ORDERING):
                query[name] = value
        return query.urlencode()

    def asked_fields(self) -> dict[str, str]:
        """What the filter asks for by the names of its fields, the order too."""
        return {name: self.data[name] for name in self.filters if self.data.get(name)}

    def chips(self) -> list[Chip]:
        """The parts of a checked filter in words, each with the query string that is left without it."""
        return [chip for _name, chip in self.chips_by_name()]

    def chips_by_name(self) -> list[tuple[str, Chip]]:
        chips = []
        for name, one in self.filters.items():
            value = self.form.cleaned_data.get(name)
            if name not in ORDERING and value not in (None, ""):
                chosen = dict(one.extra["choices"])[value] if "choices" in one.extra else value
                chips.append((name, Chip(f"{one.label}: {chosen}", self.asked(without=name))))
        return chips
