"""Finding what dead workers left."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from tiles.models import Job, JobChunk, JobEvent

from .queue import waiting_wakes, wake
from .registry import kind_of
from .runner import MAX_ATTEMPTS, chunk_give_up, runnable, workable_jobs


def sweep() -> int:
    """Offer every chunk with an expired lease again, and wake workers when there is work for them.

    Returns how many leases had expired. Any number of sweepers may run at once.
    """
    expired = JobChunk.objects.filter(state=JobChunk.State.LEASED, expires_at__lt=timezone.now())
    swept = sum(_take_back(chunk) for chunk in expired.select_related("job", "job__area"))
    if work_waits() and waiting_wakes() < settings.DEMETER_WORKERS:
        wake(settings.DEMETER_WORKERS - waiting_wakes())
    return swept


def work_waits() -> bool:
    """Whether some chunk could be worked now by a worker that is free."""
    return any(runnable(job).exists() for job in workable_jobs())


def _take_back(chunk: JobChunk) -> bool:
    held = JobChunk.objects.filter(
        pk=chunk.pk, token=chunk.token, state=JobChunk.State.LEASED, expires_at__lt=timezone.now()
    )
    kind_of(chunk.job.kind).discard(chunk)
    with transaction.atomic():
        # A new token at once: whoever held the lease may only be slow, and must not write any more.
        if not held.update(state=JobChunk.State.WAITING, expires_at=None, token=chunk.token + 1):
            return False
        if chunk.job.state not in Job.OPEN:
            JobChunk.objects.filter(pk=chunk.pk).update(state=JobChunk.State.CANCELLED)
        elif chunk.attempts >= MAX_ATTEMPTS:
            chunk_give_up(chunk, f"The worker died {chunk.attempts} times while at it.")
        else:
            JobEvent.objects.create(
                job=chunk.job, level=JobEvent.Level.WARNING, message="A worker died; its work is offered again."
            )
    return True
