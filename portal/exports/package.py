"""The archive of a release as its layout sees it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from tiles.core.errors import ApplicationError
from tiles.core.paths import layer_path

from .archive import ArchiveSink, NotAsFrozen
from .layouts import FrozenTile
from .manifest import manifest_line
from .numbers import Tally


class ReleasePackage:
    """Hands out the tiles of a release one by one, takes their files, and keeps the manifest meanwhile.

    Implements `layouts.Package`. tally: counts each tile. on_tile is called after it. data: the data folder that
    holds the layers, this site's when it is None.
    """

    def __init__(
        self, sink: ArchiveSink, tally: Tally, on_tile: Callable[[], None], *, data: Path | None = None
    ) -> None:
        self._sink = sink
        self._on_tile = on_tile
        self._data = data
        self._tile: FrozenTile | None = None
        self._files: list[dict[str, Any]] = []
        self.manifest = sink.spool()
        self.tally = tally
        self.splits: Counter[tuple[str, str]] = Counter()
        """(area, split) -> tiles."""

    def tiles(self, frozen: Iterable[FrozenTile]) -> Iterator[FrozenTile]:
        """Each tile; its line of the manifest is written when the next one is asked for."""
        for tile in frozen:
            self._tile, self._files = tile, []
            yield tile
            self.manifest.write(manifest_line({**tile.record, "files": self._files}))
            self.tally.add(tile.record)
            self.splits[tile.area, tile.split] += 1
            self._on_tile()
        self._tile = None

    def layer(self, tile: FrozenTile, layer: str, path: str) -> None:
        source, sha256 = self._frozen(tile, layer)
        try:
            written = self._sink.add_file(path, source, sha256=sha256)
        except NotAsFrozen as error:
            raise _changed(tile, layer) from error
        self._note(tile, layer, path, written.sha256, written.size)

    def read(self, tile: FrozenTile, layer: str) -> bytes:
        source, sha256 = self._frozen(tile, layer)
        try:
            content = source.read_bytes()
        except FileNotFoundError as error:
            raise _changed(tile, layer) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise _changed(tile, layer)
        return content

    def file(self, path: str, content: bytes | BinaryIO, *, tile: FrozenTile | None = None, role: str = "") -> None:
        written = self._sink.add(path, content)
        if tile is not None:
            self._at_hand(tile)
            self._note(tile, role, path, written.sha256, written.size)

    def inside(self, tile: FrozenTile, role: str, path: str, member: str, content: bytes) -> None:
        self._at_hand(tile)
        self._note(tile, role, path, hashlib.sha256(content).hexdigest(), len(content), member=member)

    def spool(self) -> BinaryIO:
        return self._sink.spool()

    def _frozen(self, tile: FrozenTile, layer: str) -> tuple[Path, str]:
        self._at_hand(tile)
        return layer_path(tile.area, layer, tile.index, data=self._data), tile.record["layers"][layer]

    def _at_hand(self, tile: FrozenTile) -> None:
        if self._tile is None or self._tile.key != tile.key:
            raise ValueError(f"{tile.key} is not the tile at hand")

    def _note(self, tile: FrozenTile, role: str, path: str, sha256: str, size: int, **more: str) -> None:
        version = {"version": tile.versions[role]} if role in tile.versions else {}
        self._files.append({"role": role, "path": path, "sha256": sha256, "bytes": size} | version | more)


def _changed(tile: FrozenTile, layer: str) -> ApplicationError:
    return ApplicationError(
        f"{tile.area} {tile.name}: the file of its layer {layer} is not the one that was approved. "
        "Put that one back, or make another release.",
        code="tile_changed",
    )
