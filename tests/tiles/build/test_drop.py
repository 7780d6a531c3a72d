"""Dropping the unstretched imagery of an area."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.factories import counters, make_area, make_failed_tile, make_tile, recount
from tiles.build.drop import area_rgb_drop
from tiles.core.errors import Conflict, NotAllowed
from tiles.core.paths import layer_path
from tiles.jobs.runner import run_here
from tiles.jobs.services import job_start
from tiles.models import Job, TilePair

pytestmark = pytest.mark.django_db(transaction=True)


def test_files_and_rows_forget_the_rgb_and_nothing_else(data_folder: Path, person: Callable[..., Any]) -> None:
    area = make_area()
    tiles = [make_tile(area, index) for index in (0, 3)]
    make_failed_tile(area, 5)
    kept = {path for path in data_folder.rglob("tile_*") if path.parts[-3] != "rgb"}
    job = area_rgb_drop(area_id=area.pk, by=person("curator"), background=False)
    assert run_here(job.pk, lambda _job: None).state == Job.State.DONE
    assert set(data_folder.rglob("tile_*")) == kept
    for tile in tiles:
        after = TilePair.objects.get(pk=tile.pk)
        assert set(tile.layers) - set(after.layers) == {"rgb"}
        assert after.version == tile.version
    assert counters(area) == recount(area)


def test_a_run_after_a_death_removes_the_files_that_rows_forgot(data_folder: Path, person: Callable[..., Any]) -> None:
    area = make_area()
    tile = make_tile(area, 0)
    TilePair.objects.filter(pk=tile.pk).update(layers={k: v for k, v in tile.layers.items() if k != "rgb"})
    assert layer_path(area.slug, "rgb", 0).is_file()
    run_here(area_rgb_drop(area_id=area.pk, by=person("curator"), background=False).pk, lambda _job: None)
    assert not layer_path(area.slug, "rgb", 0).exists()


def test_who_may_and_when(data_folder: Path, person: Callable[..., Any]) -> None:
    area = make_area()
    with pytest.raises(Conflict, match="no tiles"):
        area_rgb_drop(area_id=area.pk, by=person("curator"))
    make_tile(area, 0)
    with pytest.raises(NotAllowed):
        area_rgb_drop(area_id=area.pk, by=person("reviewer"))
    job_start(kind="build", title="Build", subject=area.slug, chunks=[{"do": "finish"}], area=area, background=False)
    with pytest.raises(Conflict, match="being built"):
        area_rgb_drop(area_id=area.pk, by=person("curator"))
