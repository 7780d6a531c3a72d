"""The pages of captions: who sees them, what they show, that they page, and that words stay words."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from captions.selectors import PAGE_SIZE
from captions.services import caption_rectify, caption_write_machine
from tests.support.factories import make_area, make_failed_tile, make_tile
from tiles.models import Area, TilePair

pytestmark = pytest.mark.django_db

EVIL = '<script>alert("x")</script> & <b>hill</b>'


@pytest.fixture
def area() -> Area:
    return make_area(name="Test Land")


@pytest.fixture
def tile(area: Area) -> TilePair:
    made = make_tile(area, 7, files=False, measures={"brightness": 0.231, "greenness": 0.5, "ndvi": None})
    made.layers["rgb"]["dtype"] = "uint8"
    made.save()
    return made


def rectify(tile: TilePair, by: Any, text: str, base: int = 0) -> None:
    caption_rectify(tile_id=tile.pk, text=text, base_version=base, by=by, client_id=uuid4())


def listed(page: str) -> list[int]:
    """Numbers of the tiles on a list page."""
    return [int(number) for number in re.findall(r"/captions/(\d+)/", page)]


@pytest.mark.parametrize("role", ["viewer", "annotator", "reviewer", "curator", "admin"])
def test_every_role_sees_them_and_annotators_edit(signed_in: Any, tile: TilePair, role: str) -> None:
    caption_write_machine(tile_id=tile.pk)
    client = signed_in(role)
    assert client.get("/captions/").status_code == 200
    answer = client.get("/areas/testland/captions/7/")
    assert answer.status_code == 200
    assert answer.context["page"]["can_edit"] is (role != "viewer")


def test_nobody_sees_them_signed_out(client: Any, tile: TilePair) -> None:
    for address in ("/captions/", "/areas/testland/captions/7/"):
        answer = client.get(address)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/sign-in/")


def test_what_is_not_there_is_404(signed_in: Any, tile: TilePair) -> None:
    client = signed_in("viewer")
    assert client.get("/areas/testland/captions/8/").status_code == 404
    assert client.get("/areas/nowhere/captions/7/").status_code == 404


class TestCaptionPage:
    def test_it_shows_the_picture_the_facts_and_the_neighbours(
        self, signed_in: Any, area: Area, tile: TilePair
    ) -> None:
        make_tile(area, 3, files=False)
        make_failed_tile(area, 8)
        make_tile(area, 11, files=False)
        page = signed_in("annotator").get("/areas/testland/captions/7/").content.decode()
        assert "/areas/testland/tiles/7/png?v=1" in page
        for shown in ("hills", "4.2°", "36.1400° N", "0.23"):
            assert shown in page
        tile.layers["rgb"]["dtype"] = "uint16"  # whose numbers begin and end nobody knows where
        tile.save()
        page = signed_in("annotator").get("/areas/testland/captions/7/").content.decode()
        assert "Brightness" not in page
        assert "Green share" not in page
        assert "NDVI" not in page
        assert listed(page.split("previous-tile")[1])[:2] == [3, 11]

    def test_words_are_escaped_in_the_data_of_the_page(self, signed_in: Any, tile: TilePair, person: Any) -> None:
        rectify(tile, person("annotator"), EVIL)
        page = signed_in("viewer").get("/areas/testland/captions/7/").content.decode()
        assert "<script>alert" not in page
        found = re.search(r'<script id="caption-page" type="application/json">(.*?)</script>', page)
        assert found
        assert json.loads(found[1])["caption"]["text"] == EVIL

    def test_a_tile_that_is_not_built_says_so(self, signed_in: Any, area: Area) -> None:
        make_failed_tile(area, 8)
        page = signed_in("annotator").get("/areas/testland/captions/8/").content.decode()
        assert "This tile has no picture: it is failed." in page


class TestList:
    def test_empty(self, signed_in: Any) -> None:
        assert "No captions yet" in signed_in("viewer").get("/captions/").content.decode()

    def test_newest_first_with_who_wrote_it(self, signed_in: Any, area: Area, person: Any) -> None:
        tiles = [make_tile(area, index, files=False) for index in range(3)]
        for tile in tiles:
            caption_write_machine(tile_id=tile.pk)
        rectify(tiles[1], person("annotator", "ann"), "A valley.", 1)
        page = signed_in("viewer").get("/captions/").content.decode()
        assert listed(page) == [1, 2, 0]
        assert "by ann" in page
        assert page.count("by rules") == 2

    def test_words_are_escaped(self, signed_in: Any, tile: TilePair, person: Any) -> None:
        rectify(tile, person("annotator"), EVIL)
        page = signed_in("viewer").get("/captions/").content.decode()
        assert "<script>alert" not in page
        assert "&lt;b&gt;hill&lt;/b&gt;" in page

    def test_by_area_and_by_writer(self, signed_in: Any, area: Area, person: Any) -> None:
        here, there = make_tile(area, 1, files=False), make_tile(make_area("elsewhere"), 2, files=False)
        for tile in (here, there):
            caption_write_machine(tile_id=tile.pk)
        rectify(there, person("annotator"), "A valley.", 1)
        client = signed_in("viewer")
        shown = {
            query: listed(client.get(f"/captions/?{query}").content.decode())
            for query in ("area=testland", "origin=person", "area=testland&origin=person", "area=&origin=rules")
        }
        assert shown == {
            "area=testland": [1],
            "origin=person": [2],
            "area=testland&origin=person": [],
            "area=&origin=rules": [1],
        }

    @pytest.mark.parametrize("query", ["area=nowhere", "origin=cat", "after=zzz"])
    def test_a_filter_that_makes_no_sense_is_said(self, signed_in: Any, query: str) -> None:
        assert signed_in("viewer").get(f"/captions/?{query}").status_code == 400

    def test_pages_meet_and_keep_the_filter(self, signed_in: Any, area: Area) -> None:
        for index in range(PAGE_SIZE + 5):
            caption_write_machine(tile_id=make_tile(area, index, files=False).pk)
        client = signed_in("viewer")
        first = client.get("/captions/?area=testland")
        older = re.search(r'href="(\?area=testland&amp;after=[^"]+)"', first.content.decode())
        assert older
        second = client.get("/captions/" + older[1].replace("&amp;", "&"))
        numbers = listed(first.content.decode()) + listed(second.content.decode())
        assert numbers == list(range(PAGE_SIZE + 4, -1, -1))
        assert "before=" in second.content.decode()
        assert "after=" not in second.content.decode()

    def test_the_cost_does_not_grow_with_the_table(
        self, signed_in: Any, area: Area, django_assert_num_queries: Any
    ) -> None:
        client = signed_in("viewer")
        caption_write_machine(tile_id=make_tile(area, 0, files=False).pk)
        client.get("/captions/")
        with CaptureQueriesContext(connection) as one:
            client.get("/captions/")
        for index in range(1, 20):
            caption_write_machine(tile_id=make_tile(area, index, files=False).pk)
        with django_assert_num_queries(len(one)) as many:
            client.get("/captions/")
        assert not [query for query in many.captured_queries if "COUNT" in query["sql"] and "captions" in query["sql"]]


class TestSearch:
    def test_the_words_are_marked_and_stay_words(self, signed_in: Any, tile: TilePair, person: Any) -> None:
        rectify(tile, person("annotator"), EVIL)

        page = signed_in("viewer").get("/captions/", {"q": "hill"}).content.decode()

        assert "1 caption found, the most relevant first" in page
        assert "&lt;b&gt;<mark>hill</mark>&lt;/b&gt;" in page
        assert "<script>alert" not in page

    def test_nothing_found_says_what_to_do(self, signed_in: Any, tile: TilePair) -> None:
        page = signed_in("viewer").get("/captions/", {"q": "glacier"}).content.decode()
        assert "Look for fewer or other words" in page

    def test_a_search_that_cannot_be_one_keeps_what_was_typed(self, signed_in: Any) -> None:
        page = signed_in("viewer").get("/captions/", {"q": '"steep'}).content.decode()
        assert "A phrase has no end" in page
        assert 'value="&quot;steep"' in page

    def test_the_json_says_the_same(self, signed_in: Any, area: Area, tile: TilePair, person: Any) -> None:
        rectify(tile, person("annotator"), "Hills and a river.")

        found = signed_in("viewer").get("/api/v1/captions/", {"q": "river", "area": area.slug}).json()

        assert (found["count"], found["capped"], found["after"]) == (1, False, "")
        assert found["items"][0]["index"] == tile.index
        assert found["items"][0]["parts"] == [["Hills and a ", False], ["river", True], [".", False]]
        assert signed_in("viewer").get("/api/v1/captions/").status_code == 400
