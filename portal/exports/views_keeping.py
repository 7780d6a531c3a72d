"""Making a release public or private, and removing its archive: each asked once more before it is done."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from tiles.core.errors import ApplicationError
from tiles.core.permissions import MAKE_RELEASES

from .models import Release
from .publishing import NAMED, release_publish, release_unpublish
from .retention import release_archive_delete
from .selectors import release_by_name

ASKS = ["GET", "HEAD", "POST"]


@require_http_methods(ASKS)
@permission_required(MAKE_RELEASES, raise_exception=True)
def publish(request: HttpRequest, name: str) -> HttpResponse:
    """Say what becomes visible to everybody; then do it."""
    release = release_by_name(name)
    if request.method == "POST":
        done = f"{name} is public now: everybody who has its address can see and download it."
        return _told(request, release, release_publish, done)
    context = {
        "section": "releases",
        "release": release,
        "refused": NAMED.format(name=name) if release.named else "",
        "address": request.build_absolute_uri(reverse("public", args=[name])),
        "attributions": [area["attribution"] for area in release.contents if area["tiles"] and area["attribution"]],
    }
    return render(request, "exports/publish.html", context)


@require_POST
@permission_required(MAKE_RELEASES, raise_exception=True)
def unpublish(request: HttpRequest, name: str) -> HttpResponse:
    """Make a release private again."""
    done = f"{name} is private again. What was downloaded stays with those who have it."
    return _told(request, release_by_name(name), release_unpublish, done)


@require_http_methods(ASKS)
@permission_required(MAKE_RELEASES, raise_exception=True)
def archive_remove(request: HttpRequest, name: str) -> HttpResponse:
    """Say what goes and what stays; then remove the archive."""
    release = release_by_name(name)
    if request.method == "POST":
        done = f"The archive of {name} is removed. Its manifest and checksums are kept."
        return _told(request, release, release_archive_delete, done)
    return render(request, "exports/archive_remove.html", {"section": "releases", "release": release})


def _told(request: HttpRequest, release: Release, service: Callable[..., object], done: str) -> HttpResponse:
    """Do it, and say on the release's page that it is done, or why it is not."""
    try:
        service(release_id=release.pk, by=request.user)
    except ApplicationError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, done)
    return redirect("release", name=release.name)
