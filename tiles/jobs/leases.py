"""One worker's hold on one chunk."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone

from tiles.models import Job, JobChunk, JobEvent


class LeaseLost(Exception):
    """Somebody else may hold the chunk now: stop at once and write nothing more."""


class Stopped(Exception):
    """The job was paused or cancelled: stop at once and give the chunk back."""


def worker_name() -> str:
    """Who this process is in leases. The supervisor names its cluster, so that it knows its own leases."""
    cluster = os.environ.get("DEMETER_CLUSTER") or f"shell@{socket.gethostname()}"
    return f"{cluster}/{os.getpid()}"


class Lease:
    """A leased chunk. Made by `runner.chunk_lease` only."""

    def __init__(self, chunk: JobChunk) -> None:
        self.chunk_id = chunk.pk
        self.token = chunk.token
        self.attempt = chunk.attempts
        self.payload: dict[str, Any] = chunk.payload
        self.job: Job = chunk.job
        self._last_beat = time.monotonic()

    @property
    def owner(self) -> str:
        """A name for temporary files, unique to this attempt."""
        return f"{self.chunk_id}-{self.token}"

    def beat(self) -> None:
        """Say that the work goes on. Cheap: writes at most ten times a lease. Raises LeaseLost or Stopped."""
        if time.monotonic() - self._last_beat < settings.DEMETER_LEASE_SECONDS / 10:
            return
        with self.fence():
            pass
        if Job.objects.values_list("state", flat=True).get(pk=self.job.pk) not in Job.WORKABLE:
            raise Stopped

    @contextlib.contextmanager
    def fence(self) -> Iterator[None]:
        """A transaction that commits only while the lease is ours, and renews it. Raises LeaseLost."""
        with transaction.atomic():
            held = JobChunk.objects.filter(pk=self.chunk_id, token=self.token, state=JobChunk.State.LEASED)
            if not held.update(expires_at=timezone.now() + timedelta(seconds=settings.DEMETER_LEASE_SECONDS)):
                raise LeaseLost
            self._last_beat = time.monotonic()
            yield

    def count(self, *, done: int = 0, failures: Mapping[str, int] | None = None) -> None:
        """Add to the job's progress. Inside a fence, with the rows that were done."""
        job = Job.objects.select_for_update().get(pk=self.job.pk)
        job.done += done
        for reason, number in (failures or {}).items():
            job.failed += number
            job.failures[reason] = job.failures.get(reason, 0) + number
        job.save(update_fields=["done", "failed", "failures"])

    def expect(self, *, total: int, done: int = 0) -> None:
        """Say how many steps there are in all, and how many are done. Inside a fence."""
        Job.objects.filter(pk=self.job.pk).update(total=total, done=done, failed=0, failures={})

    def add_chunks(self, payloads: Sequence[Mapping[str, Any]], *, stage: int) -> None:
        """Append chunks to the job. Inside a fence."""
        chunks_add(self.job, payloads, stage=stage)

    def log(self, message: str, level: str = JobEvent.Level.INFO) -> None:
        """Write a line of the job's log. Inside a fence."""
        JobEvent.objects.create(job=self.job, message=message, level=level)


def chunks_add(job: Job, payloads: Sequence[Mapping[str, Any]], *, stage: int) -> None:
    """Append chunks to a job, numbered after those it has."""
    last = job.chunks.aggregate(last=Max("number"))["last"]
    first = 0 if last is None else last + 1
    JobChunk.objects.bulk_create(
        [
            JobChunk(job=job, number=first + offset, stage=stage, payload=dict(payload))
            for offset, payload in enumerate(payloads)
        ],
        batch_size=500,
    )


def lease_expiry_term() -> dict[str, Any]:
    """The fields that make a waiting chunk a leased one."""
    return {
        "state": JobChunk.State.LEASED,
        "owner": worker_name(),
        "token": F("token") + 1,
        "attempts": F("attempts") + 1,
        "expires_at": timezone.now() + timedelta(seconds=settings.DEMETER_LEASE_SECONDS),
    }
