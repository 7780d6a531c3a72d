"""Captions as JSON: who may, what comes back, and what a script sees when it goes wrong."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from captions.models import Caption, CaptionRevision
from captions.selectors import HISTORY_SIZE, MOST_AT_ONCE, newest_revisions
from captions.services import caption_rectify, caption_write_machine
from tests.support.factories import make_area, make_tile
from tiles.models import Area, TilePair

pytestmark = pytest.mark.django_db

BASE = "/api/v1/areas/testland/tiles/7/caption/"


@pytest.fixture
def area() -> Area:
    return make_area()


@pytest.fixture(autouse=True)
def tile(area: Area) -> TilePair:
    return make_tile(area, 7, files=False)


def put(client: Client, text: str, base: int, **more: Any) -> Any:
    body = {"text": text, "base_version": base, "client_id": str(uuid4())} | more
    return client.put(BASE, body, content_type="application/json")


def restore(client: Client, number: int, base: int) -> Any:
    body = {"number": number, "base_version": base, "client_id": str(uuid4())}
    return client.post(f"{BASE}restore/", body, content_type="application/json")


class TestRoles:
    @pytest.mark.parametrize("role", ["viewer", "annotator", "reviewer", "curator", "admin"])
    def test_everybody_who_is_signed_in_reads(self, signed_in: Any, role: str) -> None:
        client = signed_in(role)
        for address in (BASE, f"{BASE}revisions/", "/api/v1/areas/testland/captions/?index=7"):
            assert client.get(address).status_code == 200

    @pytest.mark.parametrize(
        ("role", "status"), [("viewer", 403), ("annotator", 200), ("reviewer", 200), ("curator", 200), ("admin", 200)]
    )
    def test_annotators_and_above_write(self, signed_in: Any, role: str, status: int) -> None:
        client = signed_in(role)
        assert put(client, "A valley.", 0).status_code == status
        put(client, "A gorge.", 1)
        assert restore(client, 1, 2).status_code == status
        assert CaptionRevision.objects.count() == (3 if status == 200 else 0)

    def test_somebody_signed_out_gets_401_as_json(self, client: Client) -> None:
        answers = [client.get(BASE), put(client, "A valley.", 0), restore(client, 1, 0)]
        for answer in answers:
            assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    def test_a_draft_is_not_saved_as_somebody_elses(self, signed_in: Any, person: Any) -> None:
        client = signed_in("annotator")
        body = {"text": "A valley.", "base_version": 0, "client_id": str(uuid4())}
        answer = client.put(BASE, body, content_type="application/json", headers={"X-Demeter-Person": "999"})
        assert (answer.status_code, answer.json()["code"]) == (401, "other_person")
        own = {"X-Demeter-Person": str(person("annotator").pk)}
        assert client.put(BASE, body, content_type="application/json", headers=own).status_code == 200


class TestCaption:
    def test_none_yet(self, signed_in: Any) -> None:
        assert signed_in("viewer").get(BASE).json() == {
            "index": 7,
            "version": 0,
            "text": "",
            "origin": "",
            "author": None,
            "at": None,
            "components": {},
            "prompt": "",
            "state": "unread",
            "flagged": False,
            "doubt": 0.0,
            "findings": [],
        }

    def test_the_rules(self, signed_in: Any, tile: TilePair) -> None:
        caption_write_machine(tile_id=tile.pk)
        found = signed_in("viewer").get(BASE).json()
        assert (found["version"], found["origin"], found["author"]) == (1, "rules", None)
        assert found["text"] == Caption.objects.get().text

    def test_a_save_answers_with_what_stands_now(self, signed_in: Any) -> None:
        client = signed_in("annotator")
        saved = put(client, " A valley. ", 0).json()
        assert saved == client.get(BASE).json()
        assert (saved["version"], saved["text"], saved["origin"]) == (1, "A valley.", "person")
        assert saved["author"] == "annotator"

    def test_a_stale_save_carries_both_texts(self, signed_in: Any) -> None:
        put(signed_in("annotator", "ann"), "A valley.", 0)
        answer = put(signed_in("annotator", "bob"), "A gorge.", 0)
        assert answer.status_code == 409
        body = answer.json()
        assert body["code"] == "stale"
        assert (body["current"]["text"], body["current"]["author"], body["yours"]) == ("A valley.", "ann", "A gorge.")
        assert body["diff"] == [["same", "A "], ["removed", "valley"], ["added", "gorge"], ["same", "."]]

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"text": "A valley.", "base_version": -1},
            {"text": "A valley.", "base_version": 0, "client_id": "mine"},
            {"text": None, "base_version": 0},
            {"text": "\x00", "base_version": 0},
            ["A valley."],
        ],
    )
    def test_a_body_of_another_shape_is_refused(self, signed_in: Any, body: Any) -> None:
        if isinstance(body, dict):
            body = {"client_id": str(uuid4())} | body
        answer = signed_in("annotator").put(BASE, body, content_type="application/json")
        assert answer.status_code == 400
        assert not Caption.objects.exists()

    def test_a_bad_text_gets_a_sentence(self, signed_in: Any) -> None:
        answer = put(signed_in("annotator"), "  ", 0)
        assert (answer.status_code, answer.json()["code"]) == (400, "empty")
        assert answer.json()["message"].startswith("A caption cannot be empty")

    @pytest.mark.parametrize("address", ["areas/testland/tiles/8/caption/", "areas/nowhere/tiles/7/caption/"])
    def test_what_is_not_there_is_404(self, signed_in: Any, address: str) -> None:
        client = signed_in("annotator")
        body = {"text": "A valley.", "base_version": 0, "client_id": str(uuid4())}
        assert client.get(f"/api/v1/{address}").status_code == 404
        assert client.put(f"/api/v1/{address}", body, content_type="application/json").status_code == 404
        assert client.get(f"/api/v1/{address}revisions/").status_code == 404

    def test_markup_is_only_text(self, signed_in: Any) -> None:
        client = signed_in("annotator")
        put(client, "<img src=x onerror=alert(1)>hill", 0)
        answer = client.get(BASE)
        assert answer["Content-Type"] == "application/json"
        assert answer.json()["text"] == "<img src=x onerror=alert(1)>hill"


class TestMany:
    def test_captions_by_number(
        self, signed_in: Any, area: Area, tile: TilePair, django_assert_max_num_queries: Any
    ) -> None:
        client = signed_in("viewer")
        caption_write_machine(tile_id=tile.pk)
        make_tile(area, 8, files=False)
        make_tile(make_area("elsewhere"), 9, files=False)
        with django_assert_max_num_queries(8):
            items = client.get("/api/v1/areas/testland/captions/?index=8,7,9").json()["items"]
        assert [(item["index"], item["version"]) for item in items] == [(7, 1), (8, 0)]
        assert items[0] == client.get(BASE).json()

    def test_the_cost_does_not_grow_with_the_page(
        self, signed_in: Any, area: Area, tile: TilePair, django_assert_num_queries: Any
    ) -> None:
        client = signed_in("viewer")
        for index in range(20, 30):
            caption_write_machine(tile_id=make_tile(area, index, files=False).pk)
        client.get(BASE)
        with CaptureQueriesContext(
            connection,
        ) as one:
            client.get("/api/v1/areas/testland/captions/?index=20")
        with django_assert_num_queries(len(one)):
            client.get("/api/v1/areas/testland/captions/?index=" + ",".join(map(str, range(20, 30))))

    @pytest.mark.parametrize(
        "asked", ["", "?index=", "?index=a", "?index=1,-2", "?index=²", "?index=99999999999999999999"]
    )
    def test_numbers_that_are_none_are_refused(self, signed_in: Any, asked: str) -> None:
        assert signed_in("viewer").get(f"/api/v1/areas/testland/captions/{asked}").status_code == 400

    def test_no_more_than_a_page(self, signed_in: Any) -> None:
        numbers = ",".join(map(str, range(MOST_AT_ONCE + 1)))
        assert signed_in("viewer").get(f"/api/v1/areas/testland/captions/?index={numbers}").status_code == 400


class TestHistory:
    def test_every_revision_with_its_word_diff(self, signed_in: Any) -> None:
        client = signed_in("annotator")
        put(client, "A valley.", 0)
        put(client, "A green valley.", 1)
        restore(client, 1, 2)
        history = client.get(f"{BASE}revisions/").json()
        assert history["next"] is None
        assert [revision["number"] for revision in history["revisions"]] == [3, 2, 1]
        assert [revision["restores"] for revision in history["revisions"]] == [1, None, None]
        assert history["revisions"][1]["diff"] == [["same", "A"], ["added", " green"], ["same", " valley."]]
        assert history["revisions"][2]["diff"] == [["added", "A valley."]]
        assert history["revisions"][0]["author"] == "annotator"

    def test_it_comes_in_pages_that_meet(self, signed_in: Any, tile: TilePair, person: Any) -> None:
        by = person("annotator")
        total = HISTORY_SIZE + 3
        for number in range(total):
            caption_rectify(tile_id=tile.pk, text=f"Hill {number}.", base_version=number, by=by, client_id=uuid4())
        client = signed_in("viewer")
        first = client.get(f"{BASE}revisions/").json()
        second = client.get(f"{BASE}revisions/?below={first['next']}").json()
        numbers = [revision["number"] for revision in first["revisions"] + second["revisions"]]
        assert numbers == list(range(total, 0, -1))
        assert second["next"] is None
        assert ["removed", str(total - HISTORY_SIZE - 1)] in first["revisions"][-1]["diff"]
        assert client.get(f"{BASE}revisions/?below=x").status_code == 400


def test_the_newest_revisions_of_many_tiles(area: Area, tile: TilePair, person: Any) -> None:
    other = make_tile(area, 8, files=False)
    bare = make_tile(area, 9, files=False)
    caption_write_machine(tile_id=tile.pk)
    caption_write_machine(tile_id=other.pk)
    mine = caption_rectify(tile_id=tile.pk, text="A valley.", base_version=1, by=person("annotator"), client_id=uuid4())
    found = newest_revisions([tile.pk, other.pk, bare.pk])
    assert set(found) == {tile.pk, other.pk}
    assert found[tile.pk] == mine
