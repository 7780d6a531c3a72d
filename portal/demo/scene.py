"""A generated coast with mountains: elevation files and satellite imagery to try the portal on, without a download."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.transform import Affine
from rasterio.warp import reproject

from portal.demo.landcover import Country, make_country, make_textures
from portal.demo.scene_anomalies import Anomaly, Canvas, dem_name, plant, uncovered_window
from portal.demo.scene_files import ATTRIBUTION, cut_swath, write_dem, write_imagery
from portal.demo.scene_grid import GEOGRAPHIC, PIXEL, UTM_27N, Layout, Window
from portal.demo.scene_lines import draw_lines
from portal.demo.scene_noise import BLOCK, Array
from portal.demo.scene_paint import SUN_ALTITUDE, SUN_AZIMUTH, paint_block
from portal.demo.terrain import make_land

IMAGERY_NAME = "coast_imagery.tif"
#: Where the lake should be, as shares of the scene's width and height.
_LAKE = (0.62, 0.55)
#: Scenes with fewer windows across or down have no lake: it takes a whole window and its surroundings.
_LAKE_NEEDS = 4

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Scene:
    """What make_scene wrote: folders and file names, the flaws that were planted, and what may be said of the data."""

    dem_folder: Path
    imagery_folder: Path
    dem_files: list[str]
    imagery_files: list[str]
    tile_size: int
    anomalies: list[Anomaly] = field(default_factory=list)
    name: str = "Generated coast"
    license: str = "CC0"
    attribution: str = ATTRIBUTION
    sun_azimuth: float = SUN_AZIMUTH
    sun_altitude: float = SUN_ALTITUDE


def make_scene(
    folder: Path,
    *,
    seed: int = 20,
    tiles: int = 5,
    tile_size: int = 512,
    files: tuple[int, int] = (2, 2),
    progress: Progress | None = None,
) -> Scene:
    """Generate the scene and write it to folder/dem and folder/imagery, replacing files of the same names.

    tiles: windows of tile_size x tile_size pixels across and down an elevation file. files: elevation files across
    and down. The elevation is int16 metres at 1 arc second in EPSG:4326, sea 0, adjacent files sharing their edge
    row or column; the imagery uint16 reflectance x 10000 (red, green, blue, near infrared) at 30 m in UTM.
    progress: called with the share done, 0..1, and what is being done.
    The same arguments give the same bytes. Raises OSError when the folder cannot be written.
    """
    tell = progress or _say_nothing
    layout = Layout(tiles, tile_size, files)
    lake = _lake_window(layout)
    tell(0.0, "Raising mountains and carving valleys")
    with ThreadPoolExecutor(2) as pool:
        weaving = pool.submit(make_textures, seed)
        land = make_land(seed, layout.shape, PIXEL, _lake_share(layout, lake))
        tell(0.25, "Tracing rivers and roads")
        lines = draw_lines(land, layout.shape, seed)
        country = make_country(land, lines, weaving.result(), seed)
        tell(0.35, "Painting the land cover")
        heights, imagery = _paint(pool, country, layout, tell)
    tell(0.70, "Measuring the elevation")
    dem = _survey(layout, heights)
    tell(0.76, "Planting what a reviewer should find")
    canvas = Canvas(layout, dem, imagery, seed)
    cut = uncovered_window(layout)
    anomalies = plant(canvas, lake, cut)
    cut_swath(layout, imagery, cut, seed)
    tell(0.82, "Writing files")
    return _write(Path(folder), layout, canvas, anomalies, tell)


def _say_nothing(_share: float, _text: str) -> None:
    """Stands in when nobody listens."""


def _lake_window(layout: Layout) -> Window | None:
    """The window that is to lie wholly in the lake."""
    across, down = layout.files[0] * layout.tiles, layout.files[1] * layout.tiles
    if min(across, down) < _LAKE_NEEDS:
        return None
    left, top = int(_LAKE[0] * across) * layout.tile_size, int(_LAKE[1] * down) * layout.tile_size
    return next(window for window in layout.windows() if (window.left, window.top) == (left, top))


def _lake_share(layout: Layout, lake: Window | None) -> tuple[float, float, float, float]:
    """The lake's window as make_land wants it: centre and half sizes as shares of the imagery grid."""
    if lake is None:
        return 0.5, 0.5, 0.0, 0.0
    x = np.array([lake.left, lake.left + lake.size], float)
    y = np.array([lake.top, lake.top + lake.size], float)
    cols, rows = layout.to_imagery(x[[0, 1, 0, 1]], y[[0, 0, 1, 1]])
    height, width = layout.shape
    left, right, top, bottom = cols.min(), cols.max(), rows.min(), rows.max()
    return (
        (left + right) / 2 / width,
        (top + bottom) / 2 / height,
        (right - left + 16) / 2 / width,
        (bottom - top + 16) / 2 / height,
    )


def _paint(
    pool: ThreadPoolExecutor, country: Country, layout: Layout, tell: Progress
) -> tuple[Array, NDArray[np.uint16]]:
    """Heights, (H, W) float32 metres, and imagery, (4, H, W) uint16, block by block."""
    rows, cols = layout.shape
    heights = np.empty((rows, cols), np.float32)
    imagery = np.empty((4, rows, cols), np.uint16)

    def work(corner: tuple[int, int]) -> None:
        row, col = corner
        high, bands = paint_block(country, row, col, PIXEL)
        box = slice(row, min(row + BLOCK, rows)), slice(col, min(col + BLOCK, cols))
        inner = slice(0, box[0].stop - row), slice(0, box[1].stop - col)
        heights[box] = high[inner]
        imagery[(slice(None), *box)] = bands[(slice(None), *inner)]

    corners = [(row, col) for row in range(0, rows, BLOCK) for col in range(0, cols, BLOCK)]
    for done, _ in enumerate(pool.map(work, corners), start=1):
        tell(0.35 + 0.35 * done / len(corners), "Painting the land cover")
    return heights, imagery


def _survey(layout: Layout, heights: Array) -> NDArray[np.int16]:
    """The mosaic of all elevation files, (rows, cols) int16 metres: land at least 1 m, sea exactly 0."""
    out = np.zeros(layout.dem_shape, np.float32)
    reproject(
        heights,
        out,
        src_transform=layout.transform,
        src_crs=UTM_27N,
        dst_transform=layout.dem_transform,
        dst_crs=GEOGRAPHIC,
        resampling=Resampling.bilinear,
        num_threads=2,
    )
    land = np.maximum(np.rint(out), 1)
    return np.where(out > 0, land, 0).astype(np.int16)


def _write(folder: Path, layout: Layout, canvas: Canvas, anomalies: list[Anomaly], tell: Progress) -> Scene:
    dem_folder, imagery_folder = folder / "dem", folder / "imagery"
    for each in (dem_folder, imagery_folder):
        each.mkdir(parents=True, exist_ok=True)
    write_imagery(imagery_folder / IMAGERY_NAME, canvas.imagery, layout.transform)
    names = []
    side = layout.step + 1
    for number in range(layout.files[0] * layout.files[1]):
        tell(0.94 + 0.01 * number, "Writing files")
        down, across = divmod(number, layout.files[0])
        top, left = down * layout.step, across * layout.step
        transform = layout.dem_transform @ Affine.translation(left, top)
        name = dem_name(number)
        write_dem(dem_folder / name, canvas.dem[top : top + side, left : left + side], transform)
        names.append(name)
    tell(1.0, "Done")
    return Scene(dem_folder, imagery_folder, names, [IMAGERY_NAME], layout.tile_size, anomalies)
