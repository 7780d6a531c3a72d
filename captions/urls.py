"""Addresses of captions and their JSON."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import api, api_search, views, views_comparing, views_writing

urlpatterns: list[URLPattern] = [
    path("captions/", views.captions, name="captions"),
    path("areas/<slug:slug>/captions/<int:index>/", views.caption, name="caption"),
    path("areas/<slug:slug>/captions/write/", views_writing.write, name="captions-write"),
    path("areas/<slug:slug>/captions/write/trial/", views_writing.write_trial, name="captions-write-trial"),
    path("areas/<slug:slug>/captions/compare/", views_comparing.compare, name="captions-compare"),
    path("areas/<slug:slug>/captions/compare/<int:index>/", views_comparing.compare_vote, name="captions-compare-vote"),
]

_TILE = "areas/<slug:slug>/tiles/<int:index>/caption"

api_urlpatterns: list[URLPattern] = [
    path("captions/", api_search.CaptionsFound.as_view(), name="api-captions-found"),
    path("areas/<slug:slug>/captions/", api.AreaCaptions.as_view(), name="api-area-captions"),
    path(f"{_TILE}/", api.TileCaption.as_view(), name="api-caption"),
    path(f"{_TILE}/revisions/", api.TileCaptionRevisions.as_view(), name="api-caption-revisions"),
    path(f"{_TILE}/restore/", api.TileCaptionRestore.as_view(), name="api-caption-restore"),
]
