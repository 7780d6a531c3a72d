"""Builds on a disk that is really full, under the files and under the database: nothing half-written, nothing lost."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.disk import SmallDisk
from tests.support.site import Site, Template, on_postgres

from .conftest import Inputs, colours, files_below, hills, write_raster

pytestmark = pytest.mark.slow

SIZE, DOWN, ACROSS = 128, 8, 8


@pytest.fixture
def scenery(tmp_path: Path) -> Inputs:
    folder = tmp_path / "scenery"
    write_raster(folder / "dem" / "all.tif", hills(DOWN * SIZE, ACROSS * SIZE))
    write_raster(folder / "picture.tif", colours(DOWN * SIZE, ACROSS * SIZE))
    return Inputs(folder, folder / "dem", folder / "picture.tif")


def look(site: Site) -> dict[str, Any]:
    return site.shell(
        "from tiles.models import Job, JobEvent\n"
        "job = Job.objects.get()\n"
        "print(json.dumps(dict(state=job.state, error=job.error, waits=job.waits_for_room, done=job.done,"
        " failed=job.failed, finished=bool(job.finished_at), log=[e.message for e in job.events.all()])))"
    )


def state_of(site: Site, state: str) -> dict[str, Any]:
    return site.wait_until(lambda: (found := look(site))["state"] == state and found, 90, f"the job to be {state}")


def assert_rows_are_files(site: Site) -> int:
    """What the rows call built is on the disk, byte for byte. Returns how many tiles that are."""
    return site.shell(
        "import hashlib\n"
        "from tiles.core.paths import layer_path\n"
        "from tiles.models import TilePair\n"
        "built = list(TilePair.objects.filter(build_state='built'))\n"
        "for tile in built:\n"
        "    for name, layer in tile.layers.items():\n"
        "        content = layer_path('land', name, tile.index).read_bytes()\n"
        "        assert hashlib.sha256(content).hexdigest() == layer['sha256'], (tile, name)\n"
        "print(len(built))"
    )


def build(site: Site, scenery: Inputs, *more: str) -> Any:
    given = ["--dem", scenery.dems, "--imagery", scenery.raster, "--tile-size", SIZE]
    return site.manage("build_area", "land", *given, *more)


def test_a_build_waits_for_room_and_goes_on_by_itself(
    tmp_path: Path, site_template: Template, disk: SmallDisk, scenery: Inputs
) -> None:
    """The database lies elsewhere; the files find the disk full in the middle of a chunk."""
    elsewhere = {"DEMETER_MIN_FREE": "0"}
    if not on_postgres():
        elsewhere["DATABASE_URL"] = f"sqlite:///{tmp_path / 'demeter.sqlite3'}"
    with Site(tmp_path / "site", site_template, environment=elsewhere) as site:
        if not on_postgres():
            shutil.move(site.data / "demeter.sqlite3", tmp_path)
        site.start_worker()
        site.wait_until(lambda: (site.data / "run").is_dir(), 60, "the worker")
        disk.fill(leave=2_000_000)
        build(site, scenery, "--background")
        paused = state_of(site, "paused")
        assert paused["waits"]
        assert paused["error"].startswith("The disk is full. Make room")
        assert any(line.startswith("Paused. The disk is full.") for line in paused["log"])
        assert "waiting for room" in site.manage("jobs").stdout
        built = assert_rows_are_files(site)
        assert 0 < built < DOWN * ACROSS
        assert built == paused["done"]
        assert not list((site.data / "areas").rglob(".*.tmp-*"))
        disk.make_room()
        ended = state_of(site, "done")
        assert (ended["done"], ended["failed"], ended["error"]) == (DOWN * ACROSS, 0, "")
        assert "There is room on the disk again: going on." in ended["log"]
        assert assert_rows_are_files(site) == DOWN * ACROSS
        assert len(files_below(site.data / "areas")) == DOWN * ACROSS * 5, "five layers a tile, and nothing else"


@pytest.mark.skipif(on_postgres(), reason="its files lie on a disk of their own")
def test_a_build_over_a_full_database_goes_on(
    tmp_path: Path, site_template: Template, disk: SmallDisk, scenery: Inputs
) -> None:
    """Nobody can write down that the job should wait: it goes on all the same, and gives no tile up."""
    with Site(tmp_path / "site", site_template, environment={"DEMETER_MIN_FREE": "0"}) as site:
        site.start_worker()
        build(site, scenery, "--background")
        site.wait_until(lambda: list((site.data / "areas").rglob("tile_1.png")), 60, "the build to have begun")
        disk.fill()
        trouble = ("The database is away", "disk is full", "disk I/O error")
        site.wait_until(lambda: any(text in site.logs() for text in trouble), 60, "the worker to notice")
        disk.make_room()
        ended = state_of(site, "done")
        assert (ended["done"], ended["failed"]) == (DOWN * ACROSS, 0), ended
        assert assert_rows_are_files(site) == DOWN * ACROSS
        assert len(files_below(site.data / "areas")) == DOWN * ACROSS * 5
