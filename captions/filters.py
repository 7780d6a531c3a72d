"""The filter of the list of captions."""

from __future__ import annotations

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.forms import TextInput

from tiles.core.errors import BadInput
from tiles.models import Area

from .captioners.rules import RulesCaptioner
from .checks.catalogue import LABELS
from .models import PERSON, Caption, Finding, Reading
from .search.engines import Scope
from .search.query import LONGEST

ORIGINS = ((RulesCaptioner.name, "Rules"), (PERSON, "A person"))

WORDS_ALONE = "Words are looked for in all captions of an area, a writer and a state. Take the finding out."
FINDINGS_ALONE = "Findings are listed by area and state. Take the writer out."


def origins() -> list[tuple[str, str]]:
    """Whose words there are: always rules and people, and every captioner that wrote a caption that stands.

    One look into the index a captioner: there may be millions of captions.
    """
    listed, last = dict(ORIGINS), ""
    rows = Caption.objects.order_by("origin").values_list("origin", flat=True)
    while (name := rows.filter(origin__gt=last).first()) is not None:
        listed.setdefault(name, name)
        last = name
    return list(listed.items())


class CaptionFilter(django_filters.FilterSet):
    """`area` (its slug), `origin`, `state` and `finding` (a code), each may be empty for all.

    `q` are words, which `captions_search` looks for; they go with area, origin and state.
    """

    q = django_filters.CharFilter(
        method="looked_for",
        label="Words",
        widget=TextInput(attrs={"type": "search", "placeholder": 'river "steep slopes" -snow', "maxlength": LONGEST}),
    )
    area = django_filters.ModelChoiceFilter(
        queryset=Area.objects.order_by("name"), to_field_name="slug", empty_label="All areas", label="Area"
    )
    origin = django_filters.ChoiceFilter(choices=origins, empty_label="Anybody", label="Written by")

    state = django_filters.ChoiceFilter(choices=Reading.choices, empty_label="Any state", label="Read")
    finding = django_filters.ChoiceFilter(
        method="found_elsewhere", choices=tuple(LABELS.items()), empty_label="Any or none", label="Finding"
    )

    class Meta:
        model = Caption
        fields: list[str] = []

    @property
    def words(self) -> str:
        """What is looked for, if anything."""
        return str(self.form.cleaned_data.get("q") or "").strip()

    @property
    def finding_code(self) -> str:
        """The code that is asked for, if any."""
        return str(self.form.cleaned_data.get("finding") or "")

    @property
    def state_asked(self) -> str:
        return str(self.form.cleaned_data.get("state") or "")

    @property
    def scope(self) -> Scope:
        """All but the words, for a search."""
        given = self.form.cleaned_data
        area = given["area"].pk if given.get("area") else None
        return Scope(area=area, origin=given.get("origin") or None, state=given.get("state") or None)

    def looked_for(self, rows: QuerySet[Caption], _name: str, _value: str) -> QuerySet[Caption]:
        """Words are no filter of the rows: the full-text index finds them."""
        return rows

    def found_elsewhere(self, rows: QuerySet[Caption], _name: str, _value: str) -> QuerySet[Caption]:
        """A code is no filter of the rows: `findings_page` goes through the findings themselves."""
        return rows

    def checked(self) -> QuerySet[Caption]:
        """The filtered rows. Raises BadInput that names the first wrong field."""
        for name, errors in self.errors.items():
            raise BadInput(f"The filter's {name} is wrong: {errors[0]}", code="bad_filter")
        if self.words and self.finding_code:
            raise BadInput(WORDS_ALONE, code="bad_filter")
        if self.finding_code and self.form.cleaned_data.get("origin"):
            raise BadInput(FINDINGS_ALONE, code="bad_filter")
        rows: QuerySet[Caption] = self.qs
        return rows

    def narrowed(self) -> QuerySet[Caption]:
        """The filtered rows, the finding looked up for each: for who goes through them all. Raises BadInput."""
        rows = self.checked()
        if not self.finding_code:
            return rows
        open_ones = Finding.objects.filter(caption=OuterRef("pk"), code=self.finding_code, dismissed_at__isnull=True)
        return rows.filter(Exists(open_ones))
