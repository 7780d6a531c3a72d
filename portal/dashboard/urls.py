"""Addresses of what spans the whole dataset."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import views
from .schema import ApiDocs, ApiSchema

urlpatterns: list[URLPattern] = [
    path("", views.dashboard, name="dashboard"),
    path("review/", views.review_start, name="review-start"),
    path("help/", views.guide, name="help"),
]

api_urlpatterns: list[URLPattern] = [
    path("schema/", ApiSchema.as_view(), name="api-schema"),
    path("docs/", ApiDocs.as_view(), name="api-docs"),
]
