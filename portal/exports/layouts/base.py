"""What every layout says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class FrozenTile:
    """A tile as a release took it. layers: the names it has; caption: None when nobody and nothing captioned it."""

    area: str
    index: int
    layers: frozenset[str]
    caption: str | None


@dataclass(frozen=True)
class FileOfLayer:
    """A layer's file, unchanged, under `path` below the release's folder."""

    path: str
    layer: str


@dataclass(frozen=True)
class FileOfText:
    """A text file under `path` below the release's folder. role: what the manifest calls it."""

    path: str
    role: str
    text: str


class Layout(Protocol):
    """How a release lies on disk.

    `files` MUST give the same paths in the same order whenever it is asked, MUST give no path twice within a
    release, and MUST keep to ASCII names that Windows allows too.
    """

    name: str
    label: str
    required: tuple[str, ...]
    """Layers without which a tile cannot be in such a release."""
    optional: tuple[str, ...]
    """Layers that are taken where a tile has them."""
    readme: str
    """Template of the archive's README.md."""
    loader: str
    """Template of the Python lines that load it; they run inside the unpacked folder."""

    def files(self, tile: FrozenTile) -> Iterator[FileOfLayer | FileOfText]: ...
