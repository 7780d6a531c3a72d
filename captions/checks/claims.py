"""A check of one kind of claim: a topic that is mentioned, and a reason why the measures contradict it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .base import Checked, CheckFacts, Found
from .mentions import Mention

Reason = Callable[[Mention, CheckFacts], str]
"""Why the facts contradict a mention, with the numbers; "" where they do not or cannot tell."""


@dataclass(frozen=True)
class ClaimCheck:
    """claimed: asked of what the text says is there; denied: of what it says is not there."""

    code: str
    topics: tuple[str, ...]
    claimed: Reason | None = None
    denied: Reason | None = None
    severity: float = 0.7

    @property
    def codes(self) -> tuple[str, ...]:
        return (self.code,)

    def find(self, checked: Checked) -> Iterator[Found]:
        for mention in checked.mentions:
            if mention.topic not in self.topics or mention.hedged:
                continue
            reason = self.denied if mention.denied else self.claimed
            why = reason(mention, checked.facts) if reason else ""
            if why:
                verb = "denies" if mention.denied and not mention.never else "says"
                yield Found(self.code, f"{verb} “{mention.words}”: {why}", self.severity, mention.words, mention.start)


def metres(height: float) -> str:
    """A height in whole metres."""
    return f"{round(height):,} m"


def percent(share: float) -> str:
    """A share 0..1 in percent, with a digit where it would be 0 or 100 without."""
    return f"{share:.1%}" if 0 < share < 0.01 or 0.99 < share < 1 else f"{share:.0%}"


def place(facts: CheckFacts) -> str:
    """Latitude and greatest height, as reasons name them."""
    sign = "N" if (facts.lat or 0) >= 0 else "S"
    return f"{abs(facts.lat or 0):.0f}° {sign}, highest ground {metres(facts.dem_max or 0)}"
