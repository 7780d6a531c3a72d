"""All checks, what their findings are called, and how findings make a caption doubtful."""

from __future__ import annotations

from collections.abc import Iterable

from . import cover, ground, lengths, metadata, numbers, rivals, sky, wording
from .base import MOST_WORDS, Check, Checked, Found

CHECKS: tuple[Check, ...] = (
    *ground.CHECKS,
    *cover.CHECKS,
    *sky.CHECKS,
    *metadata.CHECKS,
    *numbers.CHECKS,
    *wording.CHECKS,
    *lengths.CHECKS,
    *rivals.CHECKS,
)
CONTRADICTIONS = {
    "sea": "Sea",
    "lake": "Lake",
    "mountain": "Mountain",
    "hill": "Hill",
    "plain": "Plain",
    "slope": "Slope",
    "height": "Height",
    "snow": "Snow or ice",
    "forest": "Forest",
    "vegetation": "Vegetation",
    "desert": "Desert",
    "city": "City or town",
    "farmland": "Farmland",
    "cloud": "Cloud",
    "fog": "Fog or haze",
    "night": "Night or day",
    "gsd": "Resolution",
    "satellite": "Satellite",
    "modality": "Modality",
    "weather": "Weather",
}
"""Codes of claims that the measures or the metadata contradict, and their labels."""
UNPROVED = ("number", "name")
LABELS = CONTRADICTIONS | {
    "number": "A number that nothing proves",
    "name": "A name that nothing proves",
    "boilerplate": "Boilerplate",
    "repetition": "Repetition",
    "banned": "A banned word",
    "language": "Another language",
    "too_long": "Too long",
    "too_short": "Too short",
    "duplicate": "Like many others",
    "rivals": "Captioners disagree",
}
MOST_FINDINGS = 30
"""Findings of one caption that are kept: the most severe. Nobody reads more."""
WEIGHT_OF_CONFIDENCE, WEIGHT_OF_DISAGREEMENT = 0.3, 0.4


def findings_of(checked: Checked) -> list[Found]:
    """All findings of a caption, the most severe first; one for the same words of a code, the first of them."""
    first: dict[tuple[str, str], Found] = {}
    for check in CHECKS:
        for found in check.find(checked):
            key = (found.code, found.words[:MOST_WORDS])
            if key not in first or (found.start or 0) < (first[key].start or 0):
                first[key] = found
    contradicted = [
        range(found.start, found.start + len(found.words))
        for found in first.values()
        if found.start is not None and found.code in CONTRADICTIONS
    ]
    # A number that is wrong needs no second finding that nothing proves it.
    for key, found in list(first.items()):
        if found.code in UNPROVED and any(found.start in span for span in contradicted):
            del first[key]
    ordered = sorted(first.values(), key=lambda found: (-found.severity, found.start or 0, found.code))
    return ordered[:MOST_FINDINGS]


def doubt_of(severities: Iterable[float], *, confidence: float | None = None, disagreement: float = 0.0) -> float:
    """How much a caption deserves a look, 0..1.

    1 - (1 - s1)(1 - s2)...(1 - 0.3 (1 - c))(1 - 0.4 d): severities s of the findings nobody dismissed, confidence c
    of the captioner (1 where it has none, and for a person's text), disagreement d of the other captioners.
    """
    sure = 1.0
    for severity in severities:
        sure *= 1 - severity
    sure *= 1 - WEIGHT_OF_CONFIDENCE * (1 - (1.0 if confidence is None else min(max(confidence, 0.0), 1.0)))
    sure *= 1 - WEIGHT_OF_DISAGREEMENT * min(max(disagreement, 0.0), 1.0)
    return round(1 - sure, 4)
