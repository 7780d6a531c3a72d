"""Real processes, killed at seeded points of a build: the work goes on by itself and ends with the same bytes."""

from __future__ import annotations

import random
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.site import REPOSITORY, Site, Template

from .conftest import PIXEL, WEST, Inputs, colours, files_below, hills, write_raster

pytestmark = pytest.mark.slow

SIZE = 384  # 42 tiles a chunk
DOWN, ACROSS = 10, 12
LAYERS = ("png", "rgb", "dem", "dem255", "preview")


@dataclass(frozen=True)
class Result:
    """What a build leaves: files, and rows without their times."""

    files: dict[str, bytes]
    rows: list[dict[str, Any]]
    counters: dict[str, int]


@pytest.fixture(scope="module")
def scenery(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """120 tiles in two files; some void, some flat, some beyond the imagery."""
    folder = tmp_path_factory.mktemp("scenery")
    for number in range(2):
        heights = hills(DOWN * SIZE, ACROSS // 2 * SIZE, seed=number)
        heights[100:110, 100:120] = -32768
        heights[SIZE : 2 * SIZE, SIZE : 2 * SIZE] = 7
        west = WEST + number * ACROSS // 2 * SIZE * PIXEL
        write_raster(folder / "dem" / f"part{number}.tif", heights, west=west, nodata=-32768, compress="deflate")
    picture = colours(DOWN * SIZE // 4, ACROSS * SIZE // 4 - 50)
    write_raster(folder / "picture.tif", picture, pixel=4 * PIXEL, nodata=0)
    return Inputs(folder, folder / "dem", folder / "picture.tif")


def command(scenery: Inputs, *more: str) -> list[str]:
    given = ["--dem", str(scenery.dems), "--imagery", scenery.raster, "--tile-size", str(SIZE)]
    return ["build_area", "land", *given, *more]


def result(site: Site) -> Result:
    rows, counters, recounted = site.shell(
        "from collections import Counter\n"
        "from tiles.models import AreaCounter, TilePair\n"
        "names = ('index', 'build_state', 'failure', 'failure_detail', 'review_state', 'reason', 'version', 'layers',"
        " 'captioned', 'flags', 'measures', 'dem_min', 'dem_max', 'void_share', 'uncovered_share', 'window_col',"
        " 'score', 'causes', 'shift_px', 'duplicate_of')\n"
        "rows = list(TilePair.objects.order_by('index').values(*names))\n"
        "counters = {c.name: c.value for c in AreaCounter.objects.all() if c.value}\n"
        "recounted = sum((tile.counted for tile in TilePair.objects.all()), Counter())\n"
        "print(json.dumps([rows, counters, recounted]))"
    )
    assert counters == recounted
    return Result(files_below(site.data / "areas"), rows, counters)


@pytest.fixture(scope="module")
def undisturbed(scenery: Inputs, site_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Result:
    with Site(tmp_path_factory.mktemp("undisturbed"), site_template) as site:
        site.manage(*command(scenery))
        found = result(site)
    assert found.counters["built"] > 100
    assert found.counters["rejected:flat"] == 2
    assert found.counters["failed:void"] == 2
    assert found.counters["failed:not_covered"] > 5
    return found


def job(site: Site) -> dict[str, Any]:
    return site.shell(
        "from tiles.models import Job\n"
        "jobs = Job.objects.order_by('-id').values('state', 'done', 'failed', 'total', 'error', 'finished_at')\n"
        "print(json.dumps(jobs.first(), default=str))"
    )


def assert_same(site: Site, undisturbed: Result) -> None:
    """The job is done, and files and rows are those of an undisturbed run: nothing missing, doubled or left over."""
    site.wait_until(lambda: job(site)["finished_at"] != "None" and job(site)["finished_at"], 180, "the build to end")
    ended = job(site)
    tiles = DOWN * ACROSS
    assert (ended["state"], ended["done"] + ended["failed"], ended["total"]) == ("done", tiles, tiles), ended
    found = result(site)
    assert found.files.keys() == undisturbed.files.keys()
    assert [path for path in found.files if found.files[path] != undisturbed.files[path]] == []
    assert found.rows == undisturbed.rows
    assert found.counters == undisturbed.counters


def wait_for_files(site: Site, seed: int) -> None:
    """Wait until a seeded number of files of a seeded layer is written or being written."""
    chance = random.Random(seed)
    layer, count = chance.choice(LAYERS), chance.randint(1, DOWN * ACROSS // 3)
    folder = site.data / "areas" / "land" / layer / "0"
    site.wait_until(lambda: folder.is_dir() and len(list(folder.iterdir())) >= count, 120, f"{count} files of {layer}")


def attempts(site: Site) -> list[int]:
    return site.shell(
        "from tiles.models import JobChunk\n"
        "print(json.dumps(list(JobChunk.objects.filter(stage=1).values_list('attempts', flat=True))))"
    )


def kill_everything(site: Site, supervisor: int, _workers: list[int]) -> None:
    """The whole worker, as one group, at one blow; then it is started again, as an init system would."""
    for pid in [supervisor, *(process.pid for process in site.below(supervisor))]:
        site.kill(pid)
    site.start_worker()


def kill_one(site: Site, _supervisor: int, workers: list[int]) -> None:
    site.kill(workers[0])


def kill_both(site: Site, _supervisor: int, workers: list[int]) -> None:
    for worker in workers:
        site.kill(worker)


def kill_web(site: Site, _supervisor: int, _workers: list[int]) -> None:
    site.kill_web()
    site.start_web()


VICTIMS: list[tuple[Callable[[Site, int, list[int]], None], int]] = [
    (kill_everything, 1),
    (kill_everything, 2),
    (kill_one, 3),
    (kill_one, 4),
    (kill_both, 5),
    (kill_web, 6),
]


@pytest.mark.parametrize(("kill", "seed"), VICTIMS, ids=[f"{kill.__name__} {seed}" for kill, seed in VICTIMS])
def test_a_build_survives(
    site: Site, scenery: Inputs, undisturbed: Result, kill: Callable[[Site, int, list[int]], None], seed: int
) -> None:
    if kill is kill_web:
        site.start_web()
    worker = site.start_worker()
    workers = site.pool(worker.pid)
    site.manage(*command(scenery, "--background"))
    wait_for_files(site, seed)
    kill(site, worker.pid, workers)
    assert_same(site, undisturbed)
    if kill in (kill_everything, kill_both):  # one of two may have been between two chunks
        assert max(attempts(site)) > 1, "who was killed was at work"


def test_a_build_survives_the_death_of_an_idle_worker(site: Site, scenery: Inputs, undisturbed: Result) -> None:
    worker = site.start_worker()
    site.kill(site.pool(worker.pid)[0])
    site.manage(*command(scenery, "--background"))
    assert_same(site, undisturbed)


@pytest.mark.parametrize("seed", [7, 8])
def test_a_killed_command_goes_on_when_it_is_given_again(
    site: Site, scenery: Inputs, undisturbed: Result, seed: int
) -> None:
    """With no worker at all: the next run takes over the job that the dead one left open."""
    running = site.start("command", [sys.executable, str(REPOSITORY / "manage.py"), *command(scenery)])
    wait_for_files(site, seed)
    site.kill(running.pid)
    running.wait()
    kept = len(list(Path(site.data / "areas" / "land" / "png").rglob("tile_*.png")))
    assert kept > 0
    site.manage(*command(scenery))
    assert_same(site, undisturbed)


#: Runs a command, and kills its own process at the so-many-th call of the product's functions after a step has begun.
DYING = """
import os, signal, sys
from django.core.management import execute_from_command_line

step, left, begun = sys.argv[1], int(sys.argv[2]), False

def watch(frame, event, _argument):
    global left, begun
    if event != "call" or "/tiles/" not in frame.f_code.co_filename:
        return
    begun = begun or frame.f_code.co_name == step
    left -= begun
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)

sys.setprofile(watch)
execute_from_command_line(["manage.py", *sys.argv[3:]])
"""


@pytest.mark.parametrize(("step", "seed"), [("area_survey", 10), ("tiles_judge", 11), ("tiles_judge", 12)])
def test_a_death_while_the_area_is_judged(
    site: Site, scenery: Inputs, undisturbed: Result, step: str, seed: int
) -> None:
    """Where the sun stood, twins and scores come out the same, wherever the process died that worked them out."""
    calls = random.Random(seed).randint(1, 300)
    dying = site.start("command", [sys.executable, "-c", DYING, step, str(calls), *command(scenery)])
    assert dying.wait(timeout=300) == -signal.SIGKILL
    assert job(site)["finished_at"] is None
    site.manage(*command(scenery))
    assert_same(site, undisturbed)


def test_two_commands_at_once_build_no_tile_twice(site: Site, scenery: Inputs, undisturbed: Result) -> None:
    """The second joins the job of the first: every tile is counted once, whoever made it."""
    first = site.start("first", [sys.executable, str(REPOSITORY / "manage.py"), *command(scenery)])
    wait_for_files(site, 9)
    site.manage(*command(scenery))
    assert first.wait(timeout=120) == 0
    assert_same(site, undisturbed)
