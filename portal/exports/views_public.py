"""What needs no sign-in: the page, files and pictures of public releases. Says nobody's name but the attribution.

A release that is private answers everywhere here as one that is not there.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from tiles.core.errors import NotFound
from tiles.core.paths import layer_path

from .downloads import Taker
from .layouts import layout_of
from .models import Release
from .pictures import report_shown, split_maps
from .publishing import release_public
from .reporting import leaks_in_words
from .selectors import left_out_sentences, split_words
from .sending import file_response, member_response
from .throttling import rate_limited
from .views_download import files_facts

PREVIEW = "preview"
HOUR = 3600
CHANGED = "This picture was made anew since the release. The archive holds the one of then."


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
    shown = release_public(name)
    entry = shown.entries.select_related("tile__area").filter(position=position).first()
    layer = entry.layers.get(PREVIEW) if entry else None
    if entry is None or layer is None:
        raise NotFound(f"{name} has no such picture.")
    try:
        content = layer_path(entry.tile.area.slug, PREVIEW, entry.tile.index).read_bytes()
    except FileNotFoundError:
        content = b""
    if hashlib.sha256(content).hexdigest() != layer["sha256"]:
        raise NotFound(CHANGED)
    answer = HttpResponse(content, content_type="image/jpeg")
    answer["Cache-Control"] = f"private, max-age={HOUR}"
    return answer


def public_facts(request: HttpRequest, shown: Release) -> dict[str, Any]:
    """What the page needs. No person, no filter that may name one, nothing of how it was made."""
    facts: dict[str, Any] = {
        "release": shown,
        "public": True,
        "layout": layout_of(shown.layout),
        "areas": [area for area in shown.contents if area["tiles"]],
        "synthetic": any(area["synthetic"] and area["tiles"] for area in shown.contents),
        "split_words": split_words(shown.asked),
        "left_out": left_out_sentences(shown.left_out),
        "files": list(shown.files.all()),
        "address": request.build_absolute_uri(reverse("public", args=[shown.name])),
    }
    if shown.report:
        maps, one_of = split_maps(shown)
        facts |= {"report": report_shown(shown.report), "leaks": leaks_in_words(shown.report)}
        facts |= {"maps": maps, "one_of": one_of}
    return facts
