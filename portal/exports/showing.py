"""What a release's page shows of its tiles and of its past. Everything is as it was frozen."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.db.models import Q
from django.http import HttpResponse
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import reverse

from tiles.core.errors import NotFound
from tiles.core.paging import Page, keyset_page
from tiles.core.paths import layer_path
from tiles.views.charts import share_ticks

from .differences import KINDS, Counted, differences_count
from .figures import FRAME, charts_of
from .layouts import Layout
from .models import Release, ReleaseEntry
from .pictures import report_shown, split_maps
from .reporting import leaks_in_words

CELLS = 24
PAST, LOOKED_AT = 5, 100
"""So many releases before are told of, and so many looked at to find them."""
SHOWN = ("preview", "png")
"""A preview is that of the picture that was frozen only while both layers are the frozen ones."""
_NUMBER = re.compile(r"[-.]?v?\d+(?:[-.]\d+)*$")


@dataclass(frozen=True)
class Cell:
    """A tile of a release. preview: the address of its small picture; "" when that was made anew since."""

    area: str
    name: str
    split: str
    caption: str
    preview: str


@dataclass(frozen=True)
class Step:
    """From one release of a line to the next; counted: (kind, how many tiles) each."""

    before: Release
    after: Release
    counted: Sequence[tuple[str, Counted]]


@dataclass(frozen=True)
class Snippet:
    """Lines that can be copied. template: holds them."""

    name: str
    title: str
    needs: str
    template: str


def page_facts(release: Release, asked: Mapping[str, str], *, address: str = "release-tile-preview") -> dict[str, Any]:
    """What the pages of a release show of its tiles: a page of them, numbers as charts, and how it is split.

    asked: the page's query, with the cursors `after` and `before`. address: as in gallery_page.
    """
    cells, page = gallery_page(release, after=asked.get("after", ""), before=asked.get("before", ""), address=address)
    facts = {"cells": cells, "gallery": page, "frame": FRAME, "ticks": share_ticks()}
    facts["statistics"] = charts_of(release.statistics, together=True)
    if release.report:
        maps, one_of = split_maps(release)
        facts |= {"report": report_shown(release.report), "leaks": leaks_in_words(release.report)}
        facts |= {"maps": maps, "one_of": one_of}
    return facts


def preview_response(release: Release, position: int) -> HttpResponse:
    """Kept by browsers for a while only: the picture may be made anew, and then the page says so. Raises NotFound."""
    answer = HttpResponse(frozen_preview(release, position), content_type="image/jpeg")
    answer["Cache-Control"] = "private, max-age=3600"
    return answer


def gallery_page(
    release: Release, *, after: str = "", before: str = "", address: str = "release-tile-preview"
) -> tuple[list[Cell], Page[ReleaseEntry]]:
    """A page of a release's tiles in its order. address: name of the view that sends previews to whoever looks."""
    rows = release.entries.select_related("tile__area", "caption_revision")
    page = keyset_page(rows, order=("position",), size=CELLS, after=after, before=before)
    return [_cell(release, entry, address) for entry in page.rows], page


def frozen_preview(release: Release, position: int) -> bytes:
    """The small picture of a tile as a JPEG, exactly as it was frozen. Raises NotFound when there is none any more."""
    entry = release.entries.select_related("tile__area").filter(position=position).first()
    layer = entry.layers.get("preview") if entry else None
    if entry is None or layer is None:
        raise NotFound(f"{release.name} has no such picture.")
    try:
        content = layer_path(entry.tile.area.slug, "preview", entry.tile.index).read_bytes()
    except FileNotFoundError:
        content = b""
    if hashlib.sha256(content).hexdigest() != layer["sha256"]:
        raise NotFound("This picture was made anew since the release. The archive holds the one of then.")
    return content


def line_of(release: Release) -> list[Release]:
    """The releases before it, newest first: those whose names differ only by a number at the end, and those of exactly
    the same areas. PAST at most, and none that failed."""
    stem = _stem(release.name)
    earlier = Release.objects.filter(pk__lt=release.pk).exclude(state=Release.State.FAILED)
    areas = set(release.areas.values_list("pk", flat=True))
    alike = earlier.filter(Q(name__startswith=stem) | Q(areas__in=areas)).order_by("-pk").distinct()
    found = []
    for one in alike.defer("report", "statistics").prefetch_related("areas")[:LOOKED_AT]:
        if _stem(one.name) == stem or {area.pk for area in one.areas.all()} == areas:
            found.append(one)
    return found[:PAST]


def changelog(release: Release) -> list[Step]:
    """What changed with each release of its line, the newest first; the first release of it has nothing before it."""
    line = [release, *line_of(release)]
    return [Step(before, after, _counted(before, after)) for after, before in pairwise(line)]


def snippets_of(layout: Layout) -> list[Snippet]:
    """How its files are loaded: loader.txt of its folder, and torch.txt where there is one."""
    found = [Snippet("loader", "In Python", layout.needs, f"{layout.folder}/loader.txt")]
    torch = f"{layout.folder}/torch.txt"
    try:
        get_template(torch)
    except TemplateDoesNotExist:
        return found
    return [*found, Snippet("torch", "With PyTorch", f"torch, {layout.needs}", torch)]


def _counted(before: Release, after: Release) -> list[tuple[str, Counted]]:
    counts = differences_count(before=before, after=after)
    return [(kind, counts[kind]) for kind in KINDS]


def _cell(release: Release, entry: ReleaseEntry, address: str) -> Cell:
    now, tile = entry.tile.layers, entry.tile
    same = all(now.get(name, {}).get("sha256") == entry.layers.get(name, {}).get("sha256") for name in SHOWN)
    there = same and "preview" in entry.layers
    return Cell(
        area=tile.area.slug,
        name=tile.name,
        split=entry.split,
        caption=entry.caption_revision.text if entry.caption_revision else "",
        preview=reverse(address, args=[release.name, entry.position]) if there else "",
    )


def _stem(name: str) -> str:
    return _NUMBER.sub("", name) or name
