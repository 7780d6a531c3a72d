"""What an area's row says about how its tiles are made."""

from __future__ import annotations

from tiles.models import Area

from .tile import Recipe

METRES = {
    Area.HeightUnit.METRE: 1.0,
    Area.HeightUnit.UNKNOWN: 1.0,
    Area.HeightUnit.FOOT: 0.3048,
    Area.HeightUnit.SURVEY_FOOT: 1200 / 3937,
}


def recipe_of(area: Area) -> Recipe:
    """The recipe of an area that is being built, as its first build fixed it; the limits are the row's own."""
    return Recipe(
        void_limit=area.void_limit,
        uncovered_limit=area.uncovered_limit,
        unit_factor=METRES[Area.HeightUnit(area.recipe["height_unit"])],
        **area.recipe["stretch"],
        pack_rgb=rgb_is_packed(area, built=True),
    )


def rgb_is_packed(area: Area, *, built: bool) -> bool:
    """Whether an area packs its unstretched imagery. One that was built before this could be chosen does."""
    return bool(area.recipe.get("pack_rgb", built))
