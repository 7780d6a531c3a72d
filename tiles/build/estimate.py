"""How long a build would take and how much it would write, by really making a few of its tiles in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from django.conf import settings

from tiles.imagery import Imagery, Source, source_from
from tiles.raster.errors import RasterError
from tiles.raster.grid import Grid
from tiles.raster.heights import Heights
from tiles.raster.windows import ScannedWindow

from .preview import VOID, Preview
from .sheets import OpenFiles, Sheet
from .tile import Built, Recipe, tile_make

TILES = 3
SECONDS = 4.0
#: Of larger tiles a part of this size is made, and counted by its pixels.
MOST_SIDE = 1024
ON_DISK = "raster"


@dataclass(frozen=True)
class Estimate:
    """What a build would take, measured on `made` tiles. seconds: of all workers together; size: bytes.

    fetched: whether the imagery is real and its time in there; a stand-in of the same type and bands otherwise.
    failed: what was wrong with the tiles that could not be made, in words.
    """

    made: int
    seconds: float
    size: int
    workers: int
    fetched: bool
    failed: Sequence[str]


def build_estimate(
    preview: Preview,
    *,
    recipe: Recipe,
    imagery: Mapping[str, Any] | None,
    nir: bool,
    limit: int | None = None,
    more: int = 0,
    drawn_too: bool = True,
) -> Estimate:
    """Make up to three tiles, spread over the plan, in memory.

    imagery: the spec of files on disk; None for imagery from the network, of which a stand-in is made, with `nir` or
    without. limit: how many tiles are made at most. more: tiles that are made besides those of the preview, which
    only serve as a measure unless `drawn_too`. Raises nothing: what fails is told.
    """
    likely = more + (preview.tiles - preview.counts[VOID] if drawn_too else 0)
    tiles = min(likely, limit or likely)
    started, busy, made, size = time.monotonic(), 0.0, 0, 0
    failed: list[str] = []
    side = min(preview.tile_size, MOST_SIDE)
    source: Source = source_from(imagery) if imagery else StandIn(nir)
    with source:
        for sheet, window in _spread(preview):
            # A window that is resampled to its tile is made whole, however large it is.
            part = side if sheet.window == (sheet.tile_size, sheet.tile_size) else sheet.tile_size
            if time.monotonic() - started > SECONDS:
                break
            before = time.perf_counter()
            outcome = _make(sheet, window, part, source, recipe)
            if isinstance(outcome, Built):
                scale = (preview.tile_size / part) ** 2
                busy += (time.perf_counter() - before) * scale
                size += round(sum(len(layer.content) for layer in outcome.layers.values()) * scale)
                made += 1
            else:
                failed.append(f"tile_{window.number}: {outcome}")
    factor = tiles / max(made, 1)
    return Estimate(
        made=made,
        seconds=busy * factor / settings.DEMETER_WORKERS,
        size=round(size * factor),
        workers=settings.DEMETER_WORKERS,
        fetched=imagery is not None,
        failed=failed,
    )


def _spread(preview: Preview) -> list[tuple[Sheet, ScannedWindow]]:
    """A few tiles from all over the plan, those that are expected to fail left out."""
    tiles = [
        (seen.sheet, window)
        for seen in preview.sheets
        for window in seen.windows
        if window.number is not None and window.number not in seen.doomed
    ]
    count = min(TILES, len(tiles))
    return [tiles[(2 * number + 1) * len(tiles) // (2 * count)] for number in range(count)]


def _make(sheet: Sheet, window: ScannedWindow, side: int, source: Source, recipe: Recipe) -> Built | str:
    grid = sheet.tile_grid(window.col, window.row)
    try:
        with OpenFiles() as files:
            heights = files.opened(sheet.files[0]) if sheet.is_plain else Heights(sheet.parts, files.opened)
            outcome = tile_make(
                heights,
                col=window.col,
                row=window.row,
                grid=grid.window(0, 0, side, side),
                source=source,
                recipe=recipe,
            )
    except RasterError as error:
        return str(error)
    return outcome if isinstance(outcome, Built) else outcome.detail


class StandIn:
    """Imagery that is never kept: numbers with the spread and the fineness of reflectance, to measure the rest by."""

    def __init__(self, nir: bool) -> None:
        self._bands = 4 if nir else 3
        self._random = np.random.default_rng(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is open."""

    def fetch(self, grid: Grid, beat: Callable[[], None] = lambda: None) -> Imagery:
        """(H, W) float32 bands, all valid."""
        rows = np.sin(np.linspace(0, 9, grid.height, dtype=np.float32))[:, np.newaxis, np.newaxis]
        shape = (grid.height, grid.width, self._bands)
        units = np.rint(1500 + 600 * rows + 80 * self._random.standard_normal(shape, np.float32))
        bands = (units * np.float32(0.0001)).astype(np.float32)
        return Imagery(
            rgb=np.ascontiguousarray(bands[:, :, :3]),
            nir=bands[:, :, 3] if self._bands == 4 else None,
            valid=np.ones(shape[:2], bool),
            scale=1.0,
            offset=0.0,
        )
