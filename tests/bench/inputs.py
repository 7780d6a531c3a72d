"""What the speed benches work on: heights and imagery on one grid, as the published method needs them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT

SIZE = 512
ZION = Path(__file__).resolve().parents[3] / "shared" / "data" / "zion"


@dataclass(frozen=True)
class Inputs:
    """A file of heights and one of red, green, blue on its grid; corners: (col, row) of windows without a hole."""

    name: str
    dem: Path
    rgb: Path
    corners: list[tuple[int, int]]


def generated(folder: Path) -> Inputs:
    """The demo's coast: int16 heights (deflated), uint16 imagery, brought to the grid of the heights once, here."""
    from portal.demo.scene import make_scene

    made = make_scene(folder / "scene", seed=3, tiles=4, tile_size=SIZE, files=(1, 1))
    dem = made.dem_folder / made.dem_files[0]
    return _aligned("generated", dem, made.imagery_folder / made.imagery_files[0], dem, folder / "generated_rgb.tif")


def as_floats(inputs: Inputs, folder: Path) -> Inputs:
    """The same with reflectance in float32, as Earth Engine gives it."""
    path = folder / "float_rgb.tif"
    with rasterio.open(inputs.rgb) as source:
        profile = {**source.profile, "dtype": "float32", "nodata": None}
        with rasterio.open(path, "w", **profile) as target:
            target.write((source.read() / np.float32(10_000)).astype(np.float32))
    return Inputs(f"{inputs.name}, float32", inputs.dem, path, inputs.corners)


def zion(folder: Path) -> Inputs | None:
    """Real heights and Landsat imagery on the imagery's grid, or None where the sample data is not at hand."""
    if not ZION.is_dir():
        return None
    rgb, dem = ZION / "zion_landsat8_rgbn_30m.tif", ZION / "zion_srtm_3arcsec.tif"
    path = folder / "zion_dem.tif"
    with rasterio.open(rgb) as on, rasterio.open(dem) as source, _on_grid(source, on, 65535) as warped:
        profile = _profile(on, 1, "uint16", 65535)
        with rasterio.open(path, "w", **profile) as target:
            target.write(warped.read())
    return _aligned("Zion", path, rgb, path, folder / "zion_rgb.tif")


def _aligned(name: str, dem: Path, imagery: Path, grid: Path, rgb: Path) -> Inputs:
    with rasterio.open(grid) as on, rasterio.open(imagery) as source, rasterio.open(dem) as heights:
        nodata = source.nodata
        with _on_grid(source, on, nodata) as warped:
            bands = warped.read([1, 2, 3])
        with rasterio.open(rgb, "w", **_profile(on, 3, "uint16", nodata)) as target:
            target.write(bands)
        dem_values = heights.read(1)
        usable = (dem_values != heights.nodata) & (bands != nodata).all(axis=0)
    corners = [
        (col, row)
        for col in range(0, usable.shape[1] - SIZE + 1, SIZE)
        for row in range(0, usable.shape[0] - SIZE + 1, SIZE)
        if usable[row : row + SIZE, col : col + SIZE].all()
        and len(np.unique(dem_values[row : row + SIZE, col : col + SIZE])) >= 256
    ]
    return Inputs(name, dem, rgb, corners)


def _on_grid(source: rasterio.DatasetReader, on: rasterio.DatasetReader, nodata: float) -> WarpedVRT:
    place = {"crs": on.crs, "transform": on.transform, "width": on.width, "height": on.height}
    return WarpedVRT(source, **place, resampling=Resampling.bilinear, src_nodata=nodata, nodata=nodata)


def _profile(on: rasterio.DatasetReader, count: int, dtype: str, nodata: float) -> dict[str, object]:
    place = {"crs": on.crs, "transform": on.transform, "width": on.width, "height": on.height}
    return {"driver": "GTiff", "count": count, "dtype": dtype, "nodata": nodata, **place}


def repeated(inputs: Inputs, folder: Path, times: int) -> tuple[Path, Path]:
    """Folders of heights and imagery with so many copies side by side, for builds of more tiles."""
    for kind, path in (("dem", inputs.dem), ("rgb", inputs.rgb)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        with rasterio.open(path) as source:
            profile, pixels = source.profile, source.read()
        for number in range(times):
            place = profile["transform"] @ Affine.translation(number * profile["width"], 0)
            with rasterio.open(
                folder / kind / f"{kind}_{number}.tif", "w", **{**profile, "transform": place}
            ) as target:
                target.write(pixels)
                if kind == "rgb":
                    target.scales = (1e-4,) * 3
    return folder / "dem", folder / "rgb"
