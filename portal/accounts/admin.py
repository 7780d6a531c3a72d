"""People and their roles are kept here."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from .models import User
from .services import user_admit

admin.site.site_header = admin.site.site_title = "Demeter administration"
admin.site.unregister(Group)  # roles are fixed in portal.accounts.roles


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """Users with a role. Nobody gets above the role admin here, and only a superuser touches a superuser."""

    list_display = ("username", "display_name", "is_active", "last_login")
    list_filter = ("groups", "is_active")
    fieldsets = (
        (None, {"fields": ("username", "password", "display_name", "email")}),
        ("Role", {"fields": ("groups", "is_active")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "display_name", "usable_password", "password1", "password2", "groups")}),
    )
    filter_horizontal = ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def save_related(self, request: HttpRequest, form: forms.BaseForm, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        user_admit(user=form.instance)  # type: ignore[attr-defined]
