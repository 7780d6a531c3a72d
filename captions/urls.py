"""Addresses of captions and their JSON."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import api, api_findings, api_search, views, views_settings

urlpatterns: list[URLPattern] = [
    path("captions/", views.captions, name="captions"),
    path("areas/<slug:slug>/captions/settings/", views_settings.caption_settings, name="caption-settings"),
    path("areas/<slug:slug>/captions/settings/example/", views_settings.prompt_example, name="caption-prompt-example"),
    path("areas/<slug:slug>/captions/<int:index>/", views.caption, name="caption"),
]

_TILE = "areas/<slug:slug>/tiles/<int:index>/caption"

api_urlpatterns: list[URLPattern] = [
    path("captions/", api_search.CaptionsFound.as_view(), name="api-captions-found"),
    path("areas/<slug:slug>/captions/", api.AreaCaptions.as_view(), name="api-area-captions"),
    path(f"{_TILE}/", api.TileCaption.as_view(), name="api-caption"),
    path(f"{_TILE}/revisions/", api.TileCaptionRevisions.as_view(), name="api-caption-revisions"),
    path(f"{_TILE}/findings/<int:finding>/dismiss/", api_findings.FindingDismiss.as_view(), name="api-finding-dismiss"),
    path(f"{_TILE}/findings/<int:finding>/restore/", api_findings.FindingRestore.as_view(), name="api-finding-restore"),
    path(f"{_TILE}/restore/", api.TileCaptionRestore.as_view(), name="api-caption-restore"),
]
