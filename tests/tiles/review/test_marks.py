"""Comments, flags, tags and assignments: through the services, the JSON, the filter and the bulk job."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from tests.support.factories import counters, make_area, make_tile, recount
from tiles.core.errors import BadInput, Conflict, NotAllowed
from tiles.jobs.runner import run_here
from tiles.models import Area, Job, Tag, TileComment, TileMark
from tiles.models.appendonly import AppendOnlyError
from tiles.review import bulk, marks
from tiles.review.bulk import action_undo, bulk_mark_start
from tiles.review.marks import Mark, comment_add, tiles_mark

pytestmark = pytest.mark.django_db
TILES = 6
API = "/api/v1/areas/testland/"


@pytest.fixture
def area(data_folder: Any) -> Area:
    area = make_area()
    for index in range(TILES):
        make_tile(area, index, files=False)
    return area


def ids(area: Area, *indexes: int) -> list[int]:
    return [area.tiles.get(index=index).pk for index in indexes]


def send(client: Client, path: str, body: dict[str, Any], method: str = "post") -> Any:
    return getattr(client, method)(f"{API}{path}", data=body, content_type="application/json")


def found(client: Client, **asked: Any) -> list[int]:
    answer = client.get(f"{API}tiles/", asked)
    assert answer.status_code == 200, answer.content
    return [item["index"] for item in answer.json()["items"]]


class TestComments:
    def test_said_once_read_by_all_and_never_changed(self, area: Area, signed_in: Any) -> None:
        body = {"client_id": str(uuid4()), "text": " <b>Snow</b> & ice \n in the north "}
        client = signed_in("reviewer")
        assert send(client, "tiles/1/comments/", body).status_code == 201
        assert send(client, "tiles/1/comments/", body).status_code == 201, "a repeat counts once"
        assert send(client, "tiles/1/comments/", {**body, "text": "Other"}).status_code == 409
        send(client, "tiles/1/comments/", {"client_id": str(uuid4()), "text": "Second"})
        said = signed_in("viewer").get(f"{API}tiles/1/").json()["marks"]["comments"]
        assert [(line["by"], line["text"]) for line in said] == [
            ("reviewer", "Second"),
            ("reviewer", "<b>Snow</b> & ice \n in the north"),
        ]
        html = signed_in("viewer").get("/areas/testland/review/?tile=1").content.decode()
        assert "<b>Snow" not in html, "escaped wherever it stands"
        with pytest.raises(AppendOnlyError):
            TileComment.objects.all().delete()

    @pytest.mark.parametrize("text", [" ", "a\u202eb", "x" * 2001])
    def test_what_is_refused(self, area: Area, person: Any, text: str) -> None:
        with pytest.raises(BadInput):
            comment_add(tile_id=ids(area, 0)[0], text=text, by=person("reviewer"), client_id=uuid4())
        with pytest.raises(NotAllowed):
            comment_add(tile_id=ids(area, 0)[0], text="Hm", by=person("viewer"), client_id=uuid4())


def test_a_flag_is_ones_own(area: Area, signed_in: Any) -> None:
    client, other = signed_in("reviewer"), signed_in("curator")
    for _twice in range(2):
        assert send(client, "tiles/3/flag/", {"flagged": True}, "put").json()["flagged"] is True
    assert found(client, flagged="mine") == [3]
    assert found(other, flagged="mine") == []
    assert other.get(f"{API}tiles/3/").json()["marks"]["flagged"] is False
    assert send(client, "tiles/3/flag/", {"flagged": False}, "put").json()["flagged"] is False
    assert found(client, flagged="mine") == []


class TestTagsAndAssignments:
    def mark(self, client: Client, *indexes: int, **what: Any) -> Any:
        tiles = [{"index": index, "version": 0} for index in indexes]
        return send(client, "marks/", {"action": str(uuid4()), "tiles": tiles, "kind": "tag", **what})

    def test_tag_find_and_take_back(self, area: Area, signed_in: Any) -> None:
        client, action = signed_in("reviewer"), str(uuid4())
        assert self.mark(client, 0, value="Steep").json()["done"] == 1
        answer = self.mark(client, 0, 1, 2, value="  STEEP ", action=action).json()
        assert (answer["done"], answer["unchanged"]) == (2, [0])
        assert self.mark(client, 0, 1, 2, value="steep", action=action).json()["done"] == 2, "a repeat doubles nothing"
        assert found(client, tag="Steep") == [0, 1, 2]
        assert self.mark(client, 1, value="steep", on=False).json()["done"] == 1
        undone = send(client, "bulk/undo/", {"action": action, "undo": str(uuid4())}).json()
        assert (undone["done"], undone["stale"]) == (1, [1]), "what was changed since stays"
        assert found(client, tag="steep") == [0]
        assert client.get(f"{API}tiles/0/").json()["marks"]["tags"] == ["steep"]
        assert counters(area) == recount(area)

    def test_words_of_one_area_say_nothing_of_another(self, area: Area, signed_in: Any, person: Any) -> None:
        other = make_area("elsewhere")
        tile = make_tile(other, 0, files=False)
        tiles_mark(area=other, tile_ids=[tile.pk], mark=Mark("tag", "steep"), by=person("reviewer"), action=uuid4())
        assert found(signed_in("viewer"), tag="steep") == []

    def test_assign_and_take_back(self, area: Area, signed_in: Any, person: Any) -> None:
        client, bob = signed_in("reviewer"), person("reviewer", "bob")
        self.mark(client, 0, 1, kind="assign", value=str(person("reviewer").pk))
        action = str(uuid4())
        assert self.mark(client, 1, 2, kind="assign", value=str(bob.pk), action=action).json()["done"] == 2
        assert found(client, assigned="bob") == [1, 2]
        assert found(client, assigned="me") == [0]
        assert found(client, assigned="nobody") == [3, 4, 5]
        send(client, "bulk/undo/", {"action": action, "undo": str(uuid4())})
        assert found(client, assigned="me") == [0, 1]
        assert found(client, assigned="nobody") == [2, 3, 4, 5]

    @pytest.mark.parametrize(
        "what",
        [{"value": " "}, {"value": "a,b"}, {"value": "x" * 41}, {"value": "99999", "kind": "assign"}],
    )
    def test_what_is_refused(self, area: Area, signed_in: Any, what: dict[str, str]) -> None:
        client = signed_in("reviewer")
        assert self.mark(client, 0, **what).status_code == 400
        assert self.mark(client, 99, value="x").status_code == 400
        assert client.get(f"{API}tiles/", {"assigned": "stranger"}).status_code == 400
        assert not TileMark.objects.exists()

    def test_nobody_gets_what_they_may_not_review(self, area: Area, signed_in: Any, person: Any) -> None:
        answer = self.mark(signed_in("reviewer"), 0, kind="assign", value=str(person("viewer").pk))
        assert answer.status_code == 400
        assert "may not review" in answer.json()["message"]

    def test_tags_stay_few(self, area: Area, person: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(marks, "MOST_TAGS_A_TILE", 2)
        monkeypatch.setattr(marks, "MOST_WORDS_AN_AREA", 3)
        by, tile = person("reviewer"), ids(area, 0)
        for word in ("one", "two"):
            tiles_mark(area=area, tile_ids=tile, mark=Mark("tag", word), by=by, action=uuid4())
        with pytest.raises(BadInput, match="more than 2 tags"):
            tiles_mark(area=area, tile_ids=tile, mark=Mark("tag", "three"), by=by, action=uuid4())
        tiles_mark(area=area, tile_ids=ids(area, 1), mark=Mark("tag", "four"), by=by, action=uuid4())
        with pytest.raises(BadInput, match="3 tags already"):
            tiles_mark(area=area, tile_ids=ids(area, 1), mark=Mark("tag", "five"), by=by, action=uuid4())
        tiles_mark(area=area, tile_ids=ids(area, 1), mark=Mark("tag", "four", on=False), by=by, action=uuid4())
        tiles_mark(area=area, tile_ids=ids(area, 1), mark=Mark("tag", "five"), by=by, action=uuid4())
        assert set(Tag.objects.values_list("word", flat=True)) == {"one", "two", "five"}


def worked(job: Any) -> Job:
    assert isinstance(job, Job)
    return run_here(job.pk, lambda _job: None, pause=lambda _seconds: None)


def test_all_that_match_and_one_undo(area: Area, person: Any, signed_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a job, what it filters by being the person's own; so many that undoing is a job too."""
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    by, client, action = person("reviewer"), signed_in("reviewer"), uuid4()
    tiles_mark(area=area, tile_ids=ids(area, 1, 2, 4, 5), mark=Mark("assign", str(by.pk)), by=by, action=uuid4())
    what: dict[str, Any] = {"area": area, "query": "assigned=me", "mark": Mark("tag", "coast"), "background": False}
    job = bulk_mark_start(**what, by=by, action=action)
    assert bulk_mark_start(**what, by=by, action=action) == job
    assert worked(job).done == 4
    assert found(client, tag="coast") == [1, 2, 4, 5]
    undo = uuid4()
    assert worked(action_undo(area=area, action=action, by=by, undo=undo, background=False)).done == 4
    assert found(client, tag="coast") == []
    with pytest.raises(Conflict):
        action_undo(area=area, action=undo, by=by, undo=uuid4(), background=False)
