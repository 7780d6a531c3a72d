"""The filter of the list of captions."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.forms import TextInput

from tiles.core.errors import BadInput
from tiles.models import Area

from .captioners.rules import RulesCaptioner
from .models import PERSON, Caption, Reading
from .search.engines import Scope
from .search.query import LONGEST

ORIGINS = ((RulesCaptioner.name, "Rules"), (PERSON, "A person"))


class CaptionFilter(django_filters.FilterSet):
    """`area` (its slug), `origin` and `state`, empty for all; `q` are words, which `captions_search` looks for."""

    q = django_filters.CharFilter(
        method="looked_for",
        label="Words",
        widget=TextInput(attrs={"type": "search", "placeholder": 'river "steep slopes" -snow', "maxlength": LONGEST}),
    )
    area = django_filters.ModelChoiceFilter(
        queryset=Area.objects.order_by("name"), to_field_name="slug", empty_label="All areas", label="Area"
    )
    origin = django_filters.ChoiceFilter(choices=ORIGINS, empty_label="Anybody", label="Written by")

    state = django_filters.ChoiceFilter(choices=Reading.choices, empty_label="Any state", label="Read")

    class Meta:
        model = Caption
        fields: list[str] = []

    @property
    def words(self) -> str:
        """What is looked for, if anything."""
        return str(self.form.cleaned_data.get("q") or "").strip()

    @property
    def scope(self) -> Scope:
        """All but the words, for a search."""
        given = self.form.cleaned_data
        area = given["area"].pk if given.get("area") else None
        return Scope(area=area, origin=given.get("origin") or None, state=given.get("state") or None)

    def looked_for(self, rows: QuerySet[Caption], _name: str, _value: str) -> QuerySet[Caption]:
        """Words are no filter of the rows: the full-text index finds them."""
        return rows

    def checked(self) -> QuerySet[Caption]:
        """The filtered rows. Raises BadInput that names the first wrong field."""
        for name, errors in self.errors.items():
            raise BadInput(f"The filter's {name} is wrong: {errors[0]}", code="bad_filter")
        rows: QuerySet[Caption] = self.qs
        return rows
