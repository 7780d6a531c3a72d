"""The native resolution of heights and imagery against the grid they are put on."""

from __future__ import annotations

from collections.abc import Sequence

from tiles.core.errors import BadInput
from tiles.models import Area

from .sheets import Sheet

WARN_ABOVE, REFUSE_ABOVE = 2.0, 4.0
UPSAMPLED = "upsampled"
SIDES = {"imagery": "imagery", "dem": "heights"}


def tile_upsampling(area: Area, gsd: float | None) -> dict[str, float]:
    """How many times finer than the native resolution a grid is, "imagery" and "dem", where that is more than twice."""
    found = {}
    for side in SIDES:
        native = getattr(area, f"{side}_gsd")
        # Rounded, for a grid that is twice as fine is not finer than that by a digit of its header.
        if native and gsd and (ratio := round(native / gsd, 2)) > WARN_ABOVE:
            found[side] = ratio
    return found


def upsampling_checked(area: Area, sheets: Sequence[Sheet], *, allowed: bool) -> list[str]:
    """What there is to say of grids that are more than twice as fine as what is put on them, a sentence a side.

    Raises BadInput above four times, unless `allowed`.
    """
    grids = [sheet.tile_grid(0, 0) for sheet in sheets if sheet.grid]
    said = []
    for side, words in SIDES.items():
        ratios = [(tile_upsampling(area, grid.gsd_m).get(side, 0.0), grid.gsd_m) for grid in grids]
        ratio, gsd = max(ratios, default=(0.0, 0.0))
        if not ratio:
            continue
        native = getattr(area, f"{side}_gsd")
        sentence = f"The grid of {gsd:.3g} m is {ratio:g} times finer than the {words} ({native:.3g} m)"
        if ratio > REFUSE_ABOVE and not allowed:
            raise BadInput(
                f"{sentence}: most of its pixels would be made up. Choose a coarser grid (--gsd {native:.3g}), "
                f"say what the native resolution is (--{side}-gsd), or insist (--allow-upsampling).",
                code="upsampling",
                field="grid.allow_upsampling",
            )
        said.append(f"{sentence}: it shows no more detail than they have.")
    return said
