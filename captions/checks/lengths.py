"""Too long for the text encoder that a dataset trains, or too short to say anything."""

from __future__ import annotations

import importlib.util
import logging
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from django.conf import settings

from .base import Checked, Found

log = logging.getLogger(__name__)

CLIP_TOKENS = 75
"""CLIP reads 77 tokens, of which it needs two for start and end."""
FEWEST_WORDS = 4
# As CLIP splits before its byte-pair merges: letters together, every digit alone, marks together.
_PIECES = re.compile(r"'(?:s|t|re|ve|m|ll|d)|[^\W\d_]+|\d|[^\s\w]+|_+", re.IGNORECASE)
COMMON_WORD, MERGED = 9, 5
"""A word up to this length is one token as a rule; what is beyond takes one more for so many letters."""
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class LengthCheck:
    """Tokens of the composed prompt, words of the text."""

    codes = ("too_long", "too_short")

    def find(self, checked: Checked) -> Iterator[Found]:
        count, exact = tokens_of(checked.prompt or checked.text)
        if count > CLIP_TOKENS:
            how = "" if exact else " by estimate"
            yield Found(
                "too_long",
                f"the prompt has {count} tokens{how}, and a CLIP encoder reads {CLIP_TOKENS}: the end is cut off",
                0.4,
            )
        words = len(re.findall(r"[^\W\d_]+", checked.text))
        if words < FEWEST_WORDS and not _CJK.search(checked.text):
            yield Found("too_short", f"{words} {'word' if words == 1 else 'words'} say little of a tile", 0.3)


def tokens_of(text: str) -> tuple[int, bool]:
    """CLIP tokens without start and end, and whether that is exact (with a tokenizer) or an estimate."""
    tokenizer = _tokenizer(settings.DEMETER_CLIP_TOKENIZER)
    return (tokenizer(text), True) if tokenizer else (tokens_estimate(text), False)


def tokens_estimate(text: str) -> int:
    """Tokens as CLIP's splitting makes them, with long words counted as several."""
    return sum(_tokens_of_piece(piece) for piece in _PIECES.findall(text))


def _tokens_of_piece(piece: str) -> int:
    if not piece.isascii():
        # Bytes, merged in pairs at best.
        return max(1, (len(piece.encode()) + 1) // 2)
    return 1 + max(0, len(piece) - COMMON_WORD + MERGED - 1) // MERGED


@cache
def _tokenizer(source: str) -> Callable[[str], int] | None:
    """Count with the tokenizer of a local folder, where transformers is installed. Never fetches anything."""
    if not source or importlib.util.find_spec("transformers") is None:
        return None
    try:
        transformers: Any = importlib.import_module("transformers")
        tokenizer = transformers.AutoTokenizer.from_pretrained(source, local_files_only=True)
    except (OSError, ValueError, ImportError) as error:
        # A caption is worth more than its exact length.
        log.warning("No tokenizer could be read from %s, tokens are estimated: %s", source, error)
        return None
    return lambda text: len(tokenizer(text, add_special_tokens=False)["input_ids"])


CHECKS = (LengthCheck(),)
