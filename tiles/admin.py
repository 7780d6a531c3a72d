"""Administration: people look, services write."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from .models import Area, Job


class ReadOnly(admin.ModelAdmin):
    """Shown, never changed here: every write goes through a service that checks, counts and logs."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Area)
class AreaAdmin(ReadOnly):
    list_display = ("slug", "name", "licence", "created_at")


@admin.register(Job)
class JobAdmin(ReadOnly):
    list_display = ("id", "title", "state", "created_at", "finished_at")
    list_filter = ("state", "kind")
