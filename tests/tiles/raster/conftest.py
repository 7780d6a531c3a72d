"""Real sample rasters, which lie outside the repository, and small rasters written for one test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.fixture
def samples() -> Path:
    if not SAMPLES.is_dir():
        pytest.skip("the folder of real sample rasters is not beside the repository")
    return SAMPLES


@pytest.fixture
def write_raster(tmp_path: Path) -> Callable[..., Path]:
    """Write an array (H, W) or (B, H, W) as a raster file and give its path; options go to rasterio."""

    def write(name: str, array: Any, **options: Any) -> Path:
        bands = np.asarray(array)
        bands = bands[np.newaxis] if bands.ndim == 2 else bands
        masks = options.pop("mask", None)
        profile = {
            "driver": "GTiff",
            "count": bands.shape[0],
            "height": bands.shape[1],
            "width": bands.shape[2],
            "dtype": str(bands.dtype),
            "crs": "EPSG:4326",
            "transform": Affine(0.001, 0, 10, 0, -0.001, 50),
        }
        profile = {key: value for key, value in (profile | options).items() if value is not None}
        path = tmp_path / name
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "w", **profile) as dataset:
            dataset.write(bands)
            if masks is not None:
                dataset.write_mask(masks)
        return path

    return write
