"""Which kinds of jobs there are. Apps register theirs when they are ready."""

from __future__ import annotations

from typing import Protocol

from tiles.models import Job, JobChunk

from .leases import Lease


class JobKind(Protocol):
    """How one kind of job is worked.

    `run` MUST be able to run again after a death at any point, MUST write rows only inside `lease.fence()`,
    MUST give files their final names there too or right before (a slow worker that lost its lease must not
    overwrite what came after it), and MUST call `lease.beat()` at least every few seconds. It MAY raise
    ApplicationError to fail the whole job, DiskFull or Suspended to pause it, and any other Exception to have the
    chunk tried again later. LeaseLost and Stopped, which the lease raises, MUST pass through it.
    """

    name: str

    def run(self, lease: Lease) -> None: ...

    def discard(self, chunk: JobChunk) -> None:
        """Remove what a dead or stopped worker left of this chunk: temporary files. Must be able to run twice."""
        ...

    def give_up(self, chunk: JobChunk, message: str) -> bool:
        """Record on the chunk's own rows that it failed for good. Called inside the transaction that closes it.

        True when that accounts for all of the chunk, as a failed tile that is counted does: the job can end as done.
        False fails the job once its other chunks have ended.
        """
        ...

    def ended(self, job: Job) -> None:
        """The job is done, failed or cancelled, and nobody is at work on it any more.

        Called once, inside the transaction that says so.
        """
        ...


_kinds: dict[str, JobKind] = {}


def register(kind: JobKind) -> None:
    _kinds[kind.name] = kind


def kind_of(name: str) -> JobKind:
    return _kinds[name]
