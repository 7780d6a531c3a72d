"""Small charts as shapes for an SVG of WIDTH x HEIGHT units. The numbers stand in a table beside each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 360, 180
LEFT, BOTTOM, TOP, RIGHT = 40, 32, 10, 8
GAP = 0.2
TICKS = (0, 25, 50, 75, 100)


class Bar(NamedTuple):
    """A bar, the whisker of its interval, and a label beneath. Numbers are written as SVG takes them."""

    x: str
    y: str
    width: str
    height: str
    middle: str
    whisker_top: str
    whisker_bottom: str
    label: str
    known: bool


class Tick(NamedTuple):
    y: str
    label: str


def share_bars(shares: Sequence[tuple[str, float | None, float, float]]) -> list[Bar]:
    """(label, share, low, high) each, 0..1; without a share there is no bar."""
    slot = (WIDTH - LEFT - RIGHT) / max(len(shares), 1)
    bars = []
    for place, (label, value, low, high) in enumerate(shares):
        x, width, top = LEFT + slot * (place + GAP / 2), slot * (1 - GAP), _y(value or 0.0)
        shape = (x, top, width, _y(0) - top, x + width / 2, _y(high), _y(low))
        bars.append(Bar._make([*(f"{number:.1f}" for number in shape), label, value is not None]))
    return bars


def count_bars(numbers: Sequence[tuple[str, int]], most: int) -> list[Bar]:
    """(label, number) each, as high as `most` allows."""
    return share_bars([(label, number / max(most, 1), 0, 0) for label, number in numbers])


def share_ticks() -> list[Tick]:
    return [Tick(f"{_y(percent / 100):.1f}", f"{percent} %") for percent in TICKS]


def count_ticks(most: int) -> list[Tick]:
    return [Tick(f"{_y(share):.1f}", f"{round(share * most):,}") for share in (0.0, 1.0)]


def curve(points: Sequence[tuple[float, float]]) -> str:
    """(x, y) each, 0..1, as the points of a polyline."""
    return " ".join(f"{LEFT + x * (WIDTH - LEFT - RIGHT):.1f},{_y(y):.1f}" for x, y in points)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)
