"""Addresses of captions and their JSON."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import (
    api,
    api_bulk,
    api_findings,
    api_rectify,
    api_search,
    views,
    views_bulk,
    views_comparing,
    views_importing,
    views_recaption,
    views_rectify,
    views_settings,
    views_writing,
)

urlpatterns: list[URLPattern] = [
    path("captions/", views.captions, name="captions"),
    path("captions/many/", views_bulk.many, name="captions-many"),
    path("captions/recaption/", views_recaption.recaption, name="captions-recaption"),
    path("areas/<slug:slug>/captions/progress/", views_bulk.progress, name="captions-progress"),
    path("areas/<slug:slug>/captions/settings/", views_settings.caption_settings, name="caption-settings"),
    path("areas/<slug:slug>/captions/settings/example/", views_settings.prompt_example, name="caption-prompt-example"),
    path("areas/<slug:slug>/captions/<int:index>/", views.caption, name="caption"),
    path("areas/<slug:slug>/captions/import/", views_importing.import_page, name="captions-import"),
    path("areas/<slug:slug>/captions/write/", views_writing.write, name="captions-write"),
    path("areas/<slug:slug>/captions/write/trial/", views_writing.write_trial, name="captions-write-trial"),
    path("areas/<slug:slug>/captions/write/<int:job>/undo/", views_recaption.write_undo, name="captions-write-undo"),
    path("areas/<slug:slug>/captions/compare/", views_comparing.compare, name="captions-compare"),
    path("areas/<slug:slug>/captions/compare/<int:index>/", views_comparing.compare_vote, name="captions-compare-vote"),
    path("areas/<slug:slug>/captions/rectify/", views_rectify.rectify, name="caption-rectify"),
]

_TILE = "areas/<slug:slug>/tiles/<int:index>/caption"

api_urlpatterns: list[URLPattern] = [
    path("captions/", api_search.CaptionsFound.as_view(), name="api-captions-found"),
    path("captions/edit/", api_bulk.CaptionsEdit.as_view(), name="api-captions-edit"),
    path("captions/edit/preview/", api_bulk.CaptionsPreview.as_view(), name="api-captions-preview"),
    path("captions/edit/count/", api_bulk.CaptionsPreviewCount.as_view(), name="api-captions-count"),
    path("captions/edit/undo/", api_bulk.CaptionsEditUndo.as_view(), name="api-captions-undo"),
    path("areas/<slug:slug>/captions/", api.AreaCaptions.as_view(), name="api-area-captions"),
    path(f"{_TILE}/", api.TileCaption.as_view(), name="api-caption"),
    path(f"{_TILE}/revisions/", api.TileCaptionRevisions.as_view(), name="api-caption-revisions"),
    path(f"{_TILE}/findings/<int:finding>/dismiss/", api_findings.FindingDismiss.as_view(), name="api-finding-dismiss"),
    path(f"{_TILE}/findings/<int:finding>/restore/", api_findings.FindingRestore.as_view(), name="api-finding-restore"),
    path(f"{_TILE}/restore/", api.TileCaptionRestore.as_view(), name="api-caption-restore"),
    path("areas/<slug:slug>/captions/queue/", api_rectify.CaptionQueue.as_view(), name="api-caption-queue"),
    path(
        "areas/<slug:slug>/captions/queue/<int:index>/",
        api_rectify.CaptionOfQueue.as_view(),
        name="api-caption-queue-one",
    ),
    path("areas/<slug:slug>/captions/claims/", api_rectify.CaptionClaims.as_view(), name="api-caption-claims"),
    path(f"{_TILE}/readings/", api_rectify.CaptionReadings.as_view(), name="api-caption-readings"),
    path(f"{_TILE}/preview/", api_rectify.CaptionPreview.as_view(), name="api-caption-preview"),
    path(f"{_TILE}/draft/", api_rectify.TileCaptionDraft.as_view(), name="api-caption-draft"),
]
