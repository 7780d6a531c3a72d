"""The part of the build page that shows what a build would make, before anything is started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from tiles.build import door
from tiles.build.choosing import source_path
from tiles.build.estimate import ON_DISK, Estimate, build_estimate
from tiles.build.preview import Preview, build_preview
from tiles.build.recipe import METRES
from tiles.build.services import STRETCH
from tiles.build.tile import Recipe
from tiles.core.errors import ApplicationError
from tiles.core.permissions import BUILD_AREA
from tiles.jobs.words import duration_words
from tiles.models import Area
from tiles.raster.listing import list_rasters

from .build_forms import BuildForm, Searches, bound, searches_of
from .build_grid import FIELD, GridForm
from .chosen import chosen_dems, chosen_raster, keys_chosen
from .sheets import HATCHINGS, REASONS, figure_of

# What a preview depends on; the other questions may still be open.
NATIVE = ("dem_gsd", "imagery_gsd")
LOOKED_AT = ("source", "bands", "nir", "tile_size", "void_limit", "uncovered_limit", "height_unit", *NATIVE, *STRETCH)
LIVE = (
    *("dems", "source", "imagery", "bands", "tile_size", "void_limit", "ee-preset", "ee-collection"),
    *NATIVE,
    *(f"grid-{name}" for name in GridForm.base_fields),
)
#: Imagery of more files is read, header by header, only when somebody presses Preview.
MOST_SURVEYED = 100
QUESTIONS = {"dems": "Which elevation models?", "imagery": "Which imagery?"}


@require_POST
@permission_required(BUILD_AREA, raise_exception=True)
def area_preview(request: HttpRequest) -> HttpResponse:
    """The preview by itself; with `do=preview` some tiles are made in memory, for an estimate."""
    form, grid = BuildForm(request.POST), GridForm(request.POST, request.FILES)
    context = preview_context(request, form, grid, searches_of(form))
    return render(request, "tiles/_build_preview.html", {"preview_url": request.path, **context})


def preview_context(request: HttpRequest, form: BuildForm, grid: GridForm, searches: Searches) -> dict[str, Any]:
    """What the template shows: a preview, or what has to be mended before there is one. Writes nothing."""
    form.full_clean()
    for name in set(form.errors) - set(LOOKED_AT):
        del form.errors[name]
    chosen = keys_chosen(request.POST)
    context: dict[str, Any] = {"live": LIVE, "hatchings": HATCHINGS, "wrong": False}
    context["to_mend"] = [*wrong_answers(form), *wrong_answers(grid)]
    if not chosen["dems"] or context["to_mend"]:
        return context
    options, measured = grid.options(), request.POST.get("do") == "preview"
    try:
        imagery = _spec(form, chosen["imagery"], needed=measured or options.grid == "imagery", context=context)
        preview = build_preview(
            dems=chosen_dems(chosen["dems"]),
            tile_size=form.cleaned_data["tile_size"],
            void_limit=form.cleaned_data["void_limit"],
            grid=options,
            imagery=imagery,
            native={"dem": form.cleaned_data["dem_gsd"], "imagery": _imagery_gsd(form, searches, imagery)},
        )
        context |= drawn(preview)
        if measured and preview.tiles:
            context |= measured_context(_estimate(preview, form, searches, imagery, options.limit))
    except ApplicationError as error:
        context["to_mend"] = [(label_of(form, grid, error.extra.get("field") or ""), error.message)]
    return context


def drawn(preview: Preview) -> dict[str, Any]:
    """What the template shows of a preview."""
    return {
        "preview": preview,
        "figures": [figure_of(seen) for seen in preview.drawn],
        "reasons": [(*words, preview.counts[reason]) for reason, words in REASONS.items() if preview.counts[reason]],
    }


def measured_context(estimate: Estimate) -> dict[str, Any]:
    """What the template shows of an estimate."""
    return {"estimate": estimate, "duration": duration_words(max(1.0, estimate.seconds))}


def label_of(form: forms.Form, grid: forms.Form, field: str) -> str:
    """The question that a field of an error belongs to, empty for none."""
    if (question := field.partition(".")[0]) in QUESTIONS:
        return QUESTIONS[question]
    asked = grid.fields if field.startswith(FIELD) else form.fields
    name = field.removeprefix(FIELD)
    return f"{asked[name].label}:" if name in asked else ""


def wrong_answers(form: forms.Form) -> list[tuple[str, str]]:
    """The questions that were answered wrongly, and why."""
    return [(f"{form.fields[name].label}:", str(errors[0])) for name, errors in form.errors.items()]


def _spec(form: BuildForm, keys: list[str], *, needed: bool, context: dict[str, Any]) -> Mapping[str, Any]:
    """The spec of imagery on disk; of other imagery, of which nothing is asked, the kind.

    Where the spec is not needed, what is wrong with it is said beside the preview, and stands in the way of nothing.
    """
    asked = form.cleaned_data
    if asked["source"] != ON_DISK or not (needed or keys):
        return {"kind": asked["source"]}
    try:
        chosen = chosen_raster(keys)
        with door.at_field("imagery"):
            if not needed and len(list_rasters(source_path(keys[0]))) > MOST_SURVEYED:
                return {"kind": asked["source"]}
        return door.imagery_checked(chosen, bands=asked["bands"], nir=asked["nir"])
    except ApplicationError as error:
        if needed:
            raise
        context["to_mend"] = [(QUESTIONS["imagery"], error.message)]
        return {"kind": asked["source"]}


def _imagery_gsd(form: BuildForm, searches: Searches, imagery: Mapping[str, Any]) -> float | None:
    """The native resolution of the imagery, metres: what was answered, else what the source is known to have."""
    if answered := form.cleaned_data["imagery_gsd"]:
        return float(answered)
    if search := searches.get(form.cleaned_data["source"]):
        return search.native_gsd()
    return imagery.get("gsd")


def _estimate(
    preview: Preview, form: BuildForm, searches: Searches, imagery: Mapping[str, Any], limit: int | None
) -> Estimate:
    asked = form.cleaned_data
    recipe = Recipe(
        void_limit=asked["void_limit"],
        uncovered_limit=asked["uncovered_limit"],
        unit_factor=METRES[Area.HeightUnit(asked["height_unit"])],
        **{name: asked[name] for name in STRETCH},
        pack_rgb=asked["pack_rgb"],
    )
    if bound(searches):
        answers: Mapping[str, Any] = searches[asked["source"]].data
        return build_estimate(preview, recipe=recipe, imagery=None, nir=bool(answers.get("ee-nir", "nir")), limit=limit)
    door.require_overlap([path for seen in preview.sheets for path in seen.sheet.files], imagery)
    return build_estimate(preview, recipe=recipe, imagery=imagery, nir=False, limit=limit)
