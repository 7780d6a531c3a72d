"""Freezing: from a plan to entries that never change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Any

from tiles.models import Area

from .models import LeftOutTile, Release, ReleaseEntry
from .planning import BATCH, Plan
from .wanted import Terms

AREA_FACTS = (
    "slug",
    "name",
    "description",
    "synthetic",
    "licence",
    "attribution",
    "vertical_datum",
    "height_unit",
    "surface",
    "satellite",
    "dem_from",
    "dem_to",
    "imagery_from",
    "imagery_to",
    "dem_gsd",
    "imagery_gsd",
    "tile_size",
)


def entries_freeze(*, release: Release, plan: Plan) -> None:
    """Make the entries of a release, and its list of what was left out. Inside the transaction of the plan."""
    entries = _entries(release, plan)
    while batch := list(islice(entries, BATCH)):
        ReleaseEntry.objects.bulk_create(batch)
    left_out = (
        LeftOutTile(release=release, position=position, tile=left.key, reason=left.reason, favoured=left.favoured)
        for position, left in enumerate(plan.left_out)
    )
    while without := list(islice(left_out, BATCH)):
        LeftOutTile.objects.bulk_create(without)


def area_facts(area: Area, terms: Terms) -> dict[str, Any]:
    """What an area says of itself, as JSON, under the terms that are given for it."""
    facts = {name: getattr(area, name) for name in AREA_FACTS}
    facts["licence"] = terms.licences.get(area.slug, area.licence)
    facts["attribution"] = terms.attributions.get(area.slug, area.attribution)
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in facts.items()}


def _entries(release: Release, plan: Plan) -> Iterator[ReleaseEntry]:
    for position, picked in enumerate(plan.kept):
        yield ReleaseEntry(
            release=release,
            position=position,
            tile_id=picked.tile_id,
            layers=json.loads(picked.layers),
            decision_id=picked.decision_id,
            caption_revision_id=picked.revision_id,
            prompt=picked.prompt,
            split=picked.split,
            pixels=picked.pixels,
        )
