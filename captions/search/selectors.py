"""Finding captions by their words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from tiles.core.errors import BadInput

from ..models import Caption
from ..selectors import captions_listed
from .engines import CLOSE, OPEN, TABLE, Engine, Scope, engine
from .query import Query, query_parse

RANK_LIMIT = 10_000
"""How many matches are put in the order of relevance; more of them are shown newest first, since ranking reads all."""
PAGE_SIZE = 50
DAMAGED = "This page link is damaged. Search again."


@dataclass(frozen=True)
class Hit:
    """A caption found. parts: its text in pieces, and whether each is one of the words looked for."""

    caption: Caption
    parts: list[tuple[str, bool]]


@dataclass(frozen=True)
class Found:
    """A page of what was found. count is exact up to RANK_LIMIT; `capped`: there are more. after: the next page's."""

    hits: list[Hit]
    count: int
    capped: bool
    after: str

    @property
    def by_relevance(self) -> bool:
        return not self.capped


def captions_search(*, text: str, scope: Scope, after: str = "", size: int = PAGE_SIZE) -> Found:
    """Captions that hold what `text` asks for: most relevant first, or newest first where more than RANK_LIMIT match.

    Counts no further than that. after: where an earlier page ended. Raises BadInput for a text that asks for nothing,
    and for a place that is not one of ours.
    """
    query, database = query_parse(text), engine()
    start = _start(after)
    count = _count(database, query, scope)
    if count > RANK_LIMIT:
        keys = _newest(database, query, scope, below=start, most=size + 1)
        following = str(keys[size - 1]) if len(keys) > size else ""
    else:
        keys = _most_relevant(database, query, scope, skipped=min(start, RANK_LIMIT), most=size + 1)
        following = str(start + size) if len(keys) > size else ""
    hits = _hits(database, query, scope, keys[:size])
    return Found(hits, min(count, RANK_LIMIT), count > RANK_LIMIT, following)


def captions_matching(*, text: str, scope: Scope, below: int = 0, most: int) -> list[int]:
    """Keys of captions that hold what `text` asks for, the newest first, smaller than `below`. Raises BadInput."""
    return _newest(engine(), query_parse(text), scope, below=below, most=most)


def _count(database: Engine, query: Query, scope: Scope) -> int:
    where, values = database.match(query, scope)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM (SELECT 1 FROM {TABLE} WHERE {where} LIMIT {RANK_LIMIT + 1}) x", values)
        return int(cursor.fetchone()[0])


def _most_relevant(database: Engine, query: Query, scope: Scope, *, skipped: int, most: int) -> list[int]:
    """An offset, not a keyset: ranking has read all matches anyway, and there are few."""
    where, values = database.match(query, scope)
    order, order_values = database.ranked(query)
    return _keys(database, f"WHERE {where} ORDER BY {order} LIMIT {most} OFFSET {skipped}", [*values, *order_values])


def _newest(database: Engine, query: Query, scope: Scope, *, below: int, most: int) -> list[int]:
    where, values = database.match(query, scope)
    if below:
        where, values = f"{where} AND {database.key} < %s", [*values, below]
    return _keys(database, f"WHERE {where} ORDER BY {database.key} DESC LIMIT {most}", values)


def _keys(database: Engine, rest: str, values: Sequence[Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {database.key} FROM {TABLE} {rest}", list(values))
        return [key for (key,) in cursor.fetchall()]


def _hits(database: Engine, query: Query, scope: Scope, keys: Sequence[int]) -> list[Hit]:
    """The captions of one page with their words marked, in the order of the keys."""
    if not keys:
        return []
    where, values = database.match(query, scope)
    marked, marked_values = database.highlight(query)
    places = ", ".join(["%s"] * len(keys))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.id, {marked} FROM {TABLE} JOIN captions_caption c ON c.id = {TABLE}.{database.key} "
            f"WHERE {where} AND {TABLE}.{database.key} IN ({places})",
            [*marked_values, *values, *keys],
        )
        texts = dict(cursor.fetchall())
    rows = captions_listed().in_bulk(keys)
    return [Hit(rows[key], list(_parts(texts[key]))) for key in keys if key in rows and key in texts]


def _start(after: str) -> int:
    if not after:
        return 0
    if not after.isascii() or not after.isdigit() or len(after) > 18:
        raise BadInput(DAMAGED)
    return int(after)


def _parts(marked: str) -> Iterator[tuple[str, bool]]:
    first, *others = marked.split(OPEN)
    if first:
        yield first, False
    for piece in others:
        found, _, rest = piece.partition(CLOSE)
        yield found, True
        if rest:
            yield rest, False
