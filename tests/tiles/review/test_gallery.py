"""The gallery as the server sends it, its filter and orders, and the saved views."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.support.factories import make_area, make_failed_tile, make_tile
from tiles.core.errors import BadInput
from tiles.core.signals import area_built
from tiles.models import Area, SavedView, TilePair
from tiles.raster.curve import space_key
from tiles.review import selectors
from tiles.review.orders import ORDERS
from tiles.review.saved import view_save
from tiles.review.services import tiles_decide
from tiles.review.shuffle import Shuffle, bucket_of

pytestmark = pytest.mark.django_db

GALLERY = "/areas/testland/gallery/"
COUNT = "/api/v1/areas/testland/tiles/count/"
BULK = "/api/v1/areas/testland/bulk/"


@pytest.fixture
def area(data_folder: Any) -> Area:
    """Ten tiles: slopes repeat, every third has no shift."""
    area = make_area()
    for index in range(10):
        make_tile(
            area,
            index,
            files=False,
            slope=float(index // 2),
            shift_px=None if index % 3 == 0 else float(index),
            landform="plain" if index < 4 else "hill",
            flags=["flat"] if index == 5 else [],
            causes=[{"code": "cloud", "severity": 0.5, "value": 0.5}] if index == 6 else [],
            # A square of nine cells, gone through row by row; tile 9 has no place.
            lon=None if index == 9 else 15 + index % 3,
            lat=None if index == 9 else 36 + index // 3,
            duplicate_of={7: 2, 9: 7, 6: 1}.get(index),
        )
    area_built.send(sender=Area, area_id=area.pk)
    make_failed_tile(area, 10)
    return area


def numbers(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [int(index) for index in re.findall(r'data-index="(\d+)"', answer.content.decode())]


def count_of(client: Client, **asked: Any) -> int:
    answer = client.get(COUNT, asked)
    assert answer.status_code == 200, answer.content
    return int(answer.json()["count"])


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ({"slope_from": 1, "slope_to": 2}, [2, 3, 4, 5]),
        ({"slope_from": 1, "landform": "hill"}, [4, 5, 6, 7, 8, 9]),
        ({"shift_px_from": 0}, [1, 2, 4, 5, 7, 8]),
        ({"flag": "flat"}, [5]),
        ({"cause": "cloud"}, [6]),
        ({"failure": "void"}, [10]),
        ({"failure": "crashed"}, []),
        ({"q": "tile_4"}, [4]),
        ({"q": "TESTLAND.tif", "index_from": 8}, [8, 9]),
        ({"q": "nothing"}, []),
        ({"order": "-number"}, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        ({"order": "slope"}, [8, 9, 6, 7, 4, 5, 2, 3, 0, 1]),
        ({"order": "-slope"}, [1, 0, 3, 2, 5, 4, 7, 6, 9, 8]),
        ({"order": "shift"}, [8, 7, 5, 4, 2, 1, 0, 3, 6, 9]),
        ({"order": "-shift", "index_from": 3}, [4, 5, 7, 8, 3, 6, 9]),
        ({"order": "twins"}, [1, 6, 2, 7, 9, 0, 3, 4, 5, 8]),
        ({"order": "-twins"}, [9, 7, 2, 6, 1, 0, 3, 4, 5, 8]),
    ],
)
def test_filters_and_orders(area: Area, signed_in: Any, asked: dict[str, Any], expected: list[int]) -> None:
    """The page, the JSON of tiles and the count read one filter; tiles without a value come last either way round."""
    client = signed_in("viewer")
    assert numbers(client.get(GALLERY, asked)) == expected
    listed = client.get("/api/v1/areas/testland/tiles/", {**asked, "limit": 50}).json()["items"]
    assert [item["index"] for item in listed] == expected
    assert count_of(client, **asked) == len(expected)


@pytest.mark.parametrize("order", ["", *ORDERS, "random"])
def test_pages_forth_and_back_miss_nothing(area: Area, order: str) -> None:
    """In every order, with values that repeat and values that are missing, and whatever the filter leaves out."""
    chosen: dict[str, Any] = {"order": {**ORDERS, "random": Shuffle(7)}[order]} if order else {}
    tiles = selectors.queue(area=area).exclude(index=4)
    whole = [tile.index for tile in selectors.queue_page(tiles=tiles, size=50, **chosen).tiles]
    assert sorted(whole) == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    pages, page = [], selectors.queue_page(tiles=tiles, size=2, **chosen)
    while True:
        pages.append([tile.index for tile in page.tiles])
        if not page.has_after:
            break
        page = selectors.queue_page(tiles=tiles, size=2, after=pages[-1][-1], **chosen)
    assert [index for numbers in pages for index in numbers] == whole
    for earlier, later in pairwise(pages):
        back = selectors.queue_page(tiles=tiles, size=2, before=later[0], **chosen)
        assert [tile.index for tile in back.tiles] == earlier
        assert back.has_before == (earlier != pages[0])


@pytest.mark.parametrize("order", [name for name in ORDERS if not name.startswith("-")])
def test_every_order_is_read_through_an_index(area: Area, order: str) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("a few rows are sorted in memory by PostgreSQL, whatever indexes there are")
    for run in ORDERS[order].runs(selectors.queue(area=area))[:1]:
        plan = run[:5].explain()
        assert "USING INDEX" in plan
        assert "TEMP B-TREE" not in plan


class TestRandomOrder:
    """The same seed gives the same order, another one another, and a page costs what it shows."""

    @pytest.fixture
    def tiles(self, data_folder: Any) -> Any:
        area = make_area()
        TilePair.objects.bulk_create(TilePair(area=area, index=index, build_state="built") for index in range(600))
        return selectors.queue(area=area)

    def order(self, tiles: Any, seed: int, size: int = 60) -> list[int]:
        return [tile.index for tile in selectors.queue_page(tiles=tiles, size=size, order=Shuffle(seed)).tiles]

    def test_seeds_give_orders_of_their_own(self, tiles: Any) -> None:
        one, other = self.order(tiles, 7), self.order(tiles, 8)
        assert one == self.order(tiles, 7)
        assert len({*one, *other}) > 100, "of 60 tiles each, chance puts 6 into both"
        following = set(pairwise(one))
        assert not following & set(pairwise(other))
        assert abs(sum(one) / 60 - 300) < 75, "from all over the area: three and a half standard errors"

    def test_the_database_puts_tiles_where_the_order_looks(self, tiles: Any) -> None:
        places = dict(tiles.values_list("index", "bucket"))
        assert places == {index: bucket_of(index) for index in range(600)}
        assert len(set(places.values())) > 500, "spread over the buckets"

    def test_a_page_reads_few_rows_through_the_index(self, tiles: Any) -> None:
        tiles.filter(index=5).update(water_share=1)
        with CaptureQueriesContext(connection) as asked:
            page = selectors.queue_page(tiles=tiles.filter(water_share=1), size=5, order=Shuffle(1))
        assert [tile.index for tile in page.tiles] == [5]
        assert len(asked) < 16, "all buckets in ever greater looks"
        if connection.vendor == "sqlite":
            looks = [query["sql"] for query in asked.captured_queries if "bucket" in query["sql"].split("FROM")[0]]
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {looks[0]}")
                assert "tile_by_bucket" in str(cursor.fetchall())

    def test_by_address(self, tiles: Any, signed_in: Any) -> None:
        client = signed_in("viewer")
        asked = {"order": "random", "seed": 7}
        shown = numbers(client.get(GALLERY, asked))
        assert shown == self.order(tiles, 7)
        items = client.get("/api/v1/areas/testland/tiles/", {**asked, "after": shown[3], "limit": 5}).json()["items"]
        assert [item["index"] for item in items] == shown[4:9]
        assert client.get(GALLERY, {"order": "random", "seed": "many"}).status_code == 400


def test_neighbours_come_together(data_folder: Any) -> None:
    """Along the curve through a square of 8 x 8 tiles most steps lead to a tile beside the last one."""
    area = make_area()
    rows = [divmod(index * 37 % 64, 8) for index in range(64)]
    TilePair.objects.bulk_create(
        TilePair(area=area, index=index, build_state="built", space=space_key(15 + col / 100, 36 + row / 200))
        for index, (row, col) in enumerate(rows)
    )
    page = selectors.queue_page(tiles=selectors.queue(area=area), size=100, order=ORDERS["space"])
    places = [rows[tile.index] for tile in page.tiles]
    steps = [abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in pairwise(places)]
    assert len(places) == 64
    assert sum(step == 1 for step in steps) >= 45, "by number it would be 0"


def test_who_decided_and_when(area: Area, signed_in: Any, person: Any) -> None:
    client, by = signed_in("reviewer"), person("reviewer")
    seen = dict(TilePair.objects.filter(area=area, index__in=(1, 2)).values_list("pk", "version"))
    tiles_decide(area=area, seen=seen, verb="reject", reason="cloud", by=by, action=uuid4())
    today = timezone.localdate().isoformat()
    assert numbers(client.get(GALLERY, {"decided_by": by.pk})) == [1, 2]
    assert count_of(client, reason="cloud", decided_from=today, decided_to=today) == 2
    assert count_of(client, decided_to="2001-01-01") == 0
    assert client.get(COUNT, {"decided_to": "9999-12-31"}).status_code == 400


def test_counts_are_capped_and_exact_on_request(area: Area, signed_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "COUNT_LIMIT", 4)
    client = signed_in("viewer")
    assert {**client.get(COUNT).json(), "at": ""} == {"count": 4, "capped": True, "at": ""}
    assert {**client.get(COUNT, {"exact": 1}).json(), "at": ""} == {"count": 10, "capped": False, "at": ""}


def test_chips_take_one_part_away(area: Area, signed_in: Any) -> None:
    html = signed_in("viewer").get(GALLERY, {"state": "pending", "slope_from": "2", "order": "slope"}).content.decode()
    found = re.findall(r'<li><a href="\?([^"]*)"><span>([^<]*)</span>', html)
    assert found == [
        ("order=slope&amp;slope_from=2", "State: Pending"),
        ("state=pending&amp;order=slope", "Mean slope (degrees) from: 2"),
    ]


@pytest.mark.parametrize("asked", [{"slope_from": "steep"}, {"order": "beauty"}, {"after": "x"}, {"landform": "moon"}])
def test_a_filter_that_makes_no_sense_is_refused(area: Area, signed_in: Any, asked: dict[str, str]) -> None:
    assert signed_in("viewer").get(GALLERY, asked).status_code == 400


class TestBulk:
    def body(self, area: Area, *indexes: int, **more: Any) -> dict[str, Any]:
        tiles = area.tiles.filter(index__in=indexes).values("index", "version")
        return {"action": str(uuid4()), "verb": "approve", "tiles": list(tiles), **more}

    def post(self, client: Client, path: str, body: dict[str, Any]) -> Any:
        return client.post(path, data=body, content_type="application/json")

    def test_decide_and_undo(self, area: Area, signed_in: Any) -> None:
        client, body = signed_in("reviewer"), self.body(area, 1, 2)
        answer = self.post(client, BULK, body).json()
        assert (answer["done"], answer["stale"], answer["job"]) == (2, [], None)
        assert answer["counts"]["approved"] == 2
        undo = {"action": body["action"], "undo": str(uuid4())}
        assert self.post(client, f"{BULK}undo/", undo).json()["counts"]["approved"] == 0

    def test_all_that_match_become_a_job(self, area: Area, signed_in: Any) -> None:
        body = self.body(area, filter="landform=hill", seen_at=timezone.now().isoformat())
        del body["tiles"]
        answer = self.post(signed_in("reviewer"), BULK, body)
        assert answer.status_code == 202
        assert answer.json()["job"] == area.jobs.get(kind="bulk_decide").pk

    def test_what_is_refused(self, area: Area, signed_in: Any) -> None:
        client = signed_in("reviewer")
        wrong = [
            self.body(area),
            self.body(area, 1, filter=""),
            self.body(area, 1, verb="undo"),
            self.body(area, 1) | {"tiles": [{"index": 99, "version": 0}]},
        ]
        assert [self.post(client, BULK, body).status_code for body in wrong] == [400] * 4
        assert self.post(signed_in("viewer"), BULK, self.body(area, 1)).status_code == 403


class TestSavedViews:
    def test_keep_list_and_remove(self, area: Area, signed_in: Any) -> None:
        client, headers = signed_in("viewer"), {"HX-Request": "true"}
        asked = {"name": " Steep  ones ", "query": "order=slope&slope_from=2&after=4&nonsense=1"}
        answer = client.post(f"{GALLERY}views/", asked, headers=headers)
        assert 'href="/areas/testland/gallery/?order=slope&amp;slope_from=2">Steep ones</a>' in answer.content.decode()
        client.post(f"{GALLERY}views/", {**asked, "query": "state=pending"}, headers=headers)
        view = SavedView.objects.get()
        assert view.query == "state=pending"
        assert "Steep ones" not in signed_in("reviewer").get(GALLERY).content.decode(), "private until it is shared"
        client.post(f"{GALLERY}views/", {**asked, "shared": "on"}, headers=headers)
        assert "Steep ones" in signed_in("reviewer").get(GALLERY).content.decode()
        assert signed_in("reviewer").post(f"{GALLERY}views/{view.pk}/remove/").status_code == 404
        assert client.post(f"{GALLERY}views/{view.pk}/remove/", headers=headers).status_code == 200
        assert not SavedView.objects.exists()

    def test_for_one_area_or_for_every(self, area: Area, signed_in: Any, person: Any) -> None:
        make_area("elsewhere")
        view_save(area=area, name="Here only", query="", by=person("viewer"))
        view_save(area=area, name="Anywhere", query="", by=person("viewer"), everywhere=True)
        html = signed_in("viewer").get("/areas/elsewhere/gallery/").content.decode()
        assert "Anywhere" in html
        assert "Here only" not in html

    @pytest.mark.parametrize(("name", "query"), [(" ", ""), ("a\u202eb", ""), ("x" * 81, ""), ("x", "slope_from=no")])
    def test_what_is_refused(self, area: Area, person: Any, name: str, query: str) -> None:
        with pytest.raises(BadInput):
            view_save(area=area, name=name, query=query, by=person("viewer"))
