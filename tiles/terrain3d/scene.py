"""Heights and colours of a tile on one small lattice, as bytes that a browser makes a mesh of.

The body is a little-endian uint32, the length of a JSON header in bytes (a multiple of 4), that header, the heights
as int16 and the colours as uint8 red, green, blue; both row by row from the north-west corner. A height in metres is
`offset + scale * value`; VOID marks a place without one. Raw arrays are a quarter of the same mesh written as JSON.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.urls import reverse
from PIL import Image

from tiles.core.errors import NotFound
from tiles.core.paths import layer_path
from tiles.models import TilePair
from tiles.raster.arrays import BoolArray, FloatArray, UInt8Array
from tiles.raster.errors import RasterError
from tiles.raster.grid import Grid
from tiles.raster.packed import read_heights

SIZES = (128, 256, 512)
VOID = -32768
STEPS = 65_000
GZIP_LEVEL = 6


@dataclass(frozen=True)
class Scene:
    """A tile as a lattice of points.

    heights: (h, w) int16, VOID where there is none. colours: (h, w, 3) uint8. dx, dy: metres between two columns, two
    rows. offset, scale: metres.
    """

    heights: np.ndarray[Any, np.dtype[np.int16]]
    colours: UInt8Array
    dx: float
    dy: float
    offset: float
    scale: float

    def to_bytes(self) -> bytes:
        height, width = self.heights.shape
        facts = {
            "width": width,
            "height": height,
            "dx": self.dx,
            "dy": self.dy,
            "offset": self.offset,
            "scale": self.scale,
            "void": VOID,
        }
        header = json.dumps(facts).encode()
        header += b" " * (-len(header) % 4)
        return b"".join(
            [
                len(header).to_bytes(4, "little"),
                header,
                self.heights.astype("<i2").tobytes(),
                self.colours.tobytes(),
            ]
        )


def scene_token(tile: TilePair) -> str:
    """The content versions that a scene is made of; part of its address. Raises NotFound without heights or colours."""
    versions = tile.layer_versions()
    if "dem" not in versions or "png" not in versions:
        raise NotFound(f"{tile.name} has no heights with colours, so there is no terrain to show.")
    return ".".join(str(versions[layer]) for layer in ("dem", "png", "void") if layer in versions)


def terrain_addresses(slug: str) -> dict[str, str]:
    """Where terrain lies in an area: the page and the data, with INDEX for a tile's number and SIZE for the points."""
    page = reverse("tile-terrain", args=[slug, 0])
    return {"page": page.replace("/0/", "/INDEX/"), "terrain": page.replace("/0/3d/", "/INDEX/terrain/SIZE")}


def scene_of(tile: TilePair, slug: str, size: int) -> Scene:
    """The scene of a tile with at most `size` points a side; never more than the tile has.

    slug: the tile's area's. Raises NotFound for another size, and when a file is missing or damaged.
    """
    if size not in SIZES:
        raise NotFound(f"The terrain can be had with {', '.join(map(str, SIZES))} points a side.")
    heights, void, colours = _layers(tile, slug)
    grid = Grid.from_dict(tile.grid or {})
    if grid.affine[4] > 0:  # rows run north
        heights, void, colours = heights[::-1], void[::-1], colours[::-1]
    rows, cols = heights.shape
    factor = min(1.0, size / max(rows, cols))
    shape = max(2, round(cols * factor)), max(2, round(rows * factor))
    small, empty = reduce_heights(heights, void, shape)
    dx, dy = grid.pixel_size_m()
    low, high = _range(small, empty)
    scale = max((high - low) / STEPS, 1e-3)
    steps = np.rint((small - low) / scale) - STEPS // 2
    quantised = np.where(empty, VOID, np.nan_to_num(steps)).astype(np.int16)
    return Scene(
        heights=quantised,
        colours=np.asarray(Image.fromarray(np.ascontiguousarray(colours)).resize(shape, Image.Resampling.BOX)),
        dx=dx * cols / shape[0],
        dy=dy * rows / shape[1],
        offset=low + STEPS // 2 * scale,
        scale=scale,
    )


def scene_gzipped(scene: Scene) -> bytes:
    return gzip.compress(scene.to_bytes(), GZIP_LEVEL, mtime=0)


def reduce_heights(heights: FloatArray, void: BoolArray, shape: tuple[int, int]) -> tuple[FloatArray, BoolArray]:
    """Means of the heights around each point of a coarser lattice; voids do not count, and stay where there is nothing.

    heights: (H, W) metres; void: (H, W). shape: columns and rows. Returns (rows, columns) float32 metres and its void.
    """
    there = (~void).astype(np.float32)
    base = np.float32(np.min(heights, where=~void, initial=np.inf)) if there.any() else np.float32(0)
    known = np.where(void, 0, heights.astype(np.float32) - base)
    weight = np.asarray(Image.fromarray(there).resize(shape, Image.Resampling.BOX))
    total = np.asarray(Image.fromarray(known).resize(shape, Image.Resampling.BOX))
    empty = weight < 1e-6
    return np.where(empty, 0, base + total / np.where(empty, 1, weight)).astype(np.float32), empty


def _range(heights: FloatArray, empty: BoolArray) -> tuple[float, float]:
    if empty.all():
        return 0.0, 0.0
    known = heights[~empty]
    return float(known.min()), float(known.max())


def _layers(tile: TilePair, slug: str) -> tuple[FloatArray, BoolArray, UInt8Array]:
    """Heights in metres, where they are void, and colours: (H, W), (H, W), (H, W, 3)."""
    scene_token(tile)
    try:
        mask = layer_path(slug, "void", tile.index).read_bytes() if tile.layer("void") else None
        heights, void = read_heights(layer_path(slug, "dem", tile.index).read_bytes(), mask)
        with Image.open(layer_path(slug, "png", tile.index)) as picture:
            colours = np.asarray(picture.convert("RGB"))
    except (RasterError, OSError, SyntaxError) as error:  # Pillow calls a broken PNG a syntax error
        raise NotFound(f"A file of {tile.name} is missing or damaged. Build the area again to make it.") from error
    return heights.astype(np.float32), void, colours
