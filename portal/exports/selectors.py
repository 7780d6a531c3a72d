"""Reading releases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tiles.areas.selectors import area_counts, areas_listed
from tiles.core.errors import NotFound
from tiles.core.paging import Page, keyset_page
from tiles.models import Area

from .models import Release
from .selection import REASONS
from .splitting.blocks import SPLITS
from .wanted import BLOCKS, BY_AREA, FILES, RANDOM

PAGE_SIZE = 50


def releases_page(*, after: str = "", before: str = "") -> Page[Release]:
    """A page of releases, newest first, each with its job and maker."""
    rows = Release.objects.select_related("created_by", "job")
    return keyset_page(rows, order=("-id",), size=PAGE_SIZE, after=after, before=before)


def release_by_name(name: str) -> Release:
    """Raises NotFound."""
    release = Release.objects.select_related("created_by", "job").filter(name=name).first()
    if release is None:
        raise NotFound("There is no such release. Look at the list of releases.")
    return release


def areas_with_approved() -> list[tuple[Area, int]]:
    """Areas and their maintained number of approved tiles, by name."""
    return [(area, area_counts(area).approved) for area in areas_listed()]


def releases_beside(release: Release) -> list[str]:
    """Names of other releases that it may be compared with, the newest first."""
    others = Release.objects.exclude(pk=release.pk).order_by("-id").values_list("name", flat=True)
    return list(others[:PAGE_SIZE])


def split_words(asked: Mapping[str, Any]) -> str:
    """How a release was split, in words."""
    split = asked.get("split") or {}
    way = split.get("way", "")
    drawn = split.get("shares", {})  # PostgreSQL keeps no order of keys
    shares = ", ".join(f"{100 * drawn[name]:g} % {name}" for name in SPLITS if name in drawn)
    if way == BLOCKS:
        width, buffer = split["block_km"], split["buffer_km"]
        return f"spatial blocks of {width:g} km, {buffer:g} km between splits, seed {split['seed']}, {shares}"
    if way == RANDOM:
        return f"at random, seed {split['seed']}, {shares}"
    if way == BY_AREA:
        return "by area: " + ", ".join(f"{slug} {name}" for slug, name in sorted(split["areas"].items()))
    return "from lists" if way == FILES else "none"


def left_out_sentences(left_out: Mapping[str, int]) -> list[str]:
    """What was left out, as in "3 flat: all heights are equal"."""
    return [f"{number:,} {REASONS.get(reason, reason)}" for reason, number in sorted(left_out.items())]
