"""Real processes, killed at seeded points of a build's life: the work goes on by itself and ends with the same bytes
and rows."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.site import REPOSITORY, Site, Template

from .conftest import PIXEL, WEST, Inputs, colours, files_below, hills, write_raster

pytestmark = pytest.mark.slow

SIZE = 384  # 42 tiles a chunk
DOWN, ACROSS = 5, 12  # two chunks of tiles
TILES = DOWN * ACROSS
CHUNKS_OF_TILES = ("1", "2")
"""The job's chunk 0 is the plan; after these come the survey, the finish and the judging."""


@dataclass(frozen=True)
class Result:
    """What a build leaves: files, and rows without their times."""

    files: dict[str, bytes]
    rows: list[dict[str, Any]]
    counters: dict[str, int]


@dataclass(frozen=True)
class Reference:
    """An undisturbed build, and the points that every build like it passes, by chunk."""

    result: Result
    points: dict[str, list[str]]


@pytest.fixture(scope="module")
def scenery(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """60 tiles in two files; some void, some flat, some beyond the imagery."""
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


def open_site(folder: Path, template: Template) -> Site:
    """A site whose builds can be held."""
    site = Site(folder, template, apps=["tests.support.held_builds.apps.HeldBuildsConfig"])
    for name in ("hold", "held"):
        (site.data / name).mkdir()
    return site


@pytest.fixture
def held_site(tmp_path: Path, site_template: Template) -> Iterator[Site]:
    with open_site(tmp_path / "site", site_template) as site:
        yield site


def command(scenery: Inputs, *more: str) -> list[str]:
    given = ["--dem", str(scenery.dems), "--imagery", scenery.raster, "--tile-size", str(SIZE)]
    return ["build_area", "land", *given, *more]


def start_command(site: Site, scenery: Inputs) -> Any:
    return site.start("command", [sys.executable, str(REPOSITORY / "manage.py"), *command(scenery)])


def result(site: Site) -> Result:
    rows, counters, recounted = site.shell(
        "from collections import Counter\n"
        "from tiles.models import AreaCounter, TilePair\n"
        "names = ('index', 'build_state', 'failure', 'failure_detail', 'review_state', 'reason', 'version', 'layers',"
        " 'captioned', 'flags', 'measures', 'dem_min', 'dem_max', 'void_share', 'uncovered_share', 'window_col',"
        " 'shift_px', 'duplicate_of', 'score', 'causes', 'imagery')\n"
        "rows = list(TilePair.objects.order_by('index').values(*names))\n"
        "for row in rows:\n"
        "    row['decisions'] = list(TilePair.objects.get(index=row['index']).decisions.order_by('id')"
        ".values_list('verb', 'to_state', 'to_reason', 'note', 'tile_version'))\n"
        "counters = {c.name: c.value for c in AreaCounter.objects.all() if c.value}\n"
        "recounted = sum((tile.counted for tile in TilePair.objects.all()), Counter())\n"
        "print(json.dumps([rows, counters, recounted], default=str))"
    )
    assert counters == recounted
    return Result(files_below(site.data / "areas"), rows, counters)


def reliable(passed: list[str]) -> dict[str, list[str]]:
    """The points that do not depend on time, by chunk: rows of tiles are written when a second is over."""
    points: dict[str, list[str]] = {}
    for point in passed:
        chunk, moment, which = point.split(":")
        if not (moment.startswith("row") and chunk in CHUNKS_OF_TILES and which != "1"):
            points.setdefault(chunk, []).append(point)
    return points


@pytest.fixture(scope="module")
def undisturbed(scenery: Inputs, site_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    with open_site(tmp_path_factory.mktemp("undisturbed"), site_template) as site:
        site.manage(*command(scenery))
        found = result(site)
        points = reliable((site.data / "passed").read_text().splitlines())
    assert found.counters["built"] > 45
    assert found.counters["rejected:flat"] == 2
    assert found.counters["failed:void"] == 2
    assert found.counters["failed:not_covered"] > 3
    return Reference(found, points)


def job(site: Site) -> dict[str, Any]:
    return site.shell(
        "from tiles.models import Job\n"
        "jobs = Job.objects.order_by('-id').values('state', 'done', 'failed', 'total', 'error', 'finished_at')\n"
        "print(json.dumps(jobs.first(), default=str))"
    )


def job_ended(site: Site, timeout: float = 180) -> dict[str, Any]:
    """`job` once it is over. Looks from within one process, since starting one a look is what costs."""
    over = site.shell(
        "import time\n"
        "from tiles.models import Job\n"
        f"until = time.monotonic() + {timeout}\n"
        "while not (over := Job.objects.order_by('-id').first().finished_at) and time.monotonic() < until:\n"
        "    time.sleep(0.1)\n"
        "print(json.dumps(bool(over)))",
        timeout=timeout + 60,
    )
    ended = job(site)
    assert over, f"the job did not end: {ended}\n{site.logs()}"
    return ended


def assert_same(site: Site, undisturbed: Reference) -> None:
    """The job is done, and files and rows are those of an undisturbed run: nothing missing, doubled or left over."""
    ended = job_ended(site)
    assert (ended["state"], ended["done"] + ended["failed"], ended["total"]) == ("done", TILES, TILES), ended
    found, expected = result(site), undisturbed.result
    assert found.files.keys() == expected.files.keys()
    assert [path for path in found.files if found.files[path] != expected.files[path]] == []
    assert found.rows == expected.rows
    assert found.counters == expected.counters


def drawn(chance: random.Random, reference: Reference, chunks: int) -> list[str]:
    """Points of a build's life, one a chunk, each kind of moment as likely as another."""
    points = []
    for chunk in sorted(chance.sample(sorted(reference.points), chunks)):
        kinds: dict[str, list[str]] = {}
        for point in reference.points[chunk]:
            kinds.setdefault(point.split(":")[1], []).append(point)
        points.append(chance.choice(kinds[chance.choice(sorted(kinds))]))
    return points


def arm(site: Site, points: list[str]) -> None:
    for point in points:
        (site.data / "hold" / point).touch()


def held(site: Site) -> dict[str, int]:
    """Who is held now: a point's name -> the id of the process."""
    there = {path.name: path for path in (site.data / "held").glob("[!.]*")}
    return {name: int(path.read_text()) for name, path in there.items() if (site.data / "hold" / name).exists()}


def release(site: Site, names: dict[str, int]) -> None:
    for name in names:
        (site.data / "hold" / name).unlink()


class Worker:
    """A running `manage.py worker` and whom of it to kill."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.start()

    def start(self) -> None:
        self.supervisor = self.site.start_worker().pid
        self.pool = self.site.pool(self.supervisor)

    def group(self, _busy: list[int]) -> None:
        """All of it at one blow; then it is started again, as an init system would."""
        for pid in [self.supervisor, *(process.pid for process in self.site.below(self.supervisor))]:
            self.site.kill(pid)

    def supervisor_only(self, _busy: list[int]) -> None:
        self.site.kill(self.supervisor)

    def qcluster(self, _busy: list[int]) -> None:
        """Waits for it: a worker that outlived the last one may come to the next point before there is another."""
        clusters = self.site.wait_until(self._clusters, 60, "a cluster to kill")
        self.site.kill(clusters[0].pid)

    def _clusters(self) -> list[Any]:
        return [each for leash in self.site.children(self.supervisor) for each in self.site.children(leash.pid)]

    def busy(self, busy: list[int]) -> None:
        for pid in busy:
            self.site.kill(pid)

    def idle(self, busy: list[int]) -> None:
        """The one that is not held: at the plan and at the end it has nothing to do."""
        for pid in self.site.pool(self.supervisor):
            if pid not in busy:
                self.site.kill(pid)

    def web(self, _busy: list[int]) -> None:
        self.site.kill_web()
        self.site.start_web()


@dataclass(frozen=True)
class Victim:
    """Whom to kill, and at how many points of one build; whether somebody has to start the worker again."""

    kill: Callable[[Worker, list[int]], None]
    points: int
    start_again: bool = False


VICTIMS = {
    "web": Victim(Worker.web, 2),
    "supervisor": Victim(Worker.supervisor_only, 3, start_again=True),
    "qcluster": Victim(Worker.qcluster, 3),
    "busy worker": Victim(Worker.busy, 4),
    "idle worker": Victim(Worker.idle, 4),
    "whole group": Victim(Worker.group, 4, start_again=True),
}


@pytest.mark.parametrize("name", VICTIMS)
def test_a_build_survives_the_death_of(held_site: Site, scenery: Inputs, undisturbed: Reference, name: str) -> None:
    """Twenty points in all."""
    site, victim = held_site, VICTIMS[name]
    if name == "web":
        site.start_web()
    worker = Worker(site)
    left = drawn(random.Random(name), undisturbed, victim.points)
    arm(site, left)
    site.manage(*command(scenery, "--background"))
    while left:
        found = site.wait_until(lambda: held(site), 60, f"somebody at one of {left}")
        victim.kill(worker, list(found.values()))
        release(site, found)
        if victim.start_again:
            worker.start()
        left = [point for point in left if point not in found]
    assert_same(site, undisturbed)


def test_a_killed_command_goes_on_when_it_is_given_again(
    held_site: Site, scenery: Inputs, undisturbed: Reference
) -> None:
    """With no worker at all: the next run takes over the job that the dead one left open."""
    left = drawn(random.Random("command"), undisturbed, 3)
    arm(held_site, left)
    while left:
        running = start_command(held_site, scenery)
        found = held_site.wait_until(lambda: held(held_site), 60, f"the command at one of {left}")
        held_site.kill(running.pid)
        running.wait()
        release(held_site, found)
        left = [point for point in left if point not in found]
    held_site.manage(*command(scenery))
    assert_same(held_site, undisturbed)


def test_two_commands_at_once_build_no_tile_twice(held_site: Site, scenery: Inputs, undisturbed: Reference) -> None:
    """The second joins the job of the first: every tile is counted once, whoever made it."""
    begun = [f"{CHUNKS_OF_TILES[0]}:begin:1"]
    arm(held_site, begun)
    first = start_command(held_site, scenery)
    found = held_site.wait_until(lambda: held(held_site), 60, "the first at its tiles")
    second = start_command(held_site, scenery)
    there = f"{CHUNKS_OF_TILES[1]}:begin:1"
    held_site.wait_until(lambda: there in (held_site.data / "passed").read_text().split(), 60, "the second at its own")
    release(held_site, found)
    assert [first.wait(timeout=120), second.wait(timeout=120)] == [0, 0]
    assert_same(held_site, undisturbed)
