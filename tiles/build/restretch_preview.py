"""What another stretch would do to an area's pictures, seen on one tile before it is started. Nothing is written."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tiles.areas.selectors import area_counts, area_samples
from tiles.core.errors import BadInput
from tiles.models import Area, TilePair
from tiles.raster.errors import RasterError

from . import door
from .restretch import LAYER, rgb_read
from .services import STRETCH
from .tile import Recipe, picture_layers, picture_stretch


@dataclass(frozen=True)
class Reach:
    """How much another stretch may change. pictures: built tiles; the others: decisions that would fall to pending."""

    pictures: int
    approved: int
    rejected: int
    unsure: int

    @property
    def decided(self) -> int:
        return self.approved + self.rejected + self.unsure


@dataclass(frozen=True)
class Picture:
    """A tile's picture, stretched otherwise. content: the PNG file; changed: whether it is another one than now."""

    content: bytes
    changed: bool


def stretch_of(area: Area) -> dict[str, Any]:
    """The stretch that an area's pictures are made with."""
    return {**STRETCH, **area.recipe.get("stretch", {})}


def restretch_reach(area: Area) -> Reach:
    """From the maintained counters: it is the most that can change, for pictures that come out the same stay."""
    counts = area_counts(area)
    return Reach(counts.built, counts.approved, counts.rejected, counts.unsure)


def picture_tile(area: Area, index: int | None) -> TilePair | None:
    """The tile of this number, or one from the middle of the area; None where no tile has its unstretched imagery.

    Raises BadInput for a number that has none.
    """
    if index is None:
        stored = [tile for tile in area_samples(area) if LAYER in tile.layers]
        return stored[len(stored) // 2] if stored else None
    tile = area.tiles.filter(index=index).first()
    if tile is None or LAYER not in tile.layers:
        raise BadInput(
            f"There is no tile_{index} with unstretched imagery in this area. Choose another number.", field="tile"
        )
    return tile


def picture_restretched(area: Area, tile: TilePair, stretch: Mapping[str, Any]) -> Picture:
    """The picture that `area_restretch` would make of a tile. Raises BadInput, also for imagery that is damaged."""
    door.require_stretch(stretch)
    try:
        rgb, valid = rgb_read(area, tile)
        content = picture_layers(picture_stretch(rgb, valid, Recipe(**stretch)))["png"].content
    except RasterError as error:
        raise BadInput(str(error), field="tile") from error
    return Picture(content, hashlib.sha256(content).hexdigest() != tile.layers["png"]["sha256"])
