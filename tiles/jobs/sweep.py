"""Finding what dead workers left."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from tiles.models import Job, JobChunk, JobEvent

from .chunks import MAX_ATTEMPTS, chunk_give_up, chunk_offer, job_locked, job_settle, job_stop, runnable, workable_jobs
from .queue import waiting_wakes, wake
from .registry import kind_of
from .room import jobs_resume

logger = logging.getLogger(__name__)


def sweep() -> int:
    """Offer every chunk with an expired lease again, end jobs that are over, let those go on that waited for room on
    the disk, and wake workers when there is work.

    Returns how many leases had expired. Any number of sweepers may run at once.
    """
    expired = JobChunk.objects.filter(state=JobChunk.State.LEASED, expires_at__lt=timezone.now())
    swept = sum(_guarded(_take_back, chunk) for chunk in expired.select_related("job", "job__area"))
    for job in _stranded():
        _guarded(_settle, job)
    jobs_resume()
    if work_waits():
        wake(settings.DEMETER_WORKERS - waiting_wakes())
    return swept


def work_waits() -> bool:
    """Whether some chunk could be worked now by a worker that is free."""
    return any(runnable(job).exists() for job in workable_jobs())


def _guarded(act: Callable[..., bool], row: JobChunk | Job) -> bool:
    """One job that cannot be mended must not keep the others from it."""
    try:
        return act(row)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("sweeping %s failed", row)
        return False


def _take_back(chunk: JobChunk) -> bool:
    held = JobChunk.objects.filter(
        pk=chunk.pk, token=chunk.token, state=JobChunk.State.LEASED, expires_at__lt=timezone.now()
    )
    with transaction.atomic():
        job = job_locked(chunk.job_id)
        # A new token at once: whoever held the lease may only be slow, and must not write any more.
        if not held.update(token=chunk.token + 1):
            return False
        kind_of(job.kind).discard(chunk)
        if job.state in Job.OPEN and chunk.attempts >= MAX_ATTEMPTS:
            chunk_give_up(chunk, job, f"The worker died {chunk.attempts} times while at it.")
            return True
        chunk_offer(chunk.pk, job)
        JobEvent.objects.create(
            job=job, level=JobEvent.Level.WARNING, message="A worker died; what it had in hand is taken back."
        )
    return True


def _stranded() -> list[Job]:
    """Jobs that are over but do not say so, as after a death in the wrong moment."""
    open_chunks = JobChunk.objects.filter(job=OuterRef("pk"), state__in=JobChunk.OPEN)
    leased = open_chunks.filter(state=JobChunk.State.LEASED)
    over = Q(state__in=Job.OPEN) & ~Exists(open_chunks) | ~Q(state__in=Job.OPEN) & ~Exists(leased)
    return list(Job.objects.filter(over, finished_at=None))


def _settle(job: Job) -> bool:
    with transaction.atomic():
        job = job_locked(job.pk)
        if job.state in Job.OPEN:
            job_settle(job)
        else:
            job_stop(job, job.state, job.error)
    return True
