"""Whole builds by real processes: CPU a tile with previews, measures and rows; one worker and two; memory."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from tests.bench import inputs, published
from tests.bench.report import cpu_of, show
from tests.support.large_dem import LAND, peak_memory, write_large
from tests.support.site import Site, Template

# Some work is done once an area, whatever its size: a real one has thousands of tiles.
COPIES = 20
BASELINE_TILES = 6

_BUILD = """
import json, resource
from tiles.build.services import BuildOptions, area_build_start
from tiles.jobs.runner import run_here
from pathlib import Path
def spent():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
before = spent()
options = BuildOptions(tile_size=512, void_limit=100, uncovered_limit=100)
job = area_build_start(
    slug="bench", dems=[Path({dem!r})], imagery={imagery!r}, options=options, background=False
)
job = run_here(job.pk, lambda _job: None)
print(json.dumps([spent() - before, job.done, job.failed]))
"""
_ENDED = """
from tiles.models import Job
job = Job.objects.order_by("-id").first()
took = (job.finished_at - job.started_at).total_seconds() if job and job.finished_at else None
print(json.dumps([took, job.done if job else 0]))
"""


def cpu_of_baseline(given: inputs.Inputs, folder: Path, *, processes: bool) -> float:
    """CPU seconds a tile of the published method, which makes five outputs and no previews, measures or rows."""
    folder.mkdir()
    spent = [
        cpu_of(lambda c=corner: published.tile(given.dem, given.rgb, *c, inputs.SIZE, folder, processes=processes))
        for corner in given.corners[:BASELINE_TILES]
    ]
    return statistics.median(spent)


def build_here(template: Template, folder: Path, dem: Path, rgb: Path) -> tuple[float, int, int]:
    """CPU seconds of a build in the foreground, tiles made, tiles failed."""
    with Site(folder, template) as site:
        seconds, done, failed = site.shell(_BUILD.format(dem=str(dem), imagery=f"raster:{rgb}"))
    return seconds, done, failed


def build_by_workers(template: Template, folder: Path, dem: Path, rgb: Path, workers: int) -> tuple[float, int]:
    """Wall seconds from the first chunk to the last, by so many worker processes, and tiles made."""
    patience = {"DEMETER_WORKERS": str(workers), "DEMETER_LEASE_SECONDS": "60", "DEMETER_STALL_SECONDS": "60"}
    with Site(folder, template, environment=patience) as site:
        site.start_worker()
        site.manage(
            *("build_area", "bench", "--dem", dem, "--imagery", f"raster:{rgb}", "--void-limit", 100),
            *("--uncovered-limit", 100, "--background"),
        )
        return _wait(site)


def _wait(site: Site) -> tuple[float, int]:
    while True:
        took, done = site.shell(_ENDED)
        if took is not None:
            return took, done
        time.sleep(0.5)


def memory_on_a_large_dem(template: Template, folder: Path) -> list[tuple[str, str]]:
    folder.mkdir()
    dem, imagery = write_large(folder)
    patience = {"DEMETER_LEASE_SECONDS": "60", "DEMETER_STALL_SECONDS": "60"}
    with Site(folder / "site", template, environment=patience) as site:
        pool = site.pool(site.start_worker().pid)
        site.manage("build_area", "large", "--dem", dem, "--imagery", f"raster:{imagery}", "--nir", 4, "--background")
        took, done = _wait(site)
        peak = max(peak_memory(pid) for pid in pool)
    return [
        ("heights, int16, all read through", f"20,000 x 20,000, {dem.stat().st_size / 1e6:.0f} MB deflated"),
        ("tiles made, the rest is sea", f"{done} of {len(LAND)}, {took:.1f} s with the scan"),
        ("peak memory of a worker process (target 500)", f"{peak / 1e6:.0f} MB"),
    ]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    os.environ.setdefault("SECRET_KEY", "only-for-benches")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "template").mkdir()
        template = Template(folder / "template")
        given = inputs.generated(folder)
        dem, rgb = inputs.repeated(given, folder / "many", COPIES)
        plain = cpu_of_baseline(given, folder / "published", processes=True)
        alone = cpu_of_baseline(given, folder / "here", processes=False)
        seconds, done, failed = build_here(template, folder / "foreground", dem, rgb)
        cpu = seconds / (done + failed)
        show(
            "A whole build: heights, imagery, picture, preview, DEM_255, all measures, rows",
            [
                ("tiles, each 512 x 512", f"{done}, and {failed} failed"),
                ("Demeter, CPU a tile, planning and judging included", f"{1000 * cpu:.1f} ms"),
                ("published, CPU a tile", f"{1000 * plain:.1f} ms"),
                ("published, one process, CPU a tile", f"{1000 * alone:.1f} ms"),
                ("published / Demeter (target 8)", f"{plain / cpu:.1f}"),
                ("published, one process / Demeter", f"{alone / cpu:.1f}"),
            ],
        )
        walls = {count: build_by_workers(template, folder / f"workers{count}", dem, rgb, count) for count in (1, 2)}
        show(
            "The same build by worker processes, wall clock",
            [
                *((f"{count} at work, {made} tiles", f"{took:.1f} s") for count, (took, made) in walls.items()),
                ("one / two", f"{walls[1][0] / walls[2][0]:.2f}"),
            ],
        )
        show("Memory", memory_on_a_large_dem(template, folder / "large"))


if __name__ == "__main__":
    main()
