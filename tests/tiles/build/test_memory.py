"""How much memory a worker takes does not depend on how large an elevation model is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.large_dem import LAND, peak_memory, write_large
from tests.support.site import Site

from .test_kill import job

pytestmark = pytest.mark.slow

MOST_BYTES = 500 * 10**6


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_a_worker_stays_below_500_mb_on_a_dem_of_20000_by_20000(site: Site, tmp_path: Path) -> None:
    dem, imagery = write_large(tmp_path)
    pool = site.pool(site.start_worker(env={"DEMETER_LEASE_SECONDS": "60"}).pid)
    site.manage("build_area", "large", "--dem", dem, "--imagery", f"raster:{imagery}", "--nir", 4, "--background")
    site.wait_until(lambda: (job(site) or {}).get("finished_at") not in (None, "None"), 240, "the build to end")
    ended = job(site)
    assert (ended["state"], ended["done"], ended["failed"]) == ("done", len(LAND), 0)
    assert max(peak_memory(pid) for pid in pool) < MOST_BYTES
