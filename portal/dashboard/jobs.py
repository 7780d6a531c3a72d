"""Pages of jobs: all of them, one of them, and its buttons."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from tiles.core.errors import Conflict, NotFound
from tiles.core.paging import keyset_page
from tiles.core.permissions import BUILD_AREA, VIEW_DATA
from tiles.jobs.selectors import job_failures, job_log, job_progress, jobs_listed
from tiles.jobs.services import job_cancel, job_pause, job_resume
from tiles.jobs.words import duration_words, rate_words
from tiles.models import Job

from .filters import JobFilter

PAGE_SIZE = 50
PATIENCE = timedelta(seconds=15)
"""How long a job may wait for a worker before the page asks whether one runs."""


@require_safe
@permission_required(VIEW_DATA, raise_exception=True)
def jobs(request: HttpRequest) -> HttpResponse:
    """Jobs, newest first: `?state=`."""
    job_filter = JobFilter(request.GET, queryset=jobs_listed())
    page = keyset_page(
        job_filter.checked(),
        order=("-id",),
        size=PAGE_SIZE,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    rows = [(job, job_progress(job)) for job in page.rows]
    state = request.GET.get("state", "")
    context = {"section": "jobs", "filter": job_filter, "state": state, "page": page, "rows": rows}
    return render(request, "dashboard/jobs.html", context)


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


pause = _steering(job_pause)
resume = _steering(job_resume)
cancel = _steering(job_cancel)


def job_shown(job_id: int) -> Job:
    """The job with what a page shows. Raises NotFound."""
    found = jobs_listed().filter(pk=job_id).first()
    if found is None:
        raise NotFound("There is no such job. Go to the list of jobs.")
    return found


def _facts(shown: Job) -> dict[str, Any]:
    progress = job_progress(shown)
    ended = shown.finished_at or timezone.now()
    return {
        "job": shown,
        "progress": progress,
        "rate": rate_words(progress.rate) if progress.rate else "",
        "time_left": duration_words(progress.seconds_left) if progress.seconds_left is not None else "",
        "took": duration_words((ended - shown.started_at).total_seconds()) if shown.started_at else "",
        "failures": job_failures(shown),
        "log": job_log(shown),
        "unattended": shown.state == Job.State.QUEUED and timezone.now() - shown.created_at > PATIENCE,
    }
