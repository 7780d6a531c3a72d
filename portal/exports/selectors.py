"""Reading releases."""

from __future__ import annotations

from collections.abc import Mapping

from .selection import REASONS


def left_out_sentences(left_out: Mapping[str, int]) -> list[str]:
    """What was left out, as in "3 flat: all heights are equal"."""
    return [f"{number:,} {REASONS.get(reason, reason)}" for reason, number in sorted(left_out.items())]
