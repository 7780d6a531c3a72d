"""The measures of a tile that lists are filtered by."""

from __future__ import annotations

from typing import NamedTuple


class Measure(NamedTuple):
    """A column of the tiles with a word for people. unit: empty for a plain number, a share is 0..1."""

    column: str
    label: str
    unit: str = ""

    @property
    def words(self) -> str:
        return f"{self.label} ({self.unit})" if self.unit else self.label


SHARE = "share, 0 to 1"
MEASURES = (
    Measure("index", "Number"),
    Measure("score", "Score", "0 to 1"),
    Measure("dem_min", "Lowest height", "m"),
    Measure("dem_max", "Highest height", "m"),
    Measure("relief", "Relief", "m"),
    Measure("slope", "Mean slope", "degrees"),
    Measure("cloud_share", "Cloud", SHARE),
    Measure("shift_px", "Shift", "pixels"),
    Measure("water_share", "Water", SHARE),
    Measure("void_share", "Void", SHARE),
    Measure("uncovered_share", "Not covered", SHARE),
    Measure("saturated_share", "Saturated", SHARE),
    Measure("sharpness", "Sharpness"),
    Measure("distinct_heights", "Distinct heights"),
    Measure("gsd", "Metres a pixel", "m"),
)
