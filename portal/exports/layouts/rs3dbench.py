"""RS3DBench region folders (arXiv 2509.18897): picture, heights and 8-bit heights of one number, and a text."""

from __future__ import annotations

from collections.abc import Iterable

from tiles.core.paths import tile_file
from tiles.raster.colour_map import colour_map

from .base import AboutRelease, FrozenTile, Option, Package
from .lists import SplitLists

FOLDERS = {"png": "png-stretched-unique", "dem": "DEM-unique", "dem255": "DEM_255-unique", "void": "void-unique"}

COLOUR_MAPS = Option("colour_maps", "Colour depth maps", default=0, least=0, most=1)


class RS3DBench:
    """`<region>/png-stretched-unique/tile_N.png`, `<region>/DEM-unique/tile_N.tif`,
    `<region>/DEM_255-unique/tile_N.tif`, `TextPrompt-<region>/tile_N.txt`; a region is an area's slug. With splits
    `<region>/train.txt`, `val.txt` and `test.txt` name its tiles."""

    name = "rs3dbench"
    label = "RS3DBench region folders"
    required: tuple[str, ...] = ("png", "dem", "dem255")
    optional: tuple[str, ...] = ("void",)
    options: tuple[Option, ...] = (COLOUR_MAPS,)
    needs = "numpy and Pillow"
    disk = 1.1
    folder = "exports/layouts/rs3dbench"

    def write(self, tiles: Iterable[FrozenTile], about: AboutRelease, package: Package) -> None:
        lists = SplitLists(lambda _split, number: f"tile_{number}")
        for tile in tiles:
            for layer, folder in FOLDERS.items():
                if layer in tile.layers:
                    package.layer(tile, layer, f"{tile.folder}/{folder}/{tile_file(layer, tile.index)}")
            if about.options[COLOUR_MAPS.name]:
                _write_colours(tile, package)
            write_text(tile, package)
            lists.add(tile, tile.folder)
        lists.write(package)


def _write_colours(tile: FrozenTile, package: Package) -> None:
    """`<region>/DEM_color-unique/tile_N_color.png`."""
    void = package.read(tile, "void") if "void" in tile.layers else None
    coloured = colour_map(package.read(tile, "dem"), void)
    package.file(f"{tile.folder}/DEM_color-unique/{tile.name}_color.png", coloured, tile=tile, role="colour")


def write_text(tile: FrozenTile, package: Package) -> None:
    """`TextPrompt-<region>/tile_N.txt`, where there is a text. Its last line ends too, since readers join the lines."""
    if tile.caption is not None:
        path = f"TextPrompt-{tile.folder}/{tile.name}.txt"
        package.file(path, f"{tile.text}\n".encode(), tile=tile, role="caption")
