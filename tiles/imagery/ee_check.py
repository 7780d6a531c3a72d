"""One small request, to see whether Earth Engine can be used at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import ee

from tiles.raster.grid import Grid

from . import ee_client
from .ee_flights import Flights
from .ee_patience import PATIENT, Patience
from .limiter import Limiter

# Eight pixels of a degree each, off the coast of Africa: a constant costs nothing anywhere.
GRID = Grid("EPSG:4326", (1.0, 0.0, 0.0, 0.0, -1.0, 4.0), 4, 2)


def earthengine_check(*, limiter: Limiter, seconds: float) -> float:
    """Connect as the settings say and compute a constant. Returns how long that took, in seconds.

    Raises SourceError, with a sentence that says what is wrong.
    """
    patience = replace(PATIENT, silence=min(30.0, seconds), request=seconds, tile=seconds, tries=2)
    started = time.monotonic()
    ee_client.connect(patience)
    constant_compute(limiter, patience)
    return time.monotonic() - started


def constant_compute(limiter: Limiter, patience: Patience, beat: Callable[[], None] = lambda: None) -> None:
    """Have a constant computed by whom this process is connected to. Raises SourceError, and whatever beat() does."""
    image = ee.Image.constant(1).toFloat().rename(["valid"])
    flights = Flights(limiter, patience)
    try:
        tile = flights.add(GRID, ("valid",), lambda grid: ee_client.ask(image, grid, ("valid",)))
        flights.wait(tile, beat)
    finally:
        flights.close()
