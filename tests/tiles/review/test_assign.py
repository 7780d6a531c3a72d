"""Ranges of an area and whose they are: what is refused, what the queue makes of them, how far everybody is."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.http import QueryDict
from django.test import Client

from tests.support.factories import make_area, make_tile
from tests.tiles.review.test_page import page_of
from tiles.core.errors import BadInput, NotAllowed, NotFound
from tiles.models import Area, Assignment, QueueEntry
from tiles.review import selectors
from tiles.review.assign import assignments_listed, range_assign, range_take_back
from tiles.review.queue import QueueFilter, queue_read
from tiles.review.services import tile_approve

pytestmark = pytest.mark.django_db
PEOPLE = "/areas/testland/people/"


@pytest.fixture
def area() -> Area:
    area = make_area()
    for index in range(10):
        make_tile(area, index, files=False)
    return area


@pytest.fixture
def ann(person: Any) -> Any:
    return person("reviewer", "ann")


@pytest.fixture
def curator(person: Any) -> Any:
    return person("curator")


def queue(area: Area, by: Any, query: str) -> list[int]:
    asked = QueueFilter(QueryDict(query), queryset=selectors.queue(area=area))
    return [tile.index for tile in queue_read(area=area, asked=asked, by=by).tiles]


def approve(area: Area, index: int, by: Any) -> None:
    tile = area.tiles.get(index=index)
    seen = {"seen": tile.layer_versions(), "seen_version": tile.version, "client_id": uuid4()}
    tile_approve(tile_id=tile.pk, by=by, **seen)


class TestAssigning:
    def test_it_is_in_the_log_and_can_be_taken_back(self, area: Area, ann: Any, curator: Any) -> None:
        made = range_assign(area=area, person=ann, first=2, last=4, by=curator)
        range_take_back(area=area, assignment_id=made.pk, by=curator)
        assert not Assignment.objects.exists()
        entries = [(entry.what, entry.by, entry.detail) for entry in QueueEntry.objects.order_by("id")]
        detail = {"person": ann.pk, "first": 2, "last": 4}
        assert entries == [("assign", curator, detail), ("unassign", curator, detail)]
        with pytest.raises(NotFound):
            range_take_back(area=area, assignment_id=made.pk, by=curator)

    @pytest.mark.parametrize(("first", "last"), [(0, 3), (3, 3), (6, 9), (0, 9), (4, 5)])
    def test_overlap_is_refused(self, area: Area, ann: Any, curator: Any, person: Any, first: int, last: int) -> None:
        range_assign(area=area, person=ann, first=3, last=6, by=curator)
        for who in (ann, person("reviewer", "bob")):
            with pytest.raises(BadInput, match="Tiles 3 to 6 are ann's already"):
                range_assign(area=area, person=who, first=first, last=last, by=curator)
        assert Assignment.objects.count() == 1

    def test_beside_each_other_and_in_other_areas(self, area: Area, ann: Any, curator: Any) -> None:
        for where, first, last in ((area, 3, 6), (area, 0, 2), (area, 7, 7), (make_area("elsewhere"), 0, 9)):
            range_assign(area=where, person=ann, first=first, last=last, by=curator)

    def test_nonsense_and_people_who_may_not(self, area: Area, ann: Any, curator: Any, person: Any) -> None:
        for first, last in ((5, 4), (-1, 4), (0, 10**10)):
            with pytest.raises(BadInput):
                range_assign(area=area, person=ann, first=first, last=last, by=curator)
        with pytest.raises(BadInput, match="may not review"):
            range_assign(area=area, person=person("viewer"), first=0, last=4, by=curator)
        with pytest.raises(NotAllowed):
            range_assign(area=area, person=ann, first=0, last=4, by=ann)


class TestMine:
    def test_only_ones_own_ranges(self, area: Area, ann: Any, curator: Any) -> None:
        for first, last in ((1, 2), (7, 8)):
            range_assign(area=area, person=ann, first=first, last=last, by=curator)
        for order in ("", "score", "slope"):
            assert sorted(queue(area, ann, f"state=queue&mine=1&order={order}")) == [1, 2, 7, 8]
        assert queue(area, ann, "state=pending&mine=1") == [1, 2, 7, 8]
        assert queue(area, curator, "state=queue&mine=1") == []
        assert queue(area, ann, "state=queue") == list(range(10))

    def test_second_looks_are_everybodys(self, area: Area, ann: Any, curator: Any, person: Any) -> None:
        Area.objects.update(policy="two")
        area.refresh_from_db()
        range_assign(area=area, person=ann, first=1, last=2, by=curator)
        approve(area, 9, person("reviewer", "bob"))
        approve(area, 1, ann)
        assert queue(area, ann, "state=queue&mine=1") == [2, 9]

    def test_the_page_begins_with_them(self, area: Area, signed_in: Any, person: Any, curator: Any) -> None:
        page = page_of(signed_in("reviewer").get("/areas/testland/review/"))
        assert "mine" not in page["filter"]
        range_assign(area=area, person=person("reviewer"), first=4, last=5, by=curator)
        page = page_of(signed_in("reviewer").get("/areas/testland/review/"))
        assert (page["filter"]["mine"], [item["index"] for item in page["first"]["items"]]) == ("1", [4, 5])
        page = page_of(signed_in("reviewer").get("/areas/testland/review/?mine="))
        assert [item["index"] for item in page["first"]["items"]] == list(range(10))


class TestProgress:
    def test_what_is_left_in_each_range(
        self, area: Area, ann: Any, curator: Any, django_assert_num_queries: Any, monkeypatch: Any
    ) -> None:
        range_assign(area=area, person=ann, first=0, last=5, by=curator)
        range_assign(area=area, person=curator, first=6, last=99, by=curator)
        for index in (0, 3, 9):
            approve(area, index, ann)
        with django_assert_num_queries(1):
            listed = [(str(each.person), each.built, each.left) for each in assignments_listed(area=area)]
        assert listed == [("ann", 6, 4), ("curator", 4, 3)]
        monkeypatch.setattr("tiles.review.assign.COUNT_LIMIT", 2)
        assert [each.built for each in assignments_listed(area=area)] == [3, 3], "not counted beyond the limit"


class TestThePage:
    def test_a_curator_assigns_and_takes_back(self, area: Area, ann: Any, signed_in: Any) -> None:
        client: Client = signed_in("curator")
        answer = client.post(f"{PEOPLE}assign/", {"person": ann.pk, "first": 0, "last": 4}, follow=True)
        assert "Tiles 0 to 4 are ann&#x27;s to review." in answer.content.decode()
        refused = client.post(f"{PEOPLE}assign/", {"person": ann.pk, "first": 4, "last": 6})
        assert refused.status_code == 400
        assert "Tiles 0 to 4 are ann&#x27;s already. Choose numbers beside them" in refused.content.decode()
        seen_by_ann = signed_in("reviewer", "ann").get(PEOPLE).content.decode()
        assert "curator assigned tiles 0 to 4 to ann" in seen_by_ann
        assert "Take back" not in seen_by_ann
        client.post(f"{PEOPLE}{Assignment.objects.get().pk}/take-back/")
        assert "No tiles are assigned" in client.get(PEOPLE).content.decode()

    def test_who_is_at_work(self, area: Area, ann: Any, signed_in: Any) -> None:
        signed_in("reviewer", "ann").get("/areas/testland/review/?order=-number")
        page = signed_in("viewer").get(PEOPLE).content.decode()
        assert "ann has 10 tiles, 0 to 9, until" in page
        assert "ann was handed 10 tiles, 0 to 9" in page
        assert "ann is looking at it, until" in signed_in("viewer").get("/areas/testland/gallery/").content.decode()

    def test_the_policy_is_set_on_the_settings_page(self, area: Area, signed_in: Any) -> None:
        client = signed_in("curator")
        assert "Two reviewers must agree" in client.get("/areas/testland/settings/").content.decode()
        asked = {"policy": "sampled", "second_look_percent": 20, "second_look_seed": 5}
        answer = client.post("/areas/testland/policy/", asked, follow=True).content.decode()
        assert "20 % of the tiles, by seed 5, need two" in answer
        area.refresh_from_db()
        assert (area.policy, area.second_look_percent, area.second_look_seed) == ("sampled", 20, 5)
        refused = client.post("/areas/testland/policy/", asked | {"second_look_percent": 0}, follow=True)
        assert "The policy was not changed" in refused.content.decode()


class TestOverJson:
    URL = "/api/v1/areas/testland/"

    def test_hand_out_hold_list_and_give_back(self, area: Area, signed_in: Any) -> None:
        one, two, page = signed_in("reviewer", "ann"), signed_in("reviewer", "bob"), str(uuid4())
        send = {"content_type": "application/json", "data": {"page": page}}
        first = one.post(f"{self.URL}queue/?state=queue&limit=3", **send).json()
        assert [item["index"] for item in first["items"]] == [0, 1, 2]
        assert first["until"]
        other = {"content_type": "application/json", "data": {"page": str(uuid4()), "tiles": [2, 3]}}
        assert [each["index"] for each in two.put(f"{self.URL}claims/", **other).json()["lost"]] == [2]
        seen = two.get(f"{self.URL}tiles/1/").json()
        assert seen["claim"]["by"] == "ann"
        tile = {"index": 1, "seen": seen["layers"], "seen_version": seen["version"], "verb": "approve"}
        refused = two.post(f"{self.URL}decisions/", {**tile, "client_id": str(uuid4())}, "application/json")
        assert (refused.status_code, refused.json()["code"], refused.json()["cause"]) == (409, "stale", "claim")
        made = {**tile, "client_id": str(uuid4()), "past_claim": True}
        assert two.post(f"{self.URL}decisions/", made, "application/json").status_code == 201
        items = two.get(f"{self.URL}claims/").json()["items"]
        assert [(item["by"], item["tiles"]) for item in items] == [("ann", [0, 2]), ("bob", [3])]
        assert one.delete(f"{self.URL}claims/?page={page}").json() == {"released": 2}
        assert one.get(f"{self.URL}tiles/0/").json()["claim"] is None

    def test_what_waits_because_of_you(self, area: Area, signed_in: Any) -> None:
        Area.objects.update(policy="two")
        one, two = signed_in("reviewer", "ann"), signed_in("reviewer", "bob")
        seen = one.get(f"{self.URL}tiles/0/").json()
        assert (seen["second_look"], seen["yours"]) == (True, False)
        asked = {"index": 0, "seen": seen["layers"], "seen_version": 0, "client_id": str(uuid4())}
        answer = one.post(
            f"{self.URL}decisions/", {**asked, "verb": "reject", "reason": "cloud"}, "application/json"
        ).json()
        assert (answer["yours"], answer["decision"]["to_state"], answer["decision"]["reason"]) == (
            True,
            "second",
            "cloud",
        )
        assert (answer["counts"]["second"], answer["counts"]["pending"]) == (1, 9)
        assert [client.get(f"{self.URL}tiles/0/").json()["yours"] for client in (one, two)] == [True, False]

    def test_somebody_else_is_signed_in(self, area: Area, signed_in: Any) -> None:
        answer = signed_in("reviewer").post(
            f"{self.URL}queue/", {"page": str(uuid4())}, "application/json", headers={"X-Demeter-Person": "0"}
        )
        assert answer.status_code == 401
