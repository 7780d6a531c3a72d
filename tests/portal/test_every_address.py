"""Every address of the site x every role. An address that is not in the table fails the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

ROLES = ("viewer", "annotator", "reviewer", "curator", "admin")


@dataclass(frozen=True)
class Address:
    """What a role that may use the address gets, and from which role on it may."""

    path: str
    least: str
    allowed: int = 200
    method: str = "get"
    data: dict[str, Any] = field(default_factory=dict)
    anonymous: int = 302


def api(path: str, least: str, allowed: int = 200, method: str = "get", **data: Any) -> Address:
    return Address(f"/api/v1/{path}", least, allowed, method, data, anonymous=401)


# Name of the address -> how it is tried. 404 and 409 say that the permission was passed: the thing is missing, or is
# not in a state for it. What an address does is tested elsewhere.
TABLE: dict[str, Address] = {}
OPEN = {"sign-in"}


def names(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace == "admin":
                continue
            yield from names(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield pattern.name or "", prefix + str(pattern.pattern)


def test_every_address_is_in_the_table() -> None:
    known = set(TABLE) | OPEN
    unlisted = [f"{name or 'without a name'}: {path}" for name, path in names(get_resolver().url_patterns) if name not in known]
    assert unlisted == []


def test_the_table_lists_no_address_that_is_gone() -> None:
    assert known_names() >= set(TABLE)


def known_names() -> set[str]:
    return {name for name, _path in names(get_resolver().url_patterns)}


def test_a_view_without_a_listed_address_would_be_found() -> None:
    from django.urls import path

    extra = path("secret/", lambda request: None, name="not-in-the-table")  # type: ignore[arg-type,return-value]
    found = [name for name, _path in names([*get_resolver().url_patterns, extra])]
    assert [name for name in found if name not in set(TABLE) | OPEN] == ["not-in-the-table"]


def request(client: Client, address: Address) -> int:
    call = getattr(client, address.method)
    if address.method == "get":
        return int(call(address.path).status_code)
    if address.path.startswith("/api/"):
        return int(call(address.path, data=address.data, content_type="application/json").status_code)
    return int(call(address.path, data=address.data).status_code)


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(TABLE))
def test_roles(name: str, signed_in: Callable[[str], Client], small_world: object) -> None:
    address = TABLE[name]
    assert request(Client(), address) == address.anonymous, "signed out"
    may = ROLES[ROLES.index(address.least) :]
    for role in ROLES:
        expected = address.allowed if role in may else 403
        assert request(signed_in(role), address) == expected, role


@pytest.mark.django_db
def test_administration_is_for_administrators(signed_in: Callable[[str], Client]) -> None:
    assert Client().get("/admin/").status_code == 302
    for role in ROLES[:-1]:
        assert signed_in(role).get("/admin/").status_code == 302, role
    admin = signed_in("admin")
    for page in ("", "accounts/user/", "accounts/user/add/", "tiles/area/", "tiles/job/"):
        assert admin.get(f"/admin/{page}").status_code in (200, 403), page
    assert admin.get("/admin/accounts/user/add/").status_code == 200
