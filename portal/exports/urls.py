"""Addresses of releases and their JSON."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import api, api_plans, views, views_compare

urlpatterns: list[URLPattern] = [
    path("releases/", views.releases, name="releases"),
    path("releases/new/", views.release_new, name="release-new"),
    path("releases/new/preview/", views.release_preview, name="release-preview"),
    path("releases/<slug:name>/", views.release, name="release"),
    path("releases/<slug:name>/progress/", views.release_progress, name="release-progress"),
    path("releases/<slug:name>/changelog/", views.release_changelog, name="release-changelog"),
    path("releases/<slug:name>/tiles/<int:position>/preview", views.release_tile_preview, name="release-tile-preview"),
    path("releases/<slug:name>/steer/", views.release_steer, name="release-steer"),
    path("releases/<slug:name>/compare/", views_compare.release_compare, name="release-compare"),
    path("releases/<slug:name>/diff/<slug:other>/", views_compare.release_diff, name="release-diff"),
    path("releases/<slug:name>/left-out.csv", views_compare.release_left_out, name="release-left-out"),
    path("releases/<slug:name>/download/<slug:file>.zip", views.release_download, name="release-download"),
    path("releases/<slug:name>/download/croissant.json", views.release_description, name="release-description"),
    path("releases/<slug:name>/download/<slug:file>.zip.sha256", views.release_checksum, name="release-checksum"),
]

api_urlpatterns: list[URLPattern] = [
    path("releases/", api.Releases.as_view(), name="api-releases"),
    path("releases/dry-run/", api_plans.DryRun.as_view(), name="api-release-dry-run"),
    path("releases/<slug:name>/diff/<slug:other>/", api_plans.Differences.as_view(), name="api-release-diff"),
    path("releases/<slug:name>/", api.OneRelease.as_view(), name="api-release"),
]
