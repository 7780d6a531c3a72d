"""The page on which a curator builds an area."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from tiles.build.choosing import source_folder
from tiles.build.services import area_build_start
from tiles.core.errors import ApplicationError, BadInput, NotFound
from tiles.core.permissions import BUILD_AREA
from tiles.imagery.ee_request import request_made
from tiles.models import Area

from .build_forms import BuildForm, EarthEngineForm, Searches, all_valid, bound, searches_of
from .build_grid import GridForm
from .build_preview import LIVE, preview_context
from .chosen import IMAGERY, chosen_dems, chosen_raster, inputs_context, keys_chosen, say_beside


@permission_required(BUILD_AREA, raise_exception=True)
def area_build(request: HttpRequest) -> HttpResponse:
    """Four questions, and then the job."""
    form = BuildForm(request.POST or None)
    grid = GridForm(request.POST or None, request.FILES or None)
    searches = searches_of(form)
    chosen = keys_chosen(request.POST)
    preview: dict[str, Any] = {"live": LIVE}
    if request.POST.get("do") == "preview":
        preview = preview_context(request, form, grid, searches)
    elif request.method == "POST" and all_valid(form, grid, *bound(searches)):
        cleaned = form.cleaned_data
        try:
            if Area.objects.filter(slug=cleaned["slug"]).exists():
                raise BadInput(f"There is an area {cleaned['slug']} already. Choose another short name.", field="slug")
            job = area_build_start(
                slug=cleaned["slug"],
                dems=chosen_dems(chosen["dems"]),
                imagery=_imagery(cleaned["source"], chosen["imagery"], searches),
                options=form.options(tile_size=cleaned["tile_size"], grid=grid.options(), **_asked(form, searches)),
                facts=form.facts(),
                by=request.user,
            )
        except ApplicationError as error:
            say_beside(form, grid, chosen, error, searches.get(cleaned["source"]))
        else:
            return redirect("job", job.pk)
    return render(request, "tiles/build.html", {**_context(form, grid, chosen, searches), **preview})


@permission_required(BUILD_AREA, raise_exception=True)
def build_sources(request: HttpRequest) -> HttpResponse:
    """What is in one folder of the sources, for the chooser."""
    field = "imagery" if request.GET.get("field") == "imagery" else "dems"
    try:
        node = source_folder(request.GET.get("at", ""))
    except BadInput as error:
        raise NotFound(error.message) from error
    return render(request, "tiles/_source_nodes.html", {"node": node, "field": field})


@permission_required(BUILD_AREA, raise_exception=True)
def build_earthengine(request: HttpRequest) -> HttpResponse:
    """The questions about Earth Engine, filled anew after another preset or collection was chosen."""
    form = EarthEngineForm(request.GET)
    if form.is_valid():
        try:
            form = EarthEngineForm(request=request_made(form.search()))
        except BadInput as error:
            part = error.extra["field"].removeprefix(IMAGERY)
            form.add_error(part if part in form.fields else None, error.message)
    return render(request, "tiles/_earthengine.html", {"engine": form})


def _asked(form: BuildForm, searches: Searches) -> dict[str, Any]:
    """Of the options of a build, what is asked of the imagery."""
    source = form.cleaned_data["source"]
    if source in searches:
        return {"search": searches[source].search()}
    return {"bands": form.cleaned_data["bands"], "nir": form.cleaned_data["nir"]}


def _imagery(source: str, keys: list[str], searches: Searches) -> str:
    if source in searches:
        return searches[source].imagery()
    return chosen_raster(keys)


def _context(form: BuildForm, grid: GridForm, chosen: dict[str, Any], searches: Searches) -> dict[str, Any]:
    asked = (form, grid, *bound(searches))
    return {
        **inputs_context(chosen),
        "catalogue": searches.get("stac"),
        "engine": searches.get("earthengine"),
        "section": "areas",
        "form": form,
        "grid": grid,
        "groups": form.groups(),
        "wrong": bool(chosen["errors"] or any(one.errors for one in asked)),
    }
