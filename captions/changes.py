"""What an edit of many captions would change, read ahead: nothing here counts or loads a whole table unasked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import QueryDict

from tiles.core.errors import BadInput
from tiles.core.paging import cursor_behind, keyset_page

from .edits import Edit, Edited
from .filters import CaptionFilter
from .models import Caption
from .search.query import query_parse
from .search.selectors import captions_matching
from .selectors import captions_listed

ORDER = ("-updated_at", "-id")
BATCH = 1000
PAGE_SIZE = 50
LOOKED_LIMIT = 20_000
"""Captions that one page of a preview looks through; where few of them change, it ends with less than PAGE_SIZE."""
COUNT_LIMIT = 10_000
COUNT_LOOKED_LIMIT = 50_000
MOST_NAMED = 500
DAMAGED = "This page link is damaged. Ask for the preview again."


@dataclass(frozen=True)
class Among:
    """Which captions an edit is for: those that are named, else all that the list shows for a query."""

    query: str = ""
    only: tuple[int, ...] = ()

    @classmethod
    def of(cls, given: QueryDict) -> Among:
        """From the parameters of the list of captions, and `only`, keys as in 3,7. Others are left out.

        Raises BadInput for keys that are none, and for a wrong filter.
        """
        kept = QueryDict(mutable=True)
        for name in CaptionFilter.base_filters:
            if given.get(name):
                kept[name] = str(given[name])
        among = cls(kept.urlencode(), _keys(given.get("only", "")))
        among.chosen.checked()
        return among

    @property
    def asked(self) -> str:
        """As a query, which `of` reads."""
        only = f"only={','.join(map(str, self.only))}" if self.only else ""
        return "&".join(part for part in (self.query, only) if part)

    @property
    def chosen(self) -> CaptionFilter:
        return CaptionFilter(QueryDict(self.query), queryset=_light())


@dataclass(frozen=True)
class ChangesPage:
    """A page of what would change. after: where the next page begins; "" when all was looked at."""

    items: list[tuple[Caption, Edited]]
    after: str


class Walk:
    """Goes through the captions that an edit may change, newest first; `after` is a place behind one of them."""

    def __init__(self, among: Among, edit: Edit) -> None:
        self.edit = edit
        chosen = among.chosen
        rows = chosen.narrowed()
        self._rows = _light().filter(pk__in=among.only) if among.only else rows
        self._scope = chosen.scope
        # The index finds words, not findings: where one is asked for, every row is looked at.
        self._words = "" if among.only or chosen.finding_code else _narrowed(chosen.words, edit.narrowing)

    def changes(self, after: str = "") -> Iterator[tuple[Caption, Edited | None]]:
        """Every caption, of each only what an edit needs, and what the edit makes of it."""
        for batch in self._searched(after) if self._words else self._listed(after):
            for caption in batch:
                yield caption, self.edit.on(caption.text, caption.components)

    def behind(self, caption: Caption) -> str:
        return str(caption.pk) if self._words else cursor_behind(caption, ORDER)

    def _listed(self, after: str) -> Iterator[list[Caption]]:
        while True:
            page = keyset_page(self._rows, order=ORDER, size=BATCH, after=after)
            yield page.rows
            after = page.after
            if not after:
                return

    def _searched(self, after: str) -> Iterator[list[Caption]]:
        below = _number(after)
        while keys := captions_matching(text=self._words, scope=self._scope, below=below, most=BATCH):
            found = _light().in_bulk(keys)
            yield [found[key] for key in keys if key in found]
            below = keys[-1]


def changes_page(*, among: Among, edit: Edit, after: str = "") -> ChangesPage:
    """The next changes, with the tile and area of each. Raises BadInput for a place that is not one of ours."""
    walk, following = Walk(among, edit), ""
    found: list[tuple[Caption, Edited]] = []
    for looked, (caption, edited) in enumerate(walk.changes(after), start=1):
        if edited:
            found.append((caption, edited))
        if len(found) == PAGE_SIZE or looked == LOOKED_LIMIT:
            following = walk.behind(caption)
            break
    whole = captions_listed().in_bulk([caption.pk for caption, _edited in found])
    items = [(whole[caption.pk], edited) for caption, edited in found]
    return ChangesPage(items, following)


def changes_counted(*, among: Among, edit: Edit, exact: bool = False) -> tuple[int, bool]:
    """How many captions would change, and whether there may be more: counts and looks no further than the limits.

    exact: look through all of them, however long it takes.
    """
    count = 0
    for looked, (_caption, edited) in enumerate(Walk(among, edit).changes()):
        if not exact and (count == COUNT_LIMIT or looked == COUNT_LOOKED_LIMIT):
            return count, True
        count += edited is not None and not edited.problem
    return count, False


def _light() -> QuerySet[Caption]:
    return Caption.objects.only("tile_id", "text", "components", "version", "updated_at")


def _narrowed(words: str, narrowing: str) -> str:
    """What to search for, if anything; without what the edit adds where that is too much for one search."""
    both = f"{words} {narrowing}".strip()
    try:
        query_parse(both)
    except BadInput:
        return words
    return both


def _keys(text: str) -> tuple[int, ...]:
    parts = [part for part in text.split(",") if part]
    if not all(part.isascii() and part.isdigit() and len(part) <= 18 for part in parts):
        raise BadInput("Name the captions by their numbers, as in only=3,7.")
    if len(parts) > MOST_NAMED:
        raise BadInput(f"Name at most {MOST_NAMED} captions, or a filter instead.")
    return tuple(map(int, parts))


def _number(after: str) -> int:
    if after and not (after.isascii() and after.isdigit() and len(after) <= 18):
        raise BadInput(DAMAGED)
    return int(after or 0)
