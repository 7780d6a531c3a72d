"""Starting and steering jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from tiles.core.errors import Conflict
from tiles.models import Area, Job, JobChunk, JobEvent

from .leases import chunks_add
from .queue import wake
from .registry import kind_of


def job_start(
    *,
    kind: str,
    title: str,
    subject: str,
    chunks: Sequence[Mapping[str, Any]],
    by: Any = None,
    area: Area | None = None,
    parameters: Mapping[str, Any] | None = None,
    background: bool = True,
) -> Job:
    """Create a job and, when `background`, wake the workers once it is committed.

    The caller has checked the permission. Raises Conflict when such a job is open already.
    """
    kind_of(kind)
    try:
        with transaction.atomic():
            job = Job.objects.create(
                kind=kind, title=title, subject=subject, area=area, parameters=dict(parameters or {}), started_by=by
            )
            chunks_add(job, chunks, stage=0)
            JobEvent.objects.create(job=job, message=f"Started by {by.shown_name if by else 'the command line'}.")
    except IntegrityError as error:
        raise Conflict(f"This is already under way: {title}. Look at the jobs page.", code="already_running") from error
    if background:
        transaction.on_commit(lambda: wake(settings.DEMETER_WORKERS))
    return job


def job_pause(*, job_id: int, by: Any) -> Job:
    """Stop giving out chunks; those under way stop at their next beat. Raises Conflict when it does not run."""
    return _steer(job_id, Job.WORKABLE, Job.State.PAUSED, f"Paused by {by.shown_name}.")


def job_resume(*, job_id: int, by: Any) -> Job:
    """Go on with a paused job. Raises Conflict when it is not paused."""
    job = _steer(job_id, (Job.State.PAUSED,), Job.State.RUNNING, f"Resumed by {by.shown_name}.")
    transaction.on_commit(lambda: wake(settings.DEMETER_WORKERS))
    return job


def job_cancel(*, job_id: int, by: Any) -> Job:
    """End a job; what is built stays. Raises Conflict when it is over already."""
    with transaction.atomic():
        job = _steer(job_id, Job.OPEN, Job.State.CANCELLED, f"Cancelled by {by.shown_name}.")
        Job.objects.filter(pk=job_id).update(finished_at=timezone.now())
        job.chunks.filter(state=JobChunk.State.WAITING).update(state=JobChunk.State.CANCELLED)
        kind_of(job.kind).ended(job)
    return job


def _steer(job_id: int, from_states: Sequence[str], to_state: str, message: str) -> Job:
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job_id)
        if job.state not in from_states:
            raise Conflict(f"This job is {job.get_state_display().lower()}: that cannot be done now.")
        job.state = to_state
        job.error = ""
        job.save(update_fields=["state", "error"])
        JobEvent.objects.create(job=job, message=message)
    return job
