"""The array of an area over HTTP: what the rows say, after whatever was done to them."""

from __future__ import annotations

import gzip
import json
import random
import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.support.factories import make_area, make_failed_tile, make_tile
from tiles.atlas import services
from tiles.atlas.records import LANDFORM_NAMES, MEASURES, REASONS, STATES
from tiles.build.record import tiles_plan_again
from tiles.models import Area, Atlas, AtlasBlock, AtlasChange, TilePair
from tiles.models.choices import BuildState
from tiles.review.services import decision_undo, tile_approve, tile_reject, tile_unsure

pytestmark = pytest.mark.django_db

ADDRESS = "/areas/testland/atlas/tiles"
TYPES = {"Uint32": "<u4", "Float32": "<f4", "Uint8": "u1"}


class Copy:
    """What a page has of an array, kept up to date as the page does it."""

    def __init__(self, client: Client) -> None:
        self.token = ""
        self.tiles: dict[int, dict[str, Any]] = {}
        self._client = client

    def fetch(self) -> int:
        """Ask for what has changed; returns how many tiles came."""
        answer = self._client.get(ADDRESS, {"since": self.token} if self.token else {})
        assert answer.status_code == 200
        header, came = decoded(answer.content)
        self.tiles = came if header["whole"] else self.tiles | came
        self.token = header["token"]
        return len(came)


def decoded(content: bytes) -> tuple[dict[str, Any], dict[int, dict[str, Any]]]:
    assert content[:8] == b"ATLAS1\0\0"
    size = int.from_bytes(content[8:12], "little")
    header = json.loads(content[12 : 12 + size])
    place, columns = 12 + size, {}
    for column in header["columns"]:
        kind = np.dtype(TYPES[column["type"]])
        assert place % kind.itemsize == 0, "a browser reads columns in place"
        values = np.frombuffer(content, kind, header["count"] * column["width"], place)
        columns[column["name"]] = values.reshape(header["count"], column["width"])
        place += values.nbytes
    assert place == len(content)
    rows = range(header["count"])
    tiles = [{name: _plain(values[row]) for name, values in columns.items()} for row in rows]
    return header, {tile["index"]: tile for tile in tiles}


def _plain(values: Any) -> Any:
    found = [None if np.isnan(value) else value for value in values.tolist()]
    return found[0] if len(found) == 1 else found


def said_by_rows(area: Area) -> dict[int, dict[str, Any]]:
    """The same from the rows themselves, one by one; corners are looked at elsewhere."""
    found = {}
    for tile in TilePair.objects.filter(area=area):
        built = tile.build_state == BuildState.BUILT
        found[tile.index] = {
            "index": tile.index,
            "picture": tile.layers.get("preview", {}).get("v", 0),
            "state": STATES.index(tile.review_state if built else tile.build_state),
            "reason": REASONS.index(tile.reason),
            "landform": LANDFORM_NAMES.index(tile.landform),
            **{
                name: None if getattr(tile, name) is None else float(np.float32(getattr(tile, name)))
                for name in MEASURES
            },
        }
        if not built:
            found[tile.index]["score"] = None
    return found


