"""Sheets of small pictures over HTTP."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.factories import make_area, make_tile
from tiles.core.files import write_whole
from tiles.core.paths import atlas_folder, layer_path
from tiles.models import Area, AtlasBlock, TilePair
from tiles.raster.encode import encode_jpeg_preview

pytestmark = pytest.mark.django_db

ARRAY = "/areas/testland/atlas/tiles"
COLOURS = {0: (200, 30, 30), 33: (30, 200, 30), 1025: (30, 30, 200)}


def paint(tile: TilePair, colour: tuple[int, int, int]) -> None:
    """Give a tile a preview of one colour."""
    content = encode_jpeg_preview(np.full((64, 64, 3), colour, np.uint8))
    write_whole(layer_path("testland", "preview", tile.index), content, "test")
    preview = {"v": tile.layers["preview"]["v"] + 1, "sha256": str(colour), "bytes": len(content)}
    tile.layers = {**tile.layers, "preview": preview}
    tile.save()


@pytest.fixture
def area(data_folder: Path) -> Area:
    area = make_area()
    for index, colour in COLOURS.items():
        paint(make_tile(area, index, files=False), colour)
    return area


def sheet(client: Any, block: int, size: int) -> Any:
    """(H, W, 3) of the newest sheet."""
    client.get(ARRAY)
    answer = client.get(f"/areas/testland/atlas/sheets/{block}/{size}", follow=True)
    assert answer.status_code == 200
    assert "immutable" in answer["Cache-Control"]
    return np.asarray(Image.open(io.BytesIO(b"".join(answer)))).astype(int)


@pytest.mark.parametrize("size", [8, 32])
def test_each_tile_has_its_square_and_bleeds_into_no_other(area: Area, signed_in: Any, size: int) -> None:
    picture = sheet(signed_in("viewer"), 0, size)
    assert picture.shape == (32 * size, 32 * size, 3)
    for index in (0, 33):
        top, left = index // 32 * size, index % 32 * size
        square = picture[top : top + size, left : left + size]
        assert np.abs(square - COLOURS[index]).max() < 12
        picture[top : top + size, left : left + size] = 0
    assert picture.max() <= 3, "nothing where there is no tile"
    assert np.abs(sheet(signed_in("viewer"), 1, size)[0, size] - COLOURS[1025]).max() < 12


def test_another_picture_is_another_sheet(area: Area, signed_in: Any) -> None:
    client = signed_in("viewer")
    sheet(client, 0, 32)
    paint(TilePair.objects.get(area=area, index=33), (240, 240, 0))
    assert np.abs(sheet(client, 0, 32)[40, 40] - (240, 240, 0)).max() < 12
    kept = sorted(path.name for path in atlas_folder("testland").iterdir())
    assert kept == [f"0-32-{AtlasBlock.objects.get(number=0).pictures}.jpg"], "the old one is gone"


def test_a_decision_changes_no_sheet(area: Area, signed_in: Any) -> None:
    client = signed_in("viewer")
    client.get(ARRAY)
    before = AtlasBlock.objects.get(number=0).pictures
    TilePair.objects.filter(area=area, index=0).update(review_state="approved")
    client.get(ARRAY)
    assert AtlasBlock.objects.get(number=0).pictures == before


def test_what_is_not_there(area: Area, signed_in: Any) -> None:
    client = signed_in("viewer")
    client.get(ARRAY)
    for address in ("0/16", "7/32"):
        assert client.get(f"/areas/testland/atlas/sheets/{address}", follow=True).status_code == 404
