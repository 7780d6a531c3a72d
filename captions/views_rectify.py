"""The page on which captions are rectified, one after the other, by keys."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

from tiles.core.permissions import RECTIFY_CAPTIONS
from tiles.models import Area
from tiles.models.choices import Scene
from tiles.review import selectors
from tiles.views.review import colour_tables

from .models import Caption
from .rectifying.present import captions_payload, terms_offered
from .rectifying.queue import RectifyFilter, captions_readable, finding_codes, left_to_read, queue_handed_out


@require_GET
@ensure_csrf_cookie
@permission_required(RECTIFY_CAPTIONS, raise_exception=True)
def rectify(request: HttpRequest, slug: str) -> HttpResponse:
    """Read an area's captions, the most doubtful first: `?state=&landform=&flagged=&finding=`."""
    area = selectors.area_by_slug(slug)
    asked = RectifyFilter(request.GET, queryset=captions_readable(area=area))
    asked.checked()
    context = {
        "section": "captions",
        "area": area,
        "filter": asked,
        "findings": [(code, code.replace("_", " ")) for code in finding_codes(area=area)],
        "weathers": Scene.choices,
        "terms": terms_offered(area=area),
        "any": Caption.objects.filter(area=area).exists(),
    }
    if context["any"]:
        context["page"] = _page(request, area, asked)
    return render(request, "captions/rectify.html", context)


def _page(request: HttpRequest, area: Area, asked: RectifyFilter) -> dict[str, Any]:
    """Everything that the page needs to show its first caption without asking again."""
    user: Any = request.user
    page_id = uuid4()
    handed = queue_handed_out(area=area, asked=asked, by=user, page=page_id)
    left, capped = left_to_read(area=area)
    return {
        "area": area.slug,
        "person": {"id": user.pk, "name": user.shown_name},
        "preferences": user.preferences,
        "urls": {
            "queue": reverse("api-caption-queue", args=[area.slug]),
            "claims": reverse("api-caption-claims", args=[area.slug]),
            "tiles": reverse("api-area-tiles", args=[area.slug]),
            "preferences": reverse("api-preferences"),
        },
        "filter": asked.asked,
        "claims": {
            "page": str(page_id),
            "until": handed.until.isoformat() if handed.until else None,
            "seconds": settings.DEMETER_CLAIM_SECONDS,
        },
        "first": {
            "items": captions_payload(captions=handed.captions, area=area, by=user),
            "after": handed.after,
            "left": left,
            "left_capped": capped,
        },
        "tables": colour_tables(),
        "heights": selectors.height_range(area_id=area.pk),
    }
