"""The review page: one frame, filled and driven by the browser from the same JSON that the API gives."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from tiles.core.errors import BadInput
from tiles.core.permissions import RECTIFY_CAPTIONS, REVIEW_TILES, VIEW_DATA
from tiles.models import Area
from tiles.models.choices import ReviewState
from tiles.raster.colour import lut
from tiles.review import selectors
from tiles.review.filters import TileFilter
from tiles.review.present import decision_payload, reasons_of, tiles_payload
from tiles.terrain3d.scene import terrain_addresses

# From low to high ground. Spectral is turned round, as the published depth maps have it.
TABLES = {"Spectral": True, "viridis": False, "inferno": False, "magma": False, "cividis": False}


@require_safe
@ensure_csrf_cookie
@permission_required(VIEW_DATA, raise_exception=True)
def review(request: HttpRequest, slug: str) -> HttpResponse:
    """Judge an area's tiles one by one: `?state=pending&reason=&order=&tile=<number>`."""
    area = selectors.area_by_slug(slug)
    asked = request.GET.copy()
    asked.setdefault("state", ReviewState.PENDING)
    tile_filter = TileFilter(asked, queryset=selectors.queue(area=area))
    counts = selectors.review_counts(area_id=area.pk)
    context = {
        "section": "review",
        "area": area,
        "counts": counts,
        "reasons": reasons_of(area),
        "can_decide": request.user.has_perm(REVIEW_TILES),
        "can_caption": request.user.has_perm(RECTIFY_CAPTIONS),
        "filter": tile_filter,
    }
    if counts["built"]:
        context["page"] = _page(request, area, tile_filter, counts)
    return render(request, "tiles/review.html", context)


def _page(request: HttpRequest, area: Area, tile_filter: TileFilter, counts: dict[str, int]) -> dict[str, Any]:
    """Everything that the page needs to show its first tile without asking again."""
    start = _number(request.GET.get("tile", ""))
    page = selectors.queue_page(tiles=tile_filter.checked(), start=start, order=tile_filter.chosen_order)
    user: Any = request.user
    mine = selectors.decisions_of_person(by=user, area=area)
    return {
        "area": {"slug": area.slug, "name": area.name},
        "person": {"id": user.pk, "name": user.shown_name},
        "preferences": user.preferences,
        "can": {"decide": user.has_perm(REVIEW_TILES), "caption": user.has_perm(RECTIFY_CAPTIONS)},
        "urls": {
            "tiles": reverse("api-area-tiles", args=[area.slug]),
            "decisions": reverse("api-area-decisions", args=[area.slug]),
            "captions": reverse("api-area-captions", args=[area.slug]),
            "preferences": reverse("api-preferences"),
            "undo": reverse("api-bulk-undo", args=[area.slug]),
            "jobs": reverse("api-jobs"),
            "three": terrain_addresses(area.slug),
        },
        "filter": {name: tile_filter.data.get(name, "") for name in ("state", "reason", "order")},
        "start": start,
        "first": {
            "items": tiles_payload(page.tiles, area.slug),
            "has_before": page.has_before,
            "has_after": page.has_after,
        },
        "counts": counts,
        "mine": [decision_payload(entry) for entry in mine],
        "reasons": [reason._asdict() for reason in reasons_of(area)],
        "tables": {name: b64encode(lut(name, invert=invert).tobytes()).decode() for name, invert in TABLES.items()},
        "heights": selectors.height_range(area_id=area.pk),
    }


def _number(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise BadInput(f"{text[:20]!r} is not the number of a tile.")
    return int(text)
