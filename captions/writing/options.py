"""What a captioning is to do, as it stands in its job's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tiles.core.errors import BadInput

from ..captioners.base import Spent

KIND = "captions"
IMPORT = "import"
TRIAL_TILES = 10


@dataclass(frozen=True)
class Budget:
    """What a job may spend: tokens, and money in the unit of the configured prices; 0 is no limit."""

    tokens: int = 0
    money: float = 0.0

    def used_up(self, spent: Mapping[str, float]) -> str:
        """Which limit is reached, as words; empty while there is something left."""
        if self.tokens and spent.get("tokens", 0) >= self.tokens:
            return f"{self.tokens:,} tokens"
        if self.money and spent.get("money", 0.0) >= self.money:
            return f"{self.money:g} (money, at the configured prices)"
        return ""


@dataclass(frozen=True)
class Captioning:
    """One run of a captioner over an area.

    instruction: the version of the area's that it is told, 0 the usual one; None, before the job is made, the newest.
    make_captions: an answer becomes the caption wherever no person wrote, restored or accepted one; else it is only
    proposed. only_missing: leave out tiles of which this captioner has said anything before, whatever it was told.
    limit: tiles at most, 0 for all. trial: a few tiles from all over the area, proposed only, to be looked at.
    among: only tiles whose captions the list shows for this query, as `Among.of` reads it; empty for all tiles.
    """

    captioner: str
    model: str = ""
    instruction: int | None = None
    make_captions: bool = True
    only_missing: bool = False
    limit: int = 0
    trial: bool = False
    among: str = ""

    @property
    def told(self) -> int:
        """The version of the instruction, of a job."""
        return self.instruction or 0

    def check(self) -> None:
        """Raise BadInput for what makes no sense."""
        if self.limit < 0:
            raise BadInput("The limit is a number of tiles, 1 or more.", field="limit")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Captioning:
        return cls(**parameters["captioning"])


def spent_add(spent: Mapping[str, float], more: Spent, *, money: float, answers: int) -> dict[str, float]:
    """What a job has spent, with some more."""
    return {
        "tokens": spent.get("tokens", 0) + more.tokens,
        "money": spent.get("money", 0.0) + money,
        "seconds": spent.get("seconds", 0.0) + more.seconds,
        "answers": spent.get("answers", 0) + answers,
    }
