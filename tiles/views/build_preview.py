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
from tiles.build.estimate import Estimate, build_estimate
from tiles.build.preview import Preview, build_preview
from tiles.build.recipe import METRES
from tiles.build.services import STRETCH
from tiles.build.tile import Recipe
from tiles.core.errors import ApplicationError
from tiles.core.permissions import BUILD_AREA
from tiles.jobs.words import duration_words
from tiles.models import Area

from .build_forms import BuildForm, Searches, bound, searches_of
from .chosen import chosen_dems, chosen_raster, keys_chosen
from .sheets import REASONS, figure_of

# What a preview depends on; the other questions may still be open.
LOOKED_AT = ("source", "bands", "nir", "tile_size", "void_limit", "uncovered_limit", "height_unit", *STRETCH)
LIVE = ("dems", "tile_size", "void_limit")


@require_POST
@permission_required(BUILD_AREA, raise_exception=True)
def area_preview(request: HttpRequest) -> HttpResponse:
    """The preview by itself; with `do=preview` some tiles are made in memory, for an estimate."""
    form = BuildForm(request.POST)
    searches = searches_of(form)
    return render(request, "tiles/_build_preview.html", preview_context(request, form, searches))


def preview_context(request: HttpRequest, form: BuildForm, searches: Searches) -> dict[str, Any]:
    """What the template shows: a preview, or what has to be mended before there is one. Writes nothing."""
    form.full_clean()
    for name in set(form.errors) - set(LOOKED_AT):
        del form.errors[name]
    chosen = keys_chosen(request.POST)
    context: dict[str, Any] = {"live": LIVE, "wrong": False, "to_mend": _wrong(form)}
    if not chosen["dems"] or context["to_mend"]:
        return context
    measure = request.POST.get("do") == "preview"
    try:
        preview = build_preview(
            dems=chosen_dems(chosen["dems"]),
            tile_size=form.cleaned_data["tile_size"],
            void_limit=form.cleaned_data["void_limit"],
        )
        context |= {"preview": preview, "figures": [figure_of(sheet, preview) for sheet in preview.drawn]}
        context["reasons"] = [
            (*REASONS[reason], preview.counts[reason]) for reason in REASONS if preview.counts[reason]
        ]
        if measure and preview.tiles:
            context |= _estimated(_estimate(preview, form, searches, chosen["imagery"]))
    except ApplicationError as error:
        context["to_mend"] = [(_label(form, error.extra.get("field")), error.message)]
    return context


def _wrong(form: forms.Form) -> list[tuple[str, str]]:
    return [(_label(form, name), str(errors[0])) for name, errors in form.errors.items()]


def _label(form: forms.Form, field: str | None) -> str:
    questions = {"dems": "Which elevation models?", "imagery": "Which imagery?"}
    if field in questions:
        return questions[field]
    return str(form.fields[field].label) if field in form.fields else ""


def _estimate(preview: Preview, form: BuildForm, searches: Searches, keys: list[str]) -> Estimate:
    asked = form.cleaned_data
    recipe = Recipe(
        void_limit=asked["void_limit"],
        uncovered_limit=asked["uncovered_limit"],
        unit_factor=METRES[Area.HeightUnit(asked["height_unit"])],
        **{name: asked[name] for name in STRETCH},
    )
    if bound(searches):
        wanted: Mapping[str, Any] = searches[asked["source"]].data
        return build_estimate(preview, recipe=recipe, imagery=None, nir=bool(wanted.get("ee-nir", "nir")))
    spec = door.imagery_checked(chosen_raster(keys), bands=asked["bands"], nir=asked["nir"])
    door.require_overlap([sheet.path for sheet in preview.sheets], spec)
    return build_estimate(preview, recipe=recipe, imagery=spec, nir=False)


def _estimated(estimate: Estimate) -> dict[str, Any]:
    return {"estimate": estimate, "duration": duration_words(estimate.seconds)}
