"""Holding a release's worker where the test wants it: before a beat, or before a transaction commits.

The file `hold` in the data folder holds the number of the step at which to wait; `held` appears once that is so,
and holds the id of the process that waits.
`steps` holds how many there were in the last whole run.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from portal.exports.jobs import ReleaseJob
from tiles.jobs.leases import Lease


def hold_file() -> Path:
    return Path(settings.DEMETER_DATA) / "hold"


def held_file() -> Path:
    return Path(settings.DEMETER_DATA) / "held"


def steps_file() -> Path:
    return Path(settings.DEMETER_DATA) / "steps"


class HeldReleaseJob(ReleaseJob):
    """Every beat and every commit of the job is a step, counted from 1."""

    def run(self, lease: Lease) -> None:
        steps = _Steps()
        beat, fence = lease.beat, lease.fence

        def held_beat() -> None:
            beat()
            steps.next()

        @contextlib.contextmanager
        def held_fence() -> Iterator[None]:
            with fence():
                yield
                steps.next()

        lease.beat, lease.fence = held_beat, held_fence  # type: ignore[method-assign]
        super().run(lease)
        steps_file().write_text(str(steps.number))


class _Steps:
    def __init__(self) -> None:
        self.number = 0

    def next(self) -> None:
        self.number += 1
        with contextlib.suppress(FileNotFoundError):
            while int(hold_file().read_text()) == self.number:
                _say_held()
                time.sleep(0.02)


def _say_held() -> None:
    """Leave this process's id in `held`, whole, unless another holds already."""
    if not held_file().exists():
        written = held_file().with_name(f"held-{os.getpid()}")
        written.write_text(str(os.getpid()))
        written.rename(held_file())
