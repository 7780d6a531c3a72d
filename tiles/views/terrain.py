"""A tile's terrain in three dimensions: the page, and the heights and colours it draws."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.http import require_safe

from tiles.core.permissions import VIEW_DATA
from tiles.review.present import tile_payload
from tiles.review.selectors import area_by_slug, tile_by_index
from tiles.terrain3d.scene import scene_gzipped, scene_of, scene_token, terrain_addresses

from .layers import FOR_EVER


@require_safe
@permission_required(VIEW_DATA, raise_exception=True)
def tile_terrain(request: HttpRequest, slug: str, index: int) -> HttpResponse:
    """Look at one tile from all sides."""
    area = area_by_slug(slug)
    tile = tile_by_index(area=area, index=index)
    context = {
        "section": "areas",
        "area": area,
        "tile": tile,
        "payload": tile_payload(tile, slug),
        "address": f"{terrain_addresses(slug)['terrain'].replace('INDEX', str(index))}?v={scene_token(tile)}",
    }
    return render(request, "tiles/terrain.html", context)


@require_safe
@permission_required(VIEW_DATA, raise_exception=True)
def tile_terrain_data(request: HttpRequest, slug: str, index: int, size: int) -> HttpResponse:
    """Heights and colours, as tiles/terrain3d/scene.py writes them. An old address leads to the present one."""
    tile = tile_by_index(area=area_by_slug(slug), index=index)
    token = scene_token(tile)
    if request.GET.get("v") != token:
        moved = redirect(f"{reverse('tile-terrain-data', args=[slug, index, size])}?v={token}")
        moved["Cache-Control"] = "private, no-cache"
        return moved
    tag = f'"{token}-{size}"'
    answer = get_conditional_response(request, etag=tag)
    if answer is None:
        scene = scene_of(tile, slug, size)
        packed = "gzip" in request.headers.get("Accept-Encoding", "")
        answer = HttpResponse(
            scene_gzipped(scene) if packed else scene.to_bytes(), content_type="application/octet-stream"
        )
        if packed:
            answer["Content-Encoding"] = "gzip"
    answer["ETag"] = tag
    answer["Cache-Control"] = FOR_EVER
    patch_vary_headers(answer, ["Accept-Encoding"])
    return answer
