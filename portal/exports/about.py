"""What a release says of itself and of its tiles, in the words of the layouts.

Either from what is frozen in the database, or from what a finished release left beside its archive: the same values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC
from pathlib import Path
from typing import Any

from .layouts import AboutRelease, FrozenTile, layout_of, options_of
from .manifest import tile_record
from .models import Release, ReleaseEntry
from .people import People, people_of

BATCH = 500


def about_release(release: Release) -> AboutRelease:
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
        layout=release.layout,
        options=options_of(layout_of(release.layout), release.options),
        tile_count=release.tile_count,
        left_out=release.left_out,
        report=release.report,
        asked=release.asked,
        shard_megabytes=release.shard_megabytes,
    )


def frozen_tiles(release: Release) -> Iterator[FrozenTile]:
    """The tiles of a release in their order, read in batches, so that memory stays flat."""
    areas, people = {area["slug"]: area for area in release.contents}, people_of(release)
    entries = release.entries.select_related(
        "tile__area", "tile__dem_file", "decision__by", "caption_revision__author"
    ).order_by("position")
    last = -1
    while batch := list(entries.filter(position__gt=last)[:BATCH]):
        for entry in batch:
            yield _frozen_tile(entry, area=areas[entry.tile.area.slug], people=people)
        last = batch[-1].position


def manifest_tiles(manifest: Path) -> Iterator[FrozenTile]:
    """The same from the manifest that the release wrote."""
    with manifest.open("rb") as lines:
        for line in lines:
            record = json.loads(line)
            files = record.pop("files")
            versions = {file["role"]: file["version"] for file in files if "version" in file}
            yield _tile(record, versions)


def _frozen_tile(entry: ReleaseEntry, *, area: Mapping[str, Any], people: People) -> FrozenTile:
    """An entry as layouts see it. area: as the release froze it."""
    versions = {name: layer["v"] for name, layer in entry.layers.items() if "v" in layer}
    return _tile(tile_record(entry, area=area, people=people), versions)


def _tile(record: Mapping[str, Any], versions: Mapping[str, int]) -> FrozenTile:
    caption = record["caption"]
    return FrozenTile(
        area=record["area"],
        index=record["index"],
        layers=frozenset(record["layers"]),
        caption=caption["text"] if caption else None,
        split=record["split"] or "",
        prompt=record["prompt"] or "",
        record=record,
        versions=versions,
    )
