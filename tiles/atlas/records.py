"""One tile of the atlas as a few bytes, and the plane it lies in."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiles.models.choices import REJECTION_REASONS, BuildState, ReviewState
from tiles.raster.terrain import LANDFORMS

METRES_A_DEGREE = 111_320.0
STATES = (
    *(ReviewState.PENDING, ReviewState.APPROVED, ReviewState.REJECTED, ReviewState.UNSURE),
    *(BuildState.PLANNED, BuildState.FAILED, ReviewState.SECOND, ReviewState.DISPUTED),
)
"""A built tile has its review state, any other one its build state. Blocks hold places in this: append only."""
REASONS = ("", *(reason.code for reason in REJECTION_REASONS))
LANDFORM_NAMES = ("", *(each.name for each in LANDFORMS))
MEASURES = ("score", "relief", "slope", "cloud_share", "void_share", "sharpness", "shift_px")

RECORD = np.dtype(
    [
        ("index", "<u4"),
        ("changed", "<u4"),
        ("picture", "<u4"),
        ("corners", "<f4", (8,)),
        *((name, "<f4") for name in MEASURES),
        ("state", "u1"),
        ("reason", "u1"),
        ("landform", "u1"),
    ]
)
"""changed: the atlas's version when this tile changed last. picture: version of the preview, 0 for none.
corners: x, y of the picture's top left, bottom left, bottom right and top right, metres east and north in the plane,
NaN for a tile without a place. Measures are NaN where unknown. state, reason, landform: places in the tuples above."""

Records = NDArray[np.void]
COLUMNS = ("index", "build_state", "review_state", "reason", "layers", "footprint", "grid", "lon", "lat", "gsd")
FIELDS = (*COLUMNS, "landform", *MEASURES)
"""What is read of a tile's row."""


class Plane(NamedTuple):
    """Equirectangular about a point: metres east and north of it."""

    lon: float
    lat: float

    def place(self, lon: float, lat: float) -> tuple[float, float]:
        """The short way round, so that an area across the antimeridian stays in one piece."""
        east = (lon - self.lon + 180.0) % 360.0 - 180.0
        return east * METRES_A_DEGREE * math.cos(math.radians(self.lat)), (lat - self.lat) * METRES_A_DEGREE


def records_of(rows: Iterable[Mapping[str, Any]], plane: Plane | None) -> Records:
    """(N,) RECORD of rows of FIELDS, `changed` left at 0."""
    listed = list(rows)
    records = np.zeros(len(listed), RECORD)
    for record, row in zip(records, listed, strict=True):
        record["index"] = row["index"]
        record["picture"] = int(row["layers"].get("preview", {}).get("v", 0))
        record["corners"] = np.nan if plane is None else _corners(row, plane)
        for name in MEASURES:
            record[name] = np.nan if row[name] is None else row[name]
        built = row["build_state"] == BuildState.BUILT
        if not built:
            record["score"] = np.nan
        record["state"] = STATES.index(row["review_state"] if built else row["build_state"])
        record["reason"] = _place(REASONS, row["reason"])
        record["landform"] = _place(LANDFORM_NAMES, row["landform"])
    return records


def pictures_digest(rows: Iterable[Mapping[str, Any]]) -> str:
    """Which previews a block has, and what is in them; empty when there are none."""
    shown = [(row["index"], row["layers"]["preview"]["sha256"]) for row in rows if "preview" in row["layers"]]
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16] if shown else ""


def _place(names: Sequence[str], name: str) -> int:
    return names.index(name) if name in names else 0


def _corners(row: Mapping[str, Any], plane: Plane) -> Sequence[float] | float:
    ring = row["footprint"]
    if ring and (len(ring) - 1) % 4 == 0:
        # A footprint goes round from the top left by way of the bottom left, with as many points on every side.
        side = (len(ring) - 1) // 4
        return [value for corner in range(4) for value in plane.place(*ring[corner * side])]
    if row["lon"] is None or row["lat"] is None or not row["gsd"] or not row["grid"]:
        return np.nan
    x, y = plane.place(row["lon"], row["lat"])
    wide, high = (row["grid"][name] * row["gsd"] / 2 for name in ("width", "height"))
    return [x - wide, y + high, x - wide, y - high, x + wide, y - high, x + wide, y + high]
