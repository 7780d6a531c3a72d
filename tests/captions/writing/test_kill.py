"""1,000 tiles captioned at 8 at once, while worker processes are killed at seeded points."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.held_builds.points import BEGIN, END, ROW, ROW_AFTER
from tests.support.site import Site, Template
from tests.support.vision import VisionServer

pytestmark = pytest.mark.slow

TILES = 1000
AT_ONCE = 8
CHUNKS = range(1, 1 + TILES // 16)
"""Chunk 0 is the plan; a chunk has 16 tiles where a worker's part is 4 requests at once."""

MAKE = f"""
import os
from tests.support.factories import make_area, make_tile
from tiles.core.paths import layer_path
area = make_area("land")
first = layer_path("land", "png", 0)
make_tile(area, 0)
for index in range(1, {TILES}):
    make_tile(area, index, files=False)
    path = layer_path("land", "png", index)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.link(first, path)
"""

FOUND = """
from django.db.models import Count
from captions.models import Caption, CaptionRevision, Proposal
from captions.search.index import index_differences
from collections import Counter
from tiles.models import AreaCounter, Job, TilePair
job = Job.objects.get()
counters = {c.name: c.value for c in AreaCounter.objects.all() if c.value}
print(json.dumps({
    "job": [job.state, job.done, job.failed, job.total, job.error],
    "answers": job.parameters["spent"]["answers"],
    "proposals": Proposal.objects.count(),
    "tiles": Proposal.objects.values("tile").distinct().count(),
    "captions": Caption.objects.filter(origin="glm", version=1).count(),
    "revisions": CaptionRevision.objects.count(),
    "counted": counters == sum((tile.counted for tile in TilePair.objects.all()), Counter()),
    "index": index_differences(),
}))
"""


@pytest.fixture
def held_site(tmp_path: Path, site_template: Template) -> Iterator[tuple[Site, VisionServer]]:
    with VisionServer() as server:
        environment = server.environment("glm", CONCURRENT=AT_ONCE, SECONDS=2, PICTURE=64)
        apps = ["tests.support.held_captions.apps.HeldCaptionsConfig"]
        with Site(tmp_path / "site", site_template, apps=apps, environment=environment) as site:
            for name in ("hold", "held"):
                (site.data / name).mkdir()
            site.shell(MAKE)
            yield site, server


def test_killed_workers_lose_nothing_and_double_nothing(held_site: tuple[Site, VisionServer]) -> None:
    """Four deaths at points of a chunk's life, and four while requests are on their way."""
    site, server = held_site
    server.latency = 0.05
    chance = random.Random("captions")
    chunks = chance.sample(CHUNKS, 4)
    points = [f"{chunk}:{moment}:1" for chunk, moment in zip(chunks, (BEGIN, ROW, ROW_AFTER, END), strict=True)]
    for point in points:
        (site.data / "hold" / point).touch()
    counts = sorted(chance.sample(range(50, 900), 4))
    supervisor = site.start_worker().pid
    site.pool(supervisor)
    site.manage("caption_area", "land", "--captioner", "glm", "--background")

    while points or counts:
        found = site.wait_until(lambda: reached(site, server, points, counts), 120, f"one of {points} or {counts}")
        if isinstance(found, dict):
            for point, pid in found.items():
                site.kill(pid)
                (site.data / "hold" / point).unlink()
                points.remove(point)
        else:
            counts.pop(0)
            site.kill(chance.choice(site.pool(supervisor)))

    site.wait_until(lambda: finished(site), 300, "the captioning to end")
    result = site.shell(FOUND)
    assert result == {
        "job": ["done", TILES, 0, TILES, ""],
        "answers": TILES,
        "proposals": TILES,
        "tiles": TILES,
        "captions": TILES,
        "revisions": TILES,
        "counted": True,
        "index": [0, 0],
    }
    assert 2 <= server.peak <= AT_ONCE
    # What a death cost: no more than what that process had in hand.
    assert TILES <= len(server.asked) <= TILES + 8 * 16


def reached(site: Site, server: VisionServer, points: list[str], counts: list[int]) -> dict[str, int] | bool:
    """Who is held at one of the points (name -> process), or True when so many requests were made."""
    there = {path.name: path for path in (site.data / "held").glob("[!.]*")}
    held = {name: int(path.read_text()) for name, path in there.items() if name in points}
    return held or bool(counts and len(server.asked) >= counts[0])


def finished(site: Site) -> Any:
    return site.shell("from tiles.models import Job\nprint(json.dumps(bool(Job.objects.get().finished_at)))")
