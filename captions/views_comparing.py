"""The page on which several captioners' texts stand side by side."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from tiles.core.errors import BadInput
from tiles.core.permissions import RECTIFY_CAPTIONS, VIEW_DATA
from tiles.models import TilePair
from tiles.review.layers import layer_url
from tiles.review.selectors import area_by_slug

from .comparing import next_comparable, rivals_of, standings, tile_compared, vote_cast

MARKS = "ABCDEFGH"


@require_safe
@permission_required(VIEW_DATA, raise_exception=True)
def compare(request: HttpRequest, slug: str) -> HttpResponse:
    """One tile and what each captioner says of it: `?tile=`, `?blind=1`; without a tile the next to be compared."""
    area = area_by_slug(slug)
    blind = request.GET.get("blind") == "1"
    index = _number(request.GET.get("tile", ""))
    if index is None:
        index = next_comparable(area, unvoted_by=request.user)
        if index is None:
            index = next_comparable(area)
    context: dict[str, Any] = {"section": "captions", "area": area, "blind": blind, "standings": standings(area)}
    if index is not None:
        context |= _tile(request, tile_compared(area, index))
    return render(request, "captions/compare.html", context)


def _tile(request: HttpRequest, tile: TilePair) -> dict[str, Any]:
    rivals = rivals_of(tile, by=request.user)[: len(MARKS)]
    after = next_comparable(tile.area, after=tile.index)
    return {
        "tile": tile,
        "picture": layer_url(tile, "png", tile.area.slug) if tile.layer("png") else "",
        "rivals": list(zip(MARKS, rivals, strict=False)),
        "can_vote": request.user.has_perm(RECTIFY_CAPTIONS) and len(rivals) > 1,
        "client_id": uuid4(),
        "after": after,
    }


@require_POST
@permission_required(RECTIFY_CAPTIONS, raise_exception=True)
def compare_vote(request: HttpRequest, slug: str, index: int) -> HttpResponse:
    """Keep a vote, and go on to the next tile."""
    area = area_by_slug(slug)
    tile = tile_compared(area, index)
    blind = request.POST.get("blind") == "1"
    rivals = [number for value in request.POST.getlist("rival") if (number := _number(value)) is not None]
    try:
        client_id = UUID(request.POST.get("client_id", ""))
    except ValueError as error:
        raise BadInput("The vote came without its id. Reload the page and choose again.") from error
    vote_cast(
        tile=tile,
        winner=_number(request.POST.get("winner", "")),
        rivals=rivals,
        blind=blind,
        by=request.user,
        client_id=client_id,
    )
    after = next_comparable(area, after=index, unvoted_by=request.user)
    query = {"blind": "1"} if blind else {}
    if after is not None:
        query["tile"] = str(after)
    return redirect(f"{reverse('captions-compare', args=[slug])}?{urlencode(query)}")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None
