"""WebDataset: tar shards that are read front to back, a few files of one key for each tile."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable
from typing import Any, BinaryIO

from .base import AboutRelease, FrozenTile, Option, Package
from .rows import row_of
from .shards import SHARD_SIZE, Shards

FILES = {"png": "png", "dem": "dem.tif", "dem255": "dem255.tif", "void": "void.png"}
INDEX_FORMAT = "wids-shard-index-v1"


class WebDataset:
    """`<split>-00000.tar` and on, with `<area>_tile_N.png`, `.dem.tif`, `.dem255.tif`, `.json`, `.txt` and, where
    heights are missing, `.void.png`; `<split>-shards.json` is their index."""

    name = "webdataset"
    label = "WebDataset tar shards"
    required: tuple[str, ...] = ("png", "dem", "dem255")
    optional: tuple[str, ...] = ("void",)
    options: tuple[Option, ...] = (SHARD_SIZE,)
    needs = "webdataset, numpy, Pillow and rasterio"
    disk = 1.1
    folder = "exports/layouts/webdataset"

    def write(self, tiles: Iterable[FrozenTile], about: AboutRelease, package: Package) -> None:
        by_split: dict[str, Shards[_Tar]] = {}
        for tile in tiles:
            if tile.part not in by_split:
                path = f"{tile.part}-{{}}.tar"
                megabytes = about.options[SHARD_SIZE.name]
                by_split[tile.part] = Shards(package, path, _Tar, megabytes=megabytes)
            shards = by_split[tile.part]
            _put(shards.next(), tile, package, shards.path)
        for split, shards in by_split.items():
            shards.finish()
            package.file(f"{split}-shards.json", _index(about, split, shards.counts))


class _Tar:
    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._tar = tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115 closed in `close`

    def size(self) -> int:
        return self._out.tell()

    def add(self, name: str, content: bytes) -> None:
        entry = tarfile.TarInfo(name)  # of 1970, mode 0644, nobody's
        entry.size = len(content)
        self._tar.addfile(entry, io.BytesIO(content))

    def close(self) -> None:
        self._tar.close()


def _put(shard: _Tar, tile: FrozenTile, package: Package, path: str) -> None:
    contents = {layer: (FILES[layer], package.read(tile, layer)) for layer in FILES if layer in tile.layers}
    row = json.dumps(row_of(tile), ensure_ascii=False, separators=(",", ":"))
    # A sample without one of the files that a pipeline names is an error in most readers, so the text may be empty.
    contents |= {"facts": ("json", row.encode()), "caption": ("txt", tile.text.encode())}
    for role, (extension, content) in contents.items():
        member = f"{tile.key}.{extension}"
        shard.add(member, content)
        package.inside(tile, role, path, member, content)


def _index(about: AboutRelease, split: str, counts: list[int]) -> bytes:
    shards: list[dict[str, Any]] = [
        {"url": f"{split}-{number:05}.tar", "nsamples": count} for number, count in enumerate(counts)
    ]
    index = {"__kind__": INDEX_FORMAT, "wids_version": 1, "name": f"{about.name}-{split}", "shardlist": shards}
    return json.dumps(index, indent=1).encode() + b"\n"
