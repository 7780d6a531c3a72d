"""Numbers about decisions: shares with honest intervals, agreement by class, what an order is worth."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

Z95 = 1.959963984540054
"""Of the normal distribution: 95 % lie within so many standard deviations."""


@dataclass(frozen=True)
class Share:
    """`part` of `whole`, with the 95 % interval of the share behind it. Shares are 0..1; without a whole, unknown."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        return self.part / self.whole if self.whole else None

    @property
    def low(self) -> float:
        return self._bounds()[0]

    @property
    def high(self) -> float:
        return self._bounds()[1]

    def _bounds(self) -> tuple[float, float]:
        """Wilson's score interval, which holds for few and for rare cases too. Source: Wilson 1927, JASA 22."""
        if not self.whole:
            return 0.0, 1.0
        n, p = self.whole, self.part / self.whole
        scale = 1 + Z95**2 / n
        middle = (p + Z95**2 / (2 * n)) / scale
        half = Z95 / scale * math.sqrt(p * (1 - p) / n + Z95**2 / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Agreement:
    """Pairs of judgements of which both say a class, and of which exactly one does.

    `value` is the specific agreement 2a / (2a + b + c): given that one says the class, how likely the other does.
    Source: Cicchetti and Feinstein 1990, J Clin Epidemiol 43(6).
    """

    both: int
    one: int

    @property
    def value(self) -> float | None:
        whole = 2 * self.both + self.one
        return 2 * self.both / whole if whole else None


def agreement_of(pairs: Iterable[tuple[Hashable, Hashable]]) -> dict[Hashable, Agreement]:
    """class -> its agreement among pairs of judgements, in no order; classes that nobody says are not there."""
    both: Counter[Hashable] = Counter()
    one: Counter[Hashable] = Counter()
    for here, there in pairs:
        if here == there:
            both[here] += 1
        else:
            one[here] += 1
            one[there] += 1
    return {name: Agreement(both[name], one[name]) for name in {*both, *one}}


def kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> float | None:
    """Agreement beyond chance for pairs in no order; None when everybody says the same or there are no pairs.

    Chance is taken from both sides together, since nobody is the first or the second judge.
    Source: Scott 1955, Public Opinion Quarterly 19(3).
    """
    if not pairs:
        return None
    said = Counter(name for pair in pairs for name in pair)
    expected = sum((count / (2 * len(pairs))) ** 2 for count in said.values())
    observed = sum(here == there for here, there in pairs) / len(pairs)
    return None if expected == 1 else (observed - expected) / (1 - expected)


def gain(scored: Iterable[tuple[float, bool]], fraction: float) -> float:
    """How many hits lie in the first `fraction` (0..1) of items put in order by score, highest first.

    Among items of one score any order is as good, so the hits of such a run count in proportion.
    """
    runs: dict[float, list[int]] = {}
    for score, hit in scored:
        run = runs.setdefault(score, [0, 0])
        run[0] += 1
        run[1] += hit
    left = fraction * sum(number for number, _hits in runs.values())
    found = 0.0
    for _score, (number, hits) in sorted(runs.items(), reverse=True):
        taken = min(left, number)
        found += hits * taken / number
        left -= taken
        if left <= 0:
            break
    return found
