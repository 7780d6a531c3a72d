"""How fast a job goes lately: a window of one to two minutes that follows changes and forgets nights."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from tiles.models import Job

WINDOW_SECONDS = 60.0


def paced(job: Job) -> dict[str, Any]:
    """The job's `pace` after its counters changed: two marks of (time, steps), the older one at the window's start."""
    mark = [timezone.now().timestamp(), job.done + job.failed]
    start, middle = job.pace.get("start"), job.pace.get("middle")
    if not start or not middle:
        return {"start": mark, "middle": mark}
    if mark[0] - middle[0] < WINDOW_SECONDS:
        return {"start": start, "middle": middle}
    return {"start": middle, "middle": mark}


def recent_rate(job: Job) -> float | None:
    """Steps a second; None while nothing can be said."""
    start = job.pace.get("start")
    if not start:
        return None
    seconds = timezone.now().timestamp() - start[0]
    steps = job.done + job.failed - start[1]
    return steps / seconds if seconds > 0 and steps > 0 else None
