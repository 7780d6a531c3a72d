"""What every layout says of itself, and what it is given to write with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

TRAIN, VAL, TEST = SPLITS = ("train", "val", "test")
_RESERVED = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]|weather")


@dataclass(frozen=True)
class FrozenTile:
    """A tile as a release took it.

    layers: the names it has. caption: None when nobody and nothing captioned it. split: one of SPLITS, "" where the
    release has none. prompt: the composed text, "" when there is none. record: what the manifest says of the tile,
    without its files. versions: of its layers, as far as they are known.
    """

    area: str
    index: int
    layers: frozenset[str]
    caption: str | None
    split: str = ""
    prompt: str = ""
    record: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"tile_{self.index}"

    @property
    def key(self) -> str:
        """Unique in a release, and without dots: an area's slug has neither dot nor underscore."""
        return f"{self.area}_{self.name}"

    @property
    def folder(self) -> str:
        """The area as the name of a folder or file: Windows has no folder `con`, and `weather.zip` is MMM-RS' own."""
        return f"{self.area}_" if _RESERVED.fullmatch(self.area) else self.area

    @property
    def part(self) -> str:
        """The split, as readers want one: a release without splits is all for training."""
        return self.split or TRAIN

    @property
    def text(self) -> str:
        """The caption with one kind of line end and without one at its end; "" when there is none."""
        return "\n".join((self.caption or "").splitlines())


@dataclass(frozen=True)
class AboutRelease:
    """A release as a whole.

    licences, attributions: by area's slug. authors: whom a citation names. created: ISO 8601, in UTC.
    contents: what each area said of itself when it was frozen. options: the layout's, complete. left_out: reason ->
    approved tiles not taken. report, asked: as in Release. shard_megabytes: a file of the archive is at most so large.
    """

    name: str
    version: str
    notes: str
    doi: str
    licences: Mapping[str, str]
    attributions: Mapping[str, str]
    created: str
    contents: tuple[Mapping[str, Any], ...]
    authors: tuple[str, ...] = ()
    layout: str = "rs3dbench"
    options: Mapping[str, int] = field(default_factory=dict)
    tile_count: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    report: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)
    shard_megabytes: int = 4000


@dataclass(frozen=True)
class Option:
    """A whole number that a layout lets people choose."""

    name: str
    label: str
    default: int
    least: int
    most: int

    @property
    def yes_or_no(self) -> bool:
        return (self.least, self.most) == (0, 1)

    def in_words(self, value: int) -> str:
        return f"{self.label}: {('no', 'yes')[value]}" if self.yes_or_no else f"{self.label}: {value:,}"


class Package(Protocol):
    """The archive as a layout sees it. Every path is below the release's folder, ASCII, and given once.

    `layer`, `read` and what is written with `tile` are about the tile that was taken last.
    """

    def layer(self, tile: FrozenTile, layer: str, path: str) -> None:
        """Put in a layer's file, unchanged. Raises ApplicationError when it is not the one that was approved."""

    def read(self, tile: FrozenTile, layer: str) -> bytes:
        """The file of a layer. Raises ApplicationError when it is not the one that was approved."""

    def file(self, path: str, content: bytes | BinaryIO, *, tile: FrozenTile | None = None, role: str = "") -> None:
        """Put in a file; with `tile` the manifest names it among that tile's, as `role`."""

    def inside(self, tile: FrozenTile, role: str, path: str, member: str, content: bytes) -> None:
        """Let the manifest name `member` of the file `path`, a shard that is put in later, among the tile's."""

    def spool(self) -> BinaryIO:
        """A nameless file on the disk for what grows while tiles are written; gone when it is closed."""


class Layout(Protocol):
    """How a release lies on disk.

    `write` is given the tiles in the release's order (by area, then by number), and takes each once. It MUST write
    the same bytes for the same tiles, MUST NOT keep what grows with their number in memory but for a few bytes a
    tile, and MUST keep to ASCII names that Windows allows too.
    """

    name: str
    label: str
    required: tuple[str, ...]
    """Layers without which a tile cannot be in such a release."""
    optional: tuple[str, ...]
    """Layers that are taken where a tile has them."""
    options: tuple[Option, ...]
    needs: str
    """What must be installed for the loader, in words."""
    disk: float
    """Bytes on the disk at the most, while it is written, for a byte of the layers."""
    folder: str
    """Where its templates are: where.md (what lies where), loader.txt (Python lines that load it; they run inside the
    unpacked folder), and if it wants front.md (what stands before the README's title) and more.md (after loading)."""

    def write(self, tiles: Iterable[FrozenTile], about: AboutRelease, package: Package) -> None: ...
