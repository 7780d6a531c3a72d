"""What django-q2 calls."""

from __future__ import annotations

import time

from .queue import wake
from .runner import chunk_lease, chunk_run

TURN_SECONDS = 20


def work() -> None:
    """Lease and work chunks for a while, then queue up again, so that a worker is recycled now and then."""
    until = time.monotonic() + TURN_SECONDS
    while lease := chunk_lease():
        chunk_run(lease)
        if time.monotonic() > until:
            wake(1)
            return
