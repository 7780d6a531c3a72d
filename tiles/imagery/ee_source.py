"""The source that asks Earth Engine, for the tile that is wanted now and for those that will be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Self

import numpy as np

from tiles.raster.grid import Grid

from . import ee_client
from .base import Imagery, NoImagery, SourceClosed, SourceError, SourceRetryable
from .ee_check import constant_compute
from .ee_expression import composite, expression_text
from .ee_flights import Flights, Tile
from .ee_patience import PATIENT, Patience
from .ee_request import Request, days_lost
from .limiter import Limiter, OneAtATime

SOURCE = "earthengine"
# What is fetched ahead lies in memory until it is asked for: 12 tiles of 512, with six bands 75 MB.
AHEAD_PIXELS = 12 * 512 * 512
MOST_AHEAD = 48


class EarthEngineSource:
    """Fetches tiles from Earth Engine: the one that is asked for, and those that will be, within the limits.

    limiter: what may be sent; alone, one request at a time. beat: called while there is nothing to do but wait.
    """

    def __init__(
        self,
        spec: Mapping[str, Any],
        *,
        limiter: Limiter | None = None,
        beat: Callable[[], None] = lambda: None,
        patience: Patience = PATIENT,
    ) -> None:
        self._request = Request.from_dict(spec["request"])
        self._native_gsd = spec["gsd"]
        self._beat = beat
        self._patience = patience
        self._limiter = limiter or OneAtATime()
        self._flights = Flights(self._limiter, patience)
        self._expected: list[Grid] = []
        self._asked: dict[Grid, tuple[Tile, str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._flights.close()

    def expect(self, grids: Sequence[Grid]) -> None:
        """Say which grids will be asked for next, in which order, so that they can be on their way before."""
        self._expected.extend(grids)
        # While a tile is waited for; the first one of all signs in.
        if self._asked:
            self._ask_ahead()

    @property
    def hungry(self) -> bool:
        """Whether all is on its way that it was told of, and there is room for more."""
        room = not self._expected or len(self._asked) < _most_ahead(self._expected[-1])
        return room and all(grid in self._asked for grid in self._expected) and not self._flights.waits

    def fetch(self, grid: Grid, beat: Callable[[], None] = lambda: None) -> Imagery:
        """Imagery on `grid`: float32 reflectance; the source's own beat is the one that is called.

        Raises NoImagery, SourceRetryable, SourcePermanent, SourceClosed.
        """
        try:
            return self._fetched(grid)
        except SourceClosed:
            ee_client.disconnect()
            raise

    def _fetched(self, grid: Grid) -> Imagery:
        account = ee_client.connect(self._patience, self._beat)
        self._forget_before(grid)
        if grid in self._asked and isinstance(self._asked[grid][0].failure, SourceRetryable):
            # It failed before anybody waited for it, perhaps in an outage that is over by now.
            del self._asked[grid]
        if grid not in self._asked:
            self._ask(grid, first=True)
        self._ask_ahead()
        tile, expression = self._asked[grid]
        try:
            pixels = self._flights.wait(tile, self._beat)
        except SourceRetryable as failure:
            self._require_answers(failure)
            raise
        finally:
            del self._asked[grid]
            self._flights.drop(tile)
        return self._imagery(pixels, tile, expression, account.url)

    def _require_answers(self, failure: SourceRetryable) -> None:
        """Raise SourceClosed when not even a constant is computed: what failed then is not this tile's fault."""
        try:
            constant_compute(self._limiter, self._patience.brief(), self._beat)
        except SourceClosed:
            raise
        except SourceError as error:
            raise SourceClosed(
                f"{failure} So it stayed through all tries, and not even a constant is computed now. Wait until Earth "
                "Engine answers again; `manage.py check_earthengine` tells when."
            ) from error

    def _ask_ahead(self) -> None:
        for ahead in self._expected[: _most_ahead(self._expected[0]) if self._expected else 0]:
            if ahead not in self._asked:
                self._ask(ahead)

    def _forget_before(self, grid: Grid) -> None:
        """Drop what was expected earlier and never asked for, and the grid itself, from what is to come."""
        if grid not in self._expected:
            return
        position = self._expected.index(grid)
        passed, self._expected = self._expected[:position], self._expected[position + 1 :]
        for other in passed:
            if other in self._asked:
                self._flights.drop(self._asked.pop(other)[0])

    def _ask(self, grid: Grid, *, first: bool = False) -> None:
        # The footprint is the whole tile's, also for its quarters: they must choose from the same scenes.
        image = composite(self._request, grid.footprint())
        names = self._request.band_names
        send = partial(_ask, image, names)
        tile = self._flights.add(grid, names, send, first=first)
        self._asked[grid] = tile, hashlib.sha256(expression_text(image).encode()).hexdigest()

    def _imagery(self, pixels: np.ndarray, tile: Tile, expression: str, url: str) -> Imagery:
        bands = dict(zip(self._request.band_names, pixels, strict=True))
        valid = bands["valid"] > 0
        if not valid.any():
            raise NoImagery("Earth Engine has no clear pixel for this tile.")
        used, days = days_lost(self._request)
        return Imagery(
            rgb=np.ascontiguousarray(np.stack([bands["red"], bands["green"], bands["blue"]], axis=2)),
            nir=bands.get("nir"),
            valid=valid,
            scale=1.0,
            offset=0.0,
            clear_observations=bands["clear"].astype(np.uint16) if "clear" in bands else None,
            provenance={
                "source": SOURCE,
                **self._request.to_dict(),
                "native_gsd": self._native_gsd,
                "days_used": used,
                "days": days,
                "expression_sha256": expression,
                "endpoint": url,
                "requests": tile.requests,
                "fetched_at": datetime.now(UTC).isoformat(timespec="seconds"),
                **_looks(bands.get("clear"), valid),
            },
        )


def _most_ahead(grid: Grid) -> int:
    """How many tiles as this one are fetched ahead."""
    return max(1, min(MOST_AHEAD, AHEAD_PIXELS // (grid.width * grid.height)))


def _ask(image: Any, names: Sequence[str], grid: Grid) -> object:
    return ee_client.ask(image, grid, names)


def _looks(clear: np.ndarray | None, valid: np.ndarray) -> dict[str, Any]:
    """Fewest and median clear looks of the pixels that have any."""
    if clear is None:
        return {}
    known = clear[valid]
    return {"clear_observations": {"min": int(known.min()), "median": float(np.median(known))}}
