"""Addresses of the ground truth: areas, builds, review, layer files, and their JSON."""

from __future__ import annotations

from django.urls import URLPattern, path

from tiles.api import review as review_api
from tiles.api import tiles as tiles_api
from tiles.api import uploads as uploads_api
from tiles.views import areas, atlas, build, layers, review

urlpatterns: list[URLPattern] = [
    path("areas/new/", build.area_build, name="area-build"),
    path("areas/new/sources/", build.build_sources, name="build-sources"),
    path("areas/<slug:slug>/", areas.area, name="area"),
    path("areas/<slug:slug>/build/", build.area_rebuild, name="area-rebuild"),
    path("areas/<slug:slug>/settings/", areas.area_settings, name="area-settings"),
    path("areas/<slug:slug>/drop-rgb/", areas.area_rgb_drop, name="area-rgb-drop"),
    path("areas/<slug:slug>/review/", review.review, name="review"),
    path("areas/<slug:slug>/tiles/<int:index>/<str:layer>", layers.tile_layer, name="tile-layer"),
    path("areas/<slug:slug>/atlas/", atlas.atlas, name="atlas"),
    path("areas/<slug:slug>/atlas/tiles", atlas.atlas_tiles, name="atlas-tiles"),
    path("areas/<slug:slug>/atlas/sheets/<int:block>/<int:size>", atlas.atlas_sheet, name="atlas-sheet"),
]

api_urlpatterns: list[URLPattern] = [
    path("areas/<slug:slug>/tiles/", tiles_api.AreaTiles.as_view(), name="api-area-tiles"),
    path("areas/<slug:slug>/tiles/<int:index>/", tiles_api.AreaTile.as_view(), name="api-area-tile"),
    path("areas/<slug:slug>/decisions/", review_api.AreaDecisions.as_view(), name="api-area-decisions"),
    path("uploads/", uploads_api.Uploads.as_view(), name="api-uploads"),
    path("uploads/<uuid:upload>/", uploads_api.Upload.as_view(), name="api-upload"),
    path("uploads/<uuid:upload>/finish/", uploads_api.UploadFinish.as_view(), name="api-upload-finish"),
]
