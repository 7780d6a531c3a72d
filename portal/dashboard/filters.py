"""The filter of the list of jobs."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from tiles.core.errors import BadInput
from tiles.models import Job


class JobFilter(django_filters.FilterSet):
    """`state`; empty for all."""

    state = django_filters.ChoiceFilter(choices=Job.State.choices, empty_label="Any state", label="State")

    class Meta:
        model = Job
        fields: list[str] = []

    def checked(self) -> QuerySet[Job]:
        """The filtered rows. Raises BadInput for a state that there is not."""
        for name, errors in self.errors.items():
            raise BadInput(f"The filter's {name} is wrong: {errors[0]}", code="bad_filter")
        rows: QuerySet[Job] = self.qs
        return rows
