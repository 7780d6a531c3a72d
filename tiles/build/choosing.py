"""What a page may choose inputs from: the folders of DEMETER_SOURCES and what was uploaded, and nothing that is not
really beneath them.

An entry goes to the browser as a key, "<number of the source>/<path beneath it>" or "uploads/<name>", never as a path
of this machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from tiles.core.errors import BadInput
from tiles.core.paths import uploads_folder
from tiles.raster.listing import is_raster_name, natural_key

MOST_SHOWN = 500
UPLOADS = "uploads"
NOT_BENEATH = "This is not one of the inputs that may be chosen. Choose another one."


@dataclass(frozen=True)
class Entry:
    """A folder or a raster. size: bytes, of a raster; rasters: how many lie directly in it, of a folder."""

    key: str
    name: str
    is_folder: bool
    size: int = 0
    rasters: int = 0

    @property
    def ident(self) -> str:
        """A name that can be part of an element's id."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Node:
    """An entry, and what is in it when it is open."""

    entry: Entry
    opened: bool = False
    nodes: list[Node] = field(default_factory=list)
    left_out: int = 0


def source_tree(chosen: Collection[str]) -> list[Node]:
    """The source folders, opened as far as it takes to see the chosen keys; a single one is open from the start."""
    roots = [
        Entry(f"{number}/", root.name, True, rasters=_rasters_in(root))
        for number, root in enumerate(settings.DEMETER_SOURCES)
        if root.is_dir()
    ]
    return [_opened(entry, chosen) if len(roots) == 1 else _node(entry, chosen) for entry in roots]


def source_uploads(chosen: Collection[str]) -> Node:
    """What was uploaded and accepted. It is nobody's set of files, so it cannot be chosen as a whole."""
    entry = Entry(f"{UPLOADS}/", "Uploaded", True)
    return _opened(entry, chosen) if uploads_folder().is_dir() else Node(entry, opened=True)


def source_folder(key: str) -> Node:
    """One folder, opened. Raises BadInput for a key that is none."""
    path = source_path(key)
    if not path.is_dir():
        raise BadInput(NOT_BENEATH)
    if key == f"{UPLOADS}/":
        return source_uploads(())
    return _opened(Entry(key, path.name, True, rasters=_rasters_in(path)), ())


def source_path(key: str) -> Path:
    """The file or folder that a key names. Raises BadInput for what is not there, hidden, or not beneath a source.

    What counts is where the path really leads, so that neither ".." nor a link leads out.
    """
    _, _, rest = key.partition("/")
    root = _root(key)
    if root is None or "\0" in rest:
        raise BadInput(NOT_BENEATH)
    parts = [part for part in rest.split("/") if part]
    if any(part.startswith(".") for part in parts):
        raise BadInput(NOT_BENEATH)
    path = root.joinpath(*parts)
    if not _is_beneath(path, root):
        raise BadInput(NOT_BENEATH)
    return path


def _root(key: str) -> Path | None:
    """The folder that a key begins at."""
    first = key.partition("/")[0]
    if first == UPLOADS:
        return uploads_folder()
    # Python refuses to read a number of thousands of digits.
    known = len(first) < 10 and first.isdecimal() and int(first) < len(settings.DEMETER_SOURCES)
    return settings.DEMETER_SOURCES[int(first)] if known else None


def _is_beneath(path: Path, root: Path) -> bool:
    try:
        return path.resolve(strict=True).is_relative_to(root.resolve(strict=True))
    except (OSError, RuntimeError):
        return False


def _node(entry: Entry, chosen: Collection[str]) -> Node:
    inside = entry.key.rstrip("/") + "/"
    if any(f"{key}/".startswith(inside) for key in chosen):
        return _opened(entry, chosen)
    return Node(entry)


def _opened(entry: Entry, chosen: Collection[str]) -> Node:
    path = source_path(entry.key)
    root = _root(entry.key)
    found = sorted(
        (child for child in _children(path) if not child.name.startswith(".") and root and _is_beneath(child, root)),
        key=natural_key,
    )
    folders = [child for child in found if child.is_dir()]
    rasters = [child for child in found if child.is_file() and is_raster_name(child)]
    shown = [*folders, *rasters][:MOST_SHOWN]
    prefix = entry.key.rstrip("/")
    return Node(
        entry,
        opened=True,
        nodes=[_node(_entry(child, f"{prefix}/{child.name}"), chosen) for child in shown],
        left_out=len(folders) + len(rasters) - len(shown),
    )


def _entry(path: Path, key: str) -> Entry:
    if path.is_dir():
        return Entry(key, path.name, True, rasters=_rasters_in(path))
    return Entry(key, path.name, False, size=path.stat().st_size)


def _rasters_in(folder: Path) -> int:
    return sum(is_raster_name(child) and child.is_file() for child in _children(folder))


def _children(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
