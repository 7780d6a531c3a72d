"""How many people it takes to settle a tile: what each verdict makes of it, undone in turn, true to the log."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import invariant, rule

from portal.exports.layouts import LAYOUTS
from portal.exports.selection import approved_tiles
from tests.support.factories import counters, make_area, make_tile, recount
from tests.tiles.review.test_replay import Reviewing
from tiles.core.errors import BadInput, NotAllowed, Stale
from tiles.models import Area, QueueEntry, ReviewDecision, TilePair
from tiles.models.choices import WAITING_STATES, ReviewState
from tiles.review.bulk import action_undo
from tiles.review.policy import in_sample, policy_set
from tiles.review.recording import Outcome
from tiles.review.services import decision_undo, tile_approve, tile_reject, tile_unsure, tiles_decide

pytestmark = pytest.mark.django_db
VERDICTS = {"a": tile_approve, "r": tile_reject, "u": tile_unsure}


@pytest.fixture
def area() -> Area:
    return make_area(policy="two")


@pytest.fixture
def tile(area: Area) -> TilePair:
    return make_tile(area, 0, files=False)


@pytest.fixture
def say(tile: TilePair, person: Any) -> Any:
    """`say("ann", "r", "cloud")`: a verdict of somebody who has just looked."""

    def verdict(name: str, letter: str, reason: str = "") -> ReviewDecision:
        tile.refresh_from_db()
        asked: dict[str, Any] = {
            "tile_id": tile.pk,
            "seen": tile.layer_versions(),
            "seen_version": tile.version,
            "by": person("reviewer", name),
            "client_id": uuid4(),
        }
        made = VERDICTS[letter](**asked, **({"reason": reason or "cloud"} if letter == "r" else {}))
        tile.refresh_from_db()
        return made

    return verdict


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ("ann:a", "second"),
        ("ann:r", "second"),
        ("ann:u", "unsure"),
        ("ann:a ann:a", "second"),  # nobody confirms their own decision
        ("ann:a ann:r", "second"),
        ("ann:a ann:u", "unsure"),
        ("ann:a bob:a", "approved"),
        ("ann:r bob:r", "rejected"),
        ("ann:a bob:r", "disputed"),
        ("ann:a bob:u", "disputed"),
        ("ann:u bob:a", "second"),
        ("ann:a bob:r bob:r", "disputed"),
        ("ann:a bob:r ann:r", "rejected"),  # who changes their mind agrees
        ("ann:a bob:r cam:a", "approved"),
        ("ann:a bob:r cam:u", "unsure"),
        ("ann:a bob:a ann:r", "second"),  # against a settled tile: a new round
        ("ann:a bob:a ann:r ann:r", "second"),
        ("ann:a bob:a cam:r bob:r", "rejected"),
        ("ann:a bob:a cam:a", "approved"),
    ],
)
def test_what_two_make_of_a_tile(area: Area, tile: TilePair, say: Any, verdicts: str, expected: str) -> None:
    for verdict in verdicts.split():
        say(*verdict.split(":"))
        assert counters(area) == recount(area)
    assert tile.review_state == expected
    assert (tile.first_by_id is not None) == (expected in WAITING_STATES)


def test_one_reviewer_settles_by_default(tile: TilePair, say: Any) -> None:
    Area.objects.update(policy="one")
    assert say("ann", "a").to_state == "approved"


def test_the_log_keeps_both_reasons_and_the_later_one_stands(area: Area, tile: TilePair, say: Any) -> None:
    first, second = say("ann", "r", "cloud"), say("bob", "r", "seam")
    assert [(entry.reason, entry.to_state, entry.to_reason) for entry in (first, second)] == [
        ("cloud", "second", ""),
        ("seam", "rejected", "seam"),
    ]
    assert (tile.review_state, tile.reason) == ("rejected", "seam")
    assert counters(area) == {"built": 1, "rejected": 1, "rejected:seam": 1}


def test_a_release_takes_what_is_settled(area: Area, tile: TilePair, say: Any) -> None:
    say("ann", "a")
    assert not approved_tiles([area], LAYOUTS["rs3dbench"]).exists()
    say("bob", "a")
    assert approved_tiles([area], LAYOUTS["rs3dbench"]).get() == tile


def test_undo_in_turn(area: Area, tile: TilePair, say: Any, person: Any) -> None:
    ann, bob, cam = (person("reviewer", name) for name in ("ann", "bob", "cam"))
    entries = [(say("ann", "a"), ann), (say("bob", "r"), bob), (say("cam", "a"), cam)]
    with pytest.raises(Stale):
        decision_undo(undoes=entries[0][0].client_id, by=ann, client_id=uuid4())
    stood = [("disputed", ann.pk, bob.pk), ("second", ann.pk, None), ("pending", None, None)]
    for (entry, by), expected in zip(reversed(entries), stood, strict=True):
        decision_undo(undoes=entry.client_id, by=by, client_id=uuid4())
        tile.refresh_from_db()
        assert (tile.review_state, tile.first_by_id, tile.second_by_id) == expected
        assert counters(area) == recount(area)


def test_undo_of_a_changed_mind_leaves_the_first_verdict(tile: TilePair, say: Any, person: Any) -> None:
    say("ann", "a")
    changed = say("ann", "r")
    decision_undo(undoes=changed.client_id, by=person("reviewer", "ann"), client_id=uuid4())
    say("bob", "a")
    assert tile.review_state == "approved"


def test_a_repeated_request_is_the_first_one(tile: TilePair, person: Any) -> None:
    asked: dict[str, Any] = {
        "tile_id": tile.pk,
        "seen": tile.layer_versions(),
        "seen_version": 0,
        "by": person("reviewer"),
        "client_id": uuid4(),
        "reason": "cloud",
    }
    assert tile_reject(**asked) == tile_reject(**asked)


class TestMany:
    @pytest.fixture
    def tiles(self, area: Area) -> list[TilePair]:
        return [make_tile(area, index, files=False) for index in range(1, 5)]

    def decide(self, area: Area, by: Any, verb: str, **more: Any) -> Outcome:
        seen = dict(area.tiles.values_list("pk", "version"))
        return tiles_decide(area=area, seen=seen, verb=verb, by=by, action=more.pop("action", uuid4()), **more)

    def states(self, area: Area) -> set[str]:
        return set(area.tiles.values_list("review_state", flat=True))

    def test_bulk_obeys_the_policy(self, area: Area, tiles: list[TilePair], person: Any) -> None:
        ann, bob = person("reviewer", "ann"), person("reviewer", "bob")
        assert self.decide(area, ann, "approve").done == 4
        assert self.states(area) == {"second"}
        assert self.decide(area, ann, "approve") == Outcome(unchanged=[1, 2, 3, 4])
        assert self.decide(area, ann, "reject", reason="cloud").done == 4, "a changed mind is news"
        assert self.states(area) == {"second"}
        action = uuid4()
        assert self.decide(area, bob, "approve", action=action).done == 4
        assert self.states(area) == {"disputed"}
        assert action_undo(area=area, action=action, by=bob, undo=uuid4()) == Outcome(4)
        assert self.states(area) == {"second"}
        assert set(area.tiles.values_list("first_by", "second_by")) == {(ann.pk, None)}
        self.decide(area, bob, "reset")
        assert self.states(area) == {"pending"}
        assert counters(area) == recount(area)

    def test_what_is_asked_of_the_database_does_not_grow(self, area: Area, tiles: list[TilePair], person: Any) -> None:
        ann, bob = person("reviewer", "ann"), person("reviewer", "bob")
        self.decide(area, ann, "approve")
        numbers = []
        for few in (tiles[:1], tiles[1:2], tiles[2:]):  # the first one makes the counter's row
            seen = {tile.pk: 1 for tile in few}
            with CaptureQueriesContext(connection) as asked:
                tiles_decide(area=area, seen=seen, verb="approve", by=bob, action=uuid4())
            numbers.append(len([query for query in asked.captured_queries if "auth_" not in query["sql"]]))
        assert numbers[1] == numbers[2]


class TestChanging:
    def test_decisions_already_made_stay(self, area: Area, tile: TilePair, say: Any, person: Any) -> None:
        say("ann", "a")
        policy_set(area_id=area.pk, policy="one", percent=10, seed=0, by=person("curator"))
        tile.refresh_from_db()
        assert tile.review_state == "second"
        say("ann", "a")
        assert tile.review_state == "approved", "by the policy that stands now"
        policy_set(area_id=area.pk, policy="two", percent=10, seed=0, by=person("curator"))
        tile.refresh_from_db()
        assert tile.review_state == "approved"

    def test_it_is_in_the_log_once(self, area: Area, person: Any) -> None:
        for _again in range(2):
            policy_set(area_id=area.pk, policy="sampled", percent=25, seed=7, by=person("curator"))
        entry = QueueEntry.objects.get()
        assert (entry.what, entry.by) == ("policy", person("curator"))
        assert entry.detail["after"] == {"policy": "sampled", "second_look_percent": 25, "second_look_seed": 7}
        assert entry.detail["before"]["policy"] == "two"

    @pytest.mark.parametrize("wrong", [{"policy": "three"}, {"percent": 0}, {"percent": 101}, {"seed": -1}])
    def test_nonsense_is_refused(self, area: Area, person: Any, wrong: dict[str, Any]) -> None:
        with pytest.raises(BadInput):
            policy_set(
                **{"area_id": area.pk, "policy": "sampled", "percent": 10, "seed": 0, "by": person("curator")} | wrong
            )
        area.refresh_from_db()
        assert area.policy == "two"

    def test_curators_only(self, area: Area, person: Any) -> None:
        with pytest.raises(NotAllowed):
            policy_set(area_id=area.pk, policy="one", percent=10, seed=0, by=person("reviewer"))


class TestSample:
    def test_the_same_tiles_every_time_and_about_as_many_as_asked_for(self) -> None:
        chosen = {index for index in range(4000) if in_sample(slug="land", index=index, percent=10, seed=3)}
        assert 320 < len(chosen) < 480
        assert sorted(chosen)[:3] == [5, 20, 32], "on every machine"
        more = {index for index in range(4000) if in_sample(slug="land", index=index, percent=20, seed=3)}
        assert chosen < more
        assert chosen != {index for index in range(4000) if in_sample(slug="land", index=index, percent=10, seed=4)}
        assert all(in_sample(slug="land", index=index, percent=100, seed=0) for index in range(100))

    def test_only_the_sample_waits(self, area: Area, person: Any) -> None:
        policy_set(area_id=area.pk, policy="sampled", percent=50, seed=1, by=person("curator"))
        area.refresh_from_db()
        for index in range(1, 30):
            make_tile(area, index, files=False)
        seen = dict(area.tiles.values_list("pk", "version"))
        tiles_decide(area=area, seen=seen, verb="approve", by=person("reviewer"), action=uuid4())
        for index, state in area.tiles.values_list("index", "review_state"):
            expected = in_sample(slug="testland", index=index, percent=50, seed=1)
            assert state == ("second" if expected else "approved"), index
        assert set(counters(area)) == {"built", "second", "approved"}


class ReviewingByTwo(Reviewing):
    """As with one reviewer, by two who must agree; and the policy changes now and then."""

    policy = "two"

    @rule(policy=st.sampled_from(["one", "two", "two", "sampled"]))
    def change(self, policy: str) -> None:
        Area.objects.filter(pk=self.area.pk).update(policy=policy, second_look_percent=50)

    @invariant()
    def whose_verdicts_wait_follows_from_the_log(self) -> None:
        for tile in TilePair.objects.filter(area=self.area):
            if tile.review_state not in WAITING_STATES:
                continue
            verdicts: dict[int, str] = {}
            undone = {entry.undoes_id for entry in tile.decisions.all()}
            for entry in tile.decisions.exclude(verb="undo").exclude(pk__in=undone).order_by("id"):
                if entry.from_state not in WAITING_STATES:
                    verdicts = {}
                assert entry.by_id
                verdicts[entry.by_id] = entry.verb
            assert [tile.first_by_id, tile.second_by_id][: len(verdicts)] == list(verdicts)
            assert len(verdicts) == (2 if tile.review_state == ReviewState.DISPUTED else 1)
            assert len(set(verdicts.values())) == len(verdicts)


class TestReviewingByTwo(TestCase, ReviewingByTwo.TestCase):  # type: ignore[misc]
    settings = settings(max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
