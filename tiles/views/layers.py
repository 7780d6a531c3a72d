"""Layer files for a browser: signed in, versioned in the address, kept for ever once seen."""

from __future__ import annotations

import gzip
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.http import require_safe

from tiles.core.paths import data_folder
from tiles.core.permissions import VIEW_DATA
from tiles.models import TilePair
from tiles.review import layers
from tiles.review.derived import derived_body
from tiles.review.selectors import area_by_slug, tile_by_index

GZIP_LEVEL = 6
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
    answer = get_conditional_response(request, etag=tag) or _body(request, tile, layer, slug)
    if layers.DELIVERIES[layer].packed:
        patch_vary_headers(answer, ["Accept-Encoding"])
    answer["ETag"] = tag
    answer["Cache-Control"] = FOR_EVER
    return answer


def _body(request: HttpRequest, tile: TilePair, layer: str, slug: str) -> HttpResponseBase:
    delivery = layers.DELIVERIES[layer]
    if delivery.derived:
        body = derived_body(tile, layer, slug)
        if not (delivery.packed and "gzip" in request.headers.get("Accept-Encoding", "")):
            return HttpResponse(body, content_type=delivery.content_type)
        packed = gzip.compress(body, GZIP_LEVEL, mtime=0)
        return HttpResponse(packed, content_type=delivery.content_type, headers={"Content-Encoding": "gzip"})
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
