"""Reading releases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import BigIntegerField, Count, QuerySet, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce

from tiles.areas.selectors import area_counts, areas_listed
from tiles.core.errors import NotFound
from tiles.core.paging import Page, keyset_page
from tiles.models import Area

from .layouts import Layout
from .models import Release
from .selection import REASONS, approved_tiles

PAGE_SIZE = 50


@dataclass
class Preview:
    """What a release of an area would take now. size: bytes of the tiles' files."""

    area: Area
    tiles: int = 0
    size: int = 0
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def left_out_sentences(self) -> list[str]:
        return left_out_sentences(self.left_out)


def releases_page(*, after: str = "", before: str = "") -> Page[Release]:
    """A page of releases, newest first, each with its job and maker."""
    rows = Release.objects.select_related("created_by", "job")
    return keyset_page(rows, order=("-id",), size=PAGE_SIZE, after=after, before=before)


def release_by_name(name: str) -> Release:
    """Raises NotFound."""
    release = Release.objects.select_related("created_by", "job").filter(name=name).first()
    if release is None:
        raise NotFound("There is no such release. Look at the list of releases.")
    return release


def areas_with_approved() -> list[tuple[Area, int]]:
    """Areas and their maintained number of approved tiles, by name."""
    return [(area, area_counts(area).approved) for area in areas_listed()]


def selection_preview(*, areas: Sequence[Area], layout: Layout) -> list[Preview]:
    """What a release of these areas would take and leave out now. Looks at every approved tile of them."""
    found = {area.pk: Preview(area) for area in areas}
    rows = _grouped(approved_tiles(areas, layout), layout)
    for area_id, refusal, number, size in rows:
        if refusal:
            found[area_id].left_out[refusal] = number
        else:
            found[area_id].tiles, found[area_id].size = number, size
    return list(found.values())


def left_out_sentences(left_out: Mapping[str, int]) -> list[str]:
    """What was left out, as in "3 flat: all heights are equal"."""
    return [f"{number:,} {REASONS.get(reason, reason)}" for reason, number in sorted(left_out.items())]


def _grouped(tiles: QuerySet, layout: Layout) -> QuerySet:
    """Rows of (area id, refusal, number, bytes)."""
    names = (*layout.required, *layout.optional)
    sizes = [Coalesce(Cast(KT(f"layers__{name}__bytes"), BigIntegerField()), 0) for name in names]
    total = Sum(sum(sizes[1:], start=sizes[0]))
    return (
        tiles.order_by()
        .values_list("area_id", "refusal")
        .annotate(number=Count("pk"), bytes=total)
        .order_by("area_id", "refusal")
    )
