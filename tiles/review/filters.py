"""The filter of the review queue: one for the page and the JSON."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from tiles.core.errors import BadInput
from tiles.models import TilePair
from tiles.models.choices import REJECTION_REASONS, ReviewState

BY_SCORE = "score"


class TileFilter(django_filters.FilterSet):
    """`state` and `reason`, either may be empty for all; `order`, empty for the order of the numbers."""

    state = django_filters.ChoiceFilter(
        field_name="review_state", choices=ReviewState.choices, empty_label="All", label="State"
    )
    reason = django_filters.ChoiceFilter(
        field_name="reason",
        choices=[(reason.code, reason.label) for reason in REJECTION_REASONS],
        empty_label="Any reason",
        label="Reason",
    )
    order = django_filters.ChoiceFilter(
        method="unfiltered", choices=[(BY_SCORE, "Most doubtful first")], empty_label="By number", label="Order"
    )

    class Meta:
        model = TilePair
        fields: list[str] = []

    def unfiltered(self, tiles: QuerySet[TilePair], name: str, value: str) -> QuerySet[TilePair]:
        """The order is the page's business: it needs the keyset."""
        return tiles

    @property
    def by_score(self) -> bool:
        return bool(self.form.cleaned_data.get("order") == BY_SCORE) if self.form.is_valid() else False

    def checked(self) -> QuerySet[TilePair]:
        """The filtered rows. Raises BadInput that names the first wrong field."""
        for name, errors in self.errors.items():
            raise BadInput(f"The filter's {name} is wrong: {errors[0]}", code="bad_filter")
        rows: QuerySet[TilePair] = self.qs
        return rows
