"""Two `manage.py worker` on one database, as two machines are: they share the work, and do nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.site import Site, Template

from .conftest import WEST, Inputs, colours, files_below, hills, write_raster
from .test_kill import job, job_ended

pytestmark = pytest.mark.slow

SIZE = 32
DOWN, ACROSS = 40, 50


@pytest.fixture(scope="module")
def scenery(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """2,000 tiles, 200 a chunk."""
    folder = tmp_path_factory.mktemp("scenery")
    write_raster(folder / "dem" / "all.tif", hills(DOWN * SIZE, ACROSS * SIZE))
    write_raster(folder / "picture.tif", colours(DOWN * SIZE, ACROSS * SIZE), west=WEST)
    return Inputs(folder, folder / "dem", folder / "picture.tif")


@pytest.fixture
def made_site(tmp_path: Path, site_template: Template) -> Iterator[Site]:
    """A site that writes down who makes which tile."""
    # On a busy machine a worker may be silent for long: that is no reason here to give its work to another.
    patience = {"DEMETER_LEASE_SECONDS": "60", "DEMETER_STALL_SECONDS": "60"}
    apps = ["tests.support.made_app.apps.MadeAppConfig"]
    with Site(tmp_path / "site", site_template, apps=apps, environment=patience) as site:
        yield site


def chunks(site: Site, kind: str) -> list[dict[str, Any]]:
    return site.shell(
        "from tiles.models import JobChunk\n"
        f"rows = JobChunk.objects.filter(stage=1, job__kind={kind!r}).values('attempts', 'token')\n"
        "print(json.dumps(list(rows)))"
    )


def supervisors(owners: set[str]) -> set[str]:
    """The supervisors behind the owners of leases, `<machine>:<supervisor>:<number of its cluster>/<process>`."""
    return {owner.rpartition("/")[0].rpartition(":")[0] for owner in owners}


def test_every_tile_is_made_exactly_once(made_site: Site, scenery: Inputs) -> None:
    tiles = DOWN * ACROSS
    for worker in [made_site.start_worker(), made_site.start_worker()]:
        made_site.pool(worker.pid)
    made_site.manage(
        *("build_area", "land", "--dem", scenery.dems, "--imagery", scenery.raster),
        *("--tile-size", SIZE, "--background"),
    )
    ended = job_ended(made_site, 240)
    assert (ended["state"], ended["done"], ended["failed"], ended["total"]) == ("done", tiles, 0, tiles)
    made = [line.split() for line in (made_site.data / "made.txt").read_text().splitlines()]
    assert len(made) == tiles
    assert set(Counter(tile for tile, _owner in made).values()) == {1}
    assert len(supervisors({owner for _tile, owner in made})) == 2, "both took part"
    assert {(chunk["attempts"], chunk["token"]) for chunk in chunks(made_site, "build")} == {(1, 1)}

    files = files_below(made_site.data / "areas")
    made_site.manage("restretch", "land", "--percent", "5", "--background")
    ended = job_ended(made_site, 240)
    assert (ended["state"], ended["done"], ended["failed"], ended["total"]) == ("done", tiles, 0, tiles)
    assert {(chunk["attempts"], chunk["token"]) for chunk in chunks(made_site, "restretch")} == {(1, 1)}
    assert versions(made_site) == [[2, 1, 2]]
    again = files_below(made_site.data / "areas")
    assert again.keys() == files.keys(), "nothing missing, nothing left over"
    changed = {path.split("/")[1] for path in files if files[path] != again[path]}
    assert changed == {"png", "preview"}


def versions(site: Site) -> list[list[int]]:
    """The versions of picture, heights and tile that there are; a tile stretched twice would have another."""
    return site.shell(
        "from tiles.models import TilePair\n"
        "rows = {(t.layers['png']['v'], t.layers['dem']['v'], t.version) for t in TilePair.objects.all()}\n"
        "print(json.dumps(sorted(rows)))"
    )


def test_a_build_that_found_no_room_goes_on_by_itself(site: Site, inputs: Inputs) -> None:
    """The worker is started again with less to keep free; nobody resumes the job."""
    worker = site.start_worker(env={"DEMETER_MIN_FREE": str(2**60)})
    site.manage(
        *("build_area", "land", "--dem", inputs.dems, "--imagery", inputs.raster),
        *("--tile-size", SIZE, "--background"),
    )
    site.wait_until(lambda: job(site)["state"] == "paused", 60, "the job to pause")
    assert "nearly full" in job(site)["error"]
    assert not list((site.data / "areas").rglob("*.png"))
    worker.terminate()
    worker.wait(timeout=60)
    site.start_worker()
    ended = job_ended(site)
    assert (ended["state"], ended["done"], ended["error"]) == ("done", 10, "")
