"""People and their roles are kept here."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group

from .models import User

admin.site.site_header = admin.site.site_title = "Demeter administration"
admin.site.unregister(Group)  # roles are fixed in portal.accounts.roles


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """Users with a role. What only a superuser may hand out is shown to a superuser only."""

    list_display = ("username", "display_name", "is_active", "last_login")
    fieldsets = (
        (None, {"fields": ("username", "password", "display_name", "email")}),
        ("Role", {"fields": ("groups", "is_active")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "display_name", "usable_password", "password1", "password2", "groups")}),
    )
    filter_horizontal = ()
