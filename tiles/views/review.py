"""The review page: one frame, filled and driven by the browser from the same JSON that the API gives."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from tiles.core.errors import BadInput
from tiles.core.permissions import RECTIFY_CAPTIONS, REVIEW_TILES, VIEW_DATA
from tiles.models import Area
from tiles.raster.colour import lut
from tiles.review import selectors
from tiles.review.assign import ranges_of
from tiles.review.marked import words_of
from tiles.review.present import decision_payload, reasons_of
from tiles.review.queue import (
    QUEUED,
    Handed,
    QueueFilter,
    default_state,
    queue_handed_out,
    queue_read,
    tiles_payload_queued,
)
from tiles.terrain3d.scene import terrain_addresses

SHOWN = ("state", "reason")
# From low to high ground. Spectral is turned round, as the published depth maps have it.
TABLES = {"Spectral": True, "viridis": False, "inferno": False, "magma": False, "cividis": False}


@require_safe
@ensure_csrf_cookie
@permission_required(VIEW_DATA, raise_exception=True)
def review(request: HttpRequest, slug: str) -> HttpResponse:
    """Judge an area's tiles one by one: `?state=pending&reason=&order=&tile=<number>`."""
    area = selectors.area_by_slug(slug)
    asked = request.GET.copy()
    counts = selectors.review_counts(area_id=area.pk)
    asked.setdefault("state", default_state(area, counts))
    ranges = ranges_of(area=area, person=request.user)
    if ranges:
        asked.setdefault("mine", "1")
    tile_filter = QueueFilter(asked, queryset=selectors.queue(area=area), by=request.user)
    context = {
        "section": "review",
        "area": area,
        "counts": counts,
        "reasons": reasons_of(area),
        "can_decide": request.user.has_perm(REVIEW_TILES),
        "can_caption": request.user.has_perm(RECTIFY_CAPTIONS),
        "filter": tile_filter,
        "ranges": ranges,
        "left": sum(counts[state] for state in QUEUED),
    }
    if counts["built"]:
        context["page"] = _page(request, area, tile_filter, counts)
        context["others"] = [chip for name, chip in tile_filter.chips_by_name() if name not in SHOWN]
        context["words"] = words_of(area=area)
    return render(request, "tiles/review.html", context)


def _page(request: HttpRequest, area: Area, tile_filter: QueueFilter, counts: dict[str, int]) -> dict[str, Any]:
    """Everything that the page needs to show its first tile without asking again."""
    start = _number(request.GET.get("tile", ""))
    user: Any = request.user
    page_id = uuid4()
    handed = _first(request, area, tile_filter, page_id, start)
    page = handed.page
    mine = selectors.decisions_of_person(by=user, area=area)
    return {
        "area": {"slug": area.slug, "name": area.name},
        "person": {"id": user.pk, "name": user.shown_name},
        "preferences": user.preferences,
        "can": {"decide": user.has_perm(REVIEW_TILES), "caption": user.has_perm(RECTIFY_CAPTIONS)},
        "urls": {
            "tiles": reverse("api-area-tiles", args=[area.slug]),
            "decisions": reverse("api-area-decisions", args=[area.slug]),
            "queue": reverse("api-queue", args=[area.slug]),
            "claims": reverse("api-claims", args=[area.slug]),
            "captions": reverse("api-area-captions", args=[area.slug]),
            "preferences": reverse("api-preferences"),
            "marks": reverse("api-marks", args=[area.slug]),
            "areas": f"{reverse('dashboard')}areas/",
            "undo": reverse("api-bulk-undo", args=[area.slug]),
            "jobs": reverse("api-jobs"),
            "three": terrain_addresses(area.slug),
        },
        "filter": {"state": "", "reason": "", "order": "", **_mine(tile_filter), **tile_filter.asked_fields()},
        "claims": {
            "page": str(page_id),
            "until": handed.until.isoformat() if handed.until else None,
            "seconds": settings.DEMETER_CLAIM_SECONDS,
        },
        "policy": area.policy,
        "start": start,
        "first": {
            "items": tiles_payload_queued(area=area, tiles=page.tiles, by=user, claimed={} if handed.until else None),
            "has_before": page.has_before,
            "has_after": page.has_after,
        },
        "counts": counts,
        "mine": [decision_payload(entry) for entry in mine],
        "reasons": [reason._asdict() for reason in reasons_of(area)],
        "tables": colour_tables(),
        "heights": selectors.height_range(area_id=area.pk),
    }


def colour_tables() -> dict[str, str]:
    """Name -> base64 of 256 x RGB, for the heights."""
    return {name: b64encode(lut(name, invert=invert).tobytes()).decode() for name, invert in TABLES.items()}


def _mine(tile_filter: QueueFilter) -> dict[str, str]:
    """The filter by range, where the person has one or the address names it: off is said, too."""
    return {"mine": ""} if "mine" in tile_filter.data else {}


def _first(request: HttpRequest, area: Area, tile_filter: QueueFilter, page_id: UUID, start: int | None) -> Handed:
    """The first tiles, claimed when they are work of somebody who may decide."""
    if request.user.has_perm(REVIEW_TILES) and request.method == "GET":
        return queue_handed_out(area=area, asked=tile_filter, by=request.user, page=page_id, start=start)
    return Handed(queue_read(area=area, asked=tile_filter, by=request.user, start=start), None)


def _number(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise BadInput(f"{text[:20]!r} is not the number of a tile.")
    return int(text)
