"""What tiles are compared with each other by: written with a tile, and read back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from tiles.models import TilePair, TileSignature
from tiles.raster.likeness import THUMB, Likeness
from tiles.raster.measuring import Quality
from tiles.raster.shift import Trial

Bounds = tuple[float, float, float, float]


_WRITTEN = ("area", "cell", *TileSignature.QUARTERS, "picture", "heights", "trials")


def signatures_write(made: Sequence[tuple[TilePair, Quality]]) -> None:
    """Write or replace the signatures of tiles that are saved. Inside the transaction that records the tiles."""
    TileSignature.objects.bulk_create(
        [_signature(tile, quality) for tile, quality in made],
        update_conflicts=True,
        unique_fields=["tile"],
        update_fields=_WRITTEN,
    )


def _signature(tile: TilePair, quality: Quality) -> TileSignature:
    likeness = quality.likeness
    quarters = likeness.quarters if likeness else (None,) * 4
    return TileSignature(
        tile=tile,
        area_id=tile.area_id,
        cell=cell_of(tile),
        **dict(zip(TileSignature.QUARTERS, quarters, strict=True)),
        picture=likeness.picture.tobytes() if likeness else b"",
        heights=likeness.heights.astype("<f4").tobytes() if likeness else b"",
        trials=[
            [round(1000 * trial.peak), round(100 * trial.down), round(100 * trial.right)] for trial in quality.trials
        ],
    )


def likeness_read(signature: TileSignature) -> Likeness | None:
    """The likeness that was written, or None for a tile without texture."""
    quarters = [getattr(signature, name) for name in TileSignature.QUARTERS]
    if None in quarters:
        return None
    return Likeness(
        sum(quarter << (16 * part) for part, quarter in enumerate(quarters)),
        np.frombuffer(signature.picture, np.uint8).reshape(THUMB, THUMB),
        np.frombuffer(signature.heights, "<f4").reshape(THUMB, THUMB),
    )


def trial_read(trials: Sequence[Sequence[int]], number: int) -> Trial | None:
    """One of the trials that were written, or None where nothing could be measured."""
    if not trials:
        return None
    peak, down, right = trials[number]
    return Trial(peak / 1000, down / 100, right / 100)


def bounds_of(tile: TilePair) -> Bounds | None:
    """West, south, east, north of a tile's footprint, degrees."""
    if not tile.footprint:
        return None
    lons, lats = [point[0] for point in tile.footprint], [point[1] for point in tile.footprint]
    return min(lons), min(lats), max(lons), max(lats)


def overlap(a: Bounds, b: Bounds) -> float:
    """Common part of two footprints' boxes as a share of the smaller one, 0..1."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return width * height / smaller if width > 0 and height > 0 and smaller > 0 else 0.0


def cell_of(tile: TilePair) -> str:
    """The cell of a lattice in which a tile's centre lies; empty when nobody knows where that is."""
    bounds = bounds_of(tile)
    if bounds is None:
        return ""
    return next(_cells(bounds, 0.0))


def cells_near(tile: TilePair) -> set[str]:
    """The cells in which the centre of a tile lies that covers more than half of this one, and is about as large."""
    bounds = bounds_of(tile)
    return set() if bounds is None else set(_cells(bounds, 0.5))


def _cells(bounds: Bounds, reach: float) -> Iterator[str]:
    """Cells around a centre, `reach` tiles each way. They are as high as a tile, rounded up to a power of two."""
    west, south, east, north = bounds
    lat, lon = (south + north) / 2, (west + east) / 2
    high, wide = (north - south) * reach, (east - west) * reach
    level = math.ceil(math.log2(north - south)) if north > south else 0
    side = 2.0**level
    for row in range(math.floor((lat - high) / side), math.floor((lat + high) / side) + 1):
        narrow = max(math.cos(math.radians((row + 0.5) * side)), 1e-6) / side
        for column in range(math.floor((lon - wide) * narrow), math.floor((lon + wide) * narrow) + 1):
            yield f"{level}:{row}:{column}"
