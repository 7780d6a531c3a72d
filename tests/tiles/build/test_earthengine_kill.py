"""Two real workers build from Earth Engine's stand-in, and one is killed while its requests are in the air."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.earthengine import StandIn
from tests.support.site import Site, Template

from .conftest import files_below, hills, write_raster
from .test_kill import job

pytestmark = pytest.mark.slow

SIZE, ACROSS, DOWN, SLOTS = 32, 20, 12, 6
TILES = ACROSS * DOWN


def start(site: Site, dem: Path, *more: str) -> None:
    given = ["--dem", dem, "--imagery", "earthengine", "--tile-size", SIZE]
    site.manage("build_area", "land", *given, *more)


def rows(site: Site) -> list[list[Any]]:
    return site.shell(
        "from tiles.models import TilePair\n"
        "rows = TilePair.objects.order_by('index').values_list('index', 'build_state', 'layers', 'version')\n"
        "print(json.dumps(list(rows)))"
    )


def asked(stand_in: StandIn) -> Counter[str]:
    return Counter(json.dumps(request["grid"], sort_keys=True) for request in stand_in.requests)


@pytest.fixture
def dem(tmp_path: Path) -> Path:
    return write_raster(tmp_path / "dem.tif", hills(DOWN * SIZE, ACROSS * SIZE))


@pytest.fixture
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, site_template: Template, dem: Path
) -> tuple[dict[str, bytes], list[list[Any]]]:
    with (
        StandIn().running() as stand_in,
        Site(tmp_path_factory.mktemp("calm"), site_template, environment=stand_in.environment()) as site,
    ):
        start(site, dem)
        assert set(asked(stand_in).values()) == {1}
        return files_below(site.data / "areas"), rows(site)


def test_a_worker_dies_in_mid_flight(
    tmp_path: Path, site_template: Template, dem: Path, undisturbed: tuple[dict[str, bytes], list[list[Any]]]
) -> None:
    """What it asked for may still be computed, so nobody gets its slots before its lease expires."""
    with StandIn().running() as stand_in:
        stand_in.latency = 0.25
        limits = {**stand_in.environment(slots=SLOTS, per_second=1000), "DEMETER_LEASE_SECONDS": "10"}
        with Site(tmp_path / "site", site_template, environment={**limits, "DEMETER_STALL_SECONDS": "60"}) as site:
            workers = site.pool(site.start_worker().pid)
            start(site, dem, "--background")
            site.wait_until(lambda: len(stand_in.requests) > TILES // 4, 120, "a quarter of the requests")
            holders = site.shell(
                "from tiles.models import JobChunk\n"
                "held = JobChunk.objects.filter(state='leased').values_list('owner', flat=True)\n"
                "print(json.dumps([int(owner.rpartition('/')[2]) for owner in held]))"
            )
            victim = next(pid for pid in workers if pid in holders)
            site.kill(victim)
            held = site.shell(
                "from tiles.models import QuotaLease\n"
                "print(json.dumps(sum(lease.slots for lease in QuotaLease.objects.all()"
                f" if lease.owner.endswith('/{victim}'))))"
            )
            assert held > 0, "it died with its requests in the air"
            site.wait_until(lambda: (job(site) or {}).get("finished_at") not in (None, "None"), 240, "the job to end")
            ended = job(site)
            assert (ended["state"], ended["done"], ended["failed"], ended["total"]) == ("done", TILES, 0, TILES)
            assert 2 <= stand_in.peak <= SLOTS
            files, made = undisturbed
            assert files_below(site.data / "areas") == files
            assert [row[0] for row in rows(site)] == [row[0] for row in made], "none missing, none twice"
            assert rows(site) == made
            # What the dead one had asked for and not written down is asked for again, and nothing else.
            counts = asked(stand_in)
            assert len(counts) == TILES
            assert max(counts.values()) <= 2
