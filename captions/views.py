"""Pages of captions: the list, and one caption with its picture and history."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from tiles.core.errors import BadInput
from tiles.core.permissions import RECTIFY_CAPTIONS, VIEW_DATA
from tiles.models import TilePair
from tiles.review.layers import layer_url
from tiles.review.present import LANDFORM_WORDS

from . import selectors
from .captioners.base import facts_of
from .checks.catalogue import LABELS
from .filters import CaptionFilter
from .models import Caption, Finding
from .search.selectors import captions_search


@require_safe
@permission_required(VIEW_DATA, raise_exception=True)
def captions(request: HttpRequest) -> HttpResponse:
    """Captions of an area and an origin when asked: newest first, or those that hold the words looked for."""
    chosen = CaptionFilter(request.GET, queryset=selectors.captions_listed())
    rows = chosen.checked()
    context = {
        "section": "captions",
        "filter": chosen,
        "chosen_area": chosen.form.cleaned_data.get("area"),
        "filtered": any(request.GET.get(name) for name in chosen.filters),
        "kept": _kept(request, chosen),
        "listing": {"filter": _kept(request, chosen).removesuffix("&")},
        "area": chosen.form.cleaned_data.get("area"),
    }
    if chosen.words:
        listing = _found(request, chosen)
    elif chosen.finding_code:
        listing = _doubtful(request, chosen)
    else:
        listing = _newest(request, rows)
    return render(request, "captions/list.html", context | listing)


def _newest(request: HttpRequest, rows: QuerySet[Caption]) -> dict[str, Any]:
    page = selectors.captions_page(rows, after=request.GET.get("after", ""), before=request.GET.get("before", ""))
    return {"page": page, "rows": [_row(caption, [(caption.text, False)]) for caption in page.rows]}


def _doubtful(request: HttpRequest, chosen: CaptionFilter) -> dict[str, Any]:
    page = selectors.findings_page(
        code=chosen.finding_code,
        area=chosen.scope.area,
        state=chosen.state_asked,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    rows = [_row(finding.caption, _marked(finding)) | {"finding": finding} for finding in page.rows]
    return {"page": page, "rows": rows, "doubtful": LABELS[chosen.finding_code]}


def _marked(finding: Finding) -> list[tuple[str, bool]]:
    """The caption's text in pieces, the words of the finding marked."""
    text, start = finding.caption.text, finding.start
    if start is None or not finding.words or not text.startswith(finding.words, start):
        return [(text, False)]
    end = start + len(finding.words)
    return [piece for piece in ((text[:start], False), (text[start:end], True), (text[end:], False)) if piece[0]]


def _found(request: HttpRequest, chosen: CaptionFilter) -> dict[str, Any]:
    try:
        found = captions_search(text=chosen.words, scope=chosen.scope, after=request.GET.get("after", ""))
    except BadInput as error:
        return {"problem": error.message}
    return {"found": found, "page": found, "rows": [_row(hit.caption, hit.parts) for hit in found.hits]}


def _row(caption: Caption, parts: list[tuple[str, bool]]) -> dict[str, Any]:
    """A line of the list. parts: the text in pieces, and whether each is marked."""
    return {"caption": caption, "picture": _picture(caption.tile, "preview", caption.area.slug), "parts": parts}


@require_safe
@permission_required(VIEW_DATA, raise_exception=True)
def caption(request: HttpRequest, slug: str, index: int) -> HttpResponse:
    """One tile's picture, its text to rectify, its facts and the text's history."""
    person: Any = request.user
    tile = selectors.tile_of(slug, index)
    before, after = selectors.neighbours(tile)
    context = {
        "section": "captions",
        "area": tile.area,
        "tile": tile,
        "picture": _picture(tile, "png", slug),
        "before": before,
        "after": after,
        "facts": _facts(tile),
        "page": {
            "area": slug,
            "index": index,
            "caption": selectors.caption_of(tile),
            "can_edit": request.user.has_perm(RECTIFY_CAPTIONS),
            "person": person.pk,
            "preferences": person.preferences,
            "preferences_url": reverse("api-preferences"),
            "address": reverse("caption", args=[slug, 0]),
        },
    }
    return render(request, "captions/caption.html", context)


def _picture(tile: TilePair, layer: str, slug: str) -> str:
    """The address of a layer, or "" for a tile without it."""
    return layer_url(tile, layer, slug) if tile.layer(layer) else ""


def _kept(request: HttpRequest, chosen: CaptionFilter) -> str:
    """The filter as the start of a query string, for the links to other pages of the list."""
    query = request.GET.copy()
    for name in [name for name in query if name not in chosen.filters]:
        del query[name]
    return f"{query.urlencode()}&" if query else ""


def _facts(tile: TilePair) -> list[tuple[str, str]]:
    """What is known of a tile, as a person reads it; what is not known is left out."""
    light = facts_of(tile)
    facts: list[tuple[str, str]] = [("Landform", LANDFORM_WORDS.get(tile.landform, tile.landform))]
    if tile.dem_min is not None and tile.dem_max is not None:
        facts.append(("Heights", f"{tile.dem_min:,.0f} to {tile.dem_max:,.0f} m"))
    facts += [
        ("Mean slope", "" if tile.slope is None else f"{tile.slope:.1f}°"),
        ("Water", _percent(tile.water_share)),
        ("Without height", _percent(tile.void_share)),
        (
            "Place",
            "" if tile.lat is None or tile.lon is None else f"{_degrees(tile.lat, 'NS')} {_degrees(tile.lon, 'EW')}",
        ),
        ("Grid", "" if tile.gsd is None else f"{tile.gsd:g} m a pixel"),
        ("Satellite", tile.satellite),
        *((label, _measure(getattr(light, name))) for label, name in _MEASURES),
    ]
    return [(name, value) for name, value in facts if value]


_MEASURES = (
    ("Brightness", "brightness"),
    ("Green share", "greenness"),
    ("Vegetated land", "vegetation"),
    ("NDVI", "ndvi"),
)


def _measure(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _degrees(value: float, signs: str) -> str:
    return f"{abs(value):.4f}° {signs[0] if value >= 0 else signs[1]}"
