"""The filter of the list of captions."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from tiles.core.errors import BadInput
from tiles.models import Area

from .captioners.rules import RulesCaptioner
from .models import PERSON, Caption

ORIGINS = ((RulesCaptioner.name, "Rules"), (PERSON, "A person"))


class CaptionFilter(django_filters.FilterSet):
    """`area` (its slug) and `origin`, either may be empty for all."""

    area = django_filters.ModelChoiceFilter(
        queryset=Area.objects.order_by("name"), to_field_name="slug", empty_label="All areas", label="Area"
    )
    origin = django_filters.ChoiceFilter(choices=ORIGINS, empty_label="Anybody", label="Written by")

    class Meta:
        model = Caption
        fields: list[str] = []

    def checked(self) -> QuerySet[Caption]:
        """The filtered rows. Raises BadInput that names the first wrong field."""
        for name, errors in self.errors.items():
            raise BadInput(f"The filter's {name} is wrong: {errors[0]}", code="bad_filter")
        rows: QuerySet[Caption] = self.qs
        return rows
