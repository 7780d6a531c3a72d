"""Tokens counted exactly by CLIP's kind of tokenizer, saved here and read as any other: needs the blip extra."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from captions.checks import lengths
from captions.checks.base import Checked, CheckFacts
from captions.checks.lengths import CLIP_TOKENS, LengthCheck, tokens_of

pytestmark = pytest.mark.slow

END = "</w>"
MERGES = [("h", "i"), ("hi", "l"), ("hil", f"l{END}"), ("s", "e"), ("se", f"a{END}")]
"""What makes one token of "hill" and of "sea"; every other letter is one of its own."""


@pytest.fixture
def tokenizer(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """A folder with a CLIP tokenizer of a few dozen tokens."""
    transformers = pytest.importorskip("transformers", reason="the blip extra is not installed")
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,"
    tokens = [*letters, *(letter + END for letter in letters), *("".join(pair) for pair in MERGES)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    transformers.CLIPTokenizer(vocab=vocabulary, merges=MERGES).save_pretrained(tmp_path)
    settings.DEMETER_CLIP_TOKENIZER = str(tmp_path)
    lengths._tokenizer.cache_clear()
    yield tmp_path
    lengths._tokenizer.cache_clear()


@pytest.mark.parametrize(
    ("text", "count"),
    [("hill", 1), ("Hill, sea.", 4), ("hills", 3), ("a  hill\nhill", 3), ("", 0), ("12 m", 3)],
)
def test_tokens_are_the_tokenizers(tokenizer: Path, text: str, count: int) -> None:
    assert tokens_of(text) == (count, True)


def test_a_prompt_is_too_long_from_the_first_token_too_many(tokenizer: Path) -> None:
    def found(number: int) -> list[str]:
        prompt = " ".join(["hill"] * number)
        checked = Checked("Hills all over the picture.", CheckFacts(area="land", index=0), prompt=prompt)
        return [each.message for each in LengthCheck().find(checked) if each.code == "too_long"]

    assert found(CLIP_TOKENS) == []
    (message,) = found(CLIP_TOKENS + 1)
    assert "the prompt has 76 tokens, and" in message
