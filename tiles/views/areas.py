"""The page of one area."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from tiles.areas.graticule import graticule
from tiles.areas.selectors import area_counts, area_samples, area_tile_bytes
from tiles.areas.services import DESCRIBED, area_describe
from tiles.build import drop
from tiles.core.errors import BadInput
from tiles.core.permissions import BUILD_AREA, VIEW_DATA
from tiles.imagery.questions import spec_facts
from tiles.models import Area, Job, SkippedWindow, TilePair
from tiles.models.choices import REJECTION_REASONS, BuildState, Failure

FAILURES_SHOWN = 50
DESCRIBED_GROUPS = {
    "The heights": ("surface", "vertical_datum", "dem_gsd", "dem_from", "dem_to"),
    "The imagery": ("satellite", "imagery_gsd", "imagery_from", "imagery_to"),
    "Rights": ("licence", "attribution"),
}


class DescribeForm(forms.ModelForm):
    """What an area says of itself."""

    reasons = forms.MultipleChoiceField(
        label="Reasons to reject that reviewers may give",
        choices=[(reason.code, f"{reason.label} ({reason.key})") for reason in REJECTION_REASONS],
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Area
        fields = DESCRIBED
        labels = {
            "surface": "Surface or terrain",
            "satellite": "Imagery taken by",
            "dem_from": "Heights acquired from",
            "dem_to": "Heights acquired to",
            "imagery_from": "Imagery acquired from",
            "imagery_to": "Imagery acquired to",
            "dem_gsd": "Native resolution of the heights (m)",
            "imagery_gsd": "Native resolution of the imagery (m)",
        }
        widgets = {
            **{
                name: forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
                for name in ("dem_from", "dem_to", "imagery_from", "imagery_to")
            },
            **{name: forms.Textarea(attrs={"rows": 3}) for name in ("description", "attribution")},
        }
        help_texts = {"dem_gsd": "", "imagery_gsd": ""}

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The questions as the build page groups them, what belongs to no group first; the reasons stand apart."""
        grouped = {name for names in DESCRIBED_GROUPS.values() for name in names}
        others = [self[name] for name in self.fields if name not in grouped and name != "reasons"]
        groups = [(title, [self[name] for name in names]) for title, names in DESCRIBED_GROUPS.items()]
        return [("The area", others), *groups]


@permission_required(VIEW_DATA, raise_exception=True)
def area(request: HttpRequest, slug: str) -> HttpResponse:
    """Counts, place, inputs, failures."""
    shown = get_object_or_404(Area.objects.prefetch_related("counters", "dem_files"), slug=slug)
    failed = TilePair.objects.filter(area=shown, build_state=BuildState.FAILED)
    reason = request.GET.get("failure", "")
    if reason in Failure.values and reason:
        failed = failed.filter(failure=reason)
    samples = area_samples(shown)
    context: dict[str, Any] = {
        "section": "areas",
        "area": shown,
        "counts": area_counts(shown),
        "samples": samples,
        "tile_bytes": area_tile_bytes(samples),
        "skipped": _skipped(shown),
        "imagery_facts": spec_facts(spec) if (spec := shown.recipe.get("imagery")) else [],
        "map": graticule([file.footprint for file in shown.dem_files.all() if file.footprint]),
        "failed": failed.order_by("index").only("index", "failure", "failure_detail")[:FAILURES_SHOWN],
        "failures_shown": FAILURES_SHOWN,
        "job": Job.objects.filter(area=shown).order_by("-id").first(),
    }
    return render(request, "tiles/area.html", context)


@permission_required(BUILD_AREA, raise_exception=True)
def area_settings(request: HttpRequest, slug: str) -> HttpResponse:
    """Change what the area says of itself."""
    shown = get_object_or_404(Area, slug=slug)
    form = DescribeForm(request.POST or None, instance=shown)
    if request.method == "POST" and form.is_valid():
        try:
            area_describe(area_id=shown.pk, changes=form.cleaned_data, by=request.user)
        except BadInput as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, "Saved.")
            return redirect("area", slug=slug)
    samples = area_samples(shown)
    context = {
        "section": "areas",
        "area": shown,
        "form": form,
        "rgb_bytes": area_tile_bytes(samples).get(drop.LAYER, 0) * area_counts(shown).built,
    }
    return render(request, "tiles/area_settings.html", context)


@require_POST
@permission_required(BUILD_AREA, raise_exception=True)
def area_rgb_drop(request: HttpRequest, slug: str) -> HttpResponse:
    """Start dropping the unstretched imagery, and show how far that is."""
    job = drop.area_rgb_drop(area_id=get_object_or_404(Area, slug=slug).pk, by=request.user)
    return redirect("job", job.pk)


def _skipped(shown: Area) -> list[tuple[str, int]]:
    """Windows without a number, by reason. Few rows a DEM file, so counting them is cheap."""
    rows = SkippedWindow.objects.filter(dem_file__area=shown).values_list("reason").annotate(number=Count("id"))
    return [(str(SkippedWindow.Reason(reason).label), number) for reason, number in rows.order_by("reason")]
