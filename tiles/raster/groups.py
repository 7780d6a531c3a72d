"""Pairs that belong together, as groups."""

from __future__ import annotations

from collections.abc import Iterable


def groups_of(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Every number of the pairs -> the lowest number that it hangs together with, itself among them."""
    above: dict[int, int] = {}

    def lowest(number: int) -> int:
        while above.setdefault(number, number) != number:
            above[number] = above[above[number]]
            number = above[number]
        return number

    for one, other in pairs:
        low, high = sorted((lowest(one), lowest(other)))
        above[high] = low
    return {number: lowest(number) for number in list(above)}
