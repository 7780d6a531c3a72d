"""Areas and tiles as a build leaves them: real small layer files and the rows that belong to them."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from copy import copy
from typing import Any

import numpy as np

from tiles.core.files import write_whole
from tiles.core.paths import layer_path
from tiles.models import Area, AreaCounter, DemFile, TilePair
from tiles.models.choices import BuildState, Failure
from tiles.raster.curve import space_key
from tiles.raster.depth import depth_to_uint8, distinct_heights
from tiles.raster.encode import encode_geotiff, encode_jpeg_preview, encode_png
from tiles.raster.grid import Grid
from tiles.raster.quality import flags_of

SIZE = 64
ORIGIN = (500_000.0, 4_000_000.0)
GSD = 30.0
LON, LAT = 15.0, 36.14


def make_area(slug: str = "testland", **fields: Any) -> Area:
    """An area with one DEM file (a row only), whose tiles are SIZE pixels wide. It can be released."""
    fields = {"licence": "CC0", "attribution": "The testers", **fields}
    area = Area.objects.create(
        slug=slug, name=fields.pop("name", slug.title()), tile_size=fields.pop("tile_size", SIZE), **fields
    )
    DemFile.objects.create(
        area=area,
        position=0,
        path=f"/source/{slug}.tif",
        name=f"{slug}.tif",
        size=1,
        sha256="0" * 64,
        crs="EPSG:32633",
        width=area.tile_size * 100,
        height=area.tile_size * 100,
        dtype="float32",
    )
    return area


def heights_of(index: int, size: int = SIZE) -> np.ndarray:
    """(size, size) float32 metres, another slope for every index."""
    row, col = np.mgrid[0:size, 0:size].astype(np.float32)
    return (100 + index + 2 * row + col + 20 * np.sin((row + 7 * index) / 9)).astype(np.float32)


def colours_of(index: int, size: int = SIZE) -> np.ndarray:
    """(size, size, 3) uint8, another pattern for every index."""
    row, col = np.mgrid[0:size, 0:size]
    bands = [(row * 3 + index * 11) % 256, (col * 3 + index * 5) % 256, (row + col + index * 31) % 256]
    return np.stack(bands, axis=-1).astype(np.uint8)


def make_tile(area: Area, index: int, *, void: bool = False, files: bool = True, **fields: Any) -> TilePair:
    """A built tile with layers png, rgb, dem, dem255, preview and, when asked, a void mask; counted.

    files: False leaves out the files, for tests that read rows only. fields: overrides of the row's fields, and
    `heights` and `colours` for other pixels.
    """
    size = area.tile_size
    heights = fields.pop("heights", None)
    heights = heights_of(index, size) if heights is None else heights
    colours = fields.pop("colours", None)
    colours = colours_of(index, size) if colours is None else colours
    mask = np.zeros((size, size), dtype=bool)
    if void:
        mask[: size // 4, : size // 4] = True
    layers = write_layers(area, index, heights, colours, mask) if files else _row_only(void)
    distinct = distinct_heights(heights, mask)
    row: dict[str, Any] = {
        "build_state": BuildState.BUILT,
        "dem_file": area.dem_files.first(),
        "window_col": index // 100 * size,
        "window_row": index % 100 * size,
        "grid": grid_of(index, size).to_dict(),
        "lon": LON + index / 1000,
        "lat": LAT,
        "gsd": GSD,
        "layers": layers,
        "dem_min": float(heights[~mask].min()),
        "dem_max": float(heights[~mask].max()),
        "relief": float(np.ptp(heights[~mask])),
        "slope": 4.2,
        "landform": "hill",
        "water_share": 0.0,
        "void_share": float(mask.mean()),
        "uncovered_share": 0.0,
        "distinct_heights": distinct,
        "flags": list(flags_of(distinct=distinct)),
    }
    row |= fields
    if row["lon"] is not None:
        row.setdefault("space", space_key(row["lon"], row["lat"]))
    tile = TilePair.objects.create(area=area, index=index, **row)
    AreaCounter.objects.move(area.pk, Counter(), tile.counted)
    return tile


def lengthen(area: Area, tiles: int) -> None:
    """Repeat the tiles of an area until there are so many, by hard links to their files."""
    first = list(area.tiles.order_by("index"))
    more = []
    for index in range(len(first), tiles):
        tile = copy(first[index % len(first)])
        for layer in tile.layers:
            path = layer_path(area.slug, layer, index)
            path.parent.mkdir(parents=True, exist_ok=True)
            os.link(layer_path(area.slug, layer, tile.index), path)
        tile.pk, tile._state.adding, tile.index, tile.lon = None, True, index, LON + index / 1000
        tile.window_col, tile.window_row = index // 100 * area.tile_size, index % 100 * area.tile_size
        tile.grid = grid_of(index, area.tile_size).to_dict()
        more.append(tile)
    TilePair.objects.bulk_create(more, batch_size=500)
    AreaCounter.objects.add(area.pk, sum((tile.counted for tile in more), Counter()))


def make_failed_tile(area: Area, index: int, failure: str = Failure.VOID) -> TilePair:
    """A tile that could not be built."""
    tile = TilePair.objects.create(
        area=area, index=index, build_state=BuildState.FAILED, failure=failure, failure_detail="By the test."
    )
    AreaCounter.objects.move(area.pk, Counter(), tile.counted)
    return tile


def write_layers(
    area: Area, index: int, heights: np.ndarray, colours: np.ndarray, mask: np.ndarray, version: int = 1
) -> dict[str, Any]:
    """Write the files of a tile; returns what goes into its row's `layers`."""
    grid = grid_of(index, area.tile_size)
    bands = np.moveaxis(colours, -1, 0)
    flat = np.ptp(heights) == 0
    grey = np.zeros(heights.shape, np.uint8) if flat else depth_to_uint8(heights, mask)
    contents = {
        "png": encode_png(colours),
        "preview": encode_jpeg_preview(colours),
        "rgb": encode_geotiff(bands.astype(np.uint16) * 40, grid, scale=0.0001, offset=0.0),
        "dem": encode_geotiff(heights, grid),
        "dem255": encode_geotiff(grey, grid),
    }
    if mask.any():
        contents["void"] = encode_png(mask.astype(np.uint8) * 255)
    for layer, content in contents.items():
        write_whole(layer_path(area.slug, layer, index), content, "test")
    return {
        layer: {"v": version, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for layer, content in contents.items()
    }


def grid_of(index: int, size: int = SIZE) -> Grid:
    """Grids side by side, 30 m a pixel, in UTM zone 33 north."""
    west = ORIGIN[0] + index * size * GSD
    return Grid("EPSG:32633", (GSD, 0.0, west, 0.0, -GSD, ORIGIN[1]), size, size)


def recount(area: Area) -> dict[str, int]:
    """What the counters of an area must say: counted tile by tile, zeros left out."""
    counts: Counter[str] = Counter()
    for tile in TilePair.objects.filter(area=area):
        counts.update(tile.counted)
    return dict(counts)


def counters(area: Area) -> dict[str, int]:
    """What they do say, zeros left out."""
    return {name: value for name, value in area.counters.values_list("name", "value") if value}


def _row_only(void: bool) -> dict[str, Any]:
    names = ("png", "preview", "rgb", "dem", "dem255", *(("void",) if void else ()))
    return {name: {"v": 1, "sha256": "0" * 64, "bytes": 1} for name in names}
