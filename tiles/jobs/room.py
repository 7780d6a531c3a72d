"""Jobs that a full disk paused: what they wait for, and going on when it is there."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from tiles.core.errors import DiskFull
from tiles.core.files import free_bytes
from tiles.models import Job, JobEvent

from .chunks import job_go_on, job_locked

MARGIN = 64 * 2**20
"""Bytes above what is needed before a job goes on by itself, so that it does not stop again at once."""


def room_wanted(error: DiskFull) -> int:
    """Bytes beyond DEMETER_MIN_FREE without which what was refused would be refused again.

    Where a write failed nobody knows how much it takes; then more must be free than now.
    """
    wanted = error.extra.get("wanted", free_bytes(settings.DEMETER_DATA))
    return max(0, int(wanted) - settings.DEMETER_MIN_FREE)


def jobs_resume() -> int:
    """Let go on what waits for room that there is now; returns how many jobs. Those that a person paused stay paused.

    Any number of processes may do this at once.
    """
    waiting = list(Job.objects.filter(state=Job.State.PAUSED, room_wanted__isnull=False))
    if not waiting:
        return 0
    beyond = free_bytes(settings.DEMETER_DATA) - settings.DEMETER_MIN_FREE - MARGIN
    return sum(_resume(job.pk) for job in waiting if job.room_wanted is not None and job.room_wanted <= beyond)


def _resume(job_id: int) -> bool:
    with transaction.atomic():
        job = job_locked(job_id)
        if not job.waits_for_room:
            return False
        job_go_on(job)
        JobEvent.objects.create(job=job, message="There is room on the disk again: going on.")
    return True
