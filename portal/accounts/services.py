"""Making people and giving them roles."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import transaction

from tiles.core.errors import BadInput, Conflict

from .models import User
from .roles import ADMIN, ROLES


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
