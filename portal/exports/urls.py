"""Addresses of releases and their JSON."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import (
    api,
    api_downloads,
    api_plans,
    views,
    views_compare,
    views_download,
    views_keeping,
    views_public,
)

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
    path("releases/<slug:name>/download/<slug:file>.zip", views_download.release_download, name="release-download"),
    path("releases/<slug:name>/download/<str:file>", views_download.release_file, name="release-file"),
    path("releases/<slug:name>/files/", views_download.release_files, name="release-files"),
    path("releases/<slug:name>/files/<path:path>", views_download.release_member, name="release-member"),
    path("releases/<slug:name>/links/", views_download.release_link, name="release-link"),
    path("releases/<slug:name>/downloads/", views_download.release_downloads, name="release-downloads"),
    path("releases/<slug:name>/publish/", views_keeping.publish, name="release-publish"),
    path("releases/<slug:name>/unpublish/", views_keeping.unpublish, name="release-unpublish"),
    path("releases/<slug:name>/remove-archive/", views_keeping.archive_remove, name="release-archive-remove"),
    path("get/<str:token>/", views_download.link_list, name="link-list"),
    path("get/<str:token>/files/<path:path>", views_download.link_member, name="link-member"),
    path("get/<str:token>/<str:file>", views_download.link_file, name="link-file"),
    path("public/<slug:name>/", views_public.public, name="public"),
    path("public/<slug:name>/download/<str:file>", views_public.public_file, name="public-file"),
    path("public/<slug:name>/files/", views_public.public_files, name="public-files"),
    path("public/<slug:name>/files/<path:path>", views_public.public_member, name="public-member"),
    path("public/<slug:name>/tiles/<int:position>/preview", views_public.public_preview, name="public-tile-preview"),
]

api_urlpatterns: list[URLPattern] = [
    path("releases/", api.Releases.as_view(), name="api-releases"),
    path("releases/dry-run/", api_plans.DryRun.as_view(), name="api-release-dry-run"),
    path("releases/<slug:name>/diff/<slug:other>/", api_plans.Differences.as_view(), name="api-release-diff"),
    path("releases/<slug:name>/files/", api_downloads.ReleaseMembers.as_view(), name="api-release-files"),
    path("releases/<slug:name>/links/", api_downloads.ReleaseLinks.as_view(), name="api-release-links"),
    path("releases/<slug:name>/", api.OneRelease.as_view(), name="api-release"),
]
