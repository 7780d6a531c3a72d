"""Layer files as a browser gets them: which there are, under which address, and with which bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.urls import reverse

from tiles.core.errors import NotFound
from tiles.core.paths import layer_path
from tiles.models import TilePair

TIFF = "image/tiff"
SMALL = "heights"
"""DEM_255 thinned out for lists of tiles, to SMALL_SIDE pixels or a few more."""
SMALL_SIDE = 128
COLOURS = {"colour": "Spectral", "colour-inferno": "inferno"}
"""Deliveries of the colour depth map, and their colour tables: the published one, and the method's default."""


@dataclass(frozen=True)
class Delivery:
    """How a layer goes out. derived: made on request from the layers `made_of`; else the first one's file as it is.

    parameter: what of the tile's `parameters` it also depends on. packed: goes out as gzip to those who take it.
    """

    made_of: tuple[str, ...]
    content_type: str
    derived: bool = False
    parameter: str = ""
    packed: bool = False

    @property
    def download(self) -> bool:
        return self.content_type == TIFF


DELIVERIES = {
    "png": Delivery(("png",), "image/png"),
    "preview": Delivery(("preview",), "image/jpeg"),
    "dem255": Delivery(("dem255", "void"), "image/png", derived=True),
    SMALL: Delivery(("dem255", "void"), "image/png", derived=True),
    **{name: Delivery(("dem", "void"), "image/png", derived=True) for name in COLOURS},
    "elevation": Delivery(("dem", "void"), "application/octet-stream", derived=True, packed=True),
    "raw": Delivery(("rgb",), "image/png", derived=True, parameter="normalisation"),
    "nir": Delivery(("nir",), "image/png", derived=True),
    "sar": Delivery(("sar",), "image/png", derived=True),
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
    delivery, versions = DELIVERIES[name], tile.layer_versions()
    parts = [str(versions[layer]) for layer in delivery.made_of if layer in versions]
    if delivery.parameter:
        parts.append(str(tile.parameters.get(delivery.parameter, "")))
    return ".".join(parts)


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
