"""Areas with approved, captioned tiles, through the public services."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from captions.services import caption_rectify
from portal.exports.models import Release
from portal.exports.services import release_create
from tests.support.factories import make_area, make_tile
from tests.support.releases import work
from tiles.models import Area, TilePair
from tiles.review.services import tile_approve


@pytest.fixture
def reviewer(person: Callable[..., Any]) -> Any:
    return person("reviewer")


@pytest.fixture
def curator(person: Callable[..., Any]) -> Any:
    return person("curator")


@pytest.fixture
def approve(reviewer: Any) -> Callable[[TilePair], None]:
    def by_reviewer(tile: TilePair) -> None:
        tile.refresh_from_db()
        tile_approve(
            tile_id=tile.pk,
            seen=tile.layer_versions(),
            seen_version=tile.version,
            by=reviewer,
            client_id=uuid4(),
            note="as it should be",
        )

    return by_reviewer


@pytest.fixture
def caption(reviewer: Any) -> Callable[..., None]:
    def write(tile: TilePair, text: str, base: int = 0) -> None:
        caption_rectify(tile_id=tile.pk, text=text, base_version=base, by=reviewer, client_id=uuid4())

    return write


@pytest.fixture
def coast(
    data_folder: Path, approve: Callable[[TilePair], None], caption: Callable[..., None]
) -> tuple[Area, list[TilePair]]:
    """An area of five tiles: 0, 1 and 2 approved and captioned, 2 with a void, 3 approved without a text, 4 pending."""
    area = make_area("coast", licence="CC BY 4.0", attribution="The surveyors", vertical_datum="EGM96", surface="dtm")
    tiles = [make_tile(area, index, void=index == 2) for index in range(5)]
    for tile in tiles[:4]:
        approve(tile)
    for tile in tiles[:3]:
        caption(tile, f"A hill above the sea, number {tile.index}.")
    return area, tiles


@pytest.fixture
def released(curator: Any) -> Callable[..., Release]:
    """`released("coast-v1", "coast")` makes a release and works its job here; it may have failed."""

    def make(name: str, *slugs: str, **options: Any) -> Release:
        release = release_create(name=name, area_slugs=slugs, by=curator, background=False, **options)
        return work(release)

    return make
