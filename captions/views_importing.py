"""The page on which a curator takes captions in from a file: what would be set is shown first."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from tiles.core.errors import ApplicationError, BadInput
from tiles.core.permissions import BUILD_AREA
from tiles.models import Area
from tiles.review.layers import layer_url
from tiles.review.selectors import area_by_slug

from .importing.given import GONE, MOST_BYTES, given_keep, given_key, given_path
from .importing.kinds import SUFFIXES
from .importing.previews import MOST_LOOKED, import_preview
from .importing.services import import_start

NO_FILE = f"Choose a file of at most {MOST_BYTES // 2**20} MB, then send it."


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(BUILD_AREA, raise_exception=True)
def import_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Send a file; look at what it would do, `?file=`; take it in."""
    area = area_by_slug(slug)
    context: dict[str, Any] = {
        "section": "captions",
        "area": area,
        "kinds": ",".join(SUFFIXES),
        "most": MOST_BYTES // 2**20,
    }
    try:
        if request.method == "POST":
            return _begin(request, area) if "start" in request.POST else _keep(request, area)
        if request.GET.get("file"):
            context |= _preview(area, _known_by(request.GET["file"]))
    except ApplicationError as error:
        context["problem"] = error.message
    return render(request, "captions/import.html", context)


def _keep(request: HttpRequest, area: Area) -> HttpResponse:
    file = request.FILES.get("file")
    if file is None or file.name is None:
        raise BadInput(NO_FILE)
    known_by = given_keep(name=file.name, chunks=file.chunks(), by=request.user)
    return redirect(f"{reverse('captions-import', args=[area.slug])}?file={known_by}")


def _begin(request: HttpRequest, area: Area) -> HttpResponse:
    key = given_key(_known_by(request.POST.get("file", "")))
    captions = request.POST.get("make_captions") != "no"
    return redirect("job", import_start(area=area, key=key, make_captions=captions, by=request.user).pk)


def _preview(area: Area, known_by: UUID) -> dict[str, Any]:
    key = given_key(known_by)
    preview = import_preview(area=area, key=key)
    lines = [
        (line, layer_url(line.tile, "preview", area.slug) if line.tile.layer("preview") else "")
        for line in preview.lines
    ]
    return {
        "file": str(known_by),
        "name": given_path(key).name,
        "preview": preview,
        "lines": lines,
        "looked": MOST_LOOKED,
    }


def _known_by(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise BadInput(GONE) from error
