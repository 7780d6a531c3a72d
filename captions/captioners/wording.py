"""Numbers as a person would say them."""

from __future__ import annotations

from collections.abc import Sequence

# Share up to which (excluded) each wording holds.
_SHARES = (
    (0.05, "a sliver"),
    (0.14, "about a tenth"),
    (0.22, "about a fifth"),
    (0.29, "about a quarter"),
    (0.38, "about a third"),
    (0.46, "about two fifths"),
    (0.54, "about half"),
    (0.62, "about three fifths"),
    (0.71, "about two thirds"),
    (0.79, "about three quarters"),
    (0.93, "most"),
)


def share_of(share: float) -> str:
    """A share 0..1 in words, to stand before "of the image"."""
    return next((words for limit, words in _SHARES if share < limit), "nearly all")


def metres(height: float) -> str:
    """A height, to 1 m below 100 m and to 10 m above."""
    rounded = round(height) if abs(height) < 99.5 else round(height / 10) * 10
    return f"{rounded:,} m".replace("-", "−")


def degrees(angle: float) -> str:
    """An angle, to 1 degree."""
    return "1 degree" if round(angle) == 1 else f"{round(angle)} degrees"


def listed(parts: Sequence[str]) -> str:
    """Joined by commas, with "and" before the last; no comma where there are only two."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])}{',' if len(parts) > 2 else ''} and {parts[-1]}"
