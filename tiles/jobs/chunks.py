"""What workers, the sweeper and people's commands do to chunks and jobs alike. All inside a transaction that has
locked the job's row first."""

from __future__ import annotations

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from tiles.models import Job, JobChunk, JobEvent

from .registry import kind_of

MAX_ATTEMPTS = 5


def runnable(job: Job) -> QuerySet[JobChunk]:
    """The chunks of a job that a worker may take now: waiting, due, and of the lowest open stage."""
    # One look into the index a state: a job may have tens of thousands of open chunks.
    lowest = [job.chunks.filter(state=state).order_by("stage").values_list("stage").first() for state in JobChunk.OPEN]
    stage = min((found[0] for found in lowest if found), default=0)
    due = Q(not_before=None) | Q(not_before__lte=timezone.now())
    return job.chunks.filter(due, state=JobChunk.State.WAITING, stage=stage).order_by("number")


def workable_jobs() -> QuerySet[Job]:
    """Jobs with work to do, the one that fewest workers hold first, so that a long one starves nobody."""
    leased = JobChunk.objects.filter(job=OuterRef("pk"), state=JobChunk.State.LEASED).order_by()
    held = Subquery(leased.values("job").annotate(number=Count("pk")).values("number"))
    return Job.objects.filter(state__in=Job.WORKABLE).annotate(held=Coalesce(held, 0)).order_by("held", "id")


def job_locked(job_id: int) -> Job:
    """The job, its row locked until the transaction ends. Raises Job.DoesNotExist."""
    return Job.objects.select_for_update(no_key=True).get(pk=job_id)


def chunk_close(chunk_id: int, job: Job, state: str, error: str = "", seconds: float | None = None) -> None:
    """Close a chunk, and its job when nothing is left to do. seconds: how long it was worked on, to its very end."""
    JobChunk.objects.filter(pk=chunk_id).update(state=state, expires_at=None, error=error, seconds=seconds)
    job_settle(job)


def chunk_offer(chunk_id: int, job: Job, **changes: object) -> None:
    """Offer a chunk that was held to the next worker, or close it when its job takes no more work."""
    if job.state in Job.OPEN:
        JobChunk.objects.filter(pk=chunk_id).update(state=JobChunk.State.WAITING, expires_at=None, **changes)
    else:
        chunk_close(chunk_id, job, JobChunk.State.CANCELLED)


def chunk_give_up(chunk: JobChunk, job: Job, message: str) -> None:
    """Close a chunk as failed for good; as done, where its kind has put down what became of all that was in it."""
    accounted = kind_of(job.kind).give_up(chunk, message)
    JobEvent.objects.create(job=job, level=JobEvent.Level.ERROR, message=f"Given up. {message}")
    chunk_close(chunk.pk, job, JobChunk.State.DONE if accounted else JobChunk.State.FAILED, message)


def job_stop(job: Job, state: str, error: str = "") -> None:
    """Let no more work begin: as cancelled or failed. The job is over once those at work have noticed."""
    job.state, job.error = state, error
    job.save(update_fields=["state", "error"])
    job.chunks.filter(state=JobChunk.State.WAITING).update(state=JobChunk.State.CANCELLED)
    job_settle(job)


def job_go_on(job: Job) -> None:
    """Let a paused job be worked again."""
    job.state = Job.State.RUNNING if job.started_at else Job.State.QUEUED
    job.error, job.room_wanted, job.pace = "", None, {}
    job.save(update_fields=["state", "error", "room_wanted", "pace"])


def job_settle(job: Job) -> None:
    """Say that a job is over when no chunk of it is open."""
    if job.finished_at or job.chunks.filter(state__in=JobChunk.OPEN).exists():
        return
    if job.state in Job.OPEN:
        failed = job.chunks.filter(state=JobChunk.State.FAILED).first()
        job.state = Job.State.FAILED if failed else Job.State.DONE
        job.error = failed.error if failed else ""
    job.finished_at = timezone.now()
    job.save(update_fields=["state", "error", "finished_at"])
    kind_of(job.kind).ended(job)
