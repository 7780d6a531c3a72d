"""The word diff: what it says, and that nothing of either text is lost."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from captions.diff import word_diff

WORDS = st.lists(st.sampled_from(["sea", "hill", "a", ",", ".", " ", "  ", "\n", "平", "原", "é", "🏔"]), max_size=30)
TEXTS = WORDS.map("".join) | st.text(max_size=60)


@given(old=TEXTS, new=TEXTS)
def test_joined_it_gives_both_texts_back(old: str, new: str) -> None:
    changes = word_diff(old, new)
    assert "".join(change.text for change in changes if change.op != "added") == old
    assert "".join(change.text for change in changes if change.op != "removed") == new
    assert all(change.text for change in changes)
    assert all(one.op != other.op for one, other in pairwise(changes))


@given(text=TEXTS)
def test_equal_texts_have_no_change(text: str) -> None:
    assert word_diff(text, text) == ([("same", text)] if text else [])


def test_whole_words_change() -> None:
    assert word_diff("Low hills by the sea.", "High hills by the sea.") == [
        ("removed", "Low"),
        ("added", "High"),
        ("same", " hills by the sea."),
    ]


def test_neighbouring_replacements_read_as_one() -> None:
    assert word_diff("a green hill stands", "a brown mountain stands") == [
        ("same", "a "),
        ("removed", "green hill"),
        ("added", "brown mountain"),
        ("same", " stands"),
    ]


def test_writing_without_spaces_changes_by_character() -> None:
    assert word_diff("平原和海", "平原和山") == [("same", "平原和"), ("removed", "海"), ("added", "山")]


def test_a_long_repetitive_text_is_still_compared() -> None:
    old = "hill " * 400
    assert word_diff(old, old + "sea") == [("same", old), ("added", "sea")]
