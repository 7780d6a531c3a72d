"""Progress in words, the same on the page and in the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from tiles.models.choices import Failure, Unstretched

_UNITS = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


def duration_words(seconds: float) -> str:
    """`8 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`."""
    whole = round(seconds)
    for size, unit, smaller_size, smaller_unit in _UNITS:
        if whole >= size:
            rest = whole % size // smaller_size
            return f"{whole // size} {unit}" + (f" {rest} {smaller_unit}" if rest else "")
    return f"{whole} s"


def chunk_words(number: int, median: float, slowest: float) -> str:
    """`14 chunks of work ended: median 1.8 s, the slowest 4.9 s`."""
    chunks = "chunk of work ended" if number == 1 else "chunks of work ended"
    return f"{number:,} {chunks}: median {median:.1f} s, the slowest {slowest:.1f} s"


def rate_words(rate: float) -> str:
    """`3.2 a second` or, for slow work, `12 a minute`."""
    if rate >= 1:
        return f"{rate:.1f} a second"
    return f"{rate * 60:.0f} a minute" if rate * 60 >= 1 else f"{rate * 3600:.0f} an hour"


def failures_listed(failures: Mapping[str, int]) -> list[tuple[str, str, int]]:
    """(code, label, number) of a job's failures, the most frequent first."""
    labels = dict([*Failure.choices, *Unstretched.choices])
    listed = [(code, str(labels.get(code, code.replace("_", " "))), number) for code, number in failures.items()]
    return sorted(listed, key=lambda failure: (-failure[2], failure[0]))
