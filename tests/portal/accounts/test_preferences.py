"""What the pages remember of a person."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from portal.accounts.services import PREFERENCES_BYTES

URL = "/api/v1/me/preferences/"
JSON = "application/json"

pytestmark = pytest.mark.django_db


def test_changes_are_merged_by_name_and_kept(signed_in: Callable[[str], Client]) -> None:
    viewer = signed_in("viewer")

    viewer.patch(URL, {"keys": {"approve": "y"}}, JSON)
    viewer.patch(URL, {"viewer": {"layers": ["png", "slope"]}}, JSON)

    assert viewer.get(URL).json() == {"keys": {"approve": "y"}, "viewer": {"layers": ["png", "slope"]}}


def test_nobody_sees_what_is_remembered_of_somebody_else(signed_in: Callable[[str], Client]) -> None:
    signed_in("viewer").patch(URL, {"keys": {"approve": "y"}}, JSON)

    assert signed_in("reviewer").get(URL).json() == {}


def test_null_forgets_a_name(signed_in: Callable[[str], Client]) -> None:
    viewer = signed_in("viewer")
    viewer.patch(URL, {"keys": {"approve": "y"}, "review": {"columns": 2}}, JSON)

    assert viewer.patch(URL, {"keys": None}, JSON).json() == {"review": {"columns": 2}}


def test_what_no_page_remembers_is_refused(signed_in: Callable[[str], Client]) -> None:
    viewer = signed_in("viewer")

    assert "Nothing is remembered as 'colour'" in viewer.patch(URL, {"colour": 1}, JSON).json()["message"]
    assert viewer.patch(URL, [1], JSON).status_code == 400
    assert viewer.patch(URL, {"keys": "x" * PREFERENCES_BYTES}, JSON).status_code == 400
    assert viewer.get(URL).json() == {}
