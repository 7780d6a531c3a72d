"""What a release says of itself and of its tiles, in the words of the layouts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from .layouts import AboutRelease, FrozenTile, Layout, options_of
from .manifest import tile_record
from .models import Release, ReleaseEntry
from .people import People


def about_release(release: Release, layout: Layout) -> AboutRelease:
    """The release as a whole. Says nothing that is not frozen."""
    contents = tuple(area for area in release.contents if area["tiles"])
    return AboutRelease(
        name=release.name,
        version=release.version,
        notes=release.notes,
        doi=release.doi,
        licences={area["slug"]: area["licence"] for area in contents},
        attributions={area["slug"]: area["attribution"] for area in contents},
        created=release.created_at.astimezone(UTC).isoformat(timespec="seconds"),
        contents=contents,
        authors=tuple(release.authors),
        options=options_of(layout, release.options),
    )


def frozen_tile(entry: ReleaseEntry, *, area: Mapping[str, Any], people: People) -> FrozenTile:
    """An entry as layouts see it. area: as the release froze it."""
    revision = entry.caption_revision
    return FrozenTile(
        area=entry.tile.area.slug,
        index=entry.tile.index,
        layers=frozenset(entry.layers),
        caption=revision.text if revision else None,
        split=entry.split,
        prompt=entry.prompt,
        record=tile_record(entry, area=area, people=people),
    )
