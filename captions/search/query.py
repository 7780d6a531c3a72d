"""What a person types into the search box, in parts that every engine understands."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from tiles.core.errors import BadInput

LONGEST = 300
MOST_WORDS = 32
NOTHING = "Write at least one word to look for; words after a minus only leave captions out."
UNCLOSED = "A phrase has no end: put a quotation mark after its last word."
TOO_MUCH = f"That is too much to look for at once: keep it below {MOST_WORDS} words and {LONGEST} characters."

_PART = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"|(?P<plain>[^\s"]+))')
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Phrase:
    """Words that follow each other. begins: the last of them is only the beginning of a word."""

    words: tuple[str, ...]
    begins: bool = False


@dataclass(frozen=True)
class Query:
    """All of `wanted` must be there, and none of `unwanted`."""

    wanted: tuple[Phrase, ...]
    unwanted: tuple[Phrase, ...] = ()


def words_of(text: str) -> list[str]:
    """The words of a text as they are indexed and looked for: letters and digits, small, without accents."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return _WORD.findall(plain.lower())


def query_parse(text: str) -> Query:
    """`river "steep slopes" -snow mount*`: all words and phrases, no snow, and what begins with mount.

    Raises BadInput when nothing is looked for, a phrase does not end, or it is too much.
    """
    if len(text) > LONGEST:
        raise BadInput(TOO_MUCH, code="bad_search")
    if text.count('"') % 2:
        raise BadInput(UNCLOSED, code="bad_search")
    wanted: list[Phrase] = []
    unwanted: list[Phrase] = []
    for part in _PART.finditer(text):
        source = part["plain"] if part["phrase"] is None else part["phrase"]
        words = tuple(words_of(source))
        if words:
            begins = part["phrase"] is None and source.endswith("*")
            (unwanted if part["minus"] else wanted).append(Phrase(words, begins))
    if not wanted:
        raise BadInput(NOTHING, code="bad_search")
    if sum(len(phrase.words) for phrase in (*wanted, *unwanted)) > MOST_WORDS:
        raise BadInput(TOO_MUCH, code="bad_search")
    return Query(tuple(wanted), tuple(unwanted))
