"""The published way to a tile, written plainly: the baseline of the speed benches.

One GDAL process a raster to cut it, NumPy percentiles, Pillow's default PNG, a colour map as matplotlib applies one,
uncompressed GeoTIFFs as gdal_translate writes them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import rasterio
from PIL import Image
from rasterio.windows import Window

from tests.bench import translate
from tiles.raster.colour import lut

_TABLE = lut("Spectral").astype(np.float64) / 255


def cutter() -> tuple[str, list[str], dict[str, str]]:
    """What cuts a raster here: in words, the head of its command, and its environment."""
    program = shutil.which("gdal_translate")
    if program:
        return "gdal_translate -srcwin", [program], dict(os.environ)
    home = Path(rasterio.__file__).parent
    library = next(home.with_name("rasterio.libs").glob("libgdal*"))
    environment = {**os.environ, "GDAL_DATA": str(home / "gdal_data"), "PROJ_DATA": str(home / "proj_data")}
    environment["LD_LIBRARY_PATH"] = str(library.parent)
    words = "gdal_translate's function in a bare interpreter, since gdal_translate is not installed"
    return words, [sys.executable, "-I", "-S", translate.__file__, str(library)], environment


def cut_by_process(source: Path, target: Path, col: int, row: int, size: int) -> None:
    _words, head, environment = cutter()
    if len(head) == 1:
        words = [*head, "-q", "-of", "GTiff", "-srcwin", *map(str, (col, row, size, size)), str(source), str(target)]
    else:
        words = [*head, str(source), str(target), *map(str, (col, row, size))]
    subprocess.run(words, check=True, env=environment)


def cut_here(source: Path, target: Path, col: int, row: int, size: int) -> None:
    """The same cut without a process of its own."""
    with rasterio.open(source) as dataset:
        window = Window(col, row, size, size)
        pixels = dataset.read(window=window)
        place = {"crs": dataset.crs, "transform": dataset.window_transform(window), "nodata": dataset.nodata}
        count, dtype = dataset.count, dataset.dtypes[0]
    with rasterio.open(
        target, "w", driver="GTiff", count=count, dtype=dtype, width=size, height=size, **place
    ) as dataset:
        dataset.write(pixels)


def picture(rgb_path: Path, png_path: Path) -> None:
    with rasterio.open(rgb_path) as dataset:
        rgb = dataset.read()
    channels = [((band - band.min()) / (band.max() - band.min()) * 255).astype(np.uint8) for band in rgb]
    image = np.stack(channels, axis=-1)
    low, high = np.percentile(image, (1, 99))
    image = ((np.clip(image, low, high) - low) / (high - low) * 255).astype(np.uint8)
    Image.fromarray(image).save(png_path)


def depth(dem_path: Path, dem255_path: Path) -> None:
    with rasterio.open(dem_path) as dataset:
        dem = dataset.read(1)
        profile = {**dataset.profile, "dtype": "uint8", "nodata": None}
    wide = dem.astype(np.float64)
    scaled = np.floor((wide - wide.min()) / (wide.max() - wide.min()) * 255).astype(np.uint8)
    with rasterio.open(dem255_path, "w", **profile) as dataset:
        dataset.write(scaled, 1)


def colour(dem_path: Path, colour_path: Path) -> None:
    with rasterio.open(dem_path) as dataset:
        dem = dataset.read(1)
    wide = dem if dem.dtype.kind == "f" else dem.astype(np.float64)
    share = 1 - (wide - wide.min()) / (wide.max() - wide.min())
    steps = np.minimum((share * 256).astype(np.int64), 255)
    Image.fromarray((_TABLE[steps] * 255).round().astype(np.uint8)).save(colour_path)


def tile(dem: Path, rgb: Path, col: int, row: int, size: int, into: Path, *, processes: bool) -> dict[str, Path]:
    """Make the five outputs of one tile; returns their paths. processes: cut each raster in a process of its own.

    The heights are cut twice: into tiles first, and again when the picture is there, so that both come out alike.
    """
    names = {"dem": "dem.tif", "rgb": "rgb.tif", "png": "tile.png", "dem255": "dem255.tif", "colour": "color.png"}
    paths = {layer: into / f"{col}_{row}_{name}" for layer, name in names.items()}
    cut = cut_by_process if processes else cut_here
    before = into / f"{col}_{row}_split.tif"
    cut(dem, before, col, row, size)
    cut(before, paths["dem"], 0, 0, size)
    cut(rgb, paths["rgb"], col, row, size)
    picture(paths["rgb"], paths["png"])
    depth(paths["dem"], paths["dem255"])
    colour(paths["dem"], paths["colour"])
    return paths
