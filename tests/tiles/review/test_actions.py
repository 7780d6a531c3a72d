"""What a person's undo takes back: the newest action that still stands, single or of many tiles, to any depth."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from tests.support.factories import counters, make_area, make_tile, recount
from tiles.jobs.runner import run_here
from tiles.models import Area, Job, TilePair
from tiles.review import bulk
from tiles.review.actions import action_newest
from tiles.review.bulk import action_undo, bulk_start
from tiles.review.marks import Mark, tiles_mark
from tiles.review.services import decision_undo, tile_approve, tiles_decide

pytestmark = pytest.mark.django_db


@pytest.fixture
def area(data_folder: Any) -> Area:
    area = make_area()
    for index in range(6):
        make_tile(area, index, files=False)
    return area


def approve(area: Area, index: int, by: Any) -> Any:
    tile = area.tiles.get(index=index)
    seen = {"seen": tile.layer_versions(), "seen_version": tile.version}
    return tile_approve(tile_id=tile.pk, **seen, by=by, client_id=uuid4())


def reject(area: Area, indexes: tuple[int, ...], by: Any) -> Any:
    seen = dict(TilePair.objects.filter(area=area, index__in=indexes).values_list("pk", "version"))
    action = uuid4()
    tiles_decide(area=area, seen=seen, verb="reject", reason="cloud", by=by, action=action)
    return action


def newest(area: Area, by: Any) -> tuple[Any, str, int] | None:
    found = action_newest(area=area, by=by)
    return found and (found.id, found.verb, found.count)


def states(area: Area) -> str:
    return "".join(state[0] for state in area.tiles.order_by("index").values_list("review_state", flat=True))


def test_back_to_the_beginning(area: Area, person: Any) -> None:
    """Single decisions and those of many tiles come back in turn, and what was undone is passed over."""
    by = person("reviewer")
    make_tile(other := make_area("elsewhere"), 0, files=False)
    first = approve(area, 0, by)
    undone = approve(area, 5, by)
    decision_undo(undoes=undone.client_id, by=by, client_id=uuid4())
    many = reject(area, (1, 2, 3), by)
    last = approve(area, 1, by)
    approve(area, 4, person("reviewer", "bob"))
    approve(other, 0, by)
    expected = [
        (last.action, "approve", 1, "arrrap"),
        (many, "reject", 3, "apppap"),
        (first.action, "approve", 1, "ppppap"),
    ]
    for action, verb, count, after in expected:
        assert newest(area, by) == (action, verb, count)
        outcome = action_undo(area=area, action=action, by=by, undo=uuid4())
        assert not isinstance(outcome, Job)
        assert (outcome.done, states(area)) == (count, after)
    assert newest(area, by) is None
    assert counters(area) == recount(area)


def test_what_others_decided_since_stands_no_more(area: Area, person: Any) -> None:
    """An action of which nothing is left to take back does not bar the way to the one before."""
    by, bob = person("reviewer"), person("reviewer", "bob")
    before = approve(area, 0, by)
    many = reject(area, (1, 2), by)
    approve(area, 1, bob)
    assert newest(area, by) == (many, "reject", 1)
    approve(area, 2, bob)
    assert newest(area, by) == (before.action, "approve", 1)


def test_a_job_is_one_action_from_its_start(area: Area, person: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    by, action, undo = person("reviewer"), uuid4(), uuid4()
    before = approve(area, 0, by)
    asked: dict[str, Any] = {"area": area, "query": "state=pending", "seen_at": timezone.now(), "verb": "approve"}
    job = bulk_start(**asked, by=by, action=action)
    assert newest(area, by) == (action, "approve", 0)
    run_here(job.pk, lambda _job: None, pause=lambda _seconds: None)
    assert newest(area, by) == (action, "approve", 5)
    undoing = action_undo(area=area, action=action, by=by, undo=undo)
    assert isinstance(undoing, Job)
    assert newest(area, by) == (before.action, "approve", 1), "what is being taken back is none any more"
    run_here(undoing.pk, lambda _job: None, pause=lambda _seconds: None)
    assert newest(area, by) == (before.action, "approve", 1)
    assert states(area) == "appppp"


def test_over_http(area: Area, signed_in: Any, person: Any) -> None:
    client: Client = signed_in("reviewer")
    address = f"/api/v1/areas/{area.slug}/bulk/undo/"
    empty = {"action": None, "verb": "", "count": 0, "capped": False, "newest": None}
    assert client.get(address).json() == empty
    many = reject(area, (1, 2), person("reviewer"))
    answer = client.get(address).json()
    assert (answer["action"], answer["count"], answer["newest"]["index"]) == (str(many), 2, 2)
    assert answer["newest"]["action"] == str(many)
    assert signed_in("viewer").get(address).status_code == 403


def test_tags_and_assignments_come_back_in_turn_where_they_are_asked_for(area: Area, person: Any) -> None:
    by = person("reviewer")
    ids = list(area.tiles.values_list("pk", flat=True)[:2])
    decision = approve(area, 0, by)
    coast, sea = uuid4(), uuid4()
    tiles_mark(area=area, tile_ids=ids, mark=Mark("tag", "coast"), by=by, action=coast)
    tiles_mark(area=area, tile_ids=ids[:1], mark=Mark("tag", "sea"), by=by, action=sea)

    assert newest(area, by) == (decision.action, "approve", 1)
    for action, count in ((sea, 1), (coast, 2)):
        found = action_newest(area=area, by=by, marks=True)
        assert found is not None
        assert (found.id, found.verb, found.count) == (action, "tag", count)
        action_undo(area=area, action=action, by=by, undo=uuid4())
    found = action_newest(area=area, by=by, marks=True)
    assert found is not None
    assert found.id == decision.action
