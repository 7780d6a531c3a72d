"""The page on which a curator lets a captioner write for a selection of captions: ten of them first, then all."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from tiles.core.errors import ApplicationError, BadInput, NotFound
from tiles.core.permissions import BUILD_AREA
from tiles.models import Area, Job
from tiles.review.selectors import area_by_slug

from .bulk import Outcome
from .changes import Among
from .forms import RecaptionForm
from .instructions import instructions_of
from .models import Caption
from .views_bulk import scope_words
from .views_writing import trial_shown
from .writing.selectors import runs_of, selection_counted
from .writing.services import captioning_start, captioning_undo

MOST_AREAS = 200


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(BUILD_AREA, raise_exception=True)
def recaption(request: HttpRequest) -> HttpResponse:
    """Describe the captions of a selection anew: `?only=` or a filter of the list, of one area."""
    among = Among.of(request.GET)
    areas = _areas(among)
    context: dict[str, Any] = {"section": "captions", "among": among, "scope": scope_words(among)}
    if len(areas) != 1:
        return render(request, "captions/recaption_area.html", {**context, "areas": areas})
    (area, _number), *_others = areas
    form = RecaptionForm(request.POST or None, versions=instructions_of(area))
    if request.method == "POST" and form.is_valid():
        try:
            return _begin(request, area, among, form)
        except ApplicationError as error:
            field = error.extra.get("field", "")
            form.add_error(field if field in form.fields else None, error.message)
    context |= {
        "area": area,
        "form": form,
        "selected": selection_counted(area=area, among=among),
        "runs": runs_of(area),
        **trial_shown(area, among=among.asked),
    }
    return render(request, "captions/recaption.html", context)


@require_POST
@permission_required(BUILD_AREA, raise_exception=True)
def write_undo(request: HttpRequest, slug: str, job: int) -> HttpResponse:
    """Bring back the texts that a run of a captioner replaced, and say how many."""
    area = area_by_slug(slug)
    if not Job.objects.filter(pk=job, area=area).exists():
        raise NotFound("There is no such run on this area. Look at the jobs page.")
    outcome = captioning_undo(job_id=job, by=request.user)
    if isinstance(outcome, Job):
        return redirect("job", outcome.pk)
    messages.success(request, _said(outcome))
    return redirect(f"{reverse('captions-write', args=[area.slug])}#runs")


def _begin(request: HttpRequest, area: Area, among: Among, form: RecaptionForm) -> HttpResponse:
    trial = "trial" in request.POST
    if not trial and "start" not in request.POST:
        raise BadInput("Choose whether to try ten first, or to start.")
    asked = form.asked(among=among.asked, trial=trial)
    job = captioning_start(area=area, asked=asked, budget=form.budget(), by=request.user)
    if trial:
        return redirect(f"{reverse('captions-recaption')}?{among.asked}#trial")
    return redirect("job", job.pk)


def _areas(among: Among) -> list[tuple[Area, int | None]]:
    """The areas that a selection is of, and how many captions of each are named; one where the filter names it."""
    chosen = among.chosen
    chosen.checked()
    area = chosen.form.cleaned_data.get("area")
    if area:
        return [(area, None)]
    if not among.only:
        areas: list[tuple[Area, int | None]] = [(area, None) for area in Area.objects.order_by("name")[:MOST_AREAS]]
        return areas
    numbers = Caption.objects.filter(pk__in=among.only).order_by().values_list("area").annotate(number=Count("pk"))
    named: dict[int, int] = dict(numbers)
    return [(area, named[area.pk]) for area in Area.objects.filter(pk__in=named).order_by("name")]


def _said(outcome: Outcome) -> str:
    words = "1 text is back" if outcome.done == 1 else f"{outcome.done:,} texts are back"
    stay = len(outcome.stale) + len(outcome.refused)
    if not stay:
        return f"{words}."
    return f"{words}. {stay:,} {'stays' if stay == 1 else 'stay'} as saved or accepted by people since."
