"""Small inputs for builds, and a way to build them to the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

from tiles.build.services import AreaFacts, BuildOptions, area_build_start
from tiles.jobs.runner import run_here
from tiles.models import Area, Job

UTM = "EPSG:32633"
WEST, NORTH, PIXEL = 500_000.0, 4_000_000.0, 30.0


def write_raster(
    path: Path,
    bands: np.ndarray,
    *,
    pixel: float = PIXEL,
    west: float = WEST,
    north: float = NORTH,
    crs: str | None = UTM,
    **profile: Any,
) -> Path:
    """A GeoTIFF of (H, W) or (B, H, W)."""
    bands = bands[np.newaxis] if bands.ndim == 2 else bands
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=bands.shape[0],
        height=bands.shape[1],
        width=bands.shape[2],
        dtype=bands.dtype,
        crs=crs,
        transform=Affine(pixel, 0, west, 0, -pixel, north) if crs else None,
        **profile,
    ) as dataset:
        dataset.write(bands)
    return path


def hills(height: int, width: int, seed: int = 0) -> np.ndarray:
    """(H, W) int16 metres, nowhere 0, nowhere flat."""
    row, col = np.mgrid[0:height, 0:width]
    rough = np.random.default_rng(seed).integers(0, 40, (height, width))
    return (300 + 150 * np.sin(row / 11) + 120 * np.cos(col / 13) + rough).astype(np.int16)


def colours(height: int, width: int, bands: int = 3) -> np.ndarray:
    """(B, H, W) uint16, nowhere 0."""
    return np.random.default_rng(1).integers(400, 4000, (bands, height, width)).astype(np.uint16)


@dataclass
class Inputs:
    """A folder of elevation models and one picture that covers them."""

    folder: Path
    dems: Path
    imagery: Path

    @property
    def raster(self) -> str:
        return f"raster:{self.imagery}"


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    """Two adjacent files of 3 x 2 and 2 x 2 whole windows of 32 pixels, and edges that fill none."""
    folder = tmp_path / "inputs"
    write_raster(folder / "dem" / "part2.tif", hills(70, 100))
    write_raster(folder / "dem" / "part10.tif", hills(70, 70, seed=5), west=WEST + 100 * PIXEL)
    write_raster(folder / "picture.tif", colours(80, 180), west=WEST - 150, north=NORTH + 150)
    return Inputs(folder, folder / "dem", folder / "picture.tif")


Build = Callable[..., Area]


@pytest.fixture
def build(db: None, data_folder: Path) -> Build:
    """`build("slug", dems=[...], imagery="raster:...", tile_size=32, name="...")` builds to the end in this process.

    Options and facts go by name. The job must be done unless `ends` names another state.
    """

    def run(slug: str = "land", *, ends: str = Job.State.DONE, **asked: Any) -> Area:
        options = {name: asked.pop(name) for name in list(asked) if name in BuildOptions.__dataclass_fields__}
        facts = {name: asked.pop(name) for name in list(asked) if name in AreaFacts.__dataclass_fields__}
        job = area_build_start(
            slug=slug, options=BuildOptions(**options), facts=AreaFacts(**facts), background=False, **asked
        )
        job = run_here(job.pk, lambda _job: None)
        assert job.state == ends, job.error
        return Area.objects.get(slug=slug)

    return run


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
