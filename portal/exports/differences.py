"""What changed from one release to another: tiles added, removed, and changed in words, pixels or split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from captions.models import CaptionRevision
from tiles.core.errors import BadInput
from tiles.core.paging import Page, keyset_page

from .models import Release, ReleaseEntry

ADDED, REMOVED, CHANGED = KINDS = ("added", "removed", "changed")
PAGE_SIZE = 50
COUNT_LIMIT = 10_000
NO_CAPTION = 0


@dataclass(frozen=True)
class Difference:
    """A tile that is not the same in both; `caption`, `prompt` and `split` are pairs (before, after), equal when
    unchanged.

    pixels: whether a layer that leaves the house is another one.
    """

    area: str
    index: int
    caption: tuple[str, str]
    prompt: tuple[str, str]
    split: tuple[str, str]
    pixels: bool

    @property
    def name(self) -> str:
        return f"tile_{self.index}"

    @property
    def caption_changed(self) -> bool:
        """The text, or the prompt that was composed around it."""
        return self.words[0] != self.words[1]

    @property
    def words(self) -> tuple[str, str]:
        """The texts; where they are the same and only the prompts differ, the prompts."""
        return self.caption if self.caption[0] != self.caption[1] else self.prompt

    @property
    def split_changed(self) -> bool:
        return self.split[0] != self.split[1]


@dataclass(frozen=True)
class Counted:
    """How many tiles there are of a kind; `more`: there may be more than this."""

    number: int
    more: bool


def differences_count(*, before: Release, after: Release) -> dict[str, Counted]:
    """By kind, counted to COUNT_LIMIT and no further."""
    found = {}
    for kind in KINDS:
        number = _entries(kind, before, after).order_by()[: COUNT_LIMIT + 1].count()
        found[kind] = Counted(min(number, COUNT_LIMIT), number > COUNT_LIMIT)
    return found


def differences_page(
    *, before: Release, after: Release, kind: str, after_cursor: str = "", before_cursor: str = ""
) -> tuple[list[Difference], Page[ReleaseEntry]]:
    """A page of tiles of a kind in the order of the release that has them. Raises BadInput for another kind."""
    if kind not in KINDS:
        raise BadInput(f"A difference is one of {', '.join(KINDS)}.", code="unknown_kind")
    rows = _entries(kind, before, after).select_related("tile__area", "caption_revision")
    page = keyset_page(rows, order=("position",), size=PAGE_SIZE, after=after_cursor, before=before_cursor)
    return _differences(kind, page.rows), page


def _entries(kind: str, before: Release, after: Release) -> QuerySet[ReleaseEntry]:
    """Entries of `after`, or of `before` where the tile is removed."""
    here, there = (before, after) if kind == REMOVED else (after, before)
    same_tile = ReleaseEntry.objects.filter(release=there, tile=OuterRef("tile"))
    entries = ReleaseEntry.objects.filter(release=here)
    if kind != CHANGED:
        return entries.exclude(tile__in=ReleaseEntry.objects.filter(release=there).values("tile"))
    revision = Coalesce("caption_revision_id", Value(NO_CAPTION))
    entries = entries.annotate(
        revision=revision,
        was_revision=Subquery(same_tile.annotate(revision=revision).values("revision")[:1]),
        was_prompt=Subquery(same_tile.values("prompt")[:1]),
        was_split=Subquery(same_tile.values("split")[:1]),
        was_pixels=Subquery(same_tile.values("pixels")[:1]),
    )
    words = ~Q(revision=F("was_revision")) | ~Q(prompt=F("was_prompt"))
    others = ~Q(split=F("was_split")) | ~Q(pixels=F("was_pixels"))
    return entries.exclude(was_revision=None).filter(words | others)


def _differences(kind: str, rows: Sequence[ReleaseEntry]) -> list[Difference]:
    old = [row.__dict__["was_revision"] for row in rows] if kind == CHANGED else []
    texts = dict(CaptionRevision.objects.filter(pk__in=old).values_list("pk", "text"))
    return [_difference(kind, row, texts) for row in rows]


def _difference(kind: str, row: ReleaseEntry, texts: dict[int, str]) -> Difference:
    text, split, pixels = row.caption_revision.text if row.caption_revision else "", row.split, False
    caption, prompt, splits = (text, text), (row.prompt, row.prompt), (split, split)
    if kind == CHANGED:
        was = row.__dict__  # the annotations of _entries
        caption, prompt = (texts.get(was["was_revision"], ""), text), (was["was_prompt"], row.prompt)
        splits = (was["was_split"], split)
        pixels = was["was_pixels"] != row.pixels
    return Difference(row.tile.area.slug, row.tile.index, caption, prompt, splits, pixels)