def without_corners(tiles: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {index: {name: value for name, value in tile.items() if name != "corners"} for index, tile in tiles.items()}


@pytest.fixture
def area() -> Area:
    area = make_area()
    for index in (0, 1, 2, 5, 1023, 1024, 3000):
        make_tile(area, index, files=False)
    make_failed_tile(area, 7)
    return area


@pytest.fixture
def verdict(area: Area, person: Callable[..., Any]) -> Callable[..., Any]:
    def decide(service: Callable[..., Any], index: int, **more: Any) -> Any:
        tile = TilePair.objects.get(area=area, index=index)
        seen = {"seen": tile.layer_versions(), "seen_version": tile.version}
        return service(tile_id=tile.pk, by=person("reviewer"), client_id=uuid4(), **seen, **more)

    return decide


class Steps:
    """What may happen to an area, drawn by lot."""

    def __init__(self, area: Area, verdict: Any, by: Any, chance: random.Random) -> None:
        self._area, self._verdict, self._by, self._chance = area, verdict, by, chance
        self._built = [0, 1, 2, 5, 1023, 1024, 3000]
        self._entries: list[Any] = []

    def any(self) -> None:
        judge, undo = self._judge, self._undo
        steps = [*(judge, judge, judge, undo, undo), self._measure, self._fail, self._rebuild, self._plan]
        self._chance.choice(steps)()

    def _judge(self) -> None:
        service = self._chance.choice([tile_approve, tile_reject, tile_unsure])
        more = {"reason": self._chance.choice(["cloud", "seam"])} if service is tile_reject else {}
        self._entries.append(self._verdict(service, self._chance.choice(self._built), **more))

    def _undo(self) -> None:
        """The last decision, unless it was undone or overruled."""
        last = self._entries.pop() if self._entries else None
        if last and last.tile.decisions.order_by("-id").first() == last:
            decision_undo(undoes=last.client_id, by=self._by, client_id=uuid4())

    def _measure(self) -> None:
        tiles = list(TilePair.objects.filter(area=self._area, build_state=BuildState.BUILT)[:4])
        for tile in tiles:
            tile.score = self._chance.random()
        TilePair.objects.bulk_update(tiles, ["score"], batch_size=2)

    def _fail(self) -> None:
        number = max(self._built) + 900
        make_failed_tile(self._area, number)
        with transaction.atomic():
            tiles_plan_again(self._area, ["void"])
        make_tile(self._area, number + 1, files=False)
        self._built.append(number + 1)

    def _rebuild(self) -> None:
        tile = TilePair.objects.get(area=self._area, index=self._chance.choice(self._built))
        preview = tile.layers.get("preview", {"v": 0, "sha256": ""})
        tile.layers = {**tile.layers, "preview": {**preview, "v": preview["v"] + 1}}
        tile.save(update_fields=["layers"])

    def _plan(self) -> None:
        number = max(self._built) + 500
        tiles = [TilePair(area=self._area, index=number + step, lon=15, lat=36) for step in range(3)]
        TilePair.objects.bulk_create(tiles)
        tile = TilePair.objects.get(area=self._area, index=number)
        tile.build_state = BuildState.BUILT
        tile.save()
        self._built.append(number)


def test_it_says_what_the_rows_say_after_any_sequence(area: Area, verdict: Any, signed_in: Any, person: Any) -> None:
    """Seeded steps, looked at now and then by one page that asks for changes and by one that has just come."""
    copy, chance = Copy(signed_in("viewer")), random.Random(5)
    steps = Steps(area, verdict, person("reviewer"), chance)
    for _ in range(40):
        steps.any()
        if chance.random() < 0.4:
            copy.fetch()
            assert without_corners(copy.tiles) == said_by_rows(area)
    copy.fetch()
    late = Copy(signed_in("viewer"))
    late.fetch()
    assert late.tiles == copy.tiles
    assert without_corners(late.tiles) == said_by_rows(area)
    assert len({tile["state"] for tile in late.tiles.values()}) >= 4


def test_only_what_changed_travels(area: Area, verdict: Any, signed_in: Any) -> None:
    copy = Copy(signed_in("viewer"))
    assert copy.fetch() == 8
    assert copy.fetch() == 0
    verdict(tile_reject, 1024, reason="cloud")
    assert copy.fetch() == 1
    assert copy.tiles[1024]["state"] == STATES.index("rejected")
    assert REASONS[copy.tiles[1024]["reason"]] == "cloud"


def test_a_tile_that_is_gone_is_gone_from_open_pages(area: Area, signed_in: Any) -> None:
    copy = Copy(signed_in("viewer"))
    copy.fetch()
    TilePair.objects.get(area=area, index=2).delete()
    TilePair.objects.filter(area=area, index=1023).delete()
    copy.fetch()
    assert sorted(copy.tiles) == [0, 1, 5, 7, 1024, 3000]


def test_an_area_older_than_its_atlas(area: Area, signed_in: Any) -> None:
    AtlasChange.objects.all().delete()
    copy = Copy(signed_in("viewer"))
    assert copy.fetch() == 8


def test_a_death_while_blocks_are_remade_loses_nothing(
    area: Area, verdict: Any, signed_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction of a process that died is rolled back; here its last statement raises instead."""
    copy = Copy(signed_in("viewer"))
    copy.fetch()
    verdict(tile_approve, 0)
    verdict(tile_approve, 3000)

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(services, "_forget", die)
        with pytest.raises(KeyboardInterrupt), transaction.atomic():
            services.atlas_refresh(area=area)
    assert copy.fetch() == 2
    assert without_corners(copy.tiles) == said_by_rows(area)


def test_places_are_metres_about_the_first_tile(signed_in: Any) -> None:
    area = make_area()
    ring = [[10.0, 60.0], [10.0, 59.9], [10.2, 59.9], [10.2, 60.0], [10.0, 60.0]]
    make_tile(area, 0, files=False, lon=10.0, lat=60.0, footprint=ring)
    shifted = [[lon + 0.2, lat] for lon, lat in ring]
    make_tile(area, 1, files=False, lon=10.2, lat=60.0, footprint=shifted)
    make_tile(area, 2, files=False, lon=-179.9, lat=60.0)
    copy = Copy(signed_in("viewer"))
    copy.fetch()
    wide = 0.2 * 111_320 * np.cos(np.radians(60))
    assert copy.tiles[0]["corners"] == pytest.approx([0, 0, 0, -11132, wide, -11132, wide, 0], abs=1)
    assert copy.tiles[1]["corners"][0] == pytest.approx(wide, abs=1)
    assert copy.tiles[2]["corners"][0] > 0, "east of the antimeridian is nearer"


def test_a_warm_request_costs_the_same_for_any_number_of_tiles(area: Area, signed_in: Any) -> None:
    client = signed_in("viewer")
    client.get(ADDRESS)
    with CaptureQueriesContext(connection) as few:
        client.get(ADDRESS)
    tiles = [TilePair(area=area, index=10_000 + step, lon=15, lat=36) for step in range(3000)]
    TilePair.objects.bulk_create(tiles)
    client.get(ADDRESS)
    with CaptureQueriesContext(connection) as many:
        assert len(decoded(client.get(ADDRESS).content)[1]) == 3008
    assert len(few) == len(many) <= 8
    assert not [query for query in many.captured_queries if "tiles_tilepair" in query["sql"]]


def test_packed_and_unchanged(area: Area, verdict: Any, signed_in: Any) -> None:
    client = signed_in("viewer")
    plain = client.get(ADDRESS)
    packed = client.get(ADDRESS, headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert client.get(ADDRESS, headers={"If-None-Match": plain["ETag"]}).status_code == 304
    verdict(tile_approve, 0)
    assert client.get(ADDRESS, headers={"If-None-Match": plain["ETag"]}).status_code == 200


@pytest.mark.parametrize(("since", "status"), [("x", 400), ("1", 400), ("1-" + "9" * 60, 400), ("999999-1", 200)])
def test_tokens_of_nothing(area: Area, signed_in: Any, since: str, status: int) -> None:
    answer = signed_in("viewer").get(ADDRESS, {"since": since})
    assert answer.status_code == status
    if status == 200:
        assert decoded(answer.content)[0]["whole"]


def test_an_area_without_tiles(signed_in: Any) -> None:
    make_area()
    copy = Copy(signed_in("viewer"))
    assert copy.fetch() == 0


class TestTwoAtOnce:
    @pytest.mark.django_db(transaction=True)
    def test_writers_and_pages_side_by_side(self, area: Area, verdict: Any, signed_in: Any) -> None:
        """One thread decides while another looks: in the end the array says what the rows say."""
        failed: list[BaseException] = []

        def decide() -> None:
            try:
                for step in range(12):
                    verdict(tile_approve if step % 2 else tile_unsure, [0, 1, 1024][step % 3])
            except BaseException as error:
                failed.append(error)
            finally:
                connection.close()

        writer = threading.Thread(target=decide)
        copy = Copy(signed_in("viewer"))
        writer.start()
        while writer.is_alive():
            copy.fetch()
        writer.join()
        copy.fetch()
        assert failed == []
        assert without_corners(copy.tiles) == said_by_rows(area)
        assert AtlasChange.objects.count() == 0
        assert Atlas.objects.count() == 1
        assert AtlasBlock.objects.count() == 3


@pytest.fixture(autouse=True)
def _people(person: Any) -> None:
    """Made before any thread starts."""
    person("reviewer")
