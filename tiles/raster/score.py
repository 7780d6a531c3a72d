"""One number that says how much a tile deserves a look, and why."""

from collections.abc import Mapping
from dataclasses import dataclass

#: How grave each measure is: nothing up to the first number, and as the third says from the second on.
RAMPS: dict[str, tuple[float, float, float]] = {
    "void": (0.0, 0.05, 0.6),
    "blank": (0.0, 0.10, 0.9),
    "cloud": (0.03, 0.20, 0.9),
    "haze": (0.10, 0.40, 0.8),
    "saturated": (0.01, 0.10, 0.7),
    "flat": (0.0, 1.0, 0.95),
    "few_heights": (0.0, 1.0, 0.9),
    "spikes": (0.0, 3.0, 0.8),
    "terraces": (0.30, 0.60, 0.85),
    "blurred": (0.45, 0.70, 0.7),
    "stripes": (0.35, 0.60, 0.8),
    "constant_band": (0.0, 1.0, 0.9),
    "shift": (0.0, 4.0, 0.9),
    "duplicate": (0.0, 1.0, 0.9),
}
NAMED_FROM = 0.05


@dataclass(frozen=True)
class Cause:
    """code: a key of RAMPS. severity: 0..1. value: the measure itself."""

    code: str
    severity: float
    value: float


def severity(code: str, value: float) -> float:
    """How grave a value is, 0..1; never falls when the value grows. Raises KeyError for an unknown code."""
    start, end, most = RAMPS[code]
    return most * min(max((value - start) / (end - start), 0.0), 1.0)


def score_of(values: Mapping[str, float | None]) -> tuple[float, tuple[Cause, ...]]:
    """The anomaly score of a tile, 0..1 in steps of 0.0001, and its causes, the gravest first.

    values: measure by code of RAMPS; what is None is unknown and weighs nothing. Severities are joined as independent
    chances, 1 - (1 - a)(1 - b)..., so that the score never falls when any measure grows.
    """
    causes = [
        Cause(code, round(grave, 4), value)
        for code, value in values.items()
        if value is not None and (grave := severity(code, value)) > 0
    ]
    clear = 1.0
    for cause in causes:
        clear *= 1 - cause.severity
    named = sorted((cause for cause in causes if cause.severity >= NAMED_FROM), key=lambda c: (-c.severity, c.code))
    return round(1 - clear, 4), tuple(named)
