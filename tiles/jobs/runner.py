"""Leasing chunks and working them. The worker's task and the foreground command both come here."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from tiles.core.database import disk_full
from tiles.core.errors import ApplicationError, DiskFull, Suspended
from tiles.core.memory import keep_freed_memory, spare_the_collector
from tiles.models import Job, JobChunk, JobEvent

from .chunks import MAX_ATTEMPTS, chunk_close, chunk_give_up, chunk_offer, job_stop, runnable, workable_jobs
from .leases import Lease, LeaseLost, Stopped, leased_now
from .registry import kind_of
from .room import room_wanted
from .sweep import sweep

logger = logging.getLogger(__name__)


def chunk_lease(job_id: int | None = None) -> Lease | None:
    """Lease the next chunk, of any job or of one. None when there is nothing to take."""
    jobs = workable_jobs()
    for job in jobs.filter(pk=job_id) if job_id else jobs:
        for _try in range(10):
            chunk = runnable(job).first()
            if chunk is None:
                break
            mine = JobChunk.objects.filter(pk=chunk.pk, token=chunk.token, state=JobChunk.State.WAITING)
            if mine.update(**leased_now()):
                _begun(job)
                return Lease(_chunk(chunk.pk))
    return None


def chunk_run(lease: Lease) -> None:
    """Work a leased chunk to its end, whatever the end is. Raises nothing that is expected."""
    keep_freed_memory()
    spare_the_collector()
    try:
        _work(lease)
    except LeaseLost:
        logger.info("lease %s lost", lease.owner)
    except Stopped:
        _give_back(lease)
    except (DiskFull, Suspended) as error:
        _pause_job(lease, error)
    except ApplicationError as error:
        _fail_job(lease, error.message)
    except KeyboardInterrupt:
        _give_back(lease)
        raise
    except Exception as error:
        full = disk_full(error)
        if full:
            _pause_job(lease, full)
            return
        logger.exception("chunk %s of %s failed", lease.owner, lease.job)
        _try_again(lease, error)
    except BaseException as error:  # django-q2's time limit is a SystemExit
        _try_again(lease, error)
        raise


def run_here(job_id: int, on_step: Callable[[Job], None], *, pause: Callable[[float], None] = time.sleep) -> Job:
    """Work a job in this process until it is over; other workers may help. Calls `on_step` after each chunk.

    Returns the job as it is then: done, failed, cancelled, or paused. Sweeps while it waits, so that it needs no
    worker to go on after somebody's death.
    """
    swept = 0.0
    while True:
        lease = chunk_lease(job_id)
        if lease:
            chunk_run(lease)
        job = Job.objects.get(pk=job_id)
        on_step(job)
        if job.finished_at or job.state == Job.State.PAUSED:
            return job
        if not lease:
            if time.monotonic() - swept > settings.DEMETER_SWEEP_SECONDS:
                sweep()
                swept = time.monotonic()
            pause(0.3)


def _begun(job: Job) -> None:
    if job.state == Job.State.QUEUED:
        Job.objects.filter(pk=job.pk, state=Job.State.QUEUED).update(state=Job.State.RUNNING)
    if not job.started_at:
        Job.objects.filter(pk=job.pk, started_at=None).update(started_at=timezone.now())


def _work(lease: Lease) -> None:
    kind = kind_of(lease.job.kind)
    begun = time.monotonic()
    if lease.attempt > 1:
        with lease.held():
            kind.discard(_chunk(lease.chunk_id))
    kind.run(lease)
    with lease.held() as job:
        if job.state not in Job.OPEN:
            raise Stopped
        chunk_close(lease.chunk_id, job, JobChunk.State.DONE, seconds=time.monotonic() - begun)


def _chunk(chunk_id: int) -> JobChunk:
    return JobChunk.objects.select_related("job", "job__area", "job__started_by").get(pk=chunk_id)


def _stop_work(lease: Lease, write: Callable[[Job], None]) -> None:
    """Remove what the work on a chunk left, and write how it stopped; neither when the lease is lost.

    Whoever holds the chunk by then has temporary files too, and they are none of ours.
    """
    # The failure may have been the database's: a broken connection must not fail what follows too.
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
    with contextlib.suppress(LeaseLost), lease.held() as job:
        kind_of(job.kind).discard(_chunk(lease.chunk_id))
        write(job)


def _give_back(lease: Lease) -> None:
    """Return the chunk untried."""
    _stop_work(lease, lambda job: chunk_offer(lease.chunk_id, job, attempts=lease.attempt - 1))


def _pause_job(lease: Lease, error: DiskFull | Suspended) -> None:
    """Pause for a reason outside of the job: until there is room, or until somebody resumes it."""
    wanted = room_wanted(error) if isinstance(error, DiskFull) else None

    def write(job: Job) -> None:
        if job.state in Job.WORKABLE:
            job.state, job.error, job.room_wanted = Job.State.PAUSED, error.message, wanted
            job.save(update_fields=["state", "error", "room_wanted"])
            lease.log(f"Paused. {error.message}", JobEvent.Level.ERROR)
        chunk_offer(lease.chunk_id, job, attempts=lease.attempt - 1)

    _stop_work(lease, write)


def _fail_job(lease: Lease, message: str) -> None:
    def write(job: Job) -> None:
        if job.state in Job.OPEN:
            lease.log(message, JobEvent.Level.ERROR)
        chunk_close(lease.chunk_id, job, JobChunk.State.FAILED, message)
        if job.state in Job.OPEN:
            job_stop(job, Job.State.FAILED, message)

    _stop_work(lease, write)


def _try_again(lease: Lease, error: BaseException) -> None:
    """Offer the chunk again after a while, or give it up after too many tries."""
    message = f"{type(error).__name__}: {error}"[:2000]

    def write(job: Job) -> None:
        lease.log(f"Try {lease.attempt} of {MAX_ATTEMPTS} failed. {message}", JobEvent.Level.WARNING)
        if lease.attempt >= MAX_ATTEMPTS and job.state in Job.OPEN:
            chunk_give_up(_chunk(lease.chunk_id), job, message)
        else:
            again = timezone.now() + timedelta(seconds=2**lease.attempt)
            chunk_offer(lease.chunk_id, job, not_before=again, error=message)

    _stop_work(lease, write)
