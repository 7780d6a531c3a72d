"""What needs no sign-in: the page, files and pictures of public releases. Says nobody's name but the attribution.

A release that is private answers everywhere here as one that is not there.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from tiles.core.errors import NotFound
from tiles.core.paths import layer_path
from tiles.review.derived import derived_body
from tiles.review.layers import SMALL

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

PICTURES = {"png": "image/png", "preview": "image/jpeg"}
DAY = 86_400
CHANGED = "The picture of this tile is not the one that was released any more. The archive has it."


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
def public_picture(_request: HttpRequest, name: str, slug: str, index: int, layer: str) -> HttpResponseBase:
    """The picture of a tile of a public release, or its heights, small: as they were released, or not at all."""
    shown = release_public(name)
    entry = shown.entries.select_related("tile").filter(tile__area__slug=slug, tile__index=index).first()
    if entry is None or layer not in (*PICTURES, SMALL):
        raise NotFound(f"{name} has no such picture.")
    tile = entry.tile
    for part in ("png",) if layer in PICTURES else ("dem255", "void"):
        if entry.layers.get(part, {}).get("sha256") != tile.layers.get(part, {}).get("sha256"):
            raise NotFound(CHANGED)
    answer: HttpResponseBase
    if layer == SMALL:
        answer = HttpResponse(derived_body(tile, SMALL, slug), content_type="image/png")
    else:
        try:
            answer = FileResponse(layer_path(slug, layer, index).open("rb"), content_type=PICTURES[layer])
        except FileNotFoundError as error:
            raise NotFound(CHANGED) from error
    answer["Cache-Control"] = f"private, max-age={DAY}"
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
