"""Starting and steering jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from tiles.core.errors import Conflict, NotFound
from tiles.models import Area, Job, JobEvent

from .chunks import job_go_on, job_locked, job_settle, job_stop
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

    `by` is a user, or None for the command line. The caller has checked the permission. Raises Conflict when a job
    of this kind and subject is open already.
    """
    kind_of(kind)
    try:
        with transaction.atomic():
            job = Job.objects.create(
                kind=kind, title=title, subject=subject, area=area, parameters=dict(parameters or {}), started_by=by
            )
            chunks_add(job, chunks, stage=0)
            JobEvent.objects.create(job=job, message=f"Started by {_who(by)}.")
            job_settle(job)
    except IntegrityError as error:
        raise Conflict(f"This is already under way: {title}. Look at the jobs page.", code="already_running") from error
    if background:
        _wake_on_commit()
    return job


def job_pause(*, job_id: int, by: Any) -> Job:
    """Stop giving out chunks; those under way stop at their next beat. Raises Conflict when it does not run."""
    with transaction.atomic():
        job = _steered(job_id, Job.WORKABLE, f"Paused by {_who(by)}.")
        job.state = Job.State.PAUSED
        job.save(update_fields=["state"])
    return job


def job_resume(*, job_id: int, by: Any) -> Job:
    """Go on with a paused job. Raises Conflict when it is not paused."""
    with transaction.atomic():
        job = _steered(job_id, (Job.State.PAUSED,), f"Resumed by {_who(by)}.")
        job_go_on(job)
        _wake_on_commit()
    return job


def job_cancel(*, job_id: int, by: Any) -> Job:
    """End a job; what is built stays. Those at work on it stop at their next beat, and only then is it finished.

    Raises Conflict when it is over already.
    """
    with transaction.atomic():
        job = _steered(job_id, Job.OPEN, f"Cancelled by {_who(by)}.")
        job_stop(job, Job.State.CANCELLED)
    return job


def _steered(job_id: int, from_states: Sequence[str], message: str) -> Job:
    """The job, locked, when it is in one of these states; its log says what is done to it."""
    try:
        job = job_locked(job_id)
    except Job.DoesNotExist as error:
        raise NotFound("There is no such job. Look at the jobs page for those there are.") from error
    if job.state not in from_states:
        raise Conflict(f"This job is {job.get_state_display().lower()}: that cannot be done now.")
    JobEvent.objects.create(job=job, message=message)
    return job


def _who(by: Any) -> str:
    return by.shown_name if by else "the command line"


def _wake_on_commit() -> None:
    # Robust: the job stands, and the sweeper wakes workers too should the queue be away.
    transaction.on_commit(lambda: wake(settings.DEMETER_WORKERS), robust=True)
