"""What an edit of many captions makes of one of them."""

from __future__ import annotations

from typing import Any

import pytest

from captions.edits import edit_of
from captions.models import MAX_LENGTH
from tiles.core.errors import BadInput


def replaced(text: str, find: str, replace: str = "X", **how: Any) -> str | None:
    edited = edit_of({"do": "replace", "find": find, "replace": replace, **how}).on(text, {})
    return edited.text if edited else None


@pytest.mark.parametrize(
    ("find", "how", "expected"),
    [
        ("sea", {}, "The X at X-side, overXs in XTTLE."),
        ("sea", {"whole_word": True}, "The X at X-side, overseas in SEATTLE."),
        ("Sea", {"match_case": True}, "The X at sea-side, overseas in SEATTLE."),
        ("SEA", {"match_case": True, "whole_word": True}, None),
        (".", {}, "The Sea at sea-side, overseas in SEATTLEX"),
        ("s.a", {}, None),
        ("at ", {}, "The Sea Xsea-side, overseas in SEATTLE."),
    ],
)
def test_plain_words_whole_words_and_case(find: str, how: dict[str, bool], expected: str | None) -> None:
    assert replaced("The Sea at sea-side, overseas in SEATTLE.", find, **how) == expected


@pytest.mark.parametrize(
    ("text", "find", "expected"),
    [
        ("Bäume und bÄume.", "BÄUME", "X und X."),
        ("Bäume", "a\u0308", "BXume"),
        ("a_sea b", "sea", None),
        ("(sea) sea!", "(sea)", "X sea!"),
    ],
)
def test_in_other_scripts_and_beside_signs(text: str, find: str, expected: str | None) -> None:
    assert replaced(text, find, whole_word=len(find) != 2) == expected


def test_what_is_put_in_is_plain_too() -> None:
    assert replaced("A hill.", "hill", r"\1 \g<0> $&") == r"A \1 \g<0> $&."


def test_what_cannot_be_a_caption_is_said() -> None:
    edit = edit_of({"do": "replace", "find": "Sea", "replace": ""})
    edited = edit.on("Sea", {})
    assert edited
    assert "cannot be empty" in edited.problem
    assert edited.text == "Sea"
    longer = edit_of({"do": "replace", "find": "a", "replace": "b" * 200}).on("a" * 20, {})
    assert longer
    assert f"{MAX_LENGTH:,}" in longer.problem


def test_terms_come_last_and_go() -> None:
    add, remove = (edit_of({"do": do, "term": " Open  Sea "}) for do in ("add_term", "remove_term"))
    beach = {"terms": ["beach"], "weather": "fog"}
    added = add.on("Text.", beach)
    assert added
    assert added.components == {"terms": ["beach", "open sea"], "weather": "fog"}
    assert added.diff == [("same", "beach"), ("same", ", "), ("added", "open sea")]
    assert add.on("Text.", added.components) is None
    assert remove.on("Text.", beach) is None
    taken = remove.on("Text.", added.components)
    assert taken
    assert taken.components == beach
    assert taken.diff == [("same", "beach"), ("same", ", "), ("removed", "open sea")]
    full = add.on("Text.", {"terms": [f"term {number}" for number in range(24)]})
    assert full
    assert "at most 24 terms" in full.problem


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"do": "regex"},
        {"do": "replace", "find": ""},
        {"do": "replace", "find": "a\u202eb"},
        {"do": "replace", "find": "a" * 201},
        {"do": "add_term", "term": "  "},
        {"do": "remove_term", "term": "x" * 41},
    ],
)
def test_what_is_no_edit(given: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        edit_of(given)
