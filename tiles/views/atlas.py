"""The atlas of an area: its page, its array, its sheets of small pictures."""

from __future__ import annotations

import gzip
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from tiles.areas.selectors import area_counts
from tiles.atlas import records, selectors, sheets
from tiles.atlas.colourings import colouring_bytes, colourings
from tiles.atlas.services import atlas_refresh
from tiles.core.paths import data_folder
from tiles.core.permissions import VIEW_DATA
from tiles.models import Area
from tiles.models.atlas import TILES_A_BLOCK
from tiles.models.choices import REASON_BY_CODE
from tiles.raster.colour import lut
from tiles.raster.terrain import LANDFORMS

from .layers import FOR_EVER

MEASURES = {
    "score": ("Score", ""),
    "relief": ("Relief", "m"),
    "slope": ("Mean slope", "°"),
    "cloud_share": ("Cloud", "%"),
    "void_share": ("Voids", "%"),
    "sharpness": ("Sharpness", ""),
    "shift_px": ("Shift", "px"),
}
"""Name of a measure -> what it is called, and its unit; shares are shown in per cent."""


@require_safe
@permission_required(VIEW_DATA, raise_exception=True)
def atlas(request: HttpRequest, slug: str) -> HttpResponse:
    """The area as a mosaic. The browser draws it from the array and the sheets."""
    area = get_object_or_404(Area.objects.prefetch_related("counters"), slug=slug)
    counts = area_counts(area)
    context = {
        "section": "areas",
        "area": area,
        "counts": counts,
        "states": [(state, getattr(counts, state)) for state in records.STATES],
        "measures": MEASURES,
        "page": _page(request, area) if counts.total else None,
    }
    return render(request, "tiles/atlas.html", context)


def _page(request: HttpRequest, area: Area) -> dict[str, Any]:
    user: Any = request.user
    return {
        "person": user.pk,
        "preferences": user.preferences,
        "urls": {
            "tiles": reverse("atlas-tiles", args=[area.slug]),
            "sheet": reverse("atlas-sheet", args=[area.slug, 0, 0]),
            "layer": reverse("tile-layer", args=[area.slug, 0, "preview"]),
            "review": reverse("review", args=[area.slug]),
            "preferences": reverse("api-preferences"),
        },
        "block": TILES_A_BLOCK,
        "side": sheets.SIDE,
        "sizes": sheets.SIZES,
        "states": records.STATES,
        "reasons": ["", *(REASON_BY_CODE[code].label for code in records.REASONS[1:])],
        "landforms": ["unknown", *(each.label for each in LANDFORMS)],
        "measures": {name: {"label": label, "unit": unit} for name, (label, unit) in MEASURES.items()},
        "colourings": _colourings(area, user),
        "ramp": lut("Spectral", invert=True).ravel().tolist(),
    }


def _colourings(area: Area, user: Any) -> list[dict[str, Any]]:
    """What other apps colour this area by, each with the address of its codes and what they mean."""
    return [
        {
            "value": f"{kind.name}-{choice.key}",
            "label": choice.label,
            "url": reverse("atlas-colouring", args=[area.slug, kind.name, choice.key]),
            "legend": kind.legend,
        }
        for kind in colourings()
        for choice in kind.choices(area=area, by=user)
    ]


@require_safe
@permission_required(VIEW_DATA, raise_exception=True)
def atlas_tiles(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The array: `?since=<token>` for what has changed since the answer of that token."""
    head = atlas_refresh(area=get_object_or_404(Area, slug=slug))
    since = selectors.version_of(request.GET.get("since", ""), head)
    tag = f'W/"{selectors.atlas_token(head)}"'
    answer = get_conditional_response(request, etag=tag)
    if answer is None:
        answer = _packed(request, selectors.atlas_array(head, since=since))
    answer["ETag"] = tag
    answer["Cache-Control"] = "private, no-cache"
    return answer


@require_safe
@permission_required(VIEW_DATA, raise_exception=True)
def atlas_colouring(request: HttpRequest, slug: str, kind: str, key: int) -> HttpResponse:
    """The codes of a colouring, as `colouring_bytes` writes them."""
    area = get_object_or_404(Area, slug=slug)
    answer = _packed(request, colouring_bytes(area=area, kind=kind, key=key, by=request.user))
    answer["Cache-Control"] = "private, no-cache"
    return answer


def _packed(request: HttpRequest, content: bytes) -> HttpResponse:
    """Bytes, packed when the client takes gzip."""
    answer = HttpResponse(content, content_type="application/octet-stream")
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        answer.content = gzip.compress(content, compresslevel=1, mtime=0)
        answer["Content-Encoding"] = "gzip"
    answer["Vary"] = "Accept-Encoding"
    return answer


@require_safe
@permission_required(VIEW_DATA, raise_exception=True)
def atlas_sheet(request: HttpRequest, slug: str, block: int, size: int) -> HttpResponseBase:
    """A sheet of small pictures. An address without the current digest leads to the one with it."""
    area = get_object_or_404(Area, slug=slug)
    row = selectors.block_of(area=area, number=block)
    if request.GET.get("v") != row.pictures:
        return _elsewhere(f"{request.path}?v={row.pictures}")
    path = sheets.sheet_file(area=area, block=row, size=size)
    if settings.DEMETER_ACCEL:
        answer: HttpResponseBase = HttpResponse(content_type="image/jpeg")
        answer["X-Accel-Redirect"] = settings.DEMETER_ACCEL + path.relative_to(data_folder()).as_posix()
    else:
        try:
            answer = FileResponse(path.open("rb"), content_type="image/jpeg")
        except FileNotFoundError:  # a newer sheet has just taken its place
            return _elsewhere(request.path)
    answer["Cache-Control"] = FOR_EVER
    return answer


def _elsewhere(address: str) -> HttpResponse:
    answer = redirect(address)
    answer["Cache-Control"] = "private, no-cache"
    return answer
