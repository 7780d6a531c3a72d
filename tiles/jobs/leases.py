"""One worker's hold on one chunk.

Locks are always taken in this order: the job's row, its chunks, then whatever the kind of job touches. A fence
takes the first two, so that steering a job, sweeping it and writing its results never wait for each other in a ring.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone

from tiles.models import Job, JobChunk, JobEvent

from .pace import paced

ending = threading.Event()
"""Set when this process was asked to end: the next beat stops the work under way."""


class LeaseLost(BaseException):
    """Somebody else may hold the chunk now: stop at once and write nothing more.

    Not an `Exception`: a handler that records the failure of one tile must let it pass.
    """


class Stopped(BaseException):
    """The job was paused or ended, or this process is to end: stop at once; the chunk is given back."""


def worker_name() -> str:
    """Who this process is in leases. The supervisor names its cluster, so that it knows its own leases."""
    cluster = os.environ.get("DEMETER_CLUSTER") or f"shell@{socket.gethostname()[:60]}"
    return f"{cluster}/{os.getpid()}"


class Lease:
    """A leased chunk. Made by `runner.chunk_lease` only."""

    def __init__(self, chunk: JobChunk) -> None:
        self.chunk_id = chunk.pk
        self.token = chunk.token
        self.attempt = chunk.attempts
        self.stage = chunk.stage
        self.payload: dict[str, Any] = chunk.payload
        self.job: Job = chunk.job
        self._last_beat = time.monotonic()
        self._locked: Job | None = None

    @property
    def owner(self) -> str:
        """A name for temporary files, unique to this attempt: `<chunk>-<token>`."""
        return f"{self.chunk_id}-{self.token}"

    def beat(self) -> None:
        """Say that the work goes on. Cheap: writes at most ten times a lease. Raises LeaseLost or Stopped."""
        if ending.is_set():
            raise Stopped
        if time.monotonic() - self._last_beat < settings.DEMETER_LEASE_SECONDS / 10:
            return
        with self.held() as job:
            state = job.state
        if state not in Job.WORKABLE:
            raise Stopped

    @contextlib.contextmanager
    def fence(self) -> Iterator[None]:
        """A transaction that commits only while the lease is ours and the job open, and renews the lease.

        Locks the job's row, so keep it short. Raises LeaseLost, or Stopped when the job was cancelled or failed
        meanwhile; a paused job still takes what is finished.
        """
        with self.held() as job:
            if job.state not in Job.OPEN:
                raise Stopped
            yield

    @contextlib.contextmanager
    def held(self) -> Iterator[Job]:
        """`fence` whatever the job's state; yields the locked job. Raises LeaseLost."""
        with transaction.atomic():
            job = Job.objects.select_for_update(no_key=True).get(pk=self.job.pk)
            chunk = JobChunk.objects.filter(pk=self.chunk_id, token=self.token, state=JobChunk.State.LEASED)
            if not chunk.update(expires_at=timezone.now() + timedelta(seconds=settings.DEMETER_LEASE_SECONDS)):
                raise LeaseLost
            self._last_beat = time.monotonic()
            self._locked = job
            try:
                yield job
            finally:
                self._locked = None

    def count(self, *, done: int = 0, failures: Mapping[str, int] | None = None) -> None:
        """Add to the job's progress. Inside a fence, with the rows that were done."""
        job = self._inside()
        job.done += done
        for reason, number in (failures or {}).items():
            job.failed += number
            job.failures[reason] = job.failures.get(reason, 0) + number
        job.pace = paced(job)
        job.save(update_fields=["done", "failed", "failures", "pace"])

    def expect(self, *, total: int, done: int = 0) -> None:
        """Say how many steps there are in all, and how many were done before. Inside a fence."""
        job = self._inside()
        job.total, job.done, job.failed, job.failures, job.pace = total, done, 0, {}, {}
        job.pace = paced(job)
        job.save(update_fields=["total", "done", "failed", "failures", "pace"])

    def add_chunks(self, payloads: Sequence[Mapping[str, Any]], *, stage: int) -> None:
        """Append chunks to the job. Inside a fence."""
        chunks_add(self._inside(), payloads, stage=stage)

    def take_over(self) -> dict[str, Any] | None:
        """Close the next chunk of the same stage that nobody has begun, and return its payload: its work is this
        chunk's now, whose payload must say so before the fence ends. None when there is none. Inside a fence."""
        job = self._inside()
        waiting = job.chunks.filter(
            state=JobChunk.State.WAITING, stage=self.stage, attempts=0, not_before=None
        ).order_by("number")
        chunk = waiting.first() if job.state in Job.WORKABLE else None
        if chunk is None or not waiting.filter(pk=chunk.pk, token=chunk.token).update(state=JobChunk.State.DONE):
            return None
        return dict(chunk.payload)

    def log(self, message: str, level: str = JobEvent.Level.INFO) -> None:
        """Write a line of the job's log. Inside a fence."""
        JobEvent.objects.create(job=self._inside(), message=message, level=level)

    def _inside(self) -> Job:
        if self._locked is None:
            raise RuntimeError("a job's rows are written inside lease.fence() only")
        return self._locked


def chunks_add(job: Job, payloads: Sequence[Mapping[str, Any]], *, stage: int) -> None:
    """Append chunks to a job that is locked or new, numbered after those it has."""
    last = job.chunks.aggregate(last=Max("number"))["last"]
    first = 0 if last is None else last + 1
    JobChunk.objects.bulk_create(
        [
            JobChunk(job=job, number=first + offset, stage=stage, payload=dict(payload))
            for offset, payload in enumerate(payloads)
        ],
        batch_size=500,
    )


def leased_now() -> dict[str, Any]:
    """The changes that make a waiting chunk one that this process holds."""
    return {
        "state": JobChunk.State.LEASED,
        "owner": worker_name(),
        "token": F("token") + 1,
        "attempts": F("attempts") + 1,
        "expires_at": timezone.now() + timedelta(seconds=settings.DEMETER_LEASE_SECONDS),
    }


def leases_of(cluster: str) -> Any:
    """The chunks that processes of this cluster hold."""
    return JobChunk.objects.filter(state=JobChunk.State.LEASED, owner__startswith=f"{cluster}/")
