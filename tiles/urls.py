"""Addresses of the ground truth: areas, builds, review, layer files, and their JSON."""

from __future__ import annotations

from django.urls import URLPattern, path

from tiles.api import blind as blind_api
from tiles.api import bulk as bulk_api
from tiles.api import marks as marks_api
from tiles.api import queue as queue_api
from tiles.api import review as review_api
from tiles.api import tiles as tiles_api
from tiles.api import uploads as uploads_api
from tiles.views import (
    areas,
    atlas,
    build,
    build_on,
    build_preview,
    gallery,
    layers,
    people,
    quality,
    review,
    terrain,
    uploads,
)

urlpatterns: list[URLPattern] = [
    path("areas/new/", build.area_build, name="area-build"),
    path("areas/new/sources/", build.build_sources, name="build-sources"),
    path("areas/new/preview/", build_preview.area_preview, name="area-preview"),
    path("areas/new/earthengine/", build.build_earthengine, name="build-earthengine"),
    path("areas/new/uploads/", uploads.uploads, name="uploads"),
    path("areas/new/uploads/<uuid:upload>/remove/", uploads.remove, name="upload-remove"),
    path("areas/<slug:slug>/", areas.area, name="area"),
    path("areas/<slug:slug>/build/", build_on.area_rebuild, name="area-rebuild"),
    path("areas/<slug:slug>/build/preview/", build_on.rebuild_preview, name="area-rebuild-preview"),
    path("areas/<slug:slug>/build/picture/", build_on.restretch_preview, name="area-restretch-preview"),
    path("areas/<slug:slug>/build/picture/<int:index>", build_on.restretched_picture, name="area-restretched"),
    path("areas/<slug:slug>/settings/", areas.area_settings, name="area-settings"),
    path("areas/<slug:slug>/drop-rgb/", areas.area_rgb_drop, name="area-rgb-drop"),
    path("areas/<slug:slug>/policy/", people.policy, name="area-policy"),
    path("areas/<slug:slug>/people/", people.people, name="area-people"),
    path("areas/<slug:slug>/people/assign/", people.assign, name="area-assign"),
    path("areas/<slug:slug>/people/<int:assignment_id>/take-back/", people.take_back, name="area-take-back"),
    path("areas/<slug:slug>/review/", review.review, name="review"),
    path("areas/<slug:slug>/gallery/", gallery.gallery, name="gallery"),
    path("areas/<slug:slug>/gallery/views/", gallery.views, name="gallery-views"),
    path("areas/<slug:slug>/gallery/views/<int:view_id>/remove/", gallery.view_remove, name="gallery-view-remove"),
    path("areas/<slug:slug>/tiles/<int:index>/<str:layer>", layers.tile_layer, name="tile-layer"),
    path("areas/<slug:slug>/tiles/<int:index>/3d/", terrain.tile_terrain, name="tile-terrain"),
    path("areas/<slug:slug>/tiles/<int:index>/terrain/<int:size>", terrain.tile_terrain_data, name="tile-terrain-data"),
    path("areas/<slug:slug>/agreement/", quality.agreement, name="agreement"),
    path("areas/<slug:slug>/pace/", quality.pace, name="pace"),
    path("areas/<slug:slug>/blind/", quality.blind_rounds, name="blind-rounds"),
    path("areas/<slug:slug>/blind/<int:round_id>/", quality.blind_round, name="blind-round"),
    path("areas/<slug:slug>/blind/<int:round_id>/judge/", quality.blind_judge, name="blind-judge"),
    path("areas/<slug:slug>/atlas/", atlas.atlas, name="atlas"),
    path("areas/<slug:slug>/atlas/tiles", atlas.atlas_tiles, name="atlas-tiles"),
    path("areas/<slug:slug>/atlas/colours/<slug:kind>/<int:key>", atlas.atlas_colouring, name="atlas-colouring"),
    path("areas/<slug:slug>/atlas/sheets/<int:block>/<int:size>", atlas.atlas_sheet, name="atlas-sheet"),
]

api_urlpatterns: list[URLPattern] = [
    path("areas/<slug:slug>/tiles/", tiles_api.AreaTiles.as_view(), name="api-area-tiles"),
    path("areas/<slug:slug>/tiles/<int:index>/", tiles_api.AreaTile.as_view(), name="api-area-tile"),
    path("areas/<slug:slug>/decisions/", review_api.AreaDecisions.as_view(), name="api-area-decisions"),
    path("areas/<slug:slug>/queue/", queue_api.AreaQueue.as_view(), name="api-queue"),
    path("areas/<slug:slug>/claims/", queue_api.AreaClaims.as_view(), name="api-claims"),
    path("areas/<slug:slug>/tiles/count/", bulk_api.AreaTilesCount.as_view(), name="api-tiles-count"),
    path("areas/<slug:slug>/bulk/", bulk_api.AreaBulk.as_view(), name="api-bulk"),
    path("areas/<slug:slug>/bulk/undo/", bulk_api.AreaBulkUndo.as_view(), name="api-bulk-undo"),
    path("areas/<slug:slug>/marks/", marks_api.AreaMarks.as_view(), name="api-marks"),
    path("areas/<slug:slug>/tiles/<int:index>/comments/", marks_api.TileComments.as_view(), name="api-tile-comments"),
    path("areas/<slug:slug>/tiles/<int:index>/flag/", marks_api.TileFlagged.as_view(), name="api-tile-flag"),
    path(
        "areas/<slug:slug>/blind/<int:round_id>/answers/",
        blind_api.BlindAnswers.as_view(),
        name="api-blind-answers",
    ),
    path("uploads/", uploads_api.Uploads.as_view(), name="api-uploads"),
    path("uploads/accepted/", uploads_api.UploadsAccepted.as_view(), name="api-uploads-accepted"),
    path("uploads/accepted/<uuid:upload>/", uploads_api.UploadAccepted.as_view(), name="api-upload-accepted"),
    path("uploads/<uuid:upload>/", uploads_api.Upload.as_view(), name="api-upload"),
    path("uploads/<uuid:upload>/finish/", uploads_api.UploadFinish.as_view(), name="api-upload-finish"),
]
