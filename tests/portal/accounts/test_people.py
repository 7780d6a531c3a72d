"""Sign-in, roles, one's own account, users by command."""

from __future__ import annotations

import io
import itertools
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client

from portal.accounts.models import User
from portal.accounts.roles import PERMISSIONS_OF, ROLES
from portal.accounts.services import user_create
from tiles.core import permissions
from tiles.core.errors import BadInput, Conflict

pytestmark = pytest.mark.django_db

PASSWORD = "a-long-enough-word-7"


def test_each_role_holds_all_of_the_role_below_and_more() -> None:
    for lower, higher in itertools.pairwise(ROLES):
        assert set(PERMISSIONS_OF[lower]) < set(PERMISSIONS_OF[higher])


def test_every_permission_we_name_exists_and_someone_holds_it() -> None:
    user = user_create(username="ada", password=PASSWORD, role="curator")
    assert [name for name in permissions.ALL if not user.has_perm(name)] == []


def test_a_viewer_may_look_and_no_more() -> None:
    user = user_create(username="vera", password=PASSWORD, role="viewer")
    held = {name for name in permissions.ALL if user.has_perm(name)}
    assert held == {permissions.VIEW_DATA, permissions.VIEW_RELEASES}


def test_an_unknown_role_and_a_taken_name_are_refused() -> None:
    with pytest.raises(BadInput, match="Roles: viewer"):
        user_create(username="x", password=PASSWORD, role="king")
    user_create(username="x", password=PASSWORD, role="viewer")
    with pytest.raises(Conflict, match="already"):
        user_create(username="x", password=PASSWORD, role="viewer")


def test_the_command_makes_a_user_who_can_sign_in(monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    call_command("create_user", "rosa", role="reviewer", password_stdin=True, stdout=io.StringIO())
    client = Client()
    answer = client.post("/sign-in/", {"username": "rosa", "password": PASSWORD})
    assert answer.status_code == 302
    assert User.objects.get(username="rosa").has_perm(permissions.REVIEW_TILES)


def test_the_command_refuses_a_poor_password(monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("1234\n"))
    with pytest.raises(CommandError, match="too short"):
        call_command("create_user", "rosa", role="reviewer", password_stdin=True)
    assert not User.objects.exists()


def test_signing_in_returns_to_the_page_that_was_asked_for() -> None:
    user_create(username="vera", password=PASSWORD, role="viewer")
    client = Client()
    answer = client.get("/help/")
    assert answer.status_code == 302
    assert answer["Location"] == "/sign-in/?next=/help/"
    answer = client.post("/sign-in/", {"username": "vera", "password": PASSWORD, "next": "/help/"})
    assert answer["Location"] == "/help/"


def test_signing_in_never_leads_off_the_site() -> None:
    user_create(username="vera", password=PASSWORD, role="viewer")
    answer = Client().post(
        "/sign-in/", {"username": "vera", "password": PASSWORD, "next": "https://elsewhere.example/"}
    )
    assert answer["Location"] == "/"


def test_many_wrong_passwords_lock_the_name_but_not_others() -> None:
    user_create(username="vera", password=PASSWORD, role="viewer")
    user_create(username="rosa", password=PASSWORD, role="viewer")
    for _ in range(8):
        Client().post("/sign-in/", {"username": "vera", "password": "wrong"})
    locked = Client().post("/sign-in/", {"username": "vera", "password": PASSWORD})
    assert locked.status_code == 429
    assert b"Too many wrong passwords" in locked.content
    assert Client().post("/sign-in/", {"username": "rosa", "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize(
    "headers",
    [{"X-Requested-With": "fetch"}, {"HX-Request": "true"}, {"Accept": "application/json"}],
)
def test_a_script_without_a_session_gets_401_as_json_and_no_redirect(headers: dict[str, str]) -> None:
    answer = Client().get("/", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authenticated"


def test_the_api_says_401_without_a_session() -> None:
    answer = Client().get("/api/v1/jobs/")
    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authenticated"


def test_changing_the_password_keeps_one_signed_in(signed_in: Any) -> None:
    client = signed_in("viewer")
    answer = client.post(
        "/account/",
        {"old_password": "viewer-pass-word-9", "new_password1": PASSWORD, "new_password2": PASSWORD},
    )
    assert answer.status_code == 302
    assert client.get("/account/").status_code == 200
    assert User.objects.get(username="viewer").check_password(PASSWORD)


def test_a_wrong_old_password_changes_nothing(signed_in: Any) -> None:
    client = signed_in("viewer")
    answer = client.post("/account/", {"old_password": "no", "new_password1": PASSWORD, "new_password2": PASSWORD})
    assert answer.status_code == 200
    assert not User.objects.get(username="viewer").check_password(PASSWORD)


def test_the_shown_name_can_be_changed(signed_in: Any) -> None:
    client = signed_in("viewer")
    client.post("/account/", {"display_name": "Vera V."})
    assert User.objects.get(username="viewer").shown_name == "Vera V."


def test_the_account_page_leaves_the_focus_at_its_top(signed_in: Any) -> None:
    assert "autofocus" not in signed_in("viewer").get("/account/").content.decode()


def test_signing_out_needs_a_post(signed_in: Any) -> None:
    client = signed_in("viewer")
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").status_code == 302
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    "names",
    [{"username": "ada\u202e"}, {"username": "a\u200fda"}, {"username": "ada", "display_name": "Ada\u2066 L."}],
    ids=["user name", "inside", "display name"],
)
def test_no_name_holds_an_invisible_character(names: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="invisible character"):
        user_create(**names, password=PASSWORD, role="viewer")
    assert not User.objects.exists()
