"""The files of a tile: written whole, versioned by content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tiles.core.files import TEMPORARY, remove_temporary, sync_folder, write_whole
from tiles.core.paths import area_folder, layer_path

from .tile import LayerContent


def layers_write(
    *, area: str, index: int, contents: Mapping[str, LayerContent], before: Mapping[str, Any], owner: str
) -> dict[str, Any]:
    """Write the layers of a tile that are new or differ from `before`; returns what becomes `TilePair.layers`.

    A layer whose content is what it was keeps its version, and its file is left alone; another one gets the next.
    owner: names the temporary files. Raises DiskFull, ApplicationError when the folder cannot be written.
    """
    layers = layers_entries(contents, before=before)
    for layer, content in contents.items():
        old = before.get(layer)
        path = layer_path(area, layer, index)
        if not (old and old["sha256"] == layers[layer]["sha256"] and path.is_file()):
            write_whole(path, content.content, owner)
    return layers


def layers_entries(contents: Mapping[str, LayerContent], *, before: Mapping[str, Any]) -> dict[str, Any]:
    """What `TilePair.layers` says of these layers: the old version for the same content, the next for another."""
    layers = {}
    for layer, content in contents.items():
        old = before.get(layer)
        entry = content.entry(int(old["v"]) if old else 1)
        if old and old["sha256"] != entry["sha256"]:
            entry["v"] += 1
        layers[layer] = entry
    return layers


def layers_settle(*, area: str, tiles: Iterable[tuple[int, Iterable[str]]]) -> None:
    """Make the files of these tiles, (index, layer names) each, outlast a power cut, before a row speaks of them."""
    for folder in {layer_path(area, layer, index).parent for index, layers in tiles for layer in layers}:
        sync_folder(folder)


def temporary_drop(*, area: str, owner: str) -> None:
    """Remove the temporary files of all owners that match `owner`, a name that may hold `*`."""
    folder = area_folder(area)
    for found in {path.parent for path in folder.glob(f"*/*/.*{TEMPORARY}{owner}")}:
        remove_temporary(found, owner)
