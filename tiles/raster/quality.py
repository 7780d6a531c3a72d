"""Flags that tell a reviewer, and the export rules, what is doubtful about a tile."""

from tiles.raster.depth import MIN_DISTINCT_HEIGHTS
from tiles.raster.stretch import CONSTANT_BAND

FLAT = "flat"
FEW_HEIGHTS = "few_heights"


def flags_of(*, distinct: int | None = None, stretch_flags: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Put together the flags of a tile, each once, in a fixed order.

    distinct: number of distinct heights: 0 or 1 is "flat", fewer than MIN_DISTINCT_HEIGHTS "few_heights"; None when
    there are no heights to judge. stretch_flags: as stretch_rgb gave them, such as "constant_band".
    """
    flags: list[str] = []
    if distinct is not None and distinct < MIN_DISTINCT_HEIGHTS:
        flags.append(FLAT if distinct <= 1 else FEW_HEIGHTS)
    return tuple(dict.fromkeys([*flags, *stretch_flags]))


__all__ = ["CONSTANT_BAND", "FEW_HEIGHTS", "FLAT", "MIN_DISTINCT_HEIGHTS", "flags_of"]
