"""How right the checks of captions are, on the labelled pairs of tests/captions/labelled, and what they cost."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.report import cpu_seconds, show

FOLDER = Path(__file__).resolve().parent.parent / "captions" / "labelled"
PARTS = {"development": "development.json", "held out": "held_out.json"}
CAPTIONS = 1000


@dataclass
class Score:
    """Findings that were right, that were made, that were expected; and each that was wrong or missed, in words."""

    right: int = 0
    made: int = 0
    expected: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.right / max(self.made, 1)

    @property
    def recall(self) -> float:
        return self.right / max(self.expected, 1)


def pairs_of(part: str) -> list[dict[str, Any]] | None:
    """The labelled pairs of a part, or None where it is not there."""
    file = FOLDER / PARTS[part]
    return json.loads(file.read_text()) if file.exists() else None


def checked_of(pair: dict[str, Any]) -> Any:
    from captions.checks.base import Checked, CheckFacts

    facts = CheckFacts(area="labelled", index=0, **pair["facts"])
    return Checked(text=pair["text"], facts=facts, components=pair.get("components") or {})


def measure(pairs: Iterable[dict[str, Any]]) -> Score:
    """Compare what is found with what is expected. An expected `a|b` is met by either, and makes neither wrong."""
    from captions.checks.catalogue import CONTRADICTIONS, findings_of

    score = Score()
    for pair in pairs:
        found = [each for each in findings_of(checked_of(pair)) if each.code in CONTRADICTIONS]
        codes = {each.code for each in found}
        wanted = [set(each.split("|")) for each in pair["expect"]]
        met = [each for each in wanted if each & codes]
        right = {code for code in codes if any(code in each for each in wanted)}
        score.expected += len(wanted)
        score.right += len(met)
        score.made += len(met) + len(codes - right)
        score.faults += [
            f"{pair['id']}: {each.message}  <- {pair['text']}" for each in found if each.code in codes - right
        ]
        score.faults += [
            f"{pair['id']}: missed {'|'.join(sorted(each))}  <- {pair['text']}" for each in wanted if not each & codes
        ]
    return score


def main() -> None:
    os.environ.setdefault("SECRET_KEY", "only-for-benches")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    import django

    django.setup()
    rows, everything = [], []
    for part in PARTS:
        pairs = pairs_of(part)
        if pairs is None:
            rows.append((part, "not there yet"))
            continue
        everything += pairs
        score = measure(pairs)
        rows.append(
            (f"{part}: {len(pairs)} pairs", f"precision {score.precision:.2f}, recall {score.recall:.2f}"),
        )
    rows.append((f"{CAPTIONS:,} captions checked", f"{cpu_seconds(_work(everything), 3):.2f} s of CPU"))
    show("Checks of captions against the measures (targets on the held-out part: precision 0.90, recall 0.80)", rows)


def _work(pairs: list[dict[str, Any]]) -> Callable[[], None]:
    from captions.checks.catalogue import findings_of

    def check() -> None:
        for number in range(CAPTIONS):
            findings_of(checked_of(pairs[number % len(pairs)]))

    return check


if __name__ == "__main__":
    main()
