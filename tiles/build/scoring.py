"""A tile's anomaly score, from what its row says and what its area makes of it."""

from __future__ import annotations

from tiles.models import TilePair
from tiles.raster.quality import CONSTANT_BAND, FEW_HEIGHTS, FLAT
from tiles.raster.score import score_of
from tiles.raster.shift import FLAG_FROM_PX

# Water is smoother than land, and says nothing about the sharpness of a picture.
MOST_WATER = 0.3


def score_apply(tile: TilePair, *, area_sharpness: float | None = None) -> None:
    """Set the score and its causes on the row, in memory.

    `shift_px` and `duplicate_of` are taken as they stand there. area_sharpness: the median of the area, None where it
    is not known yet: then nothing is called blurred.
    """
    measures = tile.measures.get("quality")
    if measures is None:
        tile.score, tile.causes = 0.0, []
        return
    flags = set(tile.flags)
    shifted = tile.shift_px is not None and tile.shift_px >= FLAG_FROM_PX
    blurred = None
    if area_sharpness and tile.sharpness is not None and (tile.water_share or 0) <= MOST_WATER:
        blurred = round(1 - tile.sharpness / area_sharpness, 4)
    score, causes = score_of(
        {
            "void": tile.void_share,
            "blank": measures["blank_share"],
            "cloud": measures["cloud_share"],
            "haze": measures["haze_share"],
            "saturated": measures["saturated_share"],
            "flat": float(FLAT in flags),
            "few_heights": float(FEW_HEIGHTS in flags),
            "constant_band": float(CONSTANT_BAND in flags),
            "spikes": measures["spikes"],
            "terraces": measures["terrace_share"],
            "blurred": blurred,
            "stripes": measures["striping"],
            "shift": tile.shift_px if shifted else None,
            "duplicate": None if tile.duplicate_of is None else 1.0,
        }
    )
    tile.score = score
    tile.causes = [{"code": each.code, "severity": each.severity, "value": each.value} for each in causes]
