"""The review page as the server sends it: for whom, with what, and at what cost."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.support.factories import make_area, make_failed_tile, make_tile
from tiles.models import Area

pytestmark = pytest.mark.django_db

PAGE = "/areas/testland/review/"


@pytest.fixture
def area() -> Area:
    area = make_area(synthetic=True)
    for index in range(6):
        make_tile(area, index, files=False)
    return area


def page_of(answer: Any) -> Any:
    found = re.search(r'<script id="review-page" type="application/json">(.*?)</script>', answer.content.decode())
    assert found
    return json.loads(found[1])


def test_it_carries_its_first_tiles(area: Area, signed_in: Any, person: Any) -> None:
    answer = signed_in("reviewer").get(PAGE)
    page = page_of(answer)
    assert [item["index"] for item in page["first"]["items"]] == [0, 1, 2, 3, 4, 5]
    assert page["filter"] == {"state": "pending", "reason": "", "order": ""}
    assert page["person"] == {"id": person("reviewer").pk, "name": "reviewer"}
    assert page["can"] == {"decide": True, "caption": True}
    assert [reason["key"] for reason in page["reasons"]] == list("csvedmbfpto")
    table = base64.b64decode(page["tables"]["Spectral"])
    assert len(table) == 768
    assert list(table[:3]) == [94, 79, 162], "low ground is violet, as in the published depth maps"
    tiles = area.tiles.all()
    assert page["heights"] == [min(tile.dem_min for tile in tiles), max(tile.dem_max for tile in tiles)]
    assert b"synthetic" in answer.content


@pytest.mark.parametrize(
    ("role", "decide", "caption"), [("viewer", False, False), ("annotator", False, True), ("curator", True, True)]
)
def test_what_a_role_may(area: Area, signed_in: Any, role: str, decide: bool, caption: bool) -> None:
    answer = signed_in(role).get(PAGE)
    assert page_of(answer)["can"] == {"decide": decide, "caption": caption}
    assert (b'data-action="approve"' in answer.content) is decide


def test_only_the_reasons_of_the_area(area: Area, signed_in: Any) -> None:
    Area.objects.update(reasons=["seam", "cloud"])
    answer = signed_in("reviewer").get(PAGE)
    assert [reason["code"] for reason in page_of(answer)["reasons"]] == ["seam", "cloud"]
    assert b'data-reason="shadow"' not in answer.content


def test_names_are_escaped(signed_in: Any) -> None:
    area = make_area(name="</script><script>alert(1)</script>")
    make_tile(area, 0, files=False)
    answer = signed_in("reviewer").get(PAGE)
    assert b"<script>alert(1)" not in answer.content
    assert page_of(answer)["area"]["name"] == "</script><script>alert(1)</script>"


def test_from_a_number(area: Area, signed_in: Any) -> None:
    page = page_of(signed_in("reviewer").get(PAGE, {"tile": 4}))
    assert page["start"] == 4
    assert [item["index"] for item in page["first"]["items"]] == [4, 5]
    assert page["first"]["has_before"]


@pytest.mark.parametrize("asked", [{"tile": "x"}, {"tile": "-1"}, {"tile": "9" * 30}, {"state": "nice"}])
def test_bad_addresses_are_said(area: Area, signed_in: Any, asked: Any) -> None:
    assert signed_in("reviewer").get(PAGE, asked).status_code == 400


def test_an_area_without_tiles_and_none_at_all(signed_in: Any) -> None:
    make_failed_tile(make_area(), 0)
    answer = signed_in("curator").get(PAGE)
    assert answer.status_code == 200
    assert b"nothing to review here yet" in answer.content
    assert signed_in("curator").get("/areas/nowhere/review/").status_code == 404


def test_signed_out_and_without_the_permission(area: Area, client: Client, person: Any) -> None:
    assert "sign-in" in client.get(PAGE)["Location"]
    nobody = person("viewer")
    nobody.groups.clear()
    client.force_login(nobody, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(PAGE).status_code == 403


def test_queries_do_not_grow_with_tiles(area: Area, signed_in: Any) -> None:
    client = signed_in("reviewer")
    client.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    for index in range(6, 20):
        make_tile(area, index, files=False)
    client.get(PAGE)  # what is claimed for the first time goes into the log
    with CaptureQueriesContext(connection) as many:
        assert len(page_of(client.get(PAGE))["first"]["items"]) == 20
    assert len(few) == len(many) <= 22
