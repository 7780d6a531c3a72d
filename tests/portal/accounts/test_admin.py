"""The administration: who may make whom."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from portal.accounts.models import User
from portal.accounts.roles import ROLES

pytestmark = pytest.mark.django_db

PASSWORD = "a-long-enough-word-7"
USERS = "/admin/accounts/user/"


def roles(*names: str) -> list[int]:
    return [Group.objects.get(name=name).pk for name in names]


def add(client: Client, username: str, role: str) -> User:
    asked = {"username": username, "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    answer = client.post(f"{USERS}add/", {**asked, "groups": roles(role)})
    assert answer.status_code == 302
    return User.objects.get(username=username)


@pytest.mark.parametrize("role", ROLES)
def test_a_user_made_here_has_the_role_and_signs_in(signed_in: Any, role: str) -> None:
    made = add(signed_in("admin"), "anna", role)
    assert [group.name for group in made.groups.all()] == [role]
    client = Client()
    assert client.post("/sign-in/", {"username": "anna", "password": PASSWORD}).status_code == 302
    assert client.get("/").status_code == 200
    assert client.get(f"{USERS}add/").status_code == (200 if role == "admin" else 302)


def test_who_loses_the_role_loses_the_administration(signed_in: Any, person: Any) -> None:
    other = person("admin", "other")
    changed = {"username": "other", "is_active": "on", "groups": roles("viewer")}
    assert signed_in("admin").post(f"{USERS}{other.pk}/change/", changed).status_code == 302
    other.refresh_from_db()
    assert not other.is_staff
    assert signed_in("viewer", "other").get(USERS).status_code == 302


def test_an_admin_cannot_make_anybody_a_superuser(signed_in: Any, person: Any) -> None:
    client, other = signed_in("admin"), person("viewer")
    asked = {"username": "viewer", "is_active": "on", "is_superuser": "on", "is_staff": "on", "user_permissions": [1]}
    assert client.post(f"{USERS}{other.pk}/change/", {**asked, "groups": roles("viewer")}).status_code == 302
    other.refresh_from_db()
    assert not other.is_superuser
    assert not other.is_staff
    assert not other.user_permissions.exists()


def test_an_admin_cannot_take_over_a_superuser(signed_in: Any) -> None:
    root = User.objects.create_superuser("root", password=PASSWORD)
    client = signed_in("admin")
    new = {"password1": "another-word-9-x", "password2": "another-word-9-x", "usable_password": "true"}
    assert client.post(f"{USERS}{root.pk}/password/", new).status_code == 403
    assert client.post(f"{USERS}{root.pk}/change/", {"username": "mine", "is_active": "on"}).status_code == 403
    root.refresh_from_db()
    assert root.username == "root"
    assert root.check_password(PASSWORD)
