"""The pages on which a curator builds an area, and builds it on."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from tiles.areas.selectors import area_counts
from tiles.build.busy import BUILD, RESTRETCH
from tiles.build.choosing import source_folder, source_tree, source_uploads
from tiles.build.restretch import area_restretch, rgb_is_stored
from tiles.build.services import STRETCH, area_build_start
from tiles.core.errors import ApplicationError, BadInput, NotAllowed, NotFound
from tiles.core.permissions import BUILD_AREA
from tiles.imagery.ee_request import request_made
from tiles.jobs.selectors import job_open
from tiles.models import Area, Job

from .build_forms import BuildForm, EarthEngineForm, RebuildForm, Searches, bound, searches_of
from .build_grid import FIELD, GridForm
from .build_preview import LIVE, preview_context
from .chosen import chosen_dems, chosen_raster, keys_chosen


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
    elif request.method == "POST" and _all_valid(form, grid, *bound(searches)):
        cleaned = form.cleaned_data
        try:
            if Area.objects.filter(slug=cleaned["slug"]).exists():
                raise BadInput("There is an area of this short name already. Choose another one.", field="slug")
            job = area_build_start(
                slug=cleaned["slug"],
                dems=chosen_dems(chosen["dems"]),
                imagery=_imagery(cleaned["source"], chosen["imagery"], searches),
                options=form.options(tile_size=cleaned["tile_size"], grid=grid.options(), **_asked(form, searches)),
                facts=form.facts(),
                by=request.user,
            )
        except ApplicationError as error:
            _say(form, chosen, error, grid)
        else:
            return redirect("job", job.pk)
    context = {**_context(form, chosen, searches), "grid": grid, "groups": form.groups()}
    context["wrong"] = context["wrong"] or bool(grid.errors)
    context |= preview
    return render(request, "tiles/build.html", context)


@permission_required(BUILD_AREA, raise_exception=True)
def area_rebuild(request: HttpRequest, slug: str) -> HttpResponse:
    """Go on with an area: what failed, other limits, more elevation models."""
    area = get_object_or_404(Area, slug=slug)
    form = RebuildForm(request.POST or None, initial=_standing(area))
    chosen = keys_chosen(request.POST)
    if request.method == "POST" and form.is_valid():
        try:
            if _asks_for_pictures_only(area, form, chosen):
                job = area_restretch(slug=slug, **form.stretch(), by=request.user)
                messages.success(request, "The stored imagery is stretched anew; the source is not read.")
            else:
                job = area_build_start(
                    slug=slug,
                    dems=chosen_dems(chosen["dems"], needed=False),
                    options=form.options(),
                    remake=form.cleaned_data["remake"],
                    by=request.user,
                )
        except ApplicationError as error:
            _say(form, chosen, error)
        else:
            return redirect("job", job.pk)
    context: dict[str, Any] = {
        "area": area,
        "counts": area_counts(area),
        "rgb_stored": rgb_is_stored(area),
        "open_job": job_open(kind=BUILD, subject=slug) or job_open(kind=RESTRETCH, subject=slug),
        "last_job": Job.objects.filter(area=area, kind="build").order_by("-id").first(),
    }
    return render(request, "tiles/build_again.html", {**_context(form, chosen), **context})


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
            form.add_error(None, error.message)
    return render(request, "tiles/_earthengine.html", {"engine": form})


def _standing(area: Area) -> dict[str, Any]:
    """How the area is built, as the form shows it."""
    stretch = {**STRETCH, **area.recipe.get("stretch", {})}
    numbers = {"void_limit": area.void_limit, "uncovered_limit": area.uncovered_limit, "percent": stretch["percent"]}
    return {**stretch, **{name: f"{number:g}" for name, number in numbers.items()}}


def _asks_for_pictures_only(area: Area, form: RebuildForm, chosen: dict[str, Any]) -> bool:
    """Whether the stretch is all that changes, so that neither heights nor source imagery need be read."""
    stretch = {**STRETCH, **area.recipe.get("stretch", {})}
    limits = {name: form.cleaned_data[name] for name in ("void_limit", "uncovered_limit")}
    return (
        form.stretch() != stretch
        and not form.cleaned_data["remake"]
        and not chosen["dems"]
        and all(getattr(area, name) == value for name, value in limits.items())
        and rgb_is_stored(area)
    )


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


def _all_valid(*asked: forms.Form) -> bool:
    """Whether all of them are; each is looked at, so that every question says what is wrong."""
    valid = [form.is_valid() for form in asked]
    return all(valid)


def _say(form: forms.Form, chosen: dict[str, Any], error: ApplicationError, grid: forms.Form | None = None) -> None:
    """Put an error beside the question it is about."""
    if isinstance(error, NotAllowed):
        raise error
    field = error.extra.get("field") or ""
    if grid is not None and field.removeprefix(FIELD) in grid.fields and field.startswith(FIELD):
        grid.add_error(field.removeprefix(FIELD), error.message)
    elif field in ("dems", "imagery"):
        chosen["errors"][field] = error.message
    else:
        form.add_error(field if field in form.fields else None, error.message)


def _context(
    form: forms.Form,
    chosen: dict[str, Any],
    searches: Searches = MappingProxyType({}),
) -> dict[str, Any]:
    return {
        "catalogue": searches.get("stac"),
        "engine": searches.get("earthengine"),
        "section": "areas",
        "form": form,
        "dem_nodes": source_tree(chosen["dems"]),
        "imagery_nodes": source_tree(chosen["imagery"]),
        "uploaded": source_uploads(chosen["dems"]),
        "chosen": chosen,
        "wrong": bool(form.errors or chosen["errors"] or any(search.errors for search in bound(searches))),
    }
