"""Jobs that first list what is to be done and then do it, with rows as their only result."""

from __future__ import annotations

from collections.abc import Callable

from tiles.models import Job, JobChunk

from .leases import Lease


class PlannedKind:
    """A job whose first chunk, `{"do": "plan"}`, adds the others.

    A chunk must shrink in the transaction that writes its rows, so that one who takes it over does the rest.
    """

    def __init__(self, name: str, *, plan: Callable[[Lease], None], work: Callable[[Lease], None]) -> None:
        self.name = name
        self._plan, self._work = plan, work

    def run(self, lease: Lease) -> None:
        if lease.payload["do"] == "plan":
            self._plan(lease)
        else:
            self._work(lease)

    def discard(self, chunk: JobChunk) -> None:
        """Nothing to do: no temporary files are written."""

    def give_up(self, chunk: JobChunk, message: str) -> bool:
        """Nothing to do: what was not reached stays as it is."""
        return False

    def ended(self, job: Job) -> None:
        """Nothing to do: the rows are the result."""
