"""Small pictures of a whole block on one sheet, so that an area of 50,000 tiles comes in some fifty files."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import numpy as np
from PIL import Image

from tiles.core.errors import NotFound
from tiles.core.files import write_whole
from tiles.core.paths import atlas_folder, layer_path
from tiles.models import Area, AtlasBlock
from tiles.models.atlas import TILES_A_BLOCK

from .records import RECORD

SIDE = 32
"""Tiles across and down: the tile n of a block lies in column n % SIDE and row n // SIDE."""
SIZES = (8, 32)
"""Pixels of a tile on a sheet. Whole blocks of JPEG's cosine transform, so that no tile bleeds into the next."""
QUALITY = 80


def sheet_file(*, area: Area, block: AtlasBlock, size: int) -> Path:
    """The sheet of a block as a JPEG file, made when it is not there. Tiles without a picture are black.

    Raises NotFound for a size that is not one of SIZES.
    """
    if size not in SIZES:
        raise NotFound("There are no sheets of that size.")
    path = sheet_path(area.slug, block.number, size, block.pictures)
    if not path.is_file():
        write_whole(path, _sheet(area, block, size), f"{os.getpid()}-{threading.get_ident()}")
        for old in path.parent.glob(f"{block.number}-{size}-*.jpg"):
            if old != path:
                old.unlink(missing_ok=True)
    return path


def sheet_path(slug: str, number: int, size: int, pictures: str) -> Path:
    """`<data>/atlas/<area>/<block>-<size>-<digest>.jpg`: another picture is another file."""
    return atlas_folder(slug) / f"{number}-{size}-{pictures}.jpg"


def _sheet(area: Area, block: AtlasBlock, size: int) -> bytes:
    sheet = Image.new("RGB", (SIDE * size, SIDE * size))
    for record in np.frombuffer(block.content, RECORD):
        if record["picture"]:
            slot = int(record["index"]) % TILES_A_BLOCK
            picture = _small(layer_path(area.slug, "preview", int(record["index"])), size)
            if picture:
                sheet.paste(picture, (slot % SIDE * size, slot // SIDE * size))
    stream = io.BytesIO()
    sheet.save(stream, "JPEG", quality=QUALITY, subsampling=0)
    return stream.getvalue()


def _small(path: Path, size: int) -> Image.Image | None:
    """A preview made small; None when its file cannot be read: its tile says so when it is opened."""
    try:
        with Image.open(path) as preview:
            preview.draft("RGB", (size, size))
            return preview.convert("RGB").resize((size, size), Image.Resampling.BOX)
    except OSError:
        return None
