"""Writing a release against copying and hashing the same files, and its memory at four times as many tiles.

Tiles of 512 x 512, some of them distinct, the others hard links to their files. The release is the job from its first
step to its last, rows, journals and manifest included; it verifies every layer's SHA-256 and works out that of the
archive besides. A copy reads a file, hashes it, writes it and fsyncs it, as files land everywhere in Demeter; the
bare copy writes all files into one and fsyncs that once. The rounds take turns. Memory is that of a process that does
nothing else, over small tiles, of which there can be many.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.report import machine, show
from tests.support.site import Site, Template

TILES, SCENES, ROUNDS = 300, 24, 5
SMALL_TILES = 1_000

_MAKE = f"""
import tempfile
from pathlib import Path
from uuid import uuid4
import numpy as np
import rasterio
from portal.accounts.models import User
from tests.bench.inputs import generated
from tests.support.factories import lengthen, make_area, make_tile
from tiles.review.services import tile_approve
area = make_area("wide", tile_size={{size}})
with tempfile.TemporaryDirectory() as name:
    made = generated(Path(name))
    with rasterio.open(made.dem) as dem, rasterio.open(made.rgb) as rgb:
        for number in range({SCENES}):
            col, row = made.corners[number % len(made.corners)]
            window = rasterio.windows.Window(col, row, {{size}}, {{size}})
            heights = dem.read(1, window=window).astype("float32") + number
            bands = np.moveaxis(rgb.read([1, 2, 3], window=window), 0, -1).astype("float32")
            low, high = np.percentile(bands, (2, 98))
            colours = np.rot90((255 * ((bands - low) / (high - low)).clip(0, 1)).astype("uint8"), number // 4)
            make_tile(area, number, heights=np.rot90(heights, number // 4).copy(), colours=colours.copy())
lengthen(area, {{tiles}})
reviewer = User.objects.get(username="reviewer")
for tile in area.tiles.filter(review_state="pending"):
    seen = tile.layer_versions()
    tile_approve(tile_id=tile.pk, seen=seen, seen_version=tile.version, by=reviewer, client_id=uuid4())
"""
_TIMES = f"""
import hashlib, os, shutil, time
from pathlib import Path
from portal.exports.models import Release
from portal.exports.services import release_create
from tiles.core.paths import data_folder, layer_path, release_folder
from tiles.jobs.runner import run_here

def timed(work):
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu

def bare_copy(paths, to):
    with (to / "all").open("wb") as target:
        for path in paths:
            digest = hashlib.sha256()
            with path.open("rb") as source:
                while block := source.read(1 << 20):
                    digest.update(block)
                    target.write(block)
        target.flush()
        os.fsync(target.fileno())

def copy(paths, to):
    for number, path in enumerate(paths):
        digest = hashlib.sha256()
        with path.open("rb") as source, (to / str(number)).open("wb") as target:
            while block := source.read(1 << 20):
                digest.update(block)
                target.write(block)
            target.flush()
            os.fsync(target.fileno())

spent = {{"release": [], "copy": [], "bare copy": []}}
size = 0
for number in range({ROUNDS}):
    made = release_create(name=f"r{{number}}", area_slugs=["wide"], shard_megabytes=100, background=False)
    spent["release"].append(timed(lambda: run_here(made.job_id, lambda _job: None)))
    made.refresh_from_db()
    assert made.state == "ready", made.error
    entries = made.entries.select_related("tile").order_by("position")
    paths = [layer_path("wide", layer, one.tile.index) for one in entries for layer in ("png", "dem", "dem255")]
    size = sum(path.stat().st_size for path in paths)
    shutil.rmtree(release_folder(made.name))
    for name, work in (("copy", copy), ("bare copy", bare_copy)):
        to = data_folder() / "copies"
        to.mkdir()
        spent[name].append(timed(lambda: work(paths, to)))
        shutil.rmtree(to)
print(json.dumps([spent, size, made.files.count()]))
"""
_FREEZE = """
from portal.exports.services import release_create
print(release_create(name="peak", area_slugs=["wide"], shard_megabytes=5, background=False).job_id)
"""
_PEAK = """
import resource
from tiles.jobs.runner import run_here
assert run_here({job}, lambda _job: None).state == "done"
print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))
"""


def _ratio(spent: dict[str, list[list[float]]], of: str, against: str, kind: int) -> str:
    """Median of the rounds' ratios; kind: 0 for wall clock, 1 for CPU."""
    pairs = zip(spent[of], spent[against], strict=True)
    return f"{statistics.median(ours[kind] / theirs[kind] for ours, theirs in pairs):.2f}"


def rows_of(spent: dict[str, list[list[float]]], size: int, files: int) -> list[tuple[str, str]]:
    rows = [("files of the layers", f"{3 * TILES}, {size / 1e6:.0f} MB; the archive is {files} files")]
    for name, times in spent.items():
        wall, cpu = (statistics.median(one[kind] for one in times) for kind in (0, 1))
        rows.append((f"{name}: wall clock, CPU", f"{wall:.2f} s, {cpu:.2f} s"))
    return [
        *rows,
        ("release / copy, wall clock (target 1.3)", _ratio(spent, "release", "copy", 0)),
        ("release / copy, CPU", _ratio(spent, "release", "copy", 1)),
        ("release / bare copy, wall clock", _ratio(spent, "release", "bare copy", 0)),
        ("release / bare copy, CPU", _ratio(spent, "release", "bare copy", 1)),
    ]


def peak_of(template: Template, folder: Path, tiles: int) -> str:
    with Site(folder, template) as site:
        site.shell(_MAKE.format(tiles=tiles, size=64))
        peak: Any = site.shell(_PEAK.format(job=site.shell(_FREEZE)))
    return f"{peak / 1e6:.0f} MB"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    os.environ.setdefault("SECRET_KEY", "only-for-benches")
    with tempfile.TemporaryDirectory(prefix="demeter-bench-") as name:
        folder = Path(name)
        (folder / "template").mkdir()
        template = Template(folder / "template")
        with Site(folder / "times", template) as site:
            site.shell(_MAKE.format(tiles=TILES, size=512))
            spent, size, files = site.shell(_TIMES)
        show(f"A release in files of 100 MB, {machine()}", rows_of(spent, size, files))
        rows = [
            (f"{tiles:,} tiles", peak_of(template, folder / str(tiles), tiles))
            for tiles in (SMALL_TILES, 4 * SMALL_TILES)
        ]
        show("Peak memory of the process that writes it, tiles of 64 x 64", rows)
        template.close()


if __name__ == "__main__":
    main()
