"""Trying again what a build could not make."""

from __future__ import annotations

from typing import Any

from tiles.core.errors import BadInput, Conflict, NotFound
from tiles.core.permissions import BUILD_AREA, require
from tiles.models import Area, Job, JobEvent
from tiles.models.choices import Failure

from .busy import BUILD
from .services import Retry, area_build_start

REASONS = [code for code in Failure.values if code]


def build_retry(*, job_id: int, reason: str = "", by: Any = None, background: bool = True) -> Job:
    """Try again what could not be built in the area of a build that is over: all of it, or what failed for one reason.

    Those tiles go back to planned; a new job makes them, and what an earlier one left, and nothing else. by: who
    asks, checked for the permission; nobody on the command line. Returns the new job. Raises NotAllowed, NotFound,
    BadInput for a reason that there is not or an input that is gone, Conflict when there is nothing to try, DiskFull.
    """
    if by is not None:
        require(by, BUILD_AREA)
    job = Job.objects.filter(pk=job_id).select_related("area").first()
    if job is None:
        raise NotFound("There is no such job. Look at the jobs page for those there are.")
    if job.kind != BUILD or job.area is None:
        raise Conflict("Only what a build could not make can be tried again.")
    if not job.finished_at:
        raise Conflict("This build is not over. Wait until it is, or cancel it; then try again.")
    if reason and reason not in REASONS:
        raise BadInput(f"There is no reason {reason!r}: use one of {', '.join(REASONS)}.", field="reason")
    reasons = [reason] if reason else REASONS
    numbers = failed_now(job.area)
    if not any(numbers.get(code) for code in reasons):
        raise Conflict("No tile of this area is failed for that any more, so there is nothing to try again.")
    new = area_build_start(slug=job.area.slug, retry=Retry(reasons, job.pk), by=by, background=background)
    what = Failure(reason).label.lower() if reason else "whatever the reason"
    JobEvent.objects.create(job=job, message=f"Tried again by job {new.pk}: what failed, {what}.")
    JobEvent.objects.create(job=new, message=f"Tries again what job {job.pk} could not make: {what}.")
    return new


def failed_now(area: Area) -> dict[str, int]:
    """How many tiles of an area are failed now, by reason, from its maintained counters."""
    counters = area.counters.filter(name__startswith="failed:", value__gt=0).values_list("name", "value")
    return {name.removeprefix("failed:"): value for name, value in counters}
