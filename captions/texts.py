"""What a caption's text may be, in any language."""

from __future__ import annotations

import unicodedata

from tiles.core.errors import BadInput

from .models import MAX_LENGTH

EMPTY = "A caption cannot be empty. Write what the tile shows, or leave it as it was."
TOO_LONG = f"A caption has at most {MAX_LENGTH:,} characters. Shorten it, then save again."
CONTROL = "The caption holds characters that cannot be seen. Type it anew, or paste it as plain text."
NO_WORD = "A caption needs at least one word. Write what the tile shows."

_LINE_ENDS = str.maketrans({"\r": "\n", "\u2028": "\n", "\u2029": "\n", "\u0085": "\n", "\t": " "})
# They turn the order of what is shown around, so that a reader sees other words than a program.
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def text_clean(text: str) -> str:
    """The text as it is kept: composed characters (NFC), `\\n` for line ends, no white space around.

    Raises BadInput when nothing is left, when it is longer than MAX_LENGTH, has no letter, or holds control
    characters, unpaired surrogates or marks that reorder what is shown.
    """
    if len(text) > 4 * MAX_LENGTH:
        raise BadInput(TOO_LONG, code="too_long")
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").translate(_LINE_ENDS)).strip()
    if not text:
        raise BadInput(EMPTY, code="empty")
    if len(text) > MAX_LENGTH:
        raise BadInput(TOO_LONG, code="too_long")
    if any(_hidden(character) for character in text):
        raise BadInput(CONTROL, code="control_characters")
    if not any(character.isalpha() for character in text):
        raise BadInput(NO_WORD, code="no_word")
    return text


def _hidden(character: str) -> bool:
    if character == "\n":
        return False
    return character in _DIRECTION or unicodedata.category(character) in ("Cc", "Cs", "Cn")
