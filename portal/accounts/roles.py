"""Which role may do what. Roles are Django groups, made and mended after every migration."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission

from tiles.core import permissions

VIEWER, ANNOTATOR, REVIEWER, CURATOR, ADMIN = ROLES = ("viewer", "annotator", "reviewer", "curator", "admin")

_VIEW = (permissions.VIEW_DATA, permissions.VIEW_RELEASES)
_ANNOTATE = (*_VIEW, permissions.RECTIFY_CAPTIONS)
_REVIEW = (*_ANNOTATE, permissions.REVIEW_TILES)
_CURATE = (*_REVIEW, permissions.BUILD_AREA, permissions.MAKE_RELEASES)
_ADMINISTER = (*_CURATE, "accounts.view_user", "accounts.add_user", "accounts.change_user", "auth.view_group")

PERMISSIONS_OF = {VIEWER: _VIEW, ANNOTATOR: _ANNOTATE, REVIEWER: _REVIEW, CURATOR: _CURATE, ADMIN: _ADMINISTER}


def roles_sync(**_signal: Any) -> None:
    """Make the five groups hold exactly the permissions above. Runs on `post_migrate`."""
    for role, names in PERMISSIONS_OF.items():
        group, _ = Group.objects.get_or_create(name=role)
        wanted = [_permission(name) for name in names]
        group.permissions.set([permission for permission in wanted if permission])


def _permission(name: str) -> Permission | None:
    app, codename = name.split(".")
    return Permission.objects.filter(content_type__app_label=app, codename=codename).first()
