"""Two real workers build from Earth Engine's stand-in, and one is killed while its requests are in the air."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.earthengine import StandIn
from tests.support.site import Site, Template

from .conftest import PIXEL, WEST, files_below, hills, write_raster

pytestmark = pytest.mark.slow

SIZE, ACROSS, DOWN, SLOTS = 32, 6, 5, 6
TILES = ACROSS * DOWN
AREAS = ("land", "coast")


def build(site: Site, dems: Path, *more: str) -> None:
    """Two areas: a worker takes a chunk of each."""
    for area in AREAS:
        given = ["--dem", dems / f"{area}.tif", "--imagery", "earthengine", "--tile-size", SIZE]
        site.manage("build_area", area, *given, *more)


def rows(site: Site) -> list[list[Any]]:
    return site.shell(
        "from tiles.models import TilePair\n"
        "names = ('area__slug', 'index', 'build_state', 'layers', 'version')\n"
        "print(json.dumps(list(TilePair.objects.order_by(*names[:2]).values_list(*names))))"
    )


def asked(stand_in: StandIn) -> Counter[str]:
    """How often each grid was asked for."""
    return Counter(json.dumps(request["grid"], sort_keys=True) for request in list(stand_in.requests))


@pytest.fixture
def dems(tmp_path: Path) -> Path:
    for number, area in enumerate(AREAS):
        heights = hills(DOWN * SIZE, ACROSS * SIZE, seed=number)
        write_raster(tmp_path / f"{area}.tif", heights, west=WEST + number * ACROSS * SIZE * PIXEL)
    return tmp_path


@pytest.fixture
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, site_template: Template, dems: Path
) -> tuple[dict[str, bytes], list[list[Any]]]:
    with (
        StandIn().running() as stand_in,
        Site(tmp_path_factory.mktemp("calm"), site_template, environment=stand_in.environment()) as site,
    ):
        build(site, dems)
        assert set(asked(stand_in).values()) == {1}
        return files_below(site.data / "areas"), rows(site)


def over(site: Site) -> list[list[Any]]:
    """State, done and failed of the jobs, once all are over."""
    return site.shell(
        "from tiles.models import Job\n"
        "over = not Job.objects.filter(finished_at=None).exists()\n"
        "print(json.dumps(list(Job.objects.values_list('state', 'done', 'failed')) if over else []))"
    )


def test_a_worker_dies_in_mid_flight(
    tmp_path: Path, site_template: Template, dems: Path, undisturbed: tuple[dict[str, bytes], list[list[Any]]]
) -> None:
    """What it asked for may still be computed, so nobody gets its slots before its lease expires."""
    with StandIn().running() as stand_in:
        stand_in.latency = 1.0
        environment = {
            **stand_in.environment(slots=SLOTS, per_second=1000),
            "DEMETER_LEASE_SECONDS": "10",
            "DEMETER_STALL_SECONDS": "60",
        }
        with Site(tmp_path / "site", site_template, environment=environment) as site:
            workers = site.pool(site.start_worker().pid)
            build(site, dems, "--background")
            site.wait_until(lambda: stand_in.peak > SLOTS // 2, 120, "requests of both workers in the air")
            site.kill(workers[0])
            assert site.wait_until(lambda: over(site), 240, "the jobs to end") == [["done", TILES, 0]] * 2
            kept = site.shell(
                "from tiles.models import QuotaLease\n"
                f"dead = QuotaLease.objects.filter(owner__endswith='/{workers[0]}')\n"
                "print(json.dumps(sum(dead.values_list('slots', flat=True))))"
            )
            assert kept > 0, "its slots are nobody's yet"
            assert SLOTS // 2 < stand_in.peak <= SLOTS
            assert files_below(site.data / "areas") == undisturbed[0]
            assert rows(site) == undisturbed[1], "none missing, none twice"
            counts = asked(stand_in)
            assert len(counts) == 2 * TILES
            assert max(counts.values()) <= 2, "only what the dead one had not written down is asked for again"
