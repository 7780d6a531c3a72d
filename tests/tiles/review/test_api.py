"""The JSON of the review queue and of decisions, over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.support.factories import counters, make_area, make_failed_tile, make_tile, recount
from tiles.models import Area, ReviewDecision, TilePair
from tiles.models.choices import ReviewState

pytestmark = pytest.mark.django_db

TILES = "/api/v1/areas/testland/tiles/"
DECISIONS = "/api/v1/areas/testland/decisions/"


@pytest.fixture
def area() -> Area:
    area = make_area()
    for index in range(6):
        make_tile(area, index, files=False)
    make_failed_tile(area, 6)
    make_tile(area, 7, files=False, review_state=ReviewState.REJECTED, reason="cloud")
    return area


def body(number: int = 0, /, **more: Any) -> dict[str, Any]:
    tile = TilePair.objects.get(area__slug="testland", index=number)
    return {
        "client_id": str(uuid4()),
        "index": number,
        "verb": "approve",
        "seen": tile.layer_versions(),
        "seen_version": tile.version,
        **more,
    }


def post(client: Client, content: Any, **headers: str) -> Any:
    return client.post(DECISIONS, content, content_type="application/json", headers=headers)


def numbers(answer: Any) -> list[int]:
    return [item["index"] for item in answer.json()["items"]]


class TestQueue:
    def test_what_an_item_says(self, area: Area, signed_in: Any) -> None:
        answer = signed_in("viewer").get(TILES, {"state": "pending"})
        assert answer.status_code == 200
        assert answer.json()["counts"] == {
            **{"built": 7, "pending": 6, "approved": 0, "rejected": 1, "unsure": 0},
            **{"second": 0, "disputed": 0},
        }
        item = answer.json()["items"][3]
        assert item["name"] == "tile_3"
        assert item["layers"] == {"dem": 1, "dem255": 1, "png": 1, "preview": 1, "rgb": 1}
        assert item["urls"]["png"] == "/areas/testland/tiles/3/png?v=1"
        assert item["urls"]["dem255"] == "/areas/testland/tiles/3/dem255?v=1"
        files = {"png", "preview", "rgb.tif", "dem.tif", "dem255.tif"}
        assert set(item["urls"]) == files | {"dem255", "raw", "elevation", "colour", "colour-inferno"}
        assert (item["dem_file"], item["window"]) == ("testland.tif", [0, 192])
        assert (item["width"], item["landform"], item["flags"]) == (64, "hills", [])

    def test_flags_are_plain_words(self, area: Area, signed_in: Any) -> None:
        TilePair.objects.filter(area=area, index=0).update(flags=["flat", "constant_band"])
        item = signed_in("viewer").get(TILES).json()["items"][0]
        assert item["flags"] == ["flat: all heights are equal", "a colour band is constant"]

    @pytest.mark.parametrize(
        ("asked", "expected", "before", "after"),
        [
            ({"state": "pending"}, [0, 1, 2, 3, 4, 5], False, False),
            ({"state": "pending", "limit": 2}, [0, 1], False, True),
            ({"state": "pending", "limit": 2, "after": 1}, [2, 3], True, True),
            ({"state": "pending", "limit": 2, "before": 4}, [2, 3], True, True),
            ({"state": "pending", "limit": 2, "before": 2}, [0, 1], False, True),
            ({"state": "pending", "from": 4}, [4, 5], True, False),
            ({"from": 5}, [5, 7], True, False),
            ({"state": "rejected"}, [7], False, False),
            ({"reason": "cloud"}, [7], False, False),
            ({"state": "unsure"}, [], False, False),
        ],
    )
    def test_pages(self, area: Area, signed_in: Any, asked: Any, expected: Any, before: bool, after: bool) -> None:
        answer = signed_in("viewer").get(TILES, asked)
        assert numbers(answer) == expected
        assert (answer.json()["has_before"], answer.json()["has_after"]) == (before, after)

    @pytest.mark.parametrize(
        "asked", [{"state": "nice"}, {"reason": "ugly"}, {"limit": 0}, {"limit": 1000}, {"after": "x"}, {"from": -1}]
    )
    def test_bad_questions(self, area: Area, signed_in: Any, asked: Any) -> None:
        answer = signed_in("viewer").get(TILES, asked)
        assert answer.status_code == 400
        assert answer.json()["message"]

    def test_two_bounds_are_refused(self, area: Area, signed_in: Any) -> None:
        assert signed_in("viewer").get(TILES, {"after": 1, "before": 4}).status_code == 400

    def test_one_tile_with_its_log(self, area: Area, signed_in: Any) -> None:
        client = signed_in("reviewer")
        post(client, body(2, verb="unsure"))
        answer = client.get(f"{TILES}2/").json()
        assert (answer["index"], answer["state"]) == (2, "unsure")
        assert [(entry["verb"], entry["by"]) for entry in answer["decisions"]] == [("unsure", "reviewer")]
        assert client.get(f"{TILES}99/").status_code == 404

    @pytest.mark.parametrize(
        ("asked", "expected", "before", "after"),
        [
            ({}, [5, 2, 4, 0, 1, 3], False, False),
            ({"limit": 2}, [5, 2], False, True),
            ({"limit": 2, "after": 2}, [4, 0], True, True),
            ({"limit": 3, "after": 0}, [1, 3], True, False),
            ({"limit": 2, "before": 0}, [2, 4], True, True),
            ({"limit": 3, "before": 1}, [2, 4, 0], True, True),
            ({"limit": 2, "before": 2}, [5], False, True),
            ({"limit": 2, "from": 4}, [4, 0], True, True),
            ({"limit": 2, "after": 7}, [2, 4], True, True),
            ({"limit": 2, "after": 99}, [5, 2], False, True),
        ],
    )
    def test_the_most_doubtful_first(
        self, area: Area, signed_in: Any, asked: Any, expected: Any, before: bool, after: bool
    ) -> None:
        """Tiles of one score by number; a bound that the filter leaves out, tile 7, still has its place."""
        for index, score in {5: 0.9, 2: 0.4, 4: 0.4, 7: 0.7}.items():
            TilePair.objects.filter(area=area, index=index).update(score=score)
        answer = signed_in("viewer").get(TILES, {"state": "pending", "order": "score", **asked})
        assert numbers(answer) == expected
        assert (answer.json()["has_before"], answer.json()["has_after"]) == (before, after)

    def test_the_order_must_be_a_known_one(self, area: Area, signed_in: Any) -> None:
        assert signed_in("viewer").get(TILES, {"order": "beauty"}).status_code == 400

    def test_a_page_by_score_reads_no_more_rows_than_it_shows(self, area: Area, signed_in: Any) -> None:
        client = signed_in("viewer")
        client.get(TILES)
        counts = []
        for limit in (1, 3):
            with CaptureQueriesContext(connection) as queries:
                assert len(client.get(TILES, {"order": "score", "limit": limit, "after": 1}).json()["items"]) == limit
            counts.append(len(queries))
            paged = [query["sql"] for query in queries if "score" in query["sql"] and "ORDER BY" in query["sql"]]
            assert all("LIMIT" in sql for sql in paged)
        assert counts[0] == counts[1]

    def test_causes_are_plain_words(self, area: Area, signed_in: Any) -> None:
        causes = [("shift", 4.2), ("cloud", 0.234), ("duplicate", 1.0), ("spikes", 1), ("few_heights", 1.0)]
        TilePair.objects.filter(area=area, index=0).update(
            score=0.83,
            causes=[{"code": code, "severity": 0.5, "value": value} for code, value in causes],
            shift_px=4.2,
            duplicate_of=3,
            measures={"quality": {}},
        )
        first, second = signed_in("viewer").get(TILES).json()["items"][:2]
        assert (first["score"], first["shift_px"]) == (0.83, 4.2)
        assert first["causes"] == [
            "shift 4 px",
            "cloud 23 %",
            "duplicate of tile_3",
            "1 spike in the heights",
            "few heights",
        ]
        assert (second["score"], second["causes"], second["shift_px"]) == (None, [], None), "never measured"

    def test_queries_do_not_grow_with_rows(self, area: Area, signed_in: Any) -> None:
        client = signed_in("viewer")
        client.get(TILES)
        counts = []
        for limit in (2, 7):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert len(client.get(TILES, {"limit": limit}).json()["items"]) == limit
            counts.append(len(queries))
        # session, person, 2 x permissions, area, tiles, claims, flags, tags, comments, counters
        assert counts == [11, 11]


class TestDeciding:
    def test_each_verb(self, area: Area, signed_in: Any) -> None:
        client = signed_in("reviewer")
        asked = body(0)
        answer = post(client, asked)
        assert answer.status_code == 201
        assert answer.json()["decision"]["client_id"] == asked["client_id"]
        assert answer.json()["decision"]["version"] == 1
        assert answer.json()["counts"]["approved"] == 1
        assert post(client, body(1, verb="reject", reason="other", note="bird")).status_code == 201
        assert post(client, body(2, verb="unsure")).status_code == 201
        undo = {"client_id": str(uuid4()), "index": 0, "verb": "undo", "undoes": asked["client_id"]}
        answer = post(client, undo)
        assert answer.json()["decision"]["undoes"] == asked["client_id"]
        states = TilePair.objects.filter(area=area, index__lt=3).order_by("index").values_list("review_state", "reason")
        assert list(states) == [("pending", ""), ("rejected", "other"), ("unsure", "")]
        assert counters(area) == recount(area)

    def test_repeating_a_request(self, area: Area, signed_in: Any) -> None:
        client, asked = signed_in("reviewer"), body(0)
        first, second = post(client, asked), post(client, asked)
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json() == second.json()
        assert ReviewDecision.objects.count() == 1

    @pytest.mark.parametrize(
        ("role", "status"), [("viewer", 403), ("annotator", 403), ("reviewer", 201), ("curator", 201), ("admin", 201)]
    )
    def test_roles(self, area: Area, signed_in: Any, role: str, status: int) -> None:
        assert post(signed_in(role), body(0)).status_code == status

    def test_signed_out_is_401_and_json(self, area: Area, client: Client) -> None:
        for answer in (post(client, {}), client.get(TILES), client.get(DECISIONS), client.get(f"{TILES}1/")):
            assert answer.status_code == 401
            assert answer.json()["code"] == "not_authenticated"

    def test_without_a_csrf_token(self, area: Area, person: Any) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(person("reviewer"), backend="django.contrib.auth.backends.ModelBackend")
        assert post(client, body(0)).status_code == 403
        assert not ReviewDecision.objects.exists()

    def test_somebody_else_on_the_same_browser(self, area: Area, signed_in: Any, person: Any) -> None:
        client = signed_in("reviewer", "ann")
        answer = post(client, body(0), **{"X-Demeter-Person": str(person("reviewer", "bob").pk)})
        assert (answer.status_code, answer.json()["code"]) == (401, "other_person")
        assert not ReviewDecision.objects.exists()
        assert post(client, body(0), **{"X-Demeter-Person": str(person("reviewer", "ann").pk)}).status_code == 201

    def test_stale_is_409_with_what_stands_now(self, area: Area, signed_in: Any) -> None:
        asked = body(0)
        post(signed_in("reviewer", "bob"), body(0, verb="reject", reason="seam"))
        answer = post(signed_in("reviewer", "ann"), asked)
        assert (answer.status_code, answer.json()["code"]) == (409, "stale")
        current = answer.json()["current"]
        assert (current["state"], current["reason"], current["by"], current["version"]) == (
            "rejected",
            "seam",
            "bob",
            1,
        )

    @pytest.mark.parametrize(
        "wrong",
        [
            {"verb": "bless"},
            {"client_id": "1"},
            {"index": -1},
            {"verb": "reject"},
            {"verb": "reject", "reason": "other"},
            {"verb": "reject", "reason": "ugly"},
            {"verb": "undo"},
            {"seen": None},
            {"seen": {"png": "new"}},
            {"seen_version": None},
            {"note": "x" * 2001},
        ],
    )
    def test_bad_input(self, area: Area, signed_in: Any, wrong: Any) -> None:
        answer = post(signed_in("reviewer"), body(0, **wrong))
        assert answer.status_code == 400
        assert answer.json()["message"]
        assert not ReviewDecision.objects.exists()

    def test_unknown_places(self, area: Area, signed_in: Any) -> None:
        client = signed_in("reviewer")
        assert post(client, {**body(0), "index": 77}).status_code == 404
        answer = client.post("/api/v1/areas/nowhere/decisions/", body(0), content_type="application/json")
        assert answer.status_code == 404

    def test_queries_of_a_decision_do_not_grow_with_the_log(self, area: Area, signed_in: Any) -> None:
        client = signed_in("reviewer")
        for verb in ("approve", "unsure", "approve"):
            post(client, body(0, verb=verb))
        counts = []
        for verb in ("unsure", "approve", "unsure"):
            with CaptureQueriesContext(connection) as queries:
                assert post(client, body(0, verb=verb)).status_code == 201
            counts.append(len(queries))
        assert len(set(counts)) == 1


class TestMine:
    def test_own_entries_of_this_area_newest_first(self, area: Area, signed_in: Any) -> None:
        elsewhere = make_area("elsewhere")
        make_tile(elsewhere, 0, files=False)
        ann, bob = signed_in("reviewer", "ann"), signed_in("reviewer", "bob")
        post(ann, body(0))
        post(bob, body(1))
        rejected = body(2, verb="reject", reason="void")
        post(ann, rejected)
        post(ann, {"client_id": str(uuid4()), "index": 2, "verb": "undo", "undoes": rejected["client_id"]})
        ann.post("/api/v1/areas/elsewhere/decisions/", body(0), content_type="application/json")
        answer = ann.get(DECISIONS, {"mine": 1}).json()
        assert [(entry["index"], entry["verb"]) for entry in answer["items"]] == [
            (2, "undo"),
            (2, "reject"),
            (0, "approve"),
        ]
        assert answer["today"] == {"verbs": {"approve": 1}, "capped": False}
