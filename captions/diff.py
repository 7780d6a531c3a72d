"""What changed between two texts, word by word."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

Op = Literal["same", "removed", "added"]

# Chinese, Japanese and Thai put no spaces between words: there a character is a token.
_DENSE = r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
_TOKEN = re.compile(rf"\s+|{_DENSE}|(?:(?!{_DENSE})\w)+|.")


class Change(NamedTuple):
    """A run of text that stayed, went or came."""

    op: Op
    text: str


def word_diff(old: str, new: str) -> list[Change]:
    """The changes that turn `old` into `new`.

    "same" and "removed" joined give `old`, "same" and "added" joined give `new`. Neighbours differ in
    kind; of a replacement the removed part comes first.
    """
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    runs: list[tuple[str, str]] = []  # (removed, added), or (same, same) where they are equal
    for op, a, b, c, d in SequenceMatcher(None, before, after).get_opcodes():
        removed, added = "".join(before[a:b]), "".join(after[c:d])
        # A lone space between two replaced words reads better as part of the replacement.
        if runs and (op != "equal" or removed.isspace()) and runs[-1][0] != runs[-1][1]:
            runs[-1] = (runs[-1][0] + removed, runs[-1][1] + added)
        else:
            runs.append((removed, added))
    return _changes(runs)


def words_changed(old: str, new: str) -> int:
    """How many words were put in, taken out or replaced; a replaced one counts once."""
    before, after = ([token for token in _TOKEN.findall(text) if not token.isspace()] for text in (old, new))
    codes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return sum(max(b - a, d - c) for op, a, b, c, d in codes if op != "equal")


def _changes(runs: list[tuple[str, str]]) -> list[Change]:
    changes: list[Change] = []
    for removed, added in runs:
        if removed == added:
            changes.append(Change("same", removed))
            continue
        shared = _shared_space(removed, added)
        if removed[: len(removed) - shared]:
            changes.append(Change("removed", removed[: len(removed) - shared]))
        if added[: len(added) - shared]:
            changes.append(Change("added", added[: len(added) - shared]))
        if shared:
            changes.append(Change("same", removed[-shared:]))
    return _merged(changes)


def _shared_space(removed: str, added: str) -> int:
    """Length of the white space that both end with."""
    length = 0
    while length < min(len(removed), len(added)) and removed[-1 - length] == added[-1 - length]:
        if not removed[-1 - length].isspace():
            break
        length += 1
    return length


def _merged(changes: list[Change]) -> list[Change]:
    merged: list[Change] = []
    for change in changes:
        if merged and merged[-1].op == change.op:
            merged[-1] = Change(change.op, merged[-1].text + change.text)
        else:
            merged.append(change)
    return merged
