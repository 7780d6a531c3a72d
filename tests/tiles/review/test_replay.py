"""Whatever two people do in whatever order: the log replays to the tables, and the counters equal a recount."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from portal.accounts.services import user_create
from tests.support.factories import counters, make_area, make_tile, recount
from tests.support.replay import assert_log_replays
from tiles.core.errors import ApplicationError, Conflict, Stale
from tiles.models import AreaCounter, ReviewDecision, TilePair
from tiles.review.services import decision_undo, tile_approve, tile_reject, tile_unsure

TILES = 3
NAMES = ("ann", "bob", "cam")
people = st.sampled_from(NAMES)
numbers = st.integers(0, TILES - 1)
verdicts = st.sampled_from([("approve", ""), ("unsure", ""), ("reject", "cloud"), ("reject", "other")])


class Reviewing(RuleBasedStateMachine):
    """Some people with pages that may be old, repeated requests, undo in any order."""

    sent = Bundle("sent")
    policy = "one"

    def __init__(self) -> None:
        super().__init__()
        self.area = make_area(f"area-{uuid4().hex[:8]}", policy=self.policy)
        for index in range(TILES):
            make_tile(self.area, index, files=False)
        self.people = {name: person_of(name) for name in NAMES}
        self.pages: dict[tuple[str, int], tuple[dict[str, int], int]] = {}
        for name in self.people:
            for index in range(TILES):
                self.look(name, index)

    @rule(name=people, index=numbers)
    def look(self, name: str, index: int) -> None:
        """The page loads the tile as it is now."""
        tile = self.tile(index)
        self.pages[name, index] = (tile.layer_versions(), tile.version)

    @rule(target=sent, name=people, index=numbers, verdict=verdicts)
    def decide(self, name: str, index: int, verdict: tuple[str, str]) -> tuple[str, UUID]:
        client_id = uuid4()
        version = self.pages[name, index][1]
        others = list(
            ReviewDecision.objects.filter(tile=self.tile(index), tile_version__gt=version).exclude(by=self.people[name])
        )
        if others:
            with pytest.raises(Stale) as caught:
                self.send(name, index, verdict, client_id)
            assert caught.value.extra["current"]["version"] == self.tile(index).version
        else:
            self.send(name, index, verdict, client_id)
        return name, client_id

    @rule(entry=sent, name=people)
    def undo(self, entry: tuple[str, UUID], name: str) -> None:
        found = ReviewDecision.objects.filter(client_id=entry[1]).first()
        allowed = found is not None and found.by == self.people[name] and found == self.standing(found.tile)
        try:
            decision_undo(undoes=entry[1], by=self.people[name], client_id=uuid4())
        except ApplicationError:
            assert not allowed
        else:
            assert allowed

    @rule(entry=sent)
    def repeat(self, entry: tuple[str, UUID]) -> None:
        """The answer got lost and the browser sends again."""
        found = ReviewDecision.objects.filter(client_id=entry[1]).first()
        if found is None:
            return
        before = ReviewDecision.objects.count()
        verdict = (found.verb, found.reason)
        assert self.send(entry[0], found.tile.index, verdict, entry[1]) == found
        assert ReviewDecision.objects.count() == before

    @invariant()
    def the_log_replays_to_the_tables(self) -> None:
        assert_log_replays(self.area)

    @invariant()
    def the_counters_equal_a_recount(self) -> None:
        assert counters(self.area) == recount(self.area)

    def send(self, name: str, index: int, verdict: tuple[str, str], client_id: UUID) -> ReviewDecision:
        seen, version = self.pages[name, index]
        asked: dict[str, Any] = {
            "tile_id": self.tile(index).pk,
            "seen": seen,
            "seen_version": version,
            "by": self.people[name],
            "client_id": client_id,
        }
        if verdict[0] == "reject":
            return tile_reject(**asked, reason=verdict[1], note="as the test says")
        return (tile_approve if verdict[0] == "approve" else tile_unsure)(**asked)

    def tile(self, index: int) -> TilePair:
        return TilePair.objects.get(area=self.area, index=index)

    def standing(self, tile: TilePair) -> ReviewDecision | None:
        """Worked out from the log alone, by taking undone entries away."""
        entries = list(tile.decisions.order_by("id"))
        undone = {entry.undoes_id for entry in entries}
        left = [entry for entry in entries if entry.verb != "undo" and entry.pk not in undone]
        return left[-1] if left else None


def person_of(name: str) -> Any:
    from portal.accounts.models import User

    found = User.objects.filter(username=name).first()
    return found or user_create(username=name, password=f"{name}-pass-word-9", role="reviewer")


class TestReviewing(TestCase, Reviewing.TestCase):  # type: ignore[misc]
    settings = settings(max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    """Real threads, each with its own connection."""

    def test_one_request_sent_twice_makes_one_entry(self) -> None:
        area = make_area()
        tile = make_tile(area, 0, files=False)
        asked = self.asked(tile, person_of("ann")) | {"client_id": uuid4()}
        results = at_once(*[lambda: tile_approve(**asked)] * 4)
        assert len({result.pk for result in results}) == 1
        assert ReviewDecision.objects.count() == 1
        assert counters(area) == recount(area)

    def test_two_people_never_both_win(self) -> None:
        area = make_area()
        tile = make_tile(area, 0, files=False)
        ann, bob = person_of("ann"), person_of("bob")
        results = at_once(
            lambda: tile_approve(**self.asked(tile, ann), client_id=uuid4()),
            lambda: tile_unsure(**self.asked(tile, bob), client_id=uuid4()),
        )
        assert sorted(type(result) for result in results if isinstance(result, Exception)) == [Stale]
        assert ReviewDecision.objects.count() == 1
        assert counters(area) == recount(area)

    def test_one_id_about_two_tiles_makes_one_entry(self) -> None:
        area = make_area()
        tiles = [make_tile(area, index, files=False) for index in range(2)]
        client_id, ann = uuid4(), person_of("ann")
        results = at_once(
            *[lambda tile=tile: tile_approve(**self.asked(tile, ann), client_id=client_id) for tile in tiles]
        )
        refused = [result for result in results if isinstance(result, Exception)]
        assert [type(error) for error in refused] == [Conflict]
        assert ReviewDecision.objects.count() == 1
        assert counters(area) == recount(area)

    def test_many_tiles_of_one_area(self) -> None:
        area = make_area()
        tiles = [make_tile(area, index, files=False) for index in range(12)]
        names = ["ann", "bob"]
        whom = [person_of(name) for name in names]
        results = at_once(
            *[
                lambda who=who, mine=tiles[place::2]: [
                    tile_approve(**self.asked(tile, who), client_id=uuid4()) for tile in mine
                ]
                for place, who in enumerate(whom)
            ]
        )
        assert not [result for result in results if isinstance(result, Exception)]
        assert AreaCounter.objects.get(area=area, name="approved").value == 12
        assert counters(area) == recount(area)

    def asked(self, tile: TilePair, by: Any) -> dict[str, Any]:
        return {"tile_id": tile.pk, "seen": tile.layer_versions(), "seen_version": 0, "by": by}


def at_once(*calls: Any) -> list[Any]:
    """Run the calls in threads that start together; an exception is a result."""
    results: list[Any] = [None] * len(calls)
    gate = threading.Barrier(len(calls))

    def run(place: int) -> None:
        gate.wait()
        try:
            results[place] = calls[place]()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results
