"""How a release lies on disk: one file a layout, one protocol."""

from __future__ import annotations

from collections.abc import Mapping

from tiles.core.errors import BadInput

from .base import AboutRelease, FrozenTile, Layout, Option, Package
from .d3rsmde import D3RSMDE
from .huggingface import ImageFolder, ParquetShards
from .marigold import Marigold
from .metadata import CsvTable, ParquetTable
from .mmm_rs import MMMRS
from .rs3dbench import RS3DBench
from .stac import Stac
from .webdataset import WebDataset

LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        RS3DBench(),
        D3RSMDE(),
        Marigold(),
        MMMRS(),
        ImageFolder(),
        ParquetShards(),
        WebDataset(),
        Stac(),
        CsvTable(),
        ParquetTable(),
    )
}

__all__ = [
    "LAYOUTS",
    "AboutRelease",
    "FrozenTile",
    "Layout",
    "Option",
    "Package",
    "layout_of",
    "options_in_words",
    "options_of",
]


def layout_of(name: str) -> Layout:
    """The layout of that name. Raises BadInput for one that does not exist."""
    if name not in LAYOUTS:
        raise BadInput(f"There is no layout {name!r}. Layouts: {', '.join(LAYOUTS)}.", code="unknown_layout")
    return LAYOUTS[name]


def options_of(layout: Layout, chosen: Mapping[str, int]) -> dict[str, int]:
    """All options of a layout, those not chosen at their default. Raises BadInput for a strange or too large one."""
    known = {option.name: option for option in layout.options}
    for name, value in chosen.items():
        if name not in known:
            has = f"Its options: {', '.join(known)}." if known else "It has none."
            raise BadInput(f"The layout {layout.name} has no option {name!r}. {has}", code="unknown_option")
        if not known[name].least <= value <= known[name].most:
            least, most = known[name].least, known[name].most
            raise BadInput(f"{name} is a whole number from {least:,} to {most:,}.", code="bad_option")
    return {name: chosen.get(name, option.default) for name, option in known.items()}


def options_in_words(layout: Layout, chosen: Mapping[str, int]) -> list[str]:
    """All options of a layout and their values, as people read them. Raises BadInput as options_of."""
    values = options_of(layout, chosen)
    return [option.in_words(values[option.name]) for option in layout.options]
