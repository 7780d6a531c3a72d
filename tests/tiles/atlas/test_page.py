"""The atlas page as the server sends it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.factories import make_area, make_failed_tile, make_tile
from tiles.core.signals import area_built
from tiles.models import Area, AtlasBlock, AtlasChange

pytestmark = pytest.mark.django_db

PAGE = "/areas/testland/atlas/"


def test_an_area_without_tiles_says_what_to_do(signed_in: Any) -> None:
    make_area()
    assert b'href="/areas/testland/build/">Build</a></p>' in signed_in("curator").get(PAGE).content
    assert b"A curator has to start a build." in signed_in("viewer").get(PAGE).content
    assert signed_in("viewer").get("/areas/nowhere/atlas/").status_code == 404


def test_the_same_in_words(signed_in: Any) -> None:
    area = make_area()
    for index in range(3):
        make_tile(area, index, files=False)
    make_failed_tile(area, 3)
    page = signed_in("viewer").get(PAGE).content.decode()
    assert '<td class="number" data-part="count-pending">3</td>' in page
    assert '<td class="number" data-part="count-failed">1</td>' in page
    assert '<a href="/areas/testland/review/?state=pending">Review pending tiles one by one</a>' in page
    assert '<a href="/areas/testland/atlas/" aria-current="page">Atlas</a>' in page


def test_a_build_that_ended_leaves_a_ready_array() -> None:
    area = make_area()
    make_tile(area, 0, files=False)
    area_built.send(sender=Area, area_id=area.pk)
    assert AtlasBlock.objects.filter(atlas__area=area).count() == 1
    assert not AtlasChange.objects.exists()
