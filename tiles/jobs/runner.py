"""Leasing chunks and working them. The worker's task and the foreground command both come here."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone

from tiles.core.errors import ApplicationError, DiskFull
from tiles.models import Job, JobChunk, JobEvent

from .leases import Lease, LeaseLost, Stopped, lease_expiry_term
from .registry import kind_of

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 5


def runnable(job: Job) -> QuerySet[JobChunk]:
    """The chunks of a job that a worker may take now: waiting, due, and of the lowest open stage."""
    stage = job.chunks.filter(state__in=JobChunk.OPEN).aggregate(stage=Min("stage"))["stage"]
    due = Q(not_before=None) | Q(not_before__lte=timezone.now())
    return job.chunks.filter(due, state=JobChunk.State.WAITING, stage=stage).order_by("number")


def workable_jobs() -> QuerySet[Job]:
    """Jobs with work to do, the one that fewest workers hold first, so that a long one starves nobody."""
    held = Count("chunks", filter=Q(chunks__state=JobChunk.State.LEASED))
    return Job.objects.filter(state__in=Job.WORKABLE).annotate(held=held).order_by("held", "id")


def chunk_lease(job_id: int | None = None) -> Lease | None:
    """Lease the next chunk, of any job or of one. None when there is nothing to take."""
    jobs = workable_jobs()
    for job in jobs.filter(pk=job_id) if job_id else jobs:
        for _try in range(10):
            chunk = runnable(job).first()
            if chunk is None:
                break
            mine = JobChunk.objects.filter(pk=chunk.pk, token=chunk.token, state=JobChunk.State.WAITING)
            if mine.update(**lease_expiry_term()):
                Job.objects.filter(pk=job.pk, state=Job.State.QUEUED).update(state=Job.State.RUNNING)
                Job.objects.filter(pk=job.pk, started_at=None).update(started_at=timezone.now())
                return Lease(JobChunk.objects.select_related("job", "job__area", "job__started_by").get(pk=chunk.pk))
    return None


def chunk_run(lease: Lease) -> None:
    """Work a leased chunk to its end, whatever the end is. Raises nothing that is expected."""
    kind = kind_of(lease.job.kind)
    if lease.attempt > 1:
        kind.discard(_chunk(lease))
    try:
        kind.run(lease)
        with lease.fence():
            chunk_close(lease.chunk_id, JobChunk.State.DONE)
    except LeaseLost:
        logger.info("lease of %s lost", lease.owner)
    except Stopped:
        _give_back(lease)
    except DiskFull as error:
        _give_back(lease)
        _stop_job(lease, Job.State.PAUSED, error.message)
    except ApplicationError as error:
        _stop_job(lease, Job.State.FAILED, error.message)
        _give_back(lease)
    except Exception as error:
        logger.exception("chunk %s of %s failed", lease.owner, lease.job)
        _try_again(lease, error)


def chunk_close(chunk_id: int, state: str, error: str = "") -> None:
    """Close a chunk, and its job when it was the last one. Inside a transaction."""
    JobChunk.objects.filter(pk=chunk_id).update(state=state, expires_at=None, error=error)
    job = Job.objects.select_for_update().get(chunks=chunk_id)
    if job.state in Job.WORKABLE and not job.chunks.filter(state__in=JobChunk.OPEN).exists():
        failed = job.chunks.filter(state=JobChunk.State.FAILED)
        job.state = Job.State.FAILED if failed.exists() else Job.State.DONE
        job.error = failed.values_list("error", flat=True).first() or ""
        job.finished_at = timezone.now()
        job.save(update_fields=["state", "error", "finished_at"])
        kind_of(job.kind).ended(job)


def run_here(job_id: int, on_step: Callable[[Job], None], *, pause: Callable[[float], None] = time.sleep) -> Job:
    """Work a job in this process until it is over; other workers may help. Calls `on_step` after each chunk."""
    while True:
        lease = chunk_lease(job_id)
        if lease:
            chunk_run(lease)
        job = Job.objects.get(pk=job_id)
        on_step(job)
        if job.state not in Job.WORKABLE:
            return job
        if not lease:
            pause(0.3)


def _chunk(lease: Lease) -> JobChunk:
    return JobChunk.objects.select_related("job", "job__area").get(pk=lease.chunk_id)


def _held(lease: Lease) -> QuerySet[JobChunk]:
    return JobChunk.objects.filter(pk=lease.chunk_id, token=lease.token, state=JobChunk.State.LEASED)


def _give_back(lease: Lease) -> None:
    """Return the chunk untried: as waiting, or as cancelled with its job."""
    kind_of(lease.job.kind).discard(_chunk(lease))
    cancelled = Job.objects.filter(pk=lease.job.pk, state__in=(Job.State.CANCELLED, Job.State.FAILED)).exists()
    state = JobChunk.State.CANCELLED if cancelled else JobChunk.State.WAITING
    _held(lease).update(state=state, expires_at=None, attempts=max(0, lease.attempt - 1))


def _stop_job(lease: Lease, state: str, message: str) -> None:
    with transaction.atomic():
        finished = {"finished_at": timezone.now()} if state == Job.State.FAILED else {}
        stopped = Job.objects.filter(pk=lease.job.pk, state__in=Job.WORKABLE)
        if stopped.update(state=state, error=message, **finished):
            JobEvent.objects.create(job=lease.job, level=JobEvent.Level.ERROR, message=message)
            if state == Job.State.FAILED:
                lease.job.chunks.filter(state=JobChunk.State.WAITING).update(state=JobChunk.State.CANCELLED)
                kind_of(lease.job.kind).ended(Job.objects.get(pk=lease.job.pk))


def _try_again(lease: Lease, error: Exception) -> None:
    """Offer the chunk again after a while, or give it up after too many tries."""
    kind_of(lease.job.kind).discard(_chunk(lease))
    message = f"{type(error).__name__}: {error}"[:2000]
    try:
        with lease.fence():
            lease.log(f"Try {lease.attempt} of {MAX_ATTEMPTS} failed. {message}", JobEvent.Level.WARNING)
            if lease.attempt >= MAX_ATTEMPTS:
                chunk_give_up(_chunk(lease), message)
            else:
                again = timezone.now() + timedelta(seconds=2**lease.attempt)
                _held(lease).update(state=JobChunk.State.WAITING, expires_at=None, not_before=again, error=message)
    except LeaseLost:
        logger.info("lease of %s lost", lease.owner)


def chunk_give_up(chunk: JobChunk, message: str) -> None:
    """Close a chunk as failed for good. Inside a transaction."""
    kind_of(chunk.job.kind).give_up(chunk, message)
    JobEvent.objects.create(job=chunk.job, level=JobEvent.Level.ERROR, message=f"Given up. {message}")
    chunk_close(chunk.pk, JobChunk.State.FAILED, message)
