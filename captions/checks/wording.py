"""Faults of the words alone: boilerplate, repetition, banned words, another language."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from .base import MOST_WORDS, Checked, Found
from .languages import LANGUAGES, language_of

_PICTURE = r"(?:satellite |aerial |remote[- ]sensing |overhead )*(?:image|picture|photo|photograph|view|shot|imagery)s?"
_BOILERPLATE = (
    (re.compile(rf"\b{_PICTURE} of (?:a|an|the) {_PICTURE}\b", re.I), "a picture of a picture"),
    (
        re.compile(rf"\b{_PICTURE} (?:that )?(?:shows?|depicts?) (?:a|an|the) {_PICTURE}\b", re.I),
        "a picture of a picture",
    ),
    (
        re.compile(
            r"\bas an? (?:ai|artificial|language|vision)\b[^,.]*|\bi(?:['’]m| am) (?:sorry|unable|not able)\b[^,.]*",
            re.I,
        ),
        "the captioner speaks of itself",
    ),
    (
        re.compile(r"\bi (?:cannot|can['’]?t|can) (?:see|determine|identify|provide|help|assist)\b[^,.]*", re.I),
        "the captioner speaks of itself",
    ),
    (
        re.compile(
            r"^(?:sure|certainly|of course|okay)[,!]|\bhere(?:['’]s| is) (?:a|the|your) (?:caption|description)\b", re.I
        ),
        "an answer to somebody, not a caption",
    ),
    (re.compile(r"^\s*(?:caption|description|answer|output|assistant)\s*:", re.I), "a label, not a caption"),
    (
        re.compile(
            r"\b(?:the|this) (?:image|picture) you (?:provided|sent|uploaded|shared)\b|\bprovided image\b", re.I
        ),
        "an answer to somebody, not a caption",
    ),
    (
        re.compile(
            r"\b(?:stock (?:photo|image)|getty images|shutterstock|trending on \w+|unreal engine|8k|4k uhd)\b", re.I
        ),
        "words of stock pictures",
    ),
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_DOUBLED = re.compile(r"\b(?P<word>[^\W\d_]{2,})(?:\s+(?P=word)\b)+", re.IGNORECASE)
_MAY_DOUBLE = frozenset(("that", "had", "very", "so", "wagga", "bora"))
_SENTENCE = re.compile(r"[^.!?\n]+")


class BoilerplateCheck:
    """Phrases that say nothing of the tile."""

    codes = ("boilerplate",)

    def find(self, checked: Checked) -> Iterator[Found]:
        for pattern, why in _BOILERPLATE:
            for match in pattern.finditer(checked.text):
                words = match[0].strip()[:MOST_WORDS]
                yield Found("boilerplate", f"says “{words}”: {why}", 0.5, words, match.start())


class RepetitionCheck:
    """A word twice in a row, a sentence twice, or three words that return again and again."""

    codes = ("repetition",)

    def find(self, checked: Checked) -> Iterator[Found]:
        for match in _DOUBLED.finditer(checked.text):
            if match["word"].lower() not in _MAY_DOUBLE:
                yield _repeated(match[0], match.start(), "the same word twice")
        yield from _twice(checked.text)
        yield from _returning(checked.text)


def _twice(text: str) -> Iterator[Found]:
    seen: set[str] = set()
    for match in _SENTENCE.finditer(text):
        plain = " ".join(_WORD.findall(match[0].lower()))
        if plain.count(" ") >= 2 and plain in seen:
            lead = len(match[0]) - len(match[0].lstrip())
            yield _repeated(match[0].strip()[:MOST_WORDS], match.start() + lead, "the same sentence twice")
        seen.add(plain)


def _returning(text: str) -> Iterator[Found]:
    words = list(_WORD.finditer(text))
    threes = [tuple(word[0].lower() for word in words[at : at + 3]) for at in range(len(words) - 2)]
    for three, times in Counter(threes).most_common(1):
        if times >= 3:
            at = threes.index(three)
            start, end = words[at].start(), words[at + 2].end()
            yield _repeated(text[start:end], start, f"these words return {times} times")


def _repeated(words: str, start: int, why: str) -> Found:
    return Found("repetition", f"says “{words}”: {why}", 0.4, words[:MOST_WORDS], start)


class BannedCheck:
    """Words that the area's settings ban; `storm*` bans what begins so."""

    codes = ("banned",)

    def find(self, checked: Checked) -> Iterator[Found]:
        for banned in checked.banned:
            pattern = re.escape(banned.rstrip("*")) + (r"\w*" if banned.endswith("*") else r"\b")
            for match in re.finditer(rf"\b{pattern}", checked.text, re.IGNORECASE):
                yield Found(
                    "banned", f"says “{match[0]}”: banned in this area", 0.5, match[0][:MOST_WORDS], match.start()
                )


class LanguageCheck:
    """Another language than the area's, by script and by its smallest words."""

    codes = ("language",)

    def find(self, checked: Checked) -> Iterator[Found]:
        found = language_of(checked.text, wanted=checked.language)
        if found:
            wanted = LANGUAGES[checked.language].name if checked.language in LANGUAGES else checked.language
            yield Found("language", f"seems to be {found}, and {wanted} is wanted", 0.6)


CHECKS = (BoilerplateCheck(), RepetitionCheck(), BannedCheck(), LanguageCheck())
