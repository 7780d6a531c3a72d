"""Pages of jobs: all of them, one of them, and its buttons."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from tiles.build.busy import BUILD
from tiles.build.retry import build_retry, failed_now
from tiles.core.errors import ApplicationError, Conflict, NotFound
from tiles.core.paging import keyset_page
from tiles.core.permissions import BUILD_AREA, VIEW_DATA
from tiles.jobs.selectors import job_chunk_times, job_failures, job_log, job_progress, jobs_listed
from tiles.jobs.services import job_cancel, job_pause, job_resume
from tiles.jobs.words import duration_words, rate_words
from tiles.models import Job
from tiles.models.choices import Failure

from .filters import JobFilter

PAGE_SIZE = 50
PATIENCE = timedelta(seconds=15)
"""How long a job may wait for a worker before the page asks whether one runs."""


@require_safe
@permission_required(VIEW_DATA, raise_exception=True)
def jobs(request: HttpRequest) -> HttpResponse:
    """Jobs, newest first: `?state=`."""
    job_filter = JobFilter(request.GET, queryset=jobs_listed())
    return render(
        request, "dashboard/jobs.html", {"section": "jobs", "filter": job_filter, **_rows(request, job_filter)}
    )


@require_safe
@permission_required(VIEW_DATA, raise_exception=True)
def jobs_rows(request: HttpRequest) -> HttpResponse:
    """The rows of one page of the list: they ask for themselves again while one of them moves."""
    job_filter = JobFilter(request.GET, queryset=jobs_listed())
    return render(request, "dashboard/_job_rows.html", _rows(request, job_filter))


@require_safe
@permission_required(VIEW_DATA, raise_exception=True)
def job(request: HttpRequest, job_id: int) -> HttpResponse:
    """One job: how far it is, what failed, its log and its buttons."""
    return render(request, "dashboard/job.html", {"section": "jobs", **_facts(job_shown(job_id))})


@require_safe
@permission_required(VIEW_DATA, raise_exception=True)
def job_progress_part(request: HttpRequest, job_id: int) -> HttpResponse:
    """The part of the page that moves. When more than numbers changed, the whole page is asked for again."""
    shown = job_shown(job_id)
    response = render(request, "dashboard/_job_progress.html", {**_facts(shown), "log_too": True})
    if shown.finished_at or shown.state != request.GET.get("shown"):
        response["HX-Refresh"] = "true"
    return response


def _steering(steer: Callable[..., Job]) -> Callable[..., HttpResponse]:
    """A button of the job page."""

    @require_POST
    @permission_required(BUILD_AREA, raise_exception=True)
    def view(request: HttpRequest, job_id: int) -> HttpResponse:
        try:
            steer(job_id=job_id, by=request.user)
        except Conflict as error:  # it ended while the page was open
            messages.warning(request, error.message)
        return redirect("job", job_id=job_id)

    return view


@require_POST
@permission_required(BUILD_AREA, raise_exception=True)
def retry(request: HttpRequest, job_id: int) -> HttpResponse:
    """Try again what a build could not make: all of it, or what failed for one `reason`. Goes to the new job."""
    try:
        job_id = build_retry(job_id=job_id, reason=request.POST.get("reason", ""), by=request.user).pk
    except NotFound:
        raise
    except ApplicationError as error:
        messages.warning(request, error.message)
    return redirect("job", job_id=job_id)


pause = _steering(job_pause)
resume = _steering(job_resume)
cancel = _steering(job_cancel)


def job_shown(job_id: int) -> Job:
    """The job with what a page shows. Raises NotFound."""
    found = jobs_listed().filter(pk=job_id).first()
    if found is None:
        raise NotFound("There is no such job. Go to the list of jobs.")
    return found


def _rows(request: HttpRequest, job_filter: JobFilter) -> dict[str, Any]:
    asked = {name: request.GET.get(name, "") for name in ("state", "after", "before")}
    page = keyset_page(
        job_filter.checked(), order=("-id",), size=PAGE_SIZE, after=asked["after"], before=asked["before"]
    )
    rows = [(job, progress := job_progress(job), _seconds(progress.seconds_left)) for job in page.rows]
    moving = any(_moves(job) for job in page.rows)
    return {"page": page, "rows": rows, "state": asked["state"], "moving": moving, "here": urlencode(asked)}


def _moves(job: Job) -> bool:
    """Whether a job changes by itself: one that a person paused does not."""
    return not job.finished_at and (job.state != Job.State.PAUSED or job.waits_for_room)


def _seconds(seconds: float | None) -> str:
    return duration_words(seconds) if seconds is not None else ""


def _retryable(shown: Job) -> dict[str, int]:
    """How many tiles of a build's area are failed now, by reason, when they can be tried again."""
    if shown.kind != BUILD or not shown.finished_at or shown.area is None:
        return {}
    return failed_now(shown.area)


def _facts(shown: Job) -> dict[str, Any]:
    retryable = _retryable(shown)
    progress = job_progress(shown)
    ended = shown.finished_at or timezone.now()
    chunks = job_chunk_times(shown)
    return {
        "job": shown,
        "progress": progress,
        "rate": rate_words(progress.rate) if progress.rate else "",
        "chunks": chunks.words if chunks else "",
        "time_left": _seconds(progress.seconds_left),
        "took": duration_words((ended - shown.started_at).total_seconds()) if shown.started_at else "",
        "failures": [(line, retryable.get(line.code, 0)) for line in job_failures(shown)],
        "tiles_failed": any(line in Failure.values for line in shown.failures),
        "retryable": sum(retryable.values()),
        "log": job_log(shown),
        "unattended": shown.state == Job.State.QUEUED and timezone.now() - shown.created_at > PATIENCE,
    }
