"""How near a build comes to Earth Engine's quota: two real workers, a stand-in with latency, a limit for both.

The ceiling is what the limiter allows: slots / latency, or starts a second, whichever is less. The stand-in cannot
compute more than 32 x 32 pixels at once, so that a tile of 128 comes in quarters of quarters, 21 requests: making and
recording a tile takes more CPU than asking for it, and would be the bound. Measured from the first request to the last
answer, so that the start of the second worker and the end of the last chunk count.
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

from tests.bench.report import show
from tests.support.earthengine import StandIn
from tests.support.postgres import NoPostgres, postgres_cluster
from tests.support.site import Site, Template

LATENCY = 0.25
SIZE, PIECE, REQUESTS_A_TILE = 128, 32, 21
PATIENCE = {"DEMETER_LEASE_SECONDS": "60", "DEMETER_STALL_SECONDS": "60"}


@dataclass(frozen=True)
class Case:
    """slots: requests at once; per_second: starts a second; tiles: across and down."""

    name: str
    slots: int
    per_second: int
    tiles: tuple[int, int]

    @property
    def ceiling(self) -> float:
        """Requests a second."""
        return min(self.slots / LATENCY, float(self.per_second))


CASES = (Case("10 at once", 10, 1000, (8, 12)), Case("20 a second", 40, 20, (8, 4)))


def dem_of(folder: Path, case: Case) -> Path:
    """A rough surface of so many tiles."""
    across, down = case.tiles
    heights = np.random.default_rng(1).integers(200, 900, (down * SIZE, across * SIZE)).astype(np.int16)
    shape = {"height": heights.shape[0], "width": heights.shape[1], "count": 1, "dtype": "int16"}
    place = {"crs": "EPSG:32633", "transform": Affine(30, 0, 500_000, 0, -30, 4_000_000)}
    with rasterio.open(folder / "dem.tif", "w", driver="GTiff", **shape, **place) as dataset:
        dataset.write(heights, 1)
    return folder / "dem.tif"


def build(folder: Path, case: Case) -> list[tuple[str, str]]:
    """Build an area with two worker processes, and say how fast and how full the stand-in was."""
    template = Template(_made(folder / "template"))
    across, down = case.tiles
    with StandIn().running() as stand_in:
        stand_in.latency, stand_in.most_pixels = LATENCY, PIECE * PIECE
        limits = stand_in.environment(slots=case.slots, per_second=case.per_second)
        with Site(folder / "site", template, environment={**PATIENCE, **limits}) as site:
            worker = site.start_worker()
            site.pool(worker.pid)
            site.manage(
                *("build_area", "land", "--dem", dem_of(folder, case), "--imagery", "earthengine"),
                *("--tile-size", SIZE, "--background"),
            )
            site.wait_until(lambda: _stopped(stand_in, REQUESTS_A_TILE * across * down), 900, "the requests to end")
        template.close()
        seconds = max(stand_in.ends) - min(stand_in.starts)
        rate = len(stand_in.starts) / seconds
        return [
            ("throughput", f"{rate:.1f} requests a second of {case.ceiling:g}: {rate / case.ceiling:.0%}"),
            ("most in flight at the stand-in", f"{stand_in.peak} of {case.slots}"),
            ("most starts in any second", f"{stand_in.most_in_a_second()} of {case.per_second}"),
            ("requests", f"{len(stand_in.starts)} for {across * down} tiles"),
        ]


def _stopped(stand_in: StandIn, requests: int) -> bool:
    return len(stand_in.ends) >= requests and time.monotonic() - max(stand_in.ends) > LATENCY


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def bench_on(database: str) -> None:
    for case in CASES:
        with tempfile.TemporaryDirectory(prefix="demeter-bench-") as folder:
            rows = build(Path(folder), case)
        show(f"Earth Engine stand-in, {LATENCY * 1000:.0f} ms, {case.name}, two workers, {database}", rows)


def main() -> None:
    os.environ.setdefault("SECRET_KEY", "only-for-benches")
    bench_on("SQLite")
    try:
        with postgres_cluster() as url:
            os.environ["DATABASE_URL"] = url
            bench_on("PostgreSQL")
    except NoPostgres as error:
        show("Earth Engine stand-in, PostgreSQL", [("left out", str(error))])
    finally:
        os.environ.pop("DATABASE_URL", None)


if __name__ == "__main__":
    main()
