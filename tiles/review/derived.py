"""Layers that are made on request from those that are stored: pictures for the eye, and the heights as numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from tiles.core.errors import NotFound
from tiles.models import TilePair
from tiles.raster.arrays import BoolArray, NumberArray
from tiles.raster.colour_map import colour_map
from tiles.raster.encode import encode_png, read_layer_bytes
from tiles.raster.errors import FlatTile, RasterError
from tiles.raster.grid import Grid
from tiles.raster.packed import pack_heights, read_heights
from tiles.raster.stretch import stretch_band, stretch_rgb

from .layers import COLOURS, SMALL, SMALL_SIDE, layer_file

NORMALISATION = "per_channel"
"""Of a tile whose row does not say how its picture was made."""


def derived_body(tile: TilePair, name: str, slug: str) -> bytes:
    """The bytes of a derived layer that the tile has. slug: its area's.

    Raises NotFound when a file is missing or damaged.
    """
    try:
        return _MAKERS[name](tile, slug)
    except FlatTile as error:
        raise NotFound(f"{tile.name} is flat: its heights have no colours.") from error
    except (RasterError, OSError, SyntaxError) as error:  # Pillow calls a broken PNG a syntax error
        raise NotFound(f"A file of {tile.name} is damaged. Build the area again to make it.") from error


def _depth(tile: TilePair, slug: str, *, small: bool = False) -> bytes:
    """DEM_255 as a PNG of grey and alpha; alpha is 0 where the void mask says that there is no height.

    small: every n-th pixel of it, so that SMALL_SIDE or a few more remain of the longer side.
    """
    grey = read_layer_bytes(layer_file(tile, "dem255", slug).read_bytes()).array[0]
    alpha = np.full_like(grey, 255)
    if tile.layer("void"):
        with Image.open(layer_file(tile, "void", slug)) as mask:
            alpha[np.asarray(mask.convert("L")) > 0] = 0
    step = max(1, max(grey.shape) // SMALL_SIDE) if small else 1
    return encode_png(np.ascontiguousarray(np.stack([grey, alpha], axis=-1)[::step, ::step]))


def _thinned(tile: TilePair, slug: str) -> bytes:
    return _depth(tile, slug, small=True)


def _coloured(table: str) -> Callable[[TilePair, str], bytes]:
    """The colour depth map, voids black."""

    def make(tile: TilePair, slug: str) -> bytes:
        void = layer_file(tile, "void", slug).read_bytes() if tile.layer("void") else None
        return colour_map(layer_file(tile, "dem.tif", slug).read_bytes(), void, table)

    return make


def _elevation(tile: TilePair, slug: str) -> bytes:
    """The heights as they are, in metres, packed."""
    mask = layer_file(tile, "void", slug).read_bytes() if tile.layer("void") else None
    heights, void = read_heights(layer_file(tile, "elevation", slug).read_bytes(), mask)
    return pack_heights(heights, void, Grid.from_dict(tile.grid or {}))


def _unstretched(tile: TilePair, slug: str) -> bytes:
    """The picture before its percentiles were cut off: normalised as the tile's own was, and no more."""
    bands, valid = _bands(tile, "raw", slug)
    kind = tile.parameters.get("normalisation", NORMALISATION)
    return encode_png(stretch_rgb(np.moveaxis(bands[:3], 0, -1), valid=valid, normalisation=kind, percent=0).image)


def _first_band(name: str) -> Callable[[TilePair, str], bytes]:
    def make(tile: TilePair, slug: str) -> bytes:
        bands, valid = _bands(tile, name, slug)
        grey = stretch_band(bands[0], valid)
        return encode_png(np.stack([grey, valid.astype(np.uint8) * np.uint8(255)], axis=-1))

    return make


def _bands(tile: TilePair, name: str, slug: str) -> tuple[NumberArray, BoolArray]:
    """(B, H, W) in the file's dtype, and (H, W), where every band has a value."""
    layer = read_layer_bytes(layer_file(tile, name, slug).read_bytes())
    there = np.isfinite(layer.array)
    if layer.nodata is not None and np.isfinite(layer.nodata):
        there &= layer.array != layer.nodata
    return layer.array, np.asarray(there.all(axis=0))


_MAKERS: dict[str, Callable[[TilePair, str], bytes]] = {
    "dem255": _depth,
    SMALL: _thinned,
    **{name: _coloured(table) for name, table in COLOURS.items()},
    "elevation": _elevation,
    "raw": _unstretched,
    "nir": _first_band("nir"),
    "sar": _first_band("sar"),
}
