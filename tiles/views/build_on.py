"""The page on which a curator goes on building an area, and what it shows before anything is started."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from tiles.areas.selectors import area_counts
from tiles.build.again import Again, again_preview, area_again
from tiles.build.busy import BUILD, RESTRETCH
from tiles.build.estimate import ON_DISK, Estimate, build_estimate
from tiles.build.preview import Preview
from tiles.build.recipe import METRES
from tiles.build.restretch import area_restretch, rgb_is_stored
from tiles.build.restretch_preview import picture_restretched, picture_tile, restretch_reach, stretch_of
from tiles.build.services import area_build_start
from tiles.build.tile import Recipe
from tiles.core.errors import ApplicationError, BadInput, NotFound
from tiles.core.permissions import BUILD_AREA
from tiles.jobs.selectors import job_open
from tiles.models import Area, Job
from tiles.review.layers import layer_url

from .build_forms import PictureForm, RebuildForm, all_valid
from .build_grid import LaterGridForm
from .build_preview import drawn, label_of, measured_context, wrong_answers
from .chosen import chosen_dems, inputs_context, keys_chosen, say_beside
from .sheets import HATCHINGS

LIVE = ("dems", "void_limit", "uncovered_limit", "remake", "grid-limit", "grid-allow_upsampling")
LIVE_PICTURE = ("normalisation", "percent", "per_channel_percent", "tile")


@permission_required(BUILD_AREA, raise_exception=True)
def area_rebuild(request: HttpRequest, slug: str) -> HttpResponse:
    """Go on with an area: what failed, other limits, more elevation models, another stretch."""
    area = get_object_or_404(Area, slug=slug)
    form, grid = _forms(area, request)
    chosen = keys_chosen(request.POST)
    looked_at = request.POST.get("do") == "preview"
    if request.method == "POST" and not looked_at and all_valid(form, grid):
        try:
            job = _start(area, form, grid, chosen, by=request.user)
        except ApplicationError as error:
            say_beside(form, grid, chosen, error)
        else:
            if job.kind == RESTRETCH:
                messages.success(request, "The stored imagery is stretched anew; the source is not read.")
            return redirect("job", job.pk)
    context: dict[str, Any] = {
        **inputs_context(chosen),
        **_preview_context(area, form, grid, chosen, measured=True, asked=looked_at),
        **_picture_context(area, form),
        "section": "areas",
        "area": area,
        "form": form,
        "grid": grid,
        "wrong": not looked_at and bool(form.errors or grid.errors or chosen["errors"]),
        "counts": area_counts(area),
        "open_job": job_open(kind=BUILD, subject=slug) or job_open(kind=RESTRETCH, subject=slug),
        "last_job": Job.objects.filter(area=area, kind=BUILD).order_by("-id").first(),
    }
    return render(request, "tiles/build_again.html", context)


@require_POST
@permission_required(BUILD_AREA, raise_exception=True)
def rebuild_preview(request: HttpRequest, slug: str) -> HttpResponse:
    """What going on would make, by itself; with `do=preview` some tiles are made in memory, for an estimate."""
    area = get_object_or_404(Area, slug=slug)
    form, grid = _forms(area, request)
    chosen = keys_chosen(request.POST)
    measured = request.POST.get("do") == "preview"
    context = _preview_context(area, form, grid, chosen, measured=measured, asked=True)
    return render(request, "tiles/_build_preview.html", {"area": area, "preview_url": request.path, **context})


@require_POST
@permission_required(BUILD_AREA, raise_exception=True)
def restretch_preview(request: HttpRequest, slug: str) -> HttpResponse:
    """One tile before and after, and how many may change, by itself."""
    area = get_object_or_404(Area, slug=slug)
    form, _grid = _forms(area, request)
    return render(
        request, "tiles/_restretch_preview.html", {"area": area, "form": form, **_picture_context(area, form)}
    )


@require_safe
@permission_required(BUILD_AREA, raise_exception=True)
def restretched_picture(request: HttpRequest, slug: str, index: int) -> HttpResponse:
    """A tile's picture with the stretch of the query. Never kept: it belongs to no version of the tile."""
    area = get_object_or_404(Area, slug=slug)
    form = PictureForm(request.GET)
    if not form.is_valid():
        raise BadInput("Name the stretch: normalisation and percent.")
    try:
        tile = picture_tile(area, index)
    except BadInput as error:
        raise NotFound(error.message) from error
    if tile is None:
        raise NotFound("This area has no unstretched imagery.")
    answer = HttpResponse(picture_restretched(area, tile, form.stretch()).content, content_type="image/png")
    answer["Cache-Control"] = "private, no-store"
    return answer


