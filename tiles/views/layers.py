"""Layer files for a browser: signed in, versioned in the address, kept for ever once seen."""

from __future__ import annotations

from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from tiles.core.paths import data_folder
from tiles.core.permissions import VIEW_DATA
from tiles.models import TilePair
from tiles.review import layers
from tiles.review.selectors import area_by_slug, tile_by_index

FOR_EVER = "private, max-age=31536000, immutable"


@require_safe
@permission_required(VIEW_DATA, raise_exception=True)
def tile_layer(request: HttpRequest, slug: str, index: int, layer: str) -> HttpResponseBase:
    """One layer of one tile. An address without the current version leads to the one with it."""
    tile = tile_by_index(area=area_by_slug(slug), index=index)
    if request.GET.get("v") != layers.layer_token(tile, layer):
        answer: HttpResponseBase = redirect(layers.layer_url(tile, layer, slug))
        answer["Cache-Control"] = "private, no-cache"
        return answer
    tag = layers.layer_tag(tile, layer)
    answer = get_conditional_response(request, etag=tag) or _body(tile, layer, slug)
    answer["ETag"] = tag
    answer["Cache-Control"] = FOR_EVER
    return answer


def _body(tile: TilePair, layer: str, slug: str) -> HttpResponseBase:
    delivery = layers.DELIVERIES[layer]
    if delivery.derived:
        return HttpResponse(layers.derived_png(tile, layer, slug), content_type=delivery.content_type)
    path = layers.layer_file(tile, layer, slug)
    name = f"{slug}_{tile.name}_{layer}"
    if settings.DEMETER_ACCEL:
        answer = HttpResponse(content_type=delivery.content_type)
        answer["X-Accel-Redirect"] = settings.DEMETER_ACCEL + quote(path.relative_to(data_folder()).as_posix())
        if delivery.download:
            answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer
    return FileResponse(
        path.open("rb"), content_type=delivery.content_type, as_attachment=delivery.download, filename=name
    )
