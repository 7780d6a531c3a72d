"""The folders that depth training (D3-RSMDE) reads: picture and 8-bit heights, and lists of bare numbers."""

from __future__ import annotations

from collections.abc import Iterable

from tiles.core.paths import tile_file

from .base import TEST, AboutRelease, FrozenTile, Option, Package
from .lists import SplitLists
from .rs3dbench import FOLDERS

HELD_OUT = {TEST: "singleRGBNormalizationTest"}
LAYERS = ("png", "dem255", "void")


class D3RSMDE:
    """`ImageToDEM-<region>/singleRGBNormalization/{png-stretched-unique,DEM_255-unique}/tile_N.*` for training and
    validation, `.../singleRGBNormalizationTest/...` for testing, and `ImageToDEM-<region>/{train,val,test}.txt`."""

    name = "d3rsmde"
    label = "D3-RSMDE depth training folders"
    required: tuple[str, ...] = ("png", "dem255")
    optional: tuple[str, ...] = ("void",)
    options: tuple[Option, ...] = ()
    needs = "numpy and Pillow"
    disk = 1.0
    folder = "exports/layouts/d3rsmde"

    def write(self, tiles: Iterable[FrozenTile], about: AboutRelease, package: Package) -> None:
        lists = SplitLists(lambda _split, number: str(number), always=True)
        for tile in tiles:
            write_pair(tile, package)
            lists.add(tile, region(tile))
        lists.write(package)


def region(tile: FrozenTile) -> str:
    return f"ImageToDEM-{tile.folder}"


def side(split: str) -> str:
    """The folder of a split's files below that of the region."""
    return HELD_OUT.get(split, "singleRGBNormalization")


def write_pair(tile: FrozenTile, package: Package) -> None:
    """The layers of a tile, unchanged, on its split's side."""
    for layer in LAYERS:
        if layer in tile.layers:
            folder = f"{region(tile)}/{side(tile.part)}/{FOLDERS[layer]}"
            package.layer(tile, layer, f"{folder}/{tile_file(layer, tile.index)}")
