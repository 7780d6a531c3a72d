"""What Marigold-RS reads: the depth training folders, lists of `rgb depth` pairs, and text prompts."""

from __future__ import annotations

from collections.abc import Iterable

from tiles.core.paths import tile_file

from .base import AboutRelease, FrozenTile, Option, Package
from .d3rsmde import region, side, write_pair
from .lists import SplitLists
from .rs3dbench import FOLDERS, write_text


class Marigold:
    """As `D3RSMDE`; a line of a list is `<rgb>.png <depth>.tif`, both relative to `ImageToDEM-<region>`, and
    `TextPrompt-<region>/tile_N.txt` holds the text."""

    name = "marigold"
    label = "Marigold-RS file lists and text prompts"
    required: tuple[str, ...] = ("png", "dem255")
    optional: tuple[str, ...] = ("void",)
    options: tuple[Option, ...] = ()
    needs = "numpy and Pillow"
    disk = 1.0
    folder = "exports/layouts/marigold"

    def write(self, tiles: Iterable[FrozenTile], about: AboutRelease, package: Package) -> None:
        lists = SplitLists(_pair, always=True)
        for tile in tiles:
            write_pair(tile, package)
            write_text(tile, package)
            lists.add(tile, region(tile))
        lists.write(package)


def _pair(split: str, number: int) -> str:
    return " ".join(f"{side(split)}/{FOLDERS[layer]}/{tile_file(layer, number)}" for layer in ("png", "dem255"))
