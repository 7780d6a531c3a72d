"""Pages of changing many captions, and of how far the captions of an area are."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from tiles.core.permissions import BUILD_AREA, RECTIFY_CAPTIONS, VIEW_DATA
from tiles.review.selectors import area_by_slug

from .bulk import AT_ONCE, MOST_LEFT_OUT
from .changes import Among
from .checks.catalogue import LABELS
from .edits import LONGEST, REMOVE_TERM, REPLACE, WAYS
from .progress import COUNT_LIMIT, PERIOD, Pace, states_counted, work_done

WAY_WORDS = dict(zip(WAYS, ("Replace words", "Add a term", "Take a term away"), strict=True))
FIELDS = {REPLACE: ("find", "replace", "whole_word", "match_case")}
CHART_DAYS = PERIOD.days + 1  # the first of them in part
BAR, CHART_HEIGHT = 6, 28


@require_safe
@permission_required(RECTIFY_CAPTIONS, raise_exception=True)
def many(request: HttpRequest) -> HttpResponse:
    """Words replaced, or a term added or taken away, in all captions of a filter or in those selected."""
    among = Among.of(request.GET)
    do = request.GET.get("do", "")
    do = do if do in WAYS else REPLACE
    given = {name: request.GET.get(name, "") for name in FIELDS.get(do, ("term",))}
    context = {
        "section": "captions",
        "do": do,
        "removes": do == REMOVE_TERM,
        "ways": WAY_WORDS.items(),
        "given": given,
        "longest": LONGEST,
        "among": among,
        "scope": scope_words(among),
        "kept": list(QueryDict(among.asked).items()),
        "page": {
            "filter": among.asked,
            "edit": {"do": do, **given},
            "asked": bool(given.get("find") or given.get("term", "").strip()),
            "person": request.user.pk,
            "at_once": AT_ONCE,
            "most_left_out": MOST_LEFT_OUT,
            "urls": _urls(),
        },
    }
    return render(request, "captions/many.html", context)


@require_safe
@permission_required(VIEW_DATA, raise_exception=True)
def progress(request: HttpRequest, slug: str) -> HttpResponse:
    """Captions of an area by state; the pace of its people, for curators of all; the captioners' edit distance."""
    area = area_by_slug(slug)
    everybody = request.user.has_perm(BUILD_AREA)
    context: dict[str, Any] = {
        "section": "captions",
        "area": area,
        "tab": "captions",
        "counts": states_counted(area=area),
        "limit": COUNT_LIMIT,
        "days": PERIOD.days,
        "everybody": everybody,
    }
    if request.user.has_perm(RECTIFY_CAPTIONS):
        work = work_done(area=area, by=None if everybody else request.user)
        context |= {"work": work, "people": [(pace, _chart(pace)) for pace in work.people]}
    return render(request, "captions/progress.html", context)


def _urls() -> dict[str, str]:
    names = {
        "preview": "api-captions-preview",
        "count": "api-captions-count",
        "bulk": "api-captions-edit",
        "undo": "api-captions-undo",
        "jobs": "api-jobs",
    }
    return {key: reverse(name) for key, name in names.items()} | {"caption": reverse("caption", args=["area", 0])}


def scope_words(among: Among) -> list[str]:
    """The filter in words, a piece each; empty for every caption there is."""
    if among.only:
        number = len(among.only)
        return [f"{number} selected caption" + ("s" if number > 1 else "")]
    form = among.chosen.form
    form.is_valid()
    given = form.cleaned_data
    choices = {name: dict(form.fields[name].choices) for name in ("origin", "state")}
    pieces = [
        f"of {given['area'].name}" if given.get("area") else "",
        f"written by: {choices['origin'][given['origin']].lower()}" if given.get("origin") else "",
        choices["state"][given["state"]].lower() if given.get("state") else "",
        f"that hold: {given['q'].strip()}" if (given.get("q") or "").strip() else "",
        f"with the finding: {LABELS[given['finding']]}" if given.get("finding") else "",
    ]
    return [piece for piece in pieces if piece]


def _chart(pace: Pace) -> dict[str, Any]:
    """Bars of a drawing: x, y and height of each day of PERIOD with work, and the drawing in words."""
    days, today = pace.days, timezone.localdate()
    first: date = today - timedelta(days=CHART_DAYS - 1)
    most = max(days.values(), default=0)
    bars = []
    for day, number in days.items():
        height = max(2, round(CHART_HEIGHT * number / most))
        bars.append({"x": (day - first).days * BAR, "y": CHART_HEIGHT - height, "height": height})
    words = f"Captions a day over {PERIOD.days} days: work on {len(days)} of them, {most} on the busiest"
    return {"bars": bars, "width": CHART_DAYS * BAR, "height": CHART_HEIGHT, "bar": BAR - 2, "words": words}
