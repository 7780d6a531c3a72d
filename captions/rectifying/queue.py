"""The queue of captions: unread ones by doubt, then those that wait for a second reader."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet

from captions.models import Caption, Finding, Reading
from captions.wanted import settings_of
from tiles.core.errors import BadInput
from tiles.core.paging import DAMAGED, keyset_page
from tiles.core.permissions import RECTIFY_CAPTIONS, require
from tiles.models import Area
from tiles.models.choices import BuildState
from tiles.review.present import LANDFORM_WORDS

from .claims import captions_claim, claiming, claims_in_force

PAGE_SIZE = 24
MOST_COUNTED = 10_000
ORDER = ("-doubt", "id")


class RectifyFilter(django_filters.FilterSet):
    """`state` (empty: what is to be read), `landform`, `flagged` (yes), `finding` (its code)."""

    state = django_filters.ChoiceFilter(
        choices=Reading.choices, method="by_part", empty_label="To be read", label="State"
    )
    landform = django_filters.ChoiceFilter(
        choices=sorted(LANDFORM_WORDS.items()), field_name="tile__landform", empty_label="Any", label="Landform"
    )
    flagged = django_filters.ChoiceFilter(
        choices=[("yes", "Flagged")], method="by_flag", empty_label="All", label="Flag"
    )
    finding = django_filters.CharFilter(method="by_finding", label="Finding", max_length=32)

    class Meta:
        model = Caption
        fields: list[str] = []

    def checked(self) -> QuerySet[Caption]:
        """The filtered rows. Raises BadInput that names the first wrong field."""
        for name, errors in self.errors.items():
            raise BadInput(f"The filter's {name} is wrong: {errors[0]}", code="bad_filter")
        rows: QuerySet[Caption] = self.qs
        return rows

    @property
    def asked(self) -> dict[str, str]:
        """What was chosen, by name."""
        return {name: value for name in self.filters if (value := self.data.get(name, ""))}

    def by_part(self, rows: QuerySet[Caption], _name: str, _value: str) -> QuerySet[Caption]:
        """States are parts of the queue, read one after the other."""
        return rows

    def by_flag(self, rows: QuerySet[Caption], _name: str, _value: str) -> QuerySet[Caption]:
        return rows.filter(flagged=True)

    def by_finding(self, rows: QuerySet[Caption], _name: str, value: str) -> QuerySet[Caption]:
        open_ones = Finding.objects.filter(caption=OuterRef("pk"), code=value, dismissed_at__isnull=True)
        return rows.filter(Exists(open_ones))


class Handed(NamedTuple):
    """Captions that were handed out, the cursor after them (empty at the end), and until when they are claimed."""

    captions: list[Caption]
    after: str
    until: Any


def captions_readable(*, area: Area) -> QuerySet[Caption]:
    """Captions of an area that can be put before somebody, with all that is shown of their tiles."""
    rows = Caption.objects.filter(area=area, tile__build_state=BuildState.BUILT)
    return rows.select_related("author", "read_by", "tile__area", "tile__dem_file")


def queue_handed_out(
    *, area: Area, asked: RectifyFilter, by: Any, page: UUID, after: str = "", size: int = PAGE_SIZE
) -> Handed:
    """The next captions that a filter leaves and nobody else has before them, claimed for a page of a person.

    after: of an earlier page. Raises NotAllowed, BadInput.
    """
    require(by, RECTIFY_CAPTIONS)
    with claiming(area=area):
        taken = claims_in_force(area=area).exclude(by=by).values_list("caption_id", flat=True)
        rows = asked.checked().exclude(pk__in=list(taken))
        captions, following = _walk(rows, _parts(area, asked, by), after, size)
        until = captions_claim(area=area, captions=captions, by=by, page=page) if captions else None
    return Handed(captions, following, until)


def left_to_read(*, area: Area) -> tuple[int, bool]:
    """How many captions of an area nobody has read, and whether there are more than that."""
    unread = Caption.objects.filter(area=area, state=Reading.UNREAD).order_by()
    number = unread[: MOST_COUNTED + 1].count()
    return min(number, MOST_COUNTED), number > MOST_COUNTED


def finding_codes(*, area: Area) -> list[str]:
    """The codes of an area's open findings: one look-up in the index for each, not one for each finding."""
    open_ones = Finding.objects.filter(area=area, dismissed_at__isnull=True).order_by("code")
    codes: list[str] = []
    while code := open_ones.filter(code__gt=codes[-1] if codes else "").values_list("code", flat=True).first():
        codes.append(code)
    return codes


def _parts(area: Area, asked: RectifyFilter, by: Any) -> list[Q]:
    state = asked.form.cleaned_data.get("state")
    if state:
        return [Q(state=state)]
    parts = [Q(state=Reading.UNREAD)]
    if asked.form.cleaned_data.get("flagged"):
        return [Q()]
    if settings_of([area.pk])[area.pk].second_reader:
        parts.append(Q(state=Reading.READ) & ~Q(read_by=by))
    return parts


def _walk(rows: QuerySet[Caption], parts: list[Q], after: str, size: int) -> tuple[list[Caption], str]:
    """Up to `size` captions of the parts, one part after the other, and the cursor after them."""
    place, _dot, cursor = (after or "0.").partition(".")
    if not place.isascii() or not place.isdigit() or len(place) > 1:
        raise BadInput(DAMAGED)
    found: list[Caption] = []
    for part in range(int(place), len(parts)):
        if len(found) == size:
            return found, f"{part}."
        page = keyset_page(rows.filter(parts[part]), order=ORDER, size=size - len(found), after=cursor)
        found += page.rows
        if page.after:
            return found, f"{part}.{page.after}"
        cursor = ""
    return found, ""
