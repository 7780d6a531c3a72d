"""Making people and giving them roles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction

from tiles.core.errors import BadInput, Conflict

from .models import User
from .roles import ADMIN, ROLES

PREFERENCES = frozenset({"keys", "viewer", "review", "gallery", "rectify"})
"""By page or part of a page; what lies under a name is the page's own business."""
PREFERENCES_BYTES = 16_384


@transaction.atomic
def user_create(*, username: str, password: str, role: str, display_name: str = "") -> User:
    """A person with one role. Raises BadInput for an unknown role, Conflict for a name that is taken."""
    if role not in ROLES:
        raise BadInput(f"There is no role {role!r}. Roles: {', '.join(ROLES)}.")
    if User.objects.filter(username=username).exists():
        raise Conflict(f"There is already a user {username!r}.")
    user = User(username=username, display_name=display_name)
    user.set_password(password)
    user.full_clean()
    user.save()
    user.groups.set([Group.objects.get(name=role)])
    user_admit(user=user)
    return user


def user_admit(*, user: User) -> None:
    """Open the administration to who holds the role admin, and close it to who does not any more."""
    user.is_staff = user.is_superuser or user.groups.filter(name=ADMIN).exists()
    user.save(update_fields=["is_staff"])


@transaction.atomic
def preferences_update(*, user: User, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Merge what the pages remember of a person, name by name; None forgets a name. Returns all of it.

    Raises BadInput for a name that no page uses, and when the whole grows beyond PREFERENCES_BYTES.
    """
    unknown = sorted(set(changes) - PREFERENCES)
    if unknown:
        raise BadInput(f"Nothing is remembered as {unknown[0][:40]!r}. Names: {', '.join(sorted(PREFERENCES))}.")
    locked = User.objects.select_for_update().get(pk=user.pk)
    merged = locked.preferences | dict(changes)
    locked.preferences = {name: value for name, value in merged.items() if value is not None}
    if len(json.dumps(locked.preferences)) > PREFERENCES_BYTES:
        raise BadInput("That is more than is remembered of a person. Forget some of it first.")
    locked.save(update_fields=["preferences"])
    return dict(locked.preferences)