def _forms(area: Area, request: HttpRequest) -> tuple[RebuildForm, LaterGridForm]:
    """The questions, with how the area is built as the answers that stand."""
    numbers = {"void_limit": area.void_limit, "uncovered_limit": area.uncovered_limit}
    answers = request.POST if request.method == "POST" else None
    stretch = stretch_of(area)
    numbers["percent"] = stretch["percent"]
    standing = {**stretch, **{name: f"{number:g}" for name, number in numbers.items()}}
    allowed = area.recipe.get("grid", {}).get("allow_upsampling", False)
    return (
        RebuildForm(answers, initial=standing),
        LaterGridForm(answers, initial={"allow_upsampling": allowed}),
    )


def _start(area: Area, form: RebuildForm, grid: LaterGridForm, chosen: dict[str, Any], *, by: Any) -> Job:
    if _asks_for_pictures_only(area, form, chosen):
        return area_restretch(slug=area.slug, **form.stretch(), by=by)
    return area_build_start(
        slug=area.slug,
        dems=chosen_dems(chosen["dems"], needed=False),
        options=form.options(grid=grid.options()),
        remake=form.cleaned_data["remake"],
        by=by,
    )


def _asks_for_pictures_only(area: Area, form: RebuildForm, chosen: dict[str, Any]) -> bool:
    """Whether the stretch is all that changes, so that neither heights nor source imagery need be read."""
    limits = {name: form.cleaned_data[name] for name in ("void_limit", "uncovered_limit")}
    return (
        form.stretch() != stretch_of(area)
        and not form.cleaned_data["remake"]
        and not chosen["dems"]
        and all(getattr(area, name) == value for name, value in limits.items())
        and rgb_is_stored(area)
    )


def _preview_context(
    area: Area, form: RebuildForm, grid: LaterGridForm, chosen: dict[str, Any], *, measured: bool, asked: bool
) -> dict[str, Any]:
    """What the template shows of a preview, once it was `asked` for. Writes nothing."""
    context: dict[str, Any] = {"live": LIVE, "hatchings": HATCHINGS, "to_mend": []}
    if not asked:
        return context
    all_valid(form, grid)
    context["to_mend"] = [*wrong_answers(form), *wrong_answers(grid)]
    if context["to_mend"]:
        return context
    if _asks_for_pictures_only(area, form, chosen):
        return {**context, "pictures_only": True, "reach": restretch_reach(area)}
    answers = form.cleaned_data
    again = area_again(
        area,
        void_limit=answers["void_limit"],
        uncovered_limit=answers["uncovered_limit"],
        remake=answers["remake"],
    )
    context |= {"again": again, "limit": grid.options().limit, "added": bool(chosen["dems"])}
    try:
        new = chosen_dems(chosen["dems"], needed=False)
        preview = again_preview(area, new=new, void_limit=answers["void_limit"], options=grid.options())
        if preview is None:
            return context
        context |= drawn(preview)
        if measured and (again.total or new) and area.recipe.get("imagery"):
            context |= measured_context(_estimate(area, preview, form, again, grid.options().limit, added=bool(new)))
    except ApplicationError as error:
        context["to_mend"] = [(label_of(form, grid, error.extra.get("field") or ""), error.message)]
    return context


def _estimate(
    area: Area, preview: Preview, form: RebuildForm, again: Again, limit: int | None, *, added: bool
) -> Estimate:
    answers, spec = form.cleaned_data, area.recipe["imagery"]
    recipe = Recipe(
        void_limit=answers["void_limit"],
        uncovered_limit=answers["uncovered_limit"],
        unit_factor=METRES[Area.HeightUnit(area.recipe["height_unit"])],
        **form.stretch(),
    )
    return build_estimate(
        preview,
        recipe=recipe,
        imagery=spec if spec["kind"] == ON_DISK else None,
        nir=bool(spec.get("nir")),
        limit=limit,
        more=again.total,
        drawn_too=added,
    )


def _picture_context(area: Area, form: RebuildForm) -> dict[str, Any]:
    """The chosen tile as it is, and as the stretch that is asked for would make it."""
    context: dict[str, Any] = {"live_picture": LIVE_PICTURE, "rgb_stored": rgb_is_stored(area)}
    if not context["rgb_stored"]:
        return context
    valid = form.is_bound and form.is_valid()
    stretch = form.stretch() if valid else stretch_of(area)
    try:
        tile = picture_tile(area, form.cleaned_data["tile"] if valid else None)
        if tile is None:
            return context
        context |= {"shown_tile": tile, "before": layer_url(tile, "png", area.slug)}
        if stretch != stretch_of(area):
            picture = picture_restretched(area, tile, stretch)
            context |= {"after": _query(stretch), "changed": picture.changed, "reach": restretch_reach(area)}
    except ApplicationError as error:
        context["picture_problem"] = error.message
    return context


def _query(stretch: dict[str, Any]) -> str:
    asked = QueryDict(mutable=True)
    asked.update({name: value for name, value in stretch.items() if value is not False})
    return asked.urlencode()
