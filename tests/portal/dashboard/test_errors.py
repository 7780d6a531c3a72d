"""Failures outside any view of ours."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.support.factories import make_area, make_tile
from tiles.models import TilePair

pytestmark = pytest.mark.django_db
SCRIPT = {"X-Requested-With": "fetch"}


def test_a_person_gets_a_page_that_leads_on(signed_in: Any) -> None:
    missing = signed_in("viewer").get("/no-such-page/")
    assert missing.status_code == 404
    assert "nothing at this address" in missing.content.decode()
    refused = signed_in("viewer").get("/areas/new/")
    assert refused.status_code == 403
    assert "Ask an administrator" in refused.content.decode()


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/no-such-page/", 404, "not_found"),
        ("/areas/nowhere/", 404, "not_found"),
        ("/api/v1/no-such-thing/", 404, "not_found"),
        ("/areas/new/", 403, "not_allowed"),
    ],
)
def test_a_script_gets_json_that_says_what_to_do(signed_in: Any, path: str, status: int, code: str) -> None:
    answer = signed_in("viewer").get(path, headers=SCRIPT)
    assert answer.status_code == status
    assert answer.json()["code"] == code
    assert answer.json()["message"].endswith(".")


def test_a_form_with_too_many_fields_is_refused_with_a_page(signed_in: Any) -> None:
    answer = signed_in("viewer").post("/account/", {f"field-{number}": "x" for number in range(1001)})
    assert answer.status_code == 400
    assert "could not make sense" in answer.content.decode()


@pytest.mark.parametrize("path", ["/areas/testland/captions/0/", "/api/v1/areas/testland/tiles/0/"])
def test_a_fault_of_ours_is_a_page_or_json_without_a_traceback(signed_in: Any, path: str) -> None:
    tile = make_tile(make_area(), 0, files=False)
    TilePair.objects.filter(pk=tile.pk).update(layers=["spoilt"])
    client: Client = signed_in("viewer")
    client.raise_request_exception = False
    page = client.get(path)
    assert page.status_code == 500
    assert "Traceback" not in page.content.decode()
    answer = client.get(path, headers=SCRIPT)
    assert (answer.status_code, answer.json()["code"]) == (500, "broken")


def test_a_body_nested_too_deeply_is_the_senders_fault(signed_in: Any) -> None:
    make_area()
    path = "/api/v1/areas/testland/decisions/"
    answer = signed_in("reviewer").post(path, "[" * 100_000, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["code"] == "parse_error"
