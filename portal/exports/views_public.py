"""What needs no sign-in: the page, files and pictures of public releases. Says nobody's name but the attribution.

A release that is private answers everywhere here as one that is not there.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from .downloads import Taker
from .layouts import layout_of
from .models import Release
from .publishing import release_public
from .selectors import left_out_sentences, split_words
from .sending import file_response, member_response
from .showing import page_facts, preview_response
from .throttling import rate_limited
from .views_download import files_facts


@require_safe
@login_not_required
@rate_limited
def public(request: HttpRequest, name: str) -> HttpResponse:
    """What is in a public release, how to get it and how to load it."""
    shown = release_public(name)
    return render(request, "exports/public.html", public_facts(request, shown))


@require_safe
@login_not_required
@rate_limited
def public_file(request: HttpRequest, name: str, file: str) -> HttpResponseBase:
    """A file of a public release by its name."""
    return file_response(request, release_public(name), file, Taker())


@require_safe
@login_not_required
@rate_limited
def public_files(request: HttpRequest, name: str) -> HttpResponse:
    """What is inside the archive, folder by folder."""
    shown = release_public(name)
    return render(request, "exports/files.html", {"page_of": "public", **files_facts(request, shown, "public")})


@require_safe
@login_not_required
@rate_limited
def public_member(request: HttpRequest, name: str, path: str) -> HttpResponseBase:
    """One file out of the archive."""
    return member_response(request, release_public(name), path, Taker())


@require_safe
@login_not_required
@rate_limited
def public_preview(_request: HttpRequest, name: str, position: int) -> HttpResponse:
    """The small picture of a tile of a public release, as it was released or not at all."""
    return preview_response(release_public(name), position)


def public_facts(request: HttpRequest, shown: Release) -> dict[str, Any]:
    """What the page needs. No person, no filter that may name one, nothing of how it was made."""
    return {
        "release": shown,
        "public": True,
        "layout": layout_of(shown.layout),
        "areas": [area for area in shown.contents if area["tiles"]],
        "synthetic": any(area["synthetic"] and area["tiles"] for area in shown.contents),
        "split_words": split_words(shown.asked),
        "left_out": left_out_sentences(shown.left_out),
        "files": list(shown.files.all()),
        "address": request.build_absolute_uri(reverse("public", args=[shown.name])),
        **page_facts(shown, request.GET, address="public-tile-preview"),
    }
