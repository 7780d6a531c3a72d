"""The archive of a release as its layout sees it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from tiles.core.errors import ApplicationError
from tiles.core.paths import layer_path

from .about import frozen_tile
from .archive import ArchiveSink, NotAsFrozen, Written
from .layouts import FrozenTile
from .manifest import manifest_line
from .models import Release, ReleaseEntry
from .people import people_of


class ReleasePackage:
    """Hands out the tiles of a release one by one, takes their files, and keeps the manifest meanwhile.

    Implements `layouts.Package`. on_tile is called after each tile.
    """

    def __init__(self, release: Release, sink: ArchiveSink, on_tile: Callable[[], None]) -> None:
        self._areas = {area["slug"]: area for area in release.contents}
        self._people = people_of(release)
        self._sink = sink
        self._on_tile = on_tile
        self._entry: ReleaseEntry | None = None
        self._files: list[dict[str, Any]] = []
        self.manifest = sink.spool()
        self.splits: Counter[tuple[str, str]] = Counter()
        """(area, split) -> tiles."""

    def tiles(self, entries: Iterable[ReleaseEntry]) -> Iterator[FrozenTile]:
        """Each entry's tile; its line of the manifest is written when the next one is asked for."""
        for entry in entries:
            tile = frozen_tile(entry, area=self._areas[entry.tile.area.slug], people=self._people)
            self._entry, self._files = entry, []
            yield tile
            self.manifest.write(manifest_line({**tile.record, "files": self._files}))
            self.splits[tile.area, tile.split] += 1
            self._on_tile()
        self._entry = None

    def layer(self, tile: FrozenTile, layer: str, path: str) -> None:
        source, sha256 = self._frozen(tile, layer)
        try:
            self._note(layer, self._sink.add_file(path, source, sha256=sha256))
        except NotAsFrozen as error:
            raise _changed(tile, layer) from error

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
            self._note(role, written)

    def inside(self, tile: FrozenTile, role: str, path: str, member: str, content: bytes) -> None:
        self._at_hand(tile)
        self._note(role, Written(path, hashlib.sha256(content).hexdigest(), len(content)), member=member)

    def spool(self) -> BinaryIO:
        return self._sink.spool()

    def _frozen(self, tile: FrozenTile, layer: str) -> tuple[Path, str]:
        entry = self._at_hand(tile)
        return layer_path(tile.area, layer, tile.index), entry.layers[layer]["sha256"]

    def _at_hand(self, tile: FrozenTile) -> ReleaseEntry:
        if self._entry is None or (self._entry.tile.area.slug, self._entry.tile.index) != (tile.area, tile.index):
            raise ValueError(f"{tile.key} is not the tile at hand")
        return self._entry

    def _note(self, role: str, written: Written, **more: str) -> None:
        frozen = self._entry.layers.get(role, {}) if self._entry else {}
        version = {"version": frozen["v"]} if "v" in frozen else {}
        file = {"role": role, "path": written.path, "sha256": written.sha256, "bytes": written.size}
        self._files.append(file | version | more)


def _changed(tile: FrozenTile, layer: str) -> ApplicationError:
    return ApplicationError(
        f"{tile.area} {tile.name}: the file of its layer {layer} is not the one that was approved. "
        "Nothing was written. Remove this release and make it again.",
        code="tile_changed",
    )
