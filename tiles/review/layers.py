"""Layer files as a browser gets them: which there are, under which address, and with which bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.urls import reverse
from PIL import Image

from tiles.core.errors import NotFound
from tiles.core.paths import layer_path
from tiles.models import TilePair
from tiles.raster.colour_map import colour_map
from tiles.raster.encode import encode_png, read_layer_bytes
from tiles.raster.errors import FlatTile, RasterError

TIFF = "image/tiff"
SMALL = "heights"
"""DEM_255 thinned out for lists of tiles, to SMALL_SIDE pixels or a few more."""
SMALL_SIDE = 128
COLOURS = {"colour": "Spectral", "colour-inferno": "inferno"}
"""Deliveries of the colour depth map, and their colour tables: the published one, and the method's default."""


@dataclass(frozen=True)
class Delivery:
    """How a layer goes out. derived: made on request from the layers `made_of`; else the first one's file as it is."""

    made_of: tuple[str, ...]
    content_type: str
    derived: bool = False

    @property
    def download(self) -> bool:
        return self.content_type == TIFF


DELIVERIES = {
    "png": Delivery(("png",), "image/png"),
    "preview": Delivery(("preview",), "image/jpeg"),
    "dem255": Delivery(("dem255", "void"), "image/png", derived=True),
    SMALL: Delivery(("dem255", "void"), "image/png", derived=True),
    **{name: Delivery(("dem", "void"), "image/png", derived=True) for name in COLOURS},
    "void": Delivery(("void",), "image/png"),
    "dem.tif": Delivery(("dem",), TIFF),
    "dem255.tif": Delivery(("dem255",), TIFF),
    "rgb.tif": Delivery(("rgb",), TIFF),
    "nir.tif": Delivery(("nir",), TIFF),
    "sar.tif": Delivery(("sar",), TIFF),
}


def delivered(tile: TilePair) -> list[str]:
    """The names under which this tile's layers can be had at full size."""
    return [name for name in DELIVERIES if name != SMALL and _has(tile, name)]


def _has(tile: TilePair, name: str) -> bool:
    """A tile whose heights are all equal has no colours: there is nothing to scale."""
    if name not in DELIVERIES or not tile.layer(DELIVERIES[name].made_of[0]):
        return False
    return name not in COLOURS or tile.dem_min is None or tile.dem_min != tile.dem_max


def layer_token(tile: TilePair, name: str) -> str:
    """The content version that goes into a layer's address, as in `3` or, with a void mask, `3.1`.

    Raises NotFound for a layer that the tile has not.
    """
    if not _has(tile, name):
        raise NotFound(f"{tile.name} has no layer {name}.")
    versions = tile.layer_versions()
    return ".".join(str(versions[layer]) for layer in DELIVERIES[name].made_of if layer in versions)


def layer_tag(tile: TilePair, name: str) -> str:
    """An ETag: the token and the checksums of the files behind it."""
    sums = [str((tile.layer(layer) or {}).get("sha256", ""))[:12] for layer in DELIVERIES[name].made_of]
    return f'"{layer_token(tile, name)}-{"-".join(sums)}"'


def layer_url(tile: TilePair, name: str, slug: str) -> str:
    """The address of a layer as it is now; it may be kept for ever. slug: the tile's area's."""
    return f"{reverse('tile-layer', args=[slug, tile.index, name])}?v={layer_token(tile, name)}"


def layer_file(tile: TilePair, name: str, slug: str) -> Path:
    """The file behind a layer. Raises NotFound when it is not there."""
    path = layer_path(slug, DELIVERIES[name].made_of[0], tile.index)
    if not path.is_file():
        raise NotFound(f"The file of {tile.name}, {name}, is missing. Build the area again to make it.")
    return path


def derived_png(tile: TilePair, name: str, slug: str) -> bytes:
    """A layer that is made on request. Raises NotFound when a file behind it is missing or damaged."""
    if name in COLOURS:
        return colour_png(tile, slug, COLOURS[name])
    return depth_png(tile, slug, small=name == SMALL)


def colour_png(tile: TilePair, slug: str, table: str) -> bytes:
    """The colour depth map of a tile, voids black. Raises NotFound when a file is missing or damaged."""
    try:
        dem = layer_file(tile, "dem.tif", slug).read_bytes()
        void = layer_file(tile, "void", slug).read_bytes() if tile.layer("void") else None
        return colour_map(dem, void, table)
    except FlatTile as error:
        raise NotFound(f"{tile.name} is flat: its heights have no colours.") from error
    except (RasterError, OSError) as error:
        raise NotFound(f"A file of {tile.name} is damaged. Build the area again to make it.") from error


def depth_png(tile: TilePair, slug: str, *, small: bool = False) -> bytes:
    """DEM_255 as a PNG of grey and alpha; alpha is 0 where the void mask says that there is no height.

    small: every n-th pixel of it, so that SMALL_SIDE or a few more remain of the longer side.

    Raises NotFound when a file is missing or damaged.
    """
    try:
        grey = read_layer_bytes(layer_file(tile, "dem255", slug).read_bytes()).array[0]
        alpha = np.full_like(grey, 255)
        if tile.layer("void"):
            with Image.open(layer_file(tile, "void", slug)) as mask:
                alpha[np.asarray(mask.convert("L")) > 0] = 0
    except (RasterError, OSError, SyntaxError) as error:  # Pillow calls a broken PNG a syntax error
        raise NotFound(f"A file of {tile.name} is damaged. Build the area again to make it.") from error
    step = max(1, max(grey.shape) // SMALL_SIDE) if small else 1
    return encode_png(np.ascontiguousarray(np.stack([grey, alpha], axis=-1)[::step, ::step]))
