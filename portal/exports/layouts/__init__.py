"""How a release lies on disk: one file a layout, one protocol."""

from __future__ import annotations

from tiles.core.errors import BadInput

from .base import FileOfLayer, FileOfText, FrozenTile, Layout
from .rs3dbench import RS3DBench

LAYOUTS: dict[str, Layout] = {layout.name: layout for layout in (RS3DBench(),)}

__all__ = ["LAYOUTS", "FileOfLayer", "FileOfText", "FrozenTile", "Layout", "layout_of"]


def layout_of(name: str) -> Layout:
    """The layout of that name. Raises BadInput for one that does not exist."""
    if name not in LAYOUTS:
        raise BadInput(f"There is no layout {name!r}. Layouts: {', '.join(LAYOUTS)}.", code="unknown_layout")
    return LAYOUTS[name]
