"""An elevation model of the size that countries publish, and how much memory a process ever took."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from rasterio.windows import Window

SIDE, TILE = 20_000, 512
#: Column and row of the windows that hold land, tile by tile; the rest is sea.
LAND = ((0, 0), (19, 19), (20, 19), (37, 38))
PIXEL = 30.0
_PLACE = {"crs": "EPSG:32633", "driver": "GTiff", "compress": "deflate", "zlevel": 1, "tiled": True}


def write_large(folder: Path) -> tuple[Path, Path]:
    """An int16 DEM of 20,000 x 20,000 pixels, deflated, without a sparse block; and imagery of its land."""
    random = np.random.default_rng(5)
    dem, imagery = folder / "large.tif", folder / "imagery"
    imagery.mkdir()
    corner = Affine(PIXEL, 0, 300_000, 0, -PIXEL, 5_000_000)
    blocks = {"blockxsize": TILE, "blockysize": TILE}
    size = {"width": SIDE, "height": SIDE}
    with rasterio.open(dem, "w", dtype="int16", count=1, transform=corner, **size, **blocks, **_PLACE) as target:
        for row in range(0, SIDE, TILE):
            high = min(TILE, SIDE - row)
            band = np.zeros((high, SIDE), np.int16)
            for col in (col for col, at in LAND if at * TILE == row):
                band[:, col * TILE : (col + 1) * TILE] = random.integers(100, 900, (TILE, TILE))
            target.write(band, 1, window=Window(0, row, SIDE, high))
    for number, (col, row) in enumerate(LAND):
        place = {"transform": corner @ Affine.translation(col * TILE, row * TILE), "width": TILE, "height": TILE}
        with rasterio.open(
            imagery / f"{number}.tif", "w", dtype="uint16", count=4, **place, **blocks, **_PLACE
        ) as target:
            target.write(random.integers(400, 4000, (4, TILE, TILE)).astype(np.uint16))
    return dem, imagery


def peak_memory(pid: int) -> int:
    """The most bytes a living process ever held in memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(f"process {pid} is gone")
