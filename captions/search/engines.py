"""The two full-text engines. Each keeps one row a caption in `captions_search`, under the caption's key.

The table is written by `captions.search.index` and never by triggers: a later migration that rebuilds the captions'
table would drop them without a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from django.db import connection

from .query import Phrase, Query, words_of

TABLE = "captions_search"
CONFIGURATION = "demeter_words"
OPEN, CLOSE = "\x02", "\x03"
"""Around the words found. A caption cannot hold them."""


@dataclass(frozen=True)
class Scope:
    """Where to look: an area's key, an origin, how far people have come; None for all."""

    area: int | None = None
    origin: str | None = None
    state: str | None = None


@dataclass(frozen=True)
class Words:
    """What is indexed of a caption."""

    caption: int
    area: int
    origin: str
    text: str
    terms: Sequence[str] = ()
    state: str = "unread"

    @property
    def scope(self) -> Scope:
        """The narrowest one it is found in."""
        return Scope(self.area, self.origin, self.state)


class Engine(Protocol):
    """The SQL of a database, each piece with its parameters. key: the column that holds the caption's key."""

    key: str
    create: tuple[str, ...]
    drop: tuple[str, ...]

    def match(self, query: Query, scope: Scope) -> tuple[str, list[Any]]:
        """A condition on rows of captions_search."""
        ...

    def ranked(self, query: Query) -> tuple[str, list[Any]]:
        """An ORDER BY, most relevant first, then the newest."""
        ...

    def highlight(self, query: Query) -> tuple[str, list[Any]]:
        """An expression over a row of captions_search joined with `c`, the captions."""
        ...

    def write(self, rows: Iterable[Words]) -> None: ...

    def remove(self, captions: Sequence[int]) -> None: ...


class Fts5:
    """SQLite. Area and origin are words of a column of their own, so that the index itself narrows by them."""

    key = "rowid"
    create: tuple[str, ...] = (
        f"CREATE VIRTUAL TABLE {TABLE} USING fts5 "
        "(words, terms, scope, prefix = '2 3 4', tokenize = 'porter unicode61 remove_diacritics 2')",
    )
    drop: tuple[str, ...] = (f"DROP TABLE {TABLE}",)

    def match(self, query: Query, scope: Scope) -> tuple[str, list[Any]]:
        wanted = " AND ".join(self._phrase(phrase) for phrase in query.wanted)
        expression = f"({{words terms}} : ({wanted}))"
        for mark in _marks(scope):
            expression = f'({expression} AND scope : "{mark}")'
        for phrase in query.unwanted:
            expression = f"({expression} NOT {{words terms}} : {self._phrase(phrase)})"
        return f"{TABLE} MATCH %s", [expression]

    def ranked(self, query: Query) -> tuple[str, list[Any]]:
        return f"bm25({TABLE}, 1.0, 1.0, 0.0), {TABLE}.rowid DESC", []

    def highlight(self, query: Query) -> tuple[str, list[Any]]:
        return f"highlight({TABLE}, 0, %s, %s)", [OPEN, CLOSE]

    def write(self, rows: Iterable[Words]) -> None:
        values = [(row.caption, row.text, " ".join(row.terms), " ".join(_marks(row.scope))) for row in rows]
        self.remove([value[0] for value in values])
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {TABLE} (rowid, words, terms, scope) VALUES (%s, %s, %s, %s)", values)

    def remove(self, captions: Sequence[int]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany(f"DELETE FROM {TABLE} WHERE rowid = %s", [(key,) for key in captions])

    def _phrase(self, phrase: Phrase) -> str:
        # Words hold letters and digits only, so nothing needs escaping.
        quoted = " + ".join(f'"{word}"' for word in phrase.words)
        return f"({quoted} *)" if phrase.begins else f"({quoted})"


class TsVector:
    """PostgreSQL. Stems as FTS5 does, and like it knows no stop words: "the" can be looked for."""

    key = "caption_id"
    create: tuple[str, ...] = (
        f"CREATE TEXT SEARCH DICTIONARY {CONFIGURATION} (TEMPLATE = snowball, LANGUAGE = english)",
        f"CREATE TEXT SEARCH CONFIGURATION {CONFIGURATION} (COPY = simple)",
        f"ALTER TEXT SEARCH CONFIGURATION {CONFIGURATION} ALTER MAPPING FOR asciiword, word, numword "
        f"WITH {CONFIGURATION}",
        f"CREATE TABLE {TABLE} (caption_id bigint PRIMARY KEY, words tsvector NOT NULL)",
        f"CREATE INDEX {TABLE}_words ON {TABLE} USING gin (words)",
    )
    drop: tuple[str, ...] = (
        f"DROP TABLE {TABLE}",
        f"DROP TEXT SEARCH CONFIGURATION {CONFIGURATION}",
        f"DROP TEXT SEARCH DICTIONARY {CONFIGURATION}",
    )

    def match(self, query: Query, scope: Scope) -> tuple[str, list[Any]]:
        marks = [f"'{mark}'" for mark in self._marks(scope)]
        narrowed = "".join(" && %s::tsquery" for _mark in marks)
        return f"{TABLE}.words @@ (to_tsquery('{CONFIGURATION}', %s){narrowed})", [self._expression(query), *marks]

    def ranked(self, query: Query) -> tuple[str, list[Any]]:
        rank = f"ts_rank({TABLE}.words, to_tsquery('{CONFIGURATION}', %s)) DESC, {TABLE}.caption_id DESC"
        return rank, [self._expression(query)]

    def highlight(self, query: Query) -> tuple[str, list[Any]]:
        options = f"HighlightAll=true, StartSel={OPEN}, StopSel={CLOSE}"
        return f"ts_headline('{CONFIGURATION}', c.text, to_tsquery('{CONFIGURATION}', %s), %s)", [
            self._expression(query),
            options,
        ]

    def write(self, rows: Iterable[Words]) -> None:
        values = [
            (
                row.caption,
                " ".join(words_of(row.text)),
                " ".join(words_of(" ".join(row.terms))),
                self._marks(row.scope),
            )
            for row in rows
        ]
        with connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {TABLE} (caption_id, words) VALUES (%s, to_tsvector('{CONFIGURATION}', %s) || "
                f"to_tsvector('{CONFIGURATION}', %s) || array_to_tsvector(%s)) "
                "ON CONFLICT (caption_id) DO UPDATE SET words = excluded.words",
                values,
            )

    def remove(self, captions: Sequence[int]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {TABLE} WHERE caption_id = ANY(%s)", [list(captions)])

    def _marks(self, scope: Scope) -> list[str]:
        """With a sign that no word has: they stand among the words."""
        return [f"={mark}" for mark in _marks(scope)]

    def _expression(self, query: Query) -> str:
        parts = [self._phrase(phrase) for phrase in query.wanted]
        parts += [f"!({self._phrase(phrase)})" for phrase in query.unwanted]
        return " & ".join(parts)

    def _phrase(self, phrase: Phrase) -> str:
        quoted = [f"'{word}'" for word in phrase.words]
        if phrase.begins:
            quoted[-1] += ":*"
        return f"({' <-> '.join(quoted)})"


def engine() -> Engine:
    """The one of the database in use."""
    return TsVector() if connection.vendor == "postgresql" else Fts5()


def _marks(scope: Scope) -> Iterable[str]:
    """Area, origin and state as words."""
    if scope.area is not None:
        yield f"area{scope.area}"
    if scope.origin is not None:
        yield f"origin{sha256(scope.origin.encode()).hexdigest()[:12]}"
    if scope.state is not None:
        yield f"state{scope.state}"
