"""Colour depth maps of stored layers."""

import numpy as np

from tiles.raster.colour import colour_depth
from tiles.raster.encode import encode_png, read_layer_bytes


def colour_map(dem: bytes, void: bytes | None = None, name: str = "Spectral") -> bytes:
    """The colour depth map of a tile as a PNG, (H, W, 3) uint8, low heights at the high end of the table, voids black.

    dem: the file of heights; void: the file of the mask, not 0 where there is no height; name: of the colour table.
    The same files give the same bytes. Raises FlatTile when all heights are equal, Unreadable for a damaged file.
    Source: RS3DBench, arXiv 2509.18897, where it is called `tile_N_color.png`.
    """
    mask = read_layer_bytes(void).array[0] > 0 if void is not None else None
    coloured = colour_depth(read_layer_bytes(dem).array[0], mask, name)
    return encode_png(np.ascontiguousarray(coloured), few_colours=True)
