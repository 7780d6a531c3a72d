"""A caption beside others: those of other captioners about the same tile, and those of other tiles."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from hashlib import sha256

from .base import Checked, Found, Rival
from .languages import LANGUAGES
from .mentions import Mention, mentions_of

MANY = 20
"""How many other captions of an area may say the same."""
_WORD = re.compile(r"[^\W_]+")
# What a tile mostly is: two captioners that name different ones cannot both be right.
_GROUNDS = {
    "sea": "sea",
    "mountain": "mountains",
    "cliff": "mountains",
    "hill": "hills",
    "foothill": "hills",
    "plain": "plain",
}
_COVERS = {
    "forest": "forest",
    "lush": "forest",
    "desert": "desert",
    "bare": "desert",
    "farmland": "farmland",
    "city": "city",
    "snow": "snow",
}


def likeness_of(text: str) -> int:
    """A number that captions share that say the same, whatever their case, marks, small words and order.

    63 bits, never 0: 0 stands for "not worked out".
    """
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    words = sorted(set(_WORD.findall(plain.lower())) - LANGUAGES["en"].words - {"a"})
    digest = sha256(" ".join(words).encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 1) or 1


class DuplicateCheck:
    """The same words for many tiles of one area."""

    codes = ("duplicate",)

    def find(self, checked: Checked) -> Iterator[Found]:
        if checked.alike >= MANY:
            yield Found("duplicate", f"{MANY} or more other captions of the area say the same", 0.25)


class RivalsCheck:
    """Another captioner says what cannot be true at once."""

    codes = ("rivals",)

    def find(self, checked: Checked) -> Iterator[Found]:
        for rival, mine, theirs in _both(checked):
            if not mine & theirs:
                said, other = " and ".join(sorted(mine)), " and ".join(sorted(theirs))
                yield Found("rivals", f"says {said}, and {rival.captioner} says {other}", 0.4)


def disagreement(checked: Checked) -> float:
    """How far other captioners are from this caption, 0..1: the mean of 1 - Jaccard of what they claim.

    Only what both speak of counts: who says nothing of the cover does not disagree about it.
    """
    apart = [1 - len(mine & theirs) / len(mine | theirs) for _rival, mine, theirs in _both(checked)]
    return sum(apart) / len(apart) if apart else 0.0


def _both(checked: Checked) -> Iterator[tuple[Rival, frozenset[str], frozenset[str]]]:
    """Every rival with the grounds, and again with the covers, that the caption and it claim, where both claim some."""
    if not checked.rivals:
        return
    ours = _claims(checked.mentions, checked.components.get("terms") or ())
    for rival in checked.rivals:
        for mine, theirs in zip(ours, _claims(mentions_of(rival.text), rival.terms), strict=True):
            if mine and theirs:
                yield rival, mine, theirs


def _claims(mentions: Iterable[Mention], terms: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The grounds and the covers that a text and its terms claim."""
    topics = {mention.topic for mention in mentions if mention.claimed}
    topics |= {mention.topic for term in terms for mention in mentions_of(str(term))}
    return (
        frozenset(_GROUNDS[topic] for topic in topics if topic in _GROUNDS),
        frozenset(_COVERS[topic] for topic in topics if topic in _COVERS),
    )


def rival_of(captioner: str, text: str, terms: Iterable[str]) -> Rival:
    return Rival(captioner, text, tuple(str(term) for term in terms))


CHECKS = (DuplicateCheck(), RivalsCheck())
