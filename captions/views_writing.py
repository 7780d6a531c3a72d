"""The page on which a curator lets a captioner write for an area: a few tiles first, then all."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from tiles.core.errors import ApplicationError, BadInput
from tiles.core.permissions import BUILD_AREA
from tiles.jobs.words import duration_words, failures_listed
from tiles.models import Area, Job
from tiles.review.layers import layer_url
from tiles.review.selectors import area_by_slug

from .captioners.endpoints import endpoint_names, endpoint_of
from .forms import WriteForm
from .instructions import guide_of, instruction_write
from .writing.options import Captioning
from .writing.selectors import captionings_of, runs_of, trial_of
from .writing.services import captioning_start


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(BUILD_AREA, raise_exception=True)
def write(request: HttpRequest, slug: str) -> HttpResponse:
    """Choose a captioner and what it is told; try ten tiles, or start."""
    area = area_by_slug(slug)
    guide = guide_of(area)
    form = WriteForm(request.POST or None, guide=guide)
    if request.method == "POST" and form.is_valid():
        try:
            return _begin(request, area, form)
        except ApplicationError as error:
            field = error.extra.get("field", "")
            form.add_error(field if field in form.fields else None, error.message)
    context = {
        "section": "captions",
        "area": area,
        "form": form,
        "guide": guide,
        "endpoints": [_endpoint(name) for name in endpoint_names()],
        "runs": runs_of(area),
        **trial_shown(area),
    }
    return render(request, "captions/write.html", context)


@require_safe
@permission_required(BUILD_AREA, raise_exception=True)
def write_trial(request: HttpRequest, slug: str) -> HttpResponse:
    """The part of the page that shows the newest trial; it asks for itself again while that is at work."""
    area = area_by_slug(slug)
    return render(request, "captions/_trial.html", {"area": area, **trial_shown(area)})


def _begin(request: HttpRequest, area: Area, form: WriteForm) -> HttpResponse:
    trial = "trial" in request.POST
    if not trial and "start" not in request.POST:
        raise BadInput("Choose whether to try ten tiles first, or to start.")
    instruction = guide_of(area)
    terms = form.term_list()
    said = form.cleaned_data["text"].replace("\r\n", "\n").strip()
    if (said, [term.strip() for term in terms]) != (instruction.text, list(instruction.terms)):
        instruction_write(area=area, text=said, terms=terms, by=request.user)
    job = captioning_start(area=area, asked=form.asked(trial=trial), budget=form.budget(), by=request.user)
    if trial:
        return redirect(f"{reverse('captions-write', args=[area.slug])}#trial")
    return redirect("job", job.pk)


def _endpoint(name: str) -> dict[str, str]:
    """A configured endpoint for people: never its key."""
    try:
        endpoint = endpoint_of(name)
    except BadInput as error:
        return {"name": name, "problem": error.message}
    return {"name": name, "model": endpoint.model, "hosts": endpoint.hosts}


def trial_shown(area: Area, *, among: str | None = None) -> dict[str, Any]:
    """The newest trial of an area, when there is one. among: only where it was one of this selection."""
    job = next((job for job in captionings_of(area) if _is_trial(job)), None)
    if job is None or (among is not None and Captioning.of(job.parameters).among != among):
        return {"trial_job": None}
    try:
        trial = trial_of(job)
    except BadInput as error:  # its captioner is not configured any more
        return {"trial_job": job, "trial_problem": error.message}
    lines = [
        (line, layer_url(line.proposal.tile, "preview", area.slug) if line.proposal.tile.layer("preview") else "")
        for line in trial.lines
    ]
    return {
        "trial_job": job,
        "trial": trial,
        "trial_lines": lines,
        "trial_failures": failures_listed(job.failures),
        "trial_time": duration_words(trial.seconds),
        "trial_moves": job.state in Job.WORKABLE,
    }


def _is_trial(job: Job) -> bool:
    return Captioning.of(job.parameters).trial
