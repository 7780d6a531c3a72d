"""Tags as words: one way to write each."""

from __future__ import annotations

import unicodedata

from tiles.core.errors import BadInput
from tiles.core.words import hidden_character
from tiles.models.marks import WORD_LENGTH


def word_normal(text: str) -> str:
    """The word as it is kept: composed, in lower case, single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def word_checked(text: str) -> str:
    """The word as it is kept. Raises BadInput when it is empty, too long, or holds what no keyboard types."""
    word = word_normal(text)
    if not word:
        raise BadInput("A tag needs a word.", code="bad_tag")
    if len(word) > WORD_LENGTH:
        raise BadInput(f"A tag is a short word: keep it below {WORD_LENGTH} characters.", code="bad_tag")
    if "," in word:
        raise BadInput("A tag holds no comma: add two tags instead.", code="bad_tag")
    if hidden := hidden_character(word):
        raise BadInput(f"The tag holds an invisible character ({hidden}). Type it again without.", code="bad_tag")
    return word
