"""Addresses of the ground truth: areas, builds, review, layer files, and their JSON."""

from __future__ import annotations

from django.urls import URLPattern, path

from tiles.views import areas

urlpatterns: list[URLPattern] = [
    path("areas/<slug:slug>/", areas.area, name="area"),
    path("areas/<slug:slug>/settings/", areas.area_settings, name="area-settings"),
]

api_urlpatterns: list[URLPattern] = []
