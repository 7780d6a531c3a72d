"""Pages of releases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tiles.areas.selectors import area_counts
from tiles.core.errors import ApplicationError, BadInput, Conflict
from tiles.core.permissions import MAKE_RELEASES, VIEW_RELEASES
from tiles.jobs.selectors import job_progress
from tiles.models import Area

from . import selectors, services
from .forms import DEFAULT_LAYOUT, ReleaseForm, WantedForm, layout_asked
from .layouts import layout_of, options_in_words
from .models import Release
from .rehearsal import mixed_words, release_rehearse
from .showing import changelog, page_facts, preview_response, snippets_of
from .views_download import downloads_facts
from .wanted import Terms, terms_missing

AT_ONCE = 20_000
"""Approved tiles up to which a dry run is made with every change of the form."""
OF_THE_NAME = ("bad_name", "name_taken")
ACTIONS: dict[str, Callable[..., object]] = {
    "retry": services.release_retry,
    "resume": services.release_resume,
    "cancel": services.release_cancel,
    "delete": services.release_delete,
}


@require_safe
@permission_required(VIEW_RELEASES, raise_exception=True)
def releases(request: HttpRequest) -> HttpResponse:
    """Releases, newest first."""
    page = selectors.releases_page(after=request.GET.get("after", ""), before=request.GET.get("before", ""))
    return render(request, "exports/releases.html", {"section": "releases", "page": page})


@permission_required(MAKE_RELEASES, raise_exception=True)
def release_new(request: HttpRequest) -> HttpResponse:
    """Choose tiles, name it, and see before starting what will be taken and left out."""
    asked = request.POST if request.method == "POST" else None
    first = {"layout": DEFAULT_LAYOUT, "client_id": uuid4(), "version": Terms.version}
    form = ReleaseForm(asked, request.FILES or None, initial=first, by=request.user)
    chosen = _slugs(asked or request.GET)
    problem = ""
    if asked is not None and form.is_valid():
        try:
            release = _create(form, chosen, request.user)
        except ApplicationError as error:
            field = "name" if error.code in OF_THE_NAME else error.extra.get("field", "")
            if field in form.fields:
                form.add_error(field, error.message)
            else:
                problem = error.message
        else:
            return redirect("release", name=release.name)
    context = {
        "section": "releases",
        "form": form,
        "areas": [_AreaChoice(area, approved, form) for area, approved in selectors.areas_with_approved()],
        "chosen": chosen,
        "problem": problem,
        **_preview_of(request, asked or request.GET),
    }
    return render(request, "exports/release_new.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(MAKE_RELEASES, raise_exception=True)
def release_preview(request: HttpRequest) -> HttpResponse:
    """The part of the page that says what a release would hold: a dry run. Posted for the sake of long lists."""
    return render(request, "exports/_preview.html", _preview_of(request, request.POST or request.GET))


@require_safe
@permission_required(VIEW_RELEASES, raise_exception=True)
def release(request: HttpRequest, name: str) -> HttpResponse:
    """What is in a release, how far it is, how to get it and how to load it."""
    shown = selectors.release_by_name(name)
    context = {"section": "releases", "others": selectors.releases_beside(shown), **_facts(request, shown)}
    return render(request, "exports/release.html", {**context, **page_facts(shown, request.GET)})


@require_safe
@permission_required(VIEW_RELEASES, raise_exception=True)
def release_changelog(request: HttpRequest, name: str) -> HttpResponse:
    """The part of the page that says what changed since the releases before: comparing large ones takes a while."""
    shown = selectors.release_by_name(name)
    return render(request, "exports/_changelog.html", {"release": shown, "steps": changelog(shown)})


@require_safe
@permission_required(VIEW_RELEASES, raise_exception=True)
def release_tile_preview(_request: HttpRequest, name: str, position: int) -> HttpResponse:
    """The small picture of a tile as the release froze it."""
    return preview_response(selectors.release_by_name(name), position)


@require_safe
@permission_required(VIEW_RELEASES, raise_exception=True)
def release_progress(request: HttpRequest, name: str) -> HttpResponse:
    """The part of the page that moves. When more than a number changed, the whole page is asked for again."""
    shown = selectors.release_by_name(name)
    facts = _facts(request, shown)
    response = render(request, "exports/_progress.html", facts)
    if shown.state != Release.State.BUILDING or facts["job"].state != request.GET.get("shown"):
        response["HX-Refresh"] = "true"
    return response


@require_POST
@permission_required(MAKE_RELEASES, raise_exception=True)
def release_steer(request: HttpRequest, name: str) -> HttpResponse:
    """Retry, resume, cancel or remove a release that is not ready."""
    action = ACTIONS.get(request.POST.get("action", ""))
    if action is None:
        raise BadInput(f"A release can be told to {', '.join(ACTIONS)}.")
    steered = selectors.release_by_name(name)
    try:
        action(release_id=steered.pk, by=request.user)
    except Conflict as error:  # somebody else was quicker, or it ended by itself: the page shows how it stands
        messages.warning(request, error.message)
        return redirect("release", name=name)
    if action is services.release_delete:
        messages.success(request, f"{name} is removed. Its name is free.")
        return redirect("releases")
    return redirect("release", name=name)


class _AreaChoice(NamedTuple):
    """An area that can be ticked, and what was said about it."""

    area: Area
    approved: int
    form: ReleaseForm

    @property
    def licence(self) -> str:
        return self.form.of_area("licence", self.area.slug)

    @property
    def attribution(self) -> str:
        return self.form.of_area("attribution", self.area.slug)

    @property
    def split(self) -> str:
        return self.form.of_area("split", self.area.slug)

    @property
    def lacks(self) -> str:
        return terms_missing(self.area.licence, self.area.attribution)


def _create(form: ReleaseForm, area_slugs: list[str], by: Any) -> Release:
    asked = form.cleaned_data
    areas = services.areas_chosen(area_slugs)
    return services.release_create(
        name=asked["name"],
        area_slugs=area_slugs,
        layout=asked["layout"],
        options=form.options(layout_of(asked["layout"])),
        notes=asked["notes"],
        shard_megabytes=asked["shard_megabytes"] or services.SHARD_MEGABYTES,
        wanted=form.wanted(areas),
        terms=form.terms(areas),
        named=asked["named"],
        by=by,
        client_id=asked["client_id"],
    )


def _slugs(asked: QueryDict) -> list[str]:
    """The areas that were ticked. What cannot be a slug never reaches the database: PostgreSQL stumbles over a NUL."""
    return [slug for slug in asked.getlist("area") if "\0" not in slug]


def _preview_of(request: HttpRequest, asked: QueryDict) -> dict[str, Any]:
    """A dry run of what is asked for, at once unless it would take long: then when the button is pressed."""
    areas = list(Area.objects.filter(slug__in=_slugs(asked)).order_by("slug"))
    if not areas:
        return {}
    approved = sum(area_counts(area).approved for area in areas)
    if approved > AT_ONCE and not asked.get("dry"):
        return {"approved": approved}
    form = WantedForm(asked, request.FILES or None, by=request.user)
    if not form.is_valid():
        return {"wrong": " ".join(f"{form[name].label}: {errors[0]}" for name, errors in form.errors.items())}
    try:
        layout = layout_asked(asked.get("layout", ""))
        wanted, terms = form.wanted(areas), form.terms(areas)
        dry = release_rehearse(
            areas=areas, layout=layout, wanted=wanted, terms=terms, options=form.options(layout), by=request.user
        )
        return {"dry": dry}
    except ApplicationError as error:
        return {"wrong": error.message}


def _facts(request: HttpRequest, shown: Release) -> dict[str, Any]:
    layout = layout_of(shown.layout)
    return {
        "release": shown,
        "job": shown.job,
        "progress": job_progress(shown.job) if shown.job else None,
        "areas": shown.contents,
        "left_out": selectors.left_out_sentences(shown.left_out),
        "synthetic": any(area["synthetic"] and area["tiles"] for area in shown.contents),
        "layout": layout,
        "chosen_options": options_in_words(layout, shown.options),
        "snippets": snippets_of(layout),
        "split_words": selectors.split_words(shown.asked),
        "mixed": [words for _code, words in mixed_words(_held(shown))],
        **downloads_facts(request, shown),
        "sign_in": request.build_absolute_uri(reverse("sign-in")),
    }


def _held(shown: Release) -> list[tuple[str, str, str]]:
    return [(area["slug"], area["vertical_datum"], area["surface"]) for area in shown.contents if area["tiles"]]
