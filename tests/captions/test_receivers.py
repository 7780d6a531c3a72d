"""A built tile gets its first caption, whatever died in between."""

from __future__ import annotations

import pytest

from captions.models import Caption, CaptionRevision
from tests.support.factories import make_area, make_tile
from tiles.core.signals import area_built, tiles_built

pytestmark = pytest.mark.django_db


def test_a_built_tile_is_captioned_once() -> None:
    tile = make_tile(make_area(), 0, files=False)
    tiles_built.send(sender=None, tile_ids=[tile.pk])
    tiles_built.send(sender=None, tile_ids=[tile.pk])
    assert Caption.objects.get().origin == "rules"
    assert CaptionRevision.objects.count() == 1


def test_a_built_area_fills_what_was_left_out() -> None:
    area = make_area()
    tiles = [make_tile(area, index, files=False) for index in range(3)]
    tiles_built.send(sender=None, tile_ids=[tiles[1].pk])
    area_built.send(sender=None, area_id=area.pk)
    area_built.send(sender=None, area_id=area.pk)
    assert Caption.objects.count() == CaptionRevision.objects.count() == 3


def test_a_tile_that_is_gone_is_passed_over() -> None:
    tiles_built.send(sender=None, tile_ids=[10**9])
    area_built.send(sender=None, area_id=10**9)
