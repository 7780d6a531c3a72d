"""Pages over all areas."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from tiles.areas.selectors import area_counts, area_samples, areas_listed
from tiles.core.permissions import VIEW_DATA
from tiles.models.choices import REJECTION_REASONS


@permission_required(VIEW_DATA, raise_exception=True)
def dashboard(request: HttpRequest) -> HttpResponse:
    """All areas with their progress."""
    areas = [(area, area_counts(area), area_samples(area)) for area in areas_listed()]
    return render(request, "dashboard/areas.html", {"section": "areas", "areas": areas})


@permission_required(VIEW_DATA, raise_exception=True)
def review_start(request: HttpRequest) -> HttpResponse:
    """Where to review: straight into the only area, or a choice of areas by what is left."""
    areas = sorted(((area, area_counts(area)) for area in areas_listed()), key=lambda pair: -pair[1].waiting)
    areas = [pair for pair in areas if pair[1].built]
    if len(areas) == 1:
        return redirect("review", slug=areas[0][0].slug)
    return render(request, "dashboard/review_start.html", {"section": "review", "areas": areas})


@permission_required(VIEW_DATA, raise_exception=True)
def guide(request: HttpRequest) -> HttpResponse:
    """How to use the site, in one page."""
    return render(request, "dashboard/help.html", {"section": "help", "reasons": REJECTION_REASONS})
