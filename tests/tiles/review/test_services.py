"""Decisions: who may, what is refused, what is stale, and that every one is a row and moves the counters."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.support.factories import counters, make_area, make_failed_tile, make_tile, recount
from tiles.core.errors import BadInput, Conflict, NotAllowed, NotFound, Stale
from tiles.models import Area, AreaCounter, ReviewDecision, TilePair
from tiles.models.appendonly import AppendOnlyError
from tiles.review.services import decision_undo, tile_approve, tile_reject, tile_unsure

pytestmark = pytest.mark.django_db


@pytest.fixture
def area() -> Area:
    return make_area()


@pytest.fixture
def tile(area: Area) -> TilePair:
    return make_tile(area, 7, files=False)


@pytest.fixture
def ann(person: Any) -> Any:
    return person("reviewer", "ann")


@pytest.fixture
def bob(person: Any) -> Any:
    return person("reviewer", "bob")


def saw(tile: TilePair, by: Any, **more: Any) -> dict[str, Any]:
    """What a page sends that has just loaded the tile."""
    now = TilePair.objects.get(pk=tile.pk)
    return {
        "tile_id": tile.pk,
        "seen": now.layer_versions(),
        "seen_version": now.version,
        "by": by,
        "client_id": uuid4(),
        **more,
    }


def state_of(tile: TilePair) -> tuple[str, str, int]:
    tile.refresh_from_db()
    return tile.review_state, tile.reason, tile.version


class TestVerdicts:
    def test_approve_writes_one_entry_and_moves_the_counters(self, area: Area, tile: TilePair, ann: Any) -> None:
        asked = saw(tile, ann)
        entry = tile_approve(**asked)
        assert state_of(tile) == ("approved", "", 1)
        assert (entry.from_state, entry.to_state, entry.by, entry.tile_version) == ("pending", "approved", ann, 1)
        assert entry.layers_seen == tile.layer_versions()
        assert entry.action == entry.client_id == asked["client_id"]
        assert counters(area) == recount(area) == {"built": 1, "approved": 1}

    def test_reject_keeps_reason_and_note(self, area: Area, tile: TilePair, ann: Any) -> None:
        entry = tile_reject(**saw(tile, ann), reason="other", note="  a drone in the picture ")
        assert state_of(tile) == ("rejected", "other", 1)
        assert (entry.to_reason, entry.note) == ("other", "a drone in the picture")
        assert counters(area) == recount(area) == {"built": 1, "rejected": 1, "rejected:other": 1}

    def test_another_reason_moves_the_reason_counter(self, area: Area, tile: TilePair, ann: Any) -> None:
        tile_reject(**saw(tile, ann), reason="cloud")
        tile_reject(**saw(tile, ann), reason="shadow")
        assert counters(area) == recount(area) == {"built": 1, "rejected": 1, "rejected:shadow": 1}

    def test_unsure(self, area: Area, tile: TilePair, ann: Any) -> None:
        tile_unsure(**saw(tile, ann))
        assert state_of(tile) == ("unsure", "", 1)

    @pytest.mark.parametrize("role", ["viewer", "annotator"])
    def test_needs_the_permission(self, tile: TilePair, person: Any, role: str) -> None:
        with pytest.raises(NotAllowed):
            tile_approve(**saw(tile, person(role)))
        assert state_of(tile) == ("pending", "", 0)

    def test_a_tile_that_is_not_built_cannot_be_judged(self, area: Area, ann: Any) -> None:
        failed = make_failed_tile(area, 8)
        with pytest.raises(Conflict, match="not built"):
            tile_approve(**saw(failed, ann))

    def test_an_unknown_tile(self, tile: TilePair, ann: Any) -> None:
        with pytest.raises(NotFound):
            tile_approve(**saw(tile, ann) | {"tile_id": 10**9})

    def test_a_reason_the_area_does_not_list(self, area: Area, tile: TilePair, ann: Any) -> None:
        Area.objects.filter(pk=area.pk).update(reasons=["cloud"])
        with pytest.raises(BadInput, match="cloud") as caught:
            tile_reject(**saw(tile, ann), reason="shadow")
        assert caught.value.code == "unknown_reason"

    def test_other_needs_a_note(self, tile: TilePair, ann: Any) -> None:
        with pytest.raises(BadInput, match="needs a note"):
            tile_reject(**saw(tile, ann), reason="other", note="   ")

    def test_entries_are_never_changed(self, tile: TilePair, ann: Any) -> None:
        entry = tile_approve(**saw(tile, ann))
        entry.note = "better"
        with pytest.raises(AppendOnlyError):
            entry.save()
        with pytest.raises(AppendOnlyError):
            ReviewDecision.objects.filter(pk=entry.pk).update(note="better")


class TestRepeated:
    def test_the_same_id_gives_the_first_entry(self, area: Area, tile: TilePair, ann: Any) -> None:
        asked = saw(tile, ann)
        first = tile_approve(**asked)
        assert tile_approve(**asked) == first
        assert state_of(tile) == ("approved", "", 1)
        assert counters(area) == recount(area)

    def test_also_when_the_tile_moved_on(self, tile: TilePair, ann: Any, bob: Any) -> None:
        asked = saw(tile, ann)
        first = tile_approve(**asked)
        tile_unsure(**saw(tile, bob))
        assert tile_approve(**asked) == first
        assert state_of(tile) == ("unsure", "", 2)

    def test_an_id_of_another_decision_is_refused(self, area: Area, tile: TilePair, ann: Any, bob: Any) -> None:
        asked = saw(tile, ann)
        tile_approve(**asked)
        other = make_tile(area, 8, files=False)
        for changed in ({"by": bob}, {"tile_id": other.pk}):
            with pytest.raises(Conflict, match="belongs to another") as caught:
                tile_approve(**asked | changed)
            assert caught.value.code == "client_id_taken"
        with pytest.raises(Conflict, match="belongs to another"):
            tile_unsure(**asked)


class TestStale:
    def test_somebody_elses_decision(self, tile: TilePair, ann: Any, bob: Any) -> None:
        asked = saw(tile, ann)
        tile_reject(**saw(tile, bob), reason="cloud")
        with pytest.raises(Stale) as caught:
            tile_approve(**asked)
        assert caught.value.extra["cause"] == "decision"
        current = caught.value.extra["current"]
        assert (current["state"], current["reason"], current["version"]) == ("rejected", "cloud", 1)
        assert current["by"] == "bob"
        assert current["at"]
        assert state_of(tile) == ("rejected", "cloud", 1)

    def test_ones_own_later_decisions_are_no_surprise(self, tile: TilePair, ann: Any) -> None:
        first, second = saw(tile, ann), saw(tile, ann)
        tile_approve(**first)
        tile_reject(**second, reason="cloud")
        assert state_of(tile) == ("rejected", "cloud", 2)

    def test_somebody_elses_among_ones_own(self, tile: TilePair, ann: Any, bob: Any) -> None:
        asked = saw(tile, ann)
        tile_approve(**saw(tile, ann))
        tile_unsure(**saw(tile, bob))
        tile_approve(**saw(tile, ann))
        with pytest.raises(Stale):
            tile_unsure(**asked)

    def test_a_rule_counts_as_somebody_else(self, tile: TilePair, ann: Any) -> None:
        asked = saw(tile, ann)
        decide_by_rule(tile, "flat")
        with pytest.raises(Stale) as caught:
            tile_approve(**asked)
        assert caught.value.extra["current"]["by"] == ""

    def test_changed_pixels(self, tile: TilePair, ann: Any) -> None:
        asked = saw(tile, ann)
        layers = {**tile.layers, "png": {**tile.layers["png"], "v": 2}}
        TilePair.objects.filter(pk=tile.pk).update(layers=layers)
        with pytest.raises(Stale) as caught:
            tile_approve(**asked)
        assert caught.value.extra["cause"] == "layers"
        assert caught.value.extra["current"]["layers"]["png"] == 2

    def test_overwriting_after_having_seen(self, tile: TilePair, ann: Any, bob: Any) -> None:
        asked = saw(tile, ann)
        tile_unsure(**saw(tile, bob))
        with pytest.raises(Stale) as caught:
            tile_approve(**asked)
        now = caught.value.extra["current"]
        tile_approve(**asked | {"client_id": uuid4(), "seen": now["layers"], "seen_version": now["version"]})
        assert state_of(tile) == ("approved", "", 2)

    def test_a_layer_dropped_to_make_room_is_no_rebuild(self, tile: TilePair, ann: Any) -> None:
        asked = saw(tile, ann)
        TilePair.objects.filter(pk=tile.pk).update(layers={k: v for k, v in tile.layers.items() if k != "rgb"})
        assert tile_approve(**asked).to_state == "approved"

    def test_a_layer_that_came_is_a_rebuild(self, tile: TilePair, ann: Any) -> None:
        asked = saw(tile, ann)
        TilePair.objects.filter(pk=tile.pk).update(layers={**tile.layers, "void": {"v": 1, "sha256": "", "bytes": 1}})
        with pytest.raises(Stale):
            tile_approve(**asked)


class TestUndo:
    def undo(self, entry: ReviewDecision, by: Any, **more: Any) -> ReviewDecision:
        return decision_undo(**{"undoes": entry.client_id, "by": by, "client_id": uuid4(), **more})

    def test_to_any_depth(self, area: Area, tile: TilePair, ann: Any) -> None:
        entries = [
            tile_reject(**saw(tile, ann), reason="cloud"),
            tile_approve(**saw(tile, ann)),
            tile_reject(**saw(tile, ann), reason="seam"),
        ]
        states = [("approved", ""), ("rejected", "cloud"), ("pending", "")]
        for entry, expected in zip(reversed(entries), states, strict=True):
            undo = self.undo(entry, ann)
            assert (undo.verb, undo.undoes) == ("undo", entry)
            assert state_of(tile)[:2] == expected
            assert counters(area) == recount(area)
        assert tile.version == 6

    def test_decide_again_after_an_undo(self, tile: TilePair, ann: Any) -> None:
        first = tile_approve(**saw(tile, ann))
        self.undo(tile_reject(**saw(tile, ann), reason="cloud"), ann)
        second = tile_unsure(**saw(tile, ann))
        with pytest.raises(Stale):
            self.undo(first, ann)
        self.undo(second, ann)
        self.undo(first, ann)
        assert state_of(tile)[:2] == ("pending", "")

    def test_repeating_is_harmless(self, tile: TilePair, ann: Any) -> None:
        entry, again = tile_approve(**saw(tile, ann)), uuid4()
        first = self.undo(entry, ann, client_id=again)
        assert self.undo(entry, ann, client_id=again) == first
        assert state_of(tile) == ("pending", "", 2)

    def test_twice_is_refused(self, tile: TilePair, ann: Any) -> None:
        entry = tile_approve(**saw(tile, ann))
        self.undo(entry, ann)
        with pytest.raises(Conflict, match="already") as caught:
            self.undo(entry, ann)
        assert caught.value.code == "undone_already"

    def test_an_undo_cannot_be_undone(self, tile: TilePair, ann: Any) -> None:
        undo = self.undo(tile_approve(**saw(tile, ann)), ann)
        with pytest.raises(Conflict) as caught:
            self.undo(undo, ann)
        assert caught.value.code == "undo_of_undo"

    def test_only_ones_own(self, tile: TilePair, ann: Any, bob: Any) -> None:
        entry = tile_approve(**saw(tile, ann))
        with pytest.raises(NotAllowed):
            self.undo(entry, bob)

    def test_not_beneath_somebody_elses(self, tile: TilePair, ann: Any, bob: Any) -> None:
        entry = tile_approve(**saw(tile, ann))
        theirs = tile_unsure(**saw(tile, bob))
        with pytest.raises(Stale) as caught:
            self.undo(entry, ann)
        assert caught.value.extra["current"]["by"] == "bob"
        self.undo(theirs, bob)
        self.undo(entry, ann)
        assert state_of(tile)[:2] == ("pending", "")

    def test_what_never_arrived(self, tile: TilePair, ann: Any) -> None:
        with pytest.raises(NotFound) as caught:
            decision_undo(undoes=uuid4(), by=ann, client_id=uuid4())
        assert caught.value.code == "nothing_to_undo"

    def test_of_another_tile(self, area: Area, tile: TilePair, ann: Any) -> None:
        entry = tile_approve(**saw(tile, ann))
        with pytest.raises(NotFound):
            self.undo(entry, ann, tile_id=make_tile(area, 8, files=False).pk)

    def test_needs_the_permission(self, tile: TilePair, ann: Any) -> None:
        entry = tile_approve(**saw(tile, ann))
        ann.groups.clear()
        with pytest.raises(NotAllowed):
            self.undo(entry, type(ann).objects.get(pk=ann.pk))


def decide_by_rule(tile: TilePair, reason: str) -> None:
    """A build's own rejection, as a build writes it."""
    tile.refresh_from_db()
    before = tile.counted
    client_id = uuid4()
    ReviewDecision.objects.create(
        tile=tile,
        verb="reject",
        from_state=tile.review_state,
        from_reason=tile.reason,
        to_state="rejected",
        to_reason=reason,
        layers_seen=tile.layer_versions(),
        tile_version=tile.version + 1,
        by=None,
        client_id=client_id,
        action=client_id,
    )
    tile.review_state, tile.reason, tile.version = "rejected", reason, tile.version + 1
    tile.save()
    AreaCounter.objects.move(tile.area_id, before, tile.counted)
