"""The native resolution of heights and imagery against the grid they are put on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tiles.core.errors import BadInput
from tiles.models import Area

from .sheets import Sheet

WARN_ABOVE, REFUSE_ABOVE = 2.0, 4.0
UPSAMPLED = "upsampled"
SIDES = {"imagery": "imagery", "dem": "heights"}

Native = Mapping[str, float | None]
"""Metres of the native resolution of "imagery" and "dem"; None where nobody knows it."""


@dataclass(frozen=True)
class Enlarged:
    """A grid of `gsd` metres that is `ratio` times, more than twice, finer than one of SIDES, of `native` metres."""

    side: str
    ratio: float
    gsd: float
    native: float

    @property
    def too_far(self) -> bool:
        """Whether it is refused unless somebody insists."""
        return self.ratio > REFUSE_ABOVE

    @property
    def clause(self) -> str:
        return (
            f"The grid of {self.gsd:.3g} m is {self.ratio:g} times finer than the {SIDES[self.side]} "
            f"({self.native:.3g} m)"
        )

    @property
    def warning(self) -> str:
        return f"{self.clause}: it shows no more detail than they have."

    @property
    def refusal(self) -> str:
        return (
            f"{self.clause}: most of its pixels would be made up. Choose a coarser grid (--gsd {self.native:.3g}), "
            f"say what the native resolution is (--{self.side}-gsd), or insist (--allow-upsampling)."
        )


def tile_upsampling(area: Area, gsd: float | None) -> dict[str, float]:
    """How many times finer than the native resolution a grid is, "imagery" and "dem", where that is more than twice."""
    return _upsampling(native_of(area), gsd)


def native_of(area: Area) -> Native:
    return {"imagery": area.imagery_gsd, "dem": area.dem_gsd}


def sheets_enlarged(native: Native, sheets: Sequence[Sheet]) -> list[Enlarged]:
    """Where these sheets are cut on a grid that is more than twice as fine: the worst one of each side."""
    grids = [sheet.tile_grid(0, 0).gsd_m for sheet in sheets if sheet.grid]
    found = []
    for side in SIDES:
        ratio, gsd = max(((_upsampling(native, gsd).get(side, 0.0), gsd) for gsd in grids), default=(0.0, 0.0))
        if ratio:
            found.append(Enlarged(side, ratio, gsd, native[side] or 0.0))
    return found


def upsampling_checked(area: Area, sheets: Sequence[Sheet], *, allowed: bool) -> list[str]:
    """What there is to say of grids that are more than twice as fine as what is put on them, a sentence a side.

    Raises BadInput above four times, unless `allowed`.
    """
    said = []
    for enlarged in sheets_enlarged(native_of(area), sheets):
        if enlarged.too_far and not allowed:
            raise BadInput(enlarged.refusal, code="upsampling", field="grid.allow_upsampling")
        said.append(enlarged.warning)
    return said


def _upsampling(native: Native, gsd: float | None) -> dict[str, float]:
    found = {}
    for side in SIDES:
        metres = native.get(side)
        # Rounded, for a grid that is twice as fine is not finer than that by a digit of its header.
        if metres and gsd and (ratio := round(metres / gsd, 2)) > WARN_ABOVE:
            found[side] = ratio
    return found
