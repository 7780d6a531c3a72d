"""What django-q2 calls."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

from django.db import InterfaceError, OperationalError, connection

from .leases import ending
from .queue import wake
from .runner import chunk_lease, chunk_run

logger = logging.getLogger(__name__)

TURN_SECONDS = 20


def work() -> None:
    """Lease and work chunks for a while, then queue up again, so that a worker is recycled now and then."""
    try:
        with _gives_back_when_told_to_end():
            _turn()
    except (OperationalError, InterfaceError) as error:
        # The leases expire, and the sweeper wakes workers again.
        logger.warning("The database is away: %s", error)
        connection.close()


def _turn() -> None:
    until = time.monotonic() + TURN_SECONDS
    while not ending.is_set() and (lease := chunk_lease()):
        chunk_run(lease)
        if time.monotonic() > until:
            wake(1)
            return


@contextlib.contextmanager
def _gives_back_when_told_to_end() -> Iterator[None]:
    """Within, SIGTERM makes the next beat give the chunk back; afterwards this process dies of it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: Any = signal.signal(signal.SIGTERM, lambda *_: ending.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if ending.is_set():
            os.kill(os.getpid(), signal.SIGTERM)
