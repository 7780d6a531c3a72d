"""The README.md of a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.template.loader import render_to_string

from tiles.models import Area

from .citing import one_licence
from .figures import Chart, Figures
from .layouts import AboutRelease, Layout
from .layouts.base import SPLITS, TRAIN
from .rehearsal import mixed_words
from .reporting import leaks_in_words
from .selectors import left_out_sentences

README = "README.md"
NOTHING = "exports/layouts/nothing.md"
UNITS = {
    Area.HeightUnit.METRE: "metres",
    Area.HeightUnit.FOOT: "feet, turned into metres",
    Area.HeightUnit.SURVEY_FOOT: "US survey feet, turned into metres",
    Area.HeightUnit.UNKNOWN: "unknown, taken as metres",
}
SURFACES = {
    Area.Surface.DSM: "surface (DSM)",
    Area.Surface.DTM: "terrain (DTM)",
    Area.Surface.UNKNOWN: "unknown",
}


def readme_text(layout: Layout, about: AboutRelease, splits: Mapping[tuple[str, str], int], figures: Figures) -> str:
    """What it is, how to load it, what it cannot do, and whose it is. Says nothing that is not frozen.

    splits: (area, split) -> tiles. figures: files of the archive that it refers to.
    """
    areas = [_in_words(area) for area in about.contents]
    context: dict[str, Any] = {
        "release": about,
        "about": about,
        "areas": areas,
        "synthetic": [area for area in areas if area["synthetic"]],
        "layout": layout,
        "front": [f"{layout.folder}/front.md", NOTHING],
        "more": [f"{layout.folder}/more.md", NOTHING],
        "where": f"{layout.folder}/where.md",
        "loader": f"{layout.folder}/loader.txt",
        "splits": _split_table(splits),
        "parts": [split for split in SPLITS if any(found == split for _area, found in splits)] or [TRAIN],
        "spdx": one_licence(about),
        "grey": "dem255" in layout.required,
        "with_void": sum(area["with_void"] for area in areas),
        "without_caption": sum(area["without_caption"] for area in areas),
        "left_out": left_out_sentences(about.left_out),
        "coarsest": max(area["grey_level_up_to"] for area in areas),
        "figures": figures,
        "tables": [(chart.of.title, figure, _table(chart)) for chart, figure in figures.shown],
        "mixed": mixed_words((area["slug"], area["vertical_datum"], area["surface"]) for area in areas),
        "leaks": leaks_in_words(about.report),
        "unique": about.asked.get("unique", False),
    }
    return render_to_string("exports/readme.md", context)


def _split_table(splits: Mapping[tuple[str, str], int]) -> list[tuple[str, list[int]]]:
    """Rows of (area, tiles of each split); no rows where there are no splits."""
    areas = sorted({area for area, split in splits if split})
    return [(area, [splits.get((area, split), 0) for split in SPLITS]) for area in areas]


def _table(chart: Chart) -> str:
    """The numbers of a figure as a table of Markdown."""
    lines = [[chart.of.below, *chart.of.splits], ["---", *("---:" for _split in chart.of.splits)]]
    for row in chart.rows:
        lines.append([row.label, *(f"{number:,} ({share:.1f} %)" for number, share in row.cells)])
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _in_words(area: Mapping[str, Any]) -> dict[str, Any]:
    imagery = [area["satellite"], _dates(area["imagery_from"], area["imagery_to"]), _native(area["imagery_gsd"])]
    heights = [_dates(area["dem_from"], area["dem_to"]), _native(area["dem_gsd"])]
    return dict(area) | {
        "unit": UNITS[area["height_unit"]],
        "kind": SURFACES[area["surface"]],
        "imagery": ", ".join(part for part in imagery if part) or "nothing is known of it",
        "heights": ", ".join(part for part in heights if part) or "nothing is known of them",
    }


def _dates(first: str | None, last: str | None) -> str:
    if first and last:
        return first if first == last else f"{first} to {last}"
    return f"from {first}" if first else f"until {last}" if last else ""


def _native(gsd: float | None) -> str:
    return f"native resolution {gsd:g} m" if gsd else ""
