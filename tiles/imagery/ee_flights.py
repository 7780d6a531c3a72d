"""Requests in the air: many at once below the limiter's limit, tried again after faults, cut into quarters.

Threads do nothing but send one request after the other. A few more than may fly make their request ready and wait at
its gate, which the limiter opens, in memory, right before the bytes go out. The thread that owns the source waits,
beats, and leases slots.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tiles.raster.arrays import NumberArray
from tiles.raster.grid import Grid

from .base import NoImagery, SourceClosed, SourceError, SourcePermanent, SourceRetryable
from .ee_answer import decode
from .ee_faults import Fault, Remedy, fault_of
from .ee_patience import Patience
from .ee_transport import through
from .limiter import Limiter

# 48 MB uncompressed is the limit of one answer.
MOST_BYTES = 44_000_000
LEAST_SIDE = 32
LOOK_SECONDS = 0.05
GATE_SECONDS = 0.02
# Requests that are made ready before they may leave, so that no slot waits for one; and when as few are left behind
# them, it is time to ask for more tiles.
READY = 6
# A request that flies needs Python's lock several times: for five milliseconds each, where another thread is at work.
SWITCH_SECONDS = 0.0005

Send = Callable[[Grid], object]


@dataclass(eq=False)
class Part:
    """A piece of a tile that is one request. col, row: where it lies in the tile. due: when it may start."""

    tile: Tile
    grid: Grid
    col: int
    row: int
    tries: int = 0
    due: float = 0.0


class Grounded(Exception):
    """The request is not wanted any more, and never left."""


@dataclass(eq=False)
class Tile:
    """A tile that is asked for. pixels: (B, H, W) float32, whole once nothing is open and there is no failure.

    quota_gone: what the server said when it last refused a request of this tile for its quota. dropped: nobody waits
    for it.
    """

    grid: Grid
    bands: Sequence[str]
    send: Send
    pixels: NumberArray
    open: int = 0
    requests: int = 0
    started: float | None = None
    failure: SourceError | None = None
    quota_gone: str = ""
    dropped: bool = False

    @property
    def over(self) -> bool:
        return self.failure is not None or not self.open


class Flights:
    """Tiles on their way. All methods are called by the thread that owns the source."""

    def __init__(self, limiter: Limiter, patience: Patience) -> None:
        self._limiter = limiter
        self._patience = patience
        lock = threading.RLock()
        self._changed = threading.Condition(lock)
        # One slot is one request's: whoever waits for it is woken alone.
        self._slot_free = threading.Condition(lock)
        self._waiting: list[Part] = []
        self._ready: list[Part] = []
        self._closed = False
        self._refusal: SourceClosed | None = None
        sys.setswitchinterval(SWITCH_SECONDS)

    def add(self, grid: Grid, bands: Sequence[str], send: Send, *, first: bool = False) -> Tile:
        """Ask for a tile; `first` before all others that wait. Cut at once where it is too large for one answer."""
        tile = Tile(grid, bands, send, np.zeros((len(bands), grid.height, grid.width), np.float32))
        parts = [Part(tile, grid, 0, 0)]
        while parts[0].grid.width * parts[0].grid.height * len(bands) * 4 > MOST_BYTES:
            parts = [quarter for part in parts for quarter in _quarters(part)]
        tile.open = len(parts)
        with self._changed:
            tile.failure = self._refusal
            if not tile.failure:
                self._waiting = [*parts, *self._waiting] if first else [*self._waiting, *parts]
        return tile

    @property
    def waits(self) -> bool:
        """Whether there is enough that was not even made ready yet."""
        with self._changed:
            return len(self._waiting) > READY

    def lift(self) -> None:
        """Lease slots for what waits, and start what may start."""
        now = time.monotonic()
        with self._changed:
            wanted = len(self._ready) + sum(part.due <= now for part in self._waiting)
        self._limiter.refill(wanted)
        self._start()

    def wait(self, tile: Tile, beat: Callable[[], None]) -> NumberArray:
        """The tile's pixels. Raises the SourceError that became of it; whatever beat() raises goes through."""
        while True:
            beat()
            self.lift()
            with self._changed:
                if not tile.over:
                    self._changed.wait(LOOK_SECONDS)
                if tile.started and not tile.over and time.monotonic() - tile.started > self._patience.tile:
                    self._fail(tile, _too_long(tile))
                if tile.failure:
                    raise tile.failure
                if tile.over:
                    return tile.pixels

    def drop(self, tile: Tile) -> None:
        """Forget a tile that nobody will ask for; a request that flies is left to end."""
        with self._changed:
            tile.dropped = True
            self._waiting = [part for part in self._waiting if part.tile is not tile]

    def close(self) -> None:
        """Start nothing any more, and give back what no request is using."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._slot_free.notify_all()
        self._limiter.rest()

    def _start(self) -> None:
        while part := self._next():
            threading.Thread(target=self._fly, args=(part,), daemon=True).start()

    def _next(self) -> Part | None:
        """Take the next part to make ready, if there is one and not enough are."""
        with self._changed:
            now = time.monotonic()
            part = next((part for part in self._waiting if part.due <= now), None)
            if self._closed or part is None or len(self._ready) >= READY:
                return None
            self._waiting.remove(part)
            self._ready.append(part)
            return part

    def _fly(self, first: Part) -> None:
        part: Part | None = first
        while part:
            gate = _Gate(self, part)
            try:
                with through(gate):
                    answer = part.tile.send(part.grid)
                # The slot need not wait until the answer is decoded; until a fault is understood it must.
                gate.free()
                self._landed(part, decode(answer, part.grid, part.tile.bands))
            except Grounded:
                pass
            except BaseException as error:
                self._landed_badly(part, error)
            finally:
                gate.free()
                self._departed(part)
            part = self._next()
            self._start()

    def depart(self, part: Part) -> None:
        """Wait until a part may leave. Raises Grounded when nobody waits for it any more."""
        with self._changed:
            while not (grounded := self._closed or part.tile.over or part.tile.dropped) and not self._limiter.begin():
                self._slot_free.wait(GATE_SECONDS)
            if grounded:
                raise Grounded
            part.tile.started = part.tile.started or time.monotonic()
            part.tile.requests += 1
            self._departed(part)

    def _departed(self, part: Part) -> None:
        """It is ready no more. Whoever lands makes the next one so: now it would only be in the way of these bytes."""
        with self._changed:
            if part in self._ready:
                self._ready.remove(part)

    def arrive(self) -> None:
        """The answer to a request is here, or none will ever be."""
        with self._changed:
            self._limiter.end()
            self._slot_free.notify()

    def _landed(self, part: Part, pixels: NumberArray) -> None:
        height, width = pixels.shape[1:]
        with self._changed:
            part.tile.pixels[:, part.row : part.row + height, part.col : part.col + width] = pixels
            part.tile.open -= 1
            if part.tile.over:
                self._changed.notify_all()

    def _landed_badly(self, part: Part, error: BaseException) -> None:
        try:
            fault = fault_of(error)
        except BaseException as unknown:
            fault = Fault(Remedy.GIVE_UP, f"Earth Engine's client failed: {type(unknown).__name__}: {unknown}")
        part.tries += 1
        with self._changed:
            part.tile.quota_gone = fault.sentence if fault.remedy is Remedy.WAIT else ""
            if fault.remedy is Remedy.WAIT or (fault.remedy is Remedy.RETRY and part.tries < self._patience.tries):
                part.due = time.monotonic() + self._patience.pause(part.tries, fault.after)
                self._wait_again(part.tile, [part])
            elif fault.remedy is Remedy.CLOSED:
                self._refuse(SourceClosed(fault.sentence), part.tile)
            elif fault.remedy is Remedy.SPLIT and min(part.grid.width, part.grid.height) >= 2 * LEAST_SIDE:
                part.tile.open += 3
                self._wait_again(part.tile, _quarters(part))
            else:
                self._fail(part.tile, _error_of(fault))
            self._changed.notify_all()

    def _wait_again(self, tile: Tile, parts: list[Part]) -> None:
        if not tile.failure and not self._closed:
            self._waiting[:0] = parts

    def _refuse(self, refusal: SourceClosed, tile: Tile) -> None:
        """Ask for nothing any more: whatever waits would be refused alike."""
        self._refusal = refusal
        for refused in {tile, *(part.tile for part in (*self._waiting, *self._ready))}:
            self._fail(refused, refusal)

    def _fail(self, tile: Tile, failure: SourceError) -> None:
        tile.failure = tile.failure or failure
        self._waiting = [part for part in self._waiting if part.tile is not tile]


class _Gate:
    """What a part passes to leave, and again when it is sent a second time, with another token."""

    def __init__(self, flights: Flights, part: Part) -> None:
        self._flights = flights
        self._part = part
        self._is_out = False

    def __call__(self) -> None:
        self.free()
        self._flights.depart(self._part)
        self._is_out = True

    def free(self) -> None:
        """Give the slot back, if there is one."""
        if self._is_out:
            self._is_out = False
            self._flights.arrive()


def _quarters(part: Part) -> list[Part]:
    left, top = part.grid.width // 2, part.grid.height // 2
    return [
        Part(part.tile, part.grid.window(col, row, width, height), part.col + col, part.row + row)
        for col, width in ((0, left), (left, part.grid.width - left))
        for row, height in ((0, top), (top, part.grid.height - top))
    ]


def _error_of(fault: Fault) -> SourceError:
    kinds = {Remedy.RETRY: SourceRetryable, Remedy.NOTHING_THERE: NoImagery}
    return kinds.get(fault.remedy, SourcePermanent)(fault.sentence)


def _too_long(tile: Tile) -> SourceError:
    if tile.quota_gone:
        return SourceClosed(f"{tile.quota_gone} It has been so for long: wait until there is quota again.")
    return SourceRetryable("Earth Engine took too long over this tile. Try again later.")
