"""Files made from layers: the same layer gives the same bytes with the same Pillow, NumPy and GDAL."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
import rasterio
from PIL import Image
from rasterio.io import MemoryFile
from rasterio.shutil import copy

from tiles.raster.arrays import NumberArray
from tiles.raster.encode import read_layer_bytes
from tiles.raster.grid import Grid

COG_BLOCK = 512
GREY_PERCENTILES = (1, 99)


def jpeg(picture: bytes, quality: int) -> bytes:
    """The file of an 8-bit picture as a JPEG, grey or RGB. quality: 1..95, as Pillow counts."""
    stream = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as image:
        image.convert("L" if image.mode in ("L", "LA") else "RGB").save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def grey_jpeg(layer: bytes, quality: int) -> bytes:
    """The first band of a layer's file as a grey JPEG, stretched from its 1st to its 99th percentile.

    Pixels without a value are 0.
    """
    decoded = read_layer_bytes(layer)
    band = decoded.array[0].astype(np.float64)
    known = np.isfinite(band)
    if decoded.nodata is not None and np.isfinite(decoded.nodata):
        known &= band != decoded.nodata
    grey = np.zeros(band.shape, np.uint8)
    if known.any():
        low, high = np.percentile(band[known], GREY_PERCENTILES)
        span = max(high - low, np.finfo(np.float32).tiny)
        grey[known] = (np.clip((band[known] - low) / span, 0, 1) * 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def cog(
    bands: NumberArray,
    grid: Grid,
    *,
    nodata: float | None = None,
    names: tuple[str, ...] = (),
    unit: str = "",
    tags: Mapping[str, str] | None = None,
) -> bytes:
    """A cloud-optimised GeoTIFF of (B, H, W) on its grid, deflated without loss, with overviews where it is large.

    names: one a band. unit: of the values of all bands. tags: its metadata.
    """
    count, height, width = bands.shape
    with rasterio.Env(GDAL_PAM_ENABLED="NO"), MemoryFile() as plain, MemoryFile(ext=".tif") as optimised:
        with plain.open(
            driver="GTiff",
            count=count,
            dtype=bands.dtype,
            width=width,
            height=height,
            crs=grid.rio_crs,
            transform=grid.transform,
            nodata=nodata,
            photometric="RGB" if count == 3 else "MINISBLACK",
        ) as dataset:
            dataset.write(bands)
            dataset.update_tags(**(tags or {}))
            for number, name in enumerate(names, start=1):
                dataset.set_band_description(number, name)
                dataset.set_band_unit(number, unit)
        with plain.open() as dataset:
            options = {"compress": "deflate", "predictor": "yes", "blocksize": COG_BLOCK, "num_threads": 1}
            copy(dataset, optimised.name, driver="COG", **options)
        return bytes(optimised.getbuffer())
