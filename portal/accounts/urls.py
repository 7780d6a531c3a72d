"""Sign-in, sign-out, change of password."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []

api_urlpatterns: list[URLPattern] = []
