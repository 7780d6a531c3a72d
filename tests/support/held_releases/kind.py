"""Holding a release's worker where the test wants it: before a beat, a rename, or the commit of a transaction.

The file `hold` in the data folder holds the number of the step at which to wait; `held` appears once that is so,
and holds the id of the process that waits.
`steps` holds what each step of the last whole run was, a line each: `beat`, `commit`, or `name <the file's new one>`.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from portal.exports.jobs import ReleaseJob
from tiles.jobs.leases import Lease

BEAT, COMMIT, NAME = "beat", "commit", "name"


def hold_file() -> Path:
    return Path(settings.DEMETER_DATA) / "hold"


def held_file() -> Path:
    return Path(settings.DEMETER_DATA) / "held"


def steps_file() -> Path:
    return Path(settings.DEMETER_DATA) / "steps"


class HeldReleaseJob(ReleaseJob):
    """Every beat, rename and commit of the job is a step, counted from 1."""

    def run(self, lease: Lease) -> None:
        steps = _Steps()
        beat, fence, replace = lease.beat, lease.fence, os.replace

        def held_beat() -> None:
            beat()
            steps.next(BEAT)

        @contextlib.contextmanager
        def held_fence() -> Iterator[None]:
            with fence():
                yield
                steps.next(COMMIT)

        def held_replace(source: Any, target: Any, **options: Any) -> None:
            steps.next(f"{NAME} {Path(target).name}")
            replace(source, target, **options)

        lease.beat, lease.fence = held_beat, held_fence  # type: ignore[method-assign]
        os.replace = held_replace
        try:
            super().run(lease)
        finally:
            os.replace = replace
        steps_file().write_text("\n".join(steps.passed))


class _Steps:
    def __init__(self) -> None:
        self.passed: list[str] = []

    def next(self, what: str) -> None:
        self.passed.append(what)
        with contextlib.suppress(FileNotFoundError):
            while int(hold_file().read_text()) == len(self.passed):
                _say_held()
                time.sleep(0.02)


def _say_held() -> None:
    """Leave this process's id in `held`, whole, unless another holds already."""
    if not held_file().exists():
        written = held_file().with_name(f"held-{os.getpid()}")
        written.write_text(str(os.getpid()))
        written.rename(held_file())
