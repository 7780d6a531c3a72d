"""RS3DBench region folders (arXiv 2509.18897): picture, heights and 8-bit heights of one number, and a text."""

from __future__ import annotations

from collections.abc import Iterator

from tiles.core.paths import tile_file

from .base import FileOfLayer, FileOfText, FrozenTile

FOLDERS = {"png": "png-stretched-unique", "dem": "DEM-unique", "dem255": "DEM_255-unique", "void": "void-unique"}


class RS3DBench:
    """`<region>/png-stretched-unique/tile_N.png`, `<region>/DEM-unique/tile_N.tif`,
    `<region>/DEM_255-unique/tile_N.tif`, `TextPrompt-<region>/tile_N.txt`; a region is an area's slug."""

    name = "rs3dbench"
    label = "RS3DBench region folders"
    required: tuple[str, ...] = ("png", "dem", "dem255")
    optional: tuple[str, ...] = ("void",)
    readme = "exports/rs3dbench_readme.md"
    loader = "exports/rs3dbench_loader.txt"

    def files(self, tile: FrozenTile) -> Iterator[FileOfLayer | FileOfText]:
        for layer, folder in FOLDERS.items():
            if layer in tile.layers:
                yield FileOfLayer(f"{tile.area}/{folder}/{tile_file(layer, tile.index)}", layer)
        if tile.caption is not None:
            # Readers join the lines of a prompt, so line ends are one kind and the last one is there.
            text = "\n".join(tile.caption.splitlines()) + "\n"
            yield FileOfText(f"TextPrompt-{tile.area}/tile_{tile.index}.txt", "caption", text)
