"""Pages that put a release beside another, and lists of what it left out."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from captions.diff import word_diff
from tiles.core.errors import BadInput
from tiles.core.permissions import VIEW_RELEASES

from .differences import ADDED, KINDS, differences_count, differences_page
from .models import LeftOutTile, Release
from .selection import REASONS
from .selectors import release_by_name, split_words

BATCH = 2000
KIND_WORDS = {"added": "Added", "removed": "Removed", "changed": "Changed"}


@require_safe
@permission_required(VIEW_RELEASES, raise_exception=True)
def release_diff(request: HttpRequest, name: str, other: str) -> HttpResponse:
    """What changed from `name` to `other`."""
    before, after = release_by_name(name), release_by_name(other)
    kind = request.GET.get("kind", ADDED)
    cursors = {"after_cursor": request.GET.get("after", ""), "before_cursor": request.GET.get("before", "")}
    found, page = differences_page(before=before, after=after, kind=kind, **cursors)
    counts = differences_count(before=before, after=after)
    context = {
        "section": "releases",
        "before": before,
        "after": after,
        "kind": kind,
        "kinds": [(one, KIND_WORDS[one], counts[one]) for one in KINDS],
        "rows": [(one, word_diff(*one.words) if one.caption_changed else []) for one in found],
        "page": page,
        "facts": _facts(before, after),
    }
    return render(request, "exports/diff.html", context)


@require_safe
@permission_required(VIEW_RELEASES, raise_exception=True)
def release_compare(request: HttpRequest, name: str) -> HttpResponse:
    """Goes to the page that compares with the release `other` of the query."""
    other = request.GET.get("other", "")
    if not other:
        raise BadInput("Say with which release to compare.")
    return redirect("release-diff", name=release_by_name(other).name, other=release_by_name(name).name)


@require_safe
@permission_required(VIEW_RELEASES, raise_exception=True)
def release_left_out(_request: HttpRequest, name: str) -> StreamingHttpResponse:
    """Every tile that was chosen and yet not taken, as CSV: tile, reason, the tile that stayed in its place."""
    release = release_by_name(name)
    response = StreamingHttpResponse(_lines(release), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{release.name}-left-out.csv"'
    return response


class _Echo:
    """What csv writes to: gives the line back."""

    def write(self, line: str) -> str:
        return line


def _lines(release: Release) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(["tile", "reason", "in_words", "favoured"])
    rows = LeftOutTile.objects.filter(release=release).order_by("position")
    for row in rows.iterator(chunk_size=BATCH):
        yield writer.writerow([row.tile, row.reason, REASONS[row.reason], row.favoured])


def _facts(before: Release, after: Release) -> list[tuple[str, Any, Any]]:
    """Rows of what the releases say of themselves: what, before, after."""
    return [
        ("Version", before.version, after.version),
        ("Tiles", f"{before.tile_count:,}", f"{after.tile_count:,}"),
        ("Layout", before.layout, after.layout),
        ("Areas", _slugs(before), _slugs(after)),
        ("Filter", before.asked.get("filter") or "none", after.asked.get("filter") or "none"),
        ("Splits", split_words(before.asked), split_words(after.asked)),
        ("Made", f"{before.created_at:%Y-%m-%d}", f"{after.created_at:%Y-%m-%d}"),
    ]


def _slugs(release: Release) -> str:
    return ", ".join(area["slug"] for area in release.contents)
