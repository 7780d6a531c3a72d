"""Text that people type in, and what must not hide in it."""

from __future__ import annotations

import unicodedata

_DIRECTIONS = frozenset(map(chr, (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))))
"""Marks that turn the direction of writing: with them a name looks like another one."""


def hidden_character(text: str, *, lines: bool = False) -> str:
    """The first control or direction character of a text as `U+202E`; empty when there is none.

    lines: line ends and tabs are allowed.
    """
    for character in text:
        if lines and character in "\r\n\t":
            continue
        if character in _DIRECTIONS or unicodedata.category(character) in ("Cc", "Zl", "Zp"):
            return f"U+{ord(character):04X}"
    return ""
