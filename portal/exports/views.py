"""Pages of releases, and their downloads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from tiles.core.errors import ApplicationError, BadInput, Conflict, NotFound
from tiles.core.permissions import MAKE_RELEASES, VIEW_RELEASES
from tiles.jobs.selectors import job_progress
from tiles.models import Area

from . import selectors, services
from .archive import archive_path
from .croissant import croissant_path
from .layouts import LAYOUTS, layout_of
from .models import Release
from .placing import checksum_line
from .ranges import ranged_file_response

DEFAULT_LAYOUT = "rs3dbench"
OF_THE_NAME = ("bad_name", "name_taken")
ACTIONS: dict[str, Callable[..., object]] = {
    "retry": services.release_retry,
    "resume": services.release_resume,
    "cancel": services.release_cancel,
    "delete": services.release_delete,
}


class ReleaseForm(forms.Form):
    """Asks for a release. The rules are the service's."""

    name = forms.CharField(
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
        help_text="Small letters, digits and hyphens, as in <code>coast-v1</code>. It names the archive for good.",
    )
    layout = forms.ChoiceField(choices=[(layout.name, layout.label) for layout in LAYOUTS.values()])
    notes = forms.CharField(
        required=False,
        max_length=services.NOTES_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="For whoever uses it: goes into the README of the archive.",
    )
    client_id = forms.UUIDField(widget=forms.HiddenInput)


@require_safe
@permission_required(VIEW_RELEASES, raise_exception=True)
def releases(request: HttpRequest) -> HttpResponse:
    """Releases, newest first."""
    page = selectors.releases_page(after=request.GET.get("after", ""), before=request.GET.get("before", ""))
    return render(request, "exports/releases.html", {"section": "releases", "page": page})


@permission_required(MAKE_RELEASES, raise_exception=True)
def release_new(request: HttpRequest) -> HttpResponse:
    """Choose areas, name it, and see before starting what will be taken and left out."""
    asked = request.POST if request.method == "POST" else None
    form = ReleaseForm(asked, initial={"layout": DEFAULT_LAYOUT, "client_id": uuid4()})
    chosen = _slugs(asked or request.GET)
    problem = ""
    if asked is not None and form.is_valid():
        try:
            release = _create(form.cleaned_data, chosen, request.user)
        except ApplicationError as error:
            if error.code in OF_THE_NAME:
                form.add_error("name", error.message)
            else:
                problem = error.message
        else:
            return redirect("release", name=release.name)
    context = {
        "section": "releases",
        "form": form,
        "areas": selectors.areas_with_approved(),
        "chosen": chosen,
        "problem": problem,
        **_preview_of(chosen),
    }
    return render(request, "exports/release_new.html", context)


@require_safe
@permission_required(MAKE_RELEASES, raise_exception=True)
def release_preview(request: HttpRequest) -> HttpResponse:
    """The part of the page that says what a release of the chosen areas would hold."""
    return render(request, "exports/_preview.html", _preview_of(_slugs(request.GET)))


@require_safe
@permission_required(VIEW_RELEASES, raise_exception=True)
def release(request: HttpRequest, name: str) -> HttpResponse:
    """What is in a release, how far it is, how to get it and how to load it."""
    shown = selectors.release_by_name(name)
    return render(request, "exports/release.html", {"section": "releases", **_facts(request, shown)})


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


@require_safe
@permission_required(VIEW_RELEASES, raise_exception=True)
def release_download(request: HttpRequest, name: str, file: str) -> HttpResponseBase:
    """The archive, whole or in parts."""
    shown = _ready(name, file)
    try:
        return ranged_file_response(
            request,
            archive_path(name),
            filename=f"{name}.zip",
            etag=shown.sha256,
            content_type="application/zip",
            last_modified=shown.ready_at or shown.created_at,
        )
    except FileNotFoundError as error:
        raise NotFound(
            f"The archive of {name} is missing from the data folder. Tell whoever runs this site."
        ) from error


@require_safe
@permission_required(VIEW_RELEASES, raise_exception=True)
def release_checksum(_request: HttpRequest, name: str, file: str) -> HttpResponse:
    """What `sha256sum -c` reads, for the archive beside it."""
    return HttpResponse(checksum_line(_ready(name, file)), content_type="text/plain; charset=utf-8")


@require_safe
@permission_required(VIEW_RELEASES, raise_exception=True)
def release_description(_request: HttpRequest, name: str) -> HttpResponse:
    """croissant.json, for the archive beside it."""
    try:
        described = croissant_path(_ready(name, name).name).read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"{name} was made before releases had a description.") from error
    return HttpResponse(described, content_type="application/ld+json")


def _ready(name: str, file: str) -> Release:
    shown = selectors.release_by_name(name)
    if file != name or shown.state != Release.State.READY:
        raise NotFound(f"{name} has no such file, or is not ready yet. Look at its page.")
    return shown


def _create(asked: dict[str, Any], area_slugs: list[str], by: Any) -> Release:
    client_id: UUID = asked["client_id"]
    return services.release_create(
        name=asked["name"],
        area_slugs=area_slugs,
        layout=asked["layout"],
        notes=asked["notes"],
        by=by,
        client_id=client_id,
    )


def _slugs(asked: QueryDict) -> list[str]:
    """The areas that were ticked. What cannot be a slug never reaches the database: PostgreSQL stumbles over a NUL."""
    return [slug for slug in asked.getlist("area") if "\0" not in slug]


def _preview_of(slugs: list[str]) -> dict[str, Any]:
    areas = list(Area.objects.filter(slug__in=slugs).order_by("slug"))
    found = selectors.selection_preview(areas=areas, layout=layout_of(DEFAULT_LAYOUT)) if areas else []
    return {
        "preview": found,
        "preview_tiles": sum(of_area.tiles for of_area in found),
        "preview_size": sum(of_area.size for of_area in found),
    }


def _facts(request: HttpRequest, shown: Release) -> dict[str, Any]:
    return {
        "release": shown,
        "job": shown.job,
        "progress": job_progress(shown.job) if shown.job else None,
        "areas": shown.contents,
        "left_out": selectors.left_out_sentences(shown.left_out),
        "synthetic": any(area["synthetic"] and area["tiles"] for area in shown.contents),
        "layout": layout_of(shown.layout),
        "download": request.build_absolute_uri(reverse("release-download", args=[shown.name, shown.name])),
        "sign_in": request.build_absolute_uri(reverse("sign-in")),
    }
