"""What keeps all workers together below a service's quota, as seen by a source."""

from __future__ import annotations

import threading
from typing import Protocol


class Limiter(Protocol):
    """Who may send a request now. The quota is a project's, so one limiter speaks for every process there is.

    `begin` and `end` only look into memory, MUST be safe in any thread, and never wait. `refill` and `rest` may talk to
    a database and are called from the thread that owns the source only.
    """

    def begin(self) -> bool:
        """Whether one request may leave now; True counts it as begun. It must end within the time agreed on."""
        ...

    def end(self) -> None:
        """A request that was begun is over, however it ended."""
        ...

    def refill(self, wanted: int) -> None:
        """Say that `wanted` requests wait to start, so that slots for them can be leased and leases renewed."""
        ...

    def rest(self) -> None:
        """Give back every slot that no request is using."""
        ...


class OneAtATime:
    """The limiter of somebody who is alone: one request after the other."""

    def __init__(self) -> None:
        self._free = threading.Lock()

    def begin(self) -> bool:
        return self._free.acquire(blocking=False)

    def end(self) -> None:
        self._free.release()

    def refill(self, wanted: int) -> None:
        """Nothing to lease."""

    def rest(self) -> None:
        """Nothing to give back."""
