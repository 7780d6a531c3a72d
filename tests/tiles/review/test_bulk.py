"""Deciding about many tiles as one action: at once, as a job, and taken back."""

from __future__ import annotations

from typing import Any
from uuid import uuid4, uuid5

import pytest
from django.utils import timezone

from tests.support.factories import counters, make_area, make_failed_tile, make_tile, recount
from tiles.build.record import tile_record_restretched
from tiles.core.errors import BadInput, Conflict, NotAllowed, NotFound
from tiles.jobs.registry import kind_of
from tiles.jobs.runner import chunk_lease, run_here
from tiles.models import Area, Job, JobChunk, ReviewDecision, TilePair
from tiles.review import bulk
from tiles.review.bulk import action_undo, bulk_start
from tiles.review.recording import Outcome
from tiles.review.services import tile_approve, tiles_decide

pytestmark = pytest.mark.django_db
TILES = 8


@pytest.fixture
def area(data_folder: Any) -> Area:
    area = make_area()
    for index in range(TILES):
        make_tile(area, index, files=False, slope=float(index))
    return area


def seen(area: Area, *indexes: int) -> dict[int, int]:
    return dict(TilePair.objects.filter(area=area, index__in=indexes or range(TILES)).values_list("pk", "version"))


def states(area: Area) -> str:
    """A letter a tile, in the order of the numbers."""
    return "".join(state[0] for state in area.tiles.order_by("index").values_list("review_state", flat=True))


def true_to_the_log(area: Area) -> bool:
    """The counters equal a recount, and every tile stands as its newest entry says."""
    for tile in area.tiles.all():
        last = tile.decisions.order_by("-id").first()
        if last and (tile.review_state, tile.reason, tile.version) != (
            last.to_state,
            last.to_reason,
            last.tile_version,
        ):
            return False
    return counters(area) == recount(area)


def decide_one(tile: TilePair, by: Any) -> None:
    tile_approve(tile_id=tile.pk, seen=tile.layer_versions(), seen_version=tile.version, by=by, client_id=uuid4())


def worked(job: Any) -> Job:
    assert isinstance(job, Job)
    return run_here(job.pk, lambda _job: None, pause=lambda _seconds: None)


class TestAtOnce:
    def test_one_action_and_one_undo(self, area: Area, person: Any) -> None:
        by, action, undo = person("reviewer"), uuid4(), uuid4()
        asked: dict[str, Any] = {"area": area, "seen": seen(area, 1, 3, 5), "verb": "reject", "reason": "cloud"}
        assert tiles_decide(**asked, by=by, action=action) == Outcome(3)
        assert states(area) == "prprprpp"
        assert ReviewDecision.objects.filter(action=action).count() == 3
        assert set(area.tiles.exclude(decided_at=None).values_list("index", "decided_by")) == {
            (index, by.pk) for index in (1, 3, 5)
        }
        assert tiles_decide(**asked, by=by, action=action) == Outcome(3), "a repeat doubles nothing"
        assert ReviewDecision.objects.count() == 3
        assert action_undo(area=area, action=action, by=by, undo=undo) == Outcome(3)
        assert action_undo(area=area, action=action, by=by, undo=undo) == Outcome(3)
        assert states(area) == "pppppppp"
        assert ReviewDecision.objects.filter(action=undo, verb="undo").count() == 3
        assert action_undo(area=area, action=action, by=by, undo=uuid4()) == Outcome(0, unchanged=[1, 3, 5])
        assert true_to_the_log(area)

    def test_reset_and_undo_to_any_depth(self, area: Area, person: Any) -> None:
        by = person("reviewer")
        actions = []
        for verb, reason in (("approve", ""), ("reject", "seam"), ("reset", "")):
            actions.append(uuid4())
            tiles_decide(area=area, seen=seen(area, 0, 1), verb=verb, reason=reason, by=by, action=actions[-1])
        expected = ["rrpppppp", "aapppppp", "pppppppp"]
        for action, then in zip(reversed(actions), expected, strict=True):
            assert action_undo(area=area, action=action, by=by, undo=uuid4()) == Outcome(2)
            assert states(area) == then
        assert true_to_the_log(area)

    def test_what_changed_since_is_left_alone(self, area: Area, person: Any) -> None:
        """Somebody decided, a picture changed, a tile stands so already; one's own decision is no surprise."""
        old = seen(area)
        first, second, third, fourth = area.tiles.order_by("index")[:4]
        decide_one(first, person("reviewer", "bob"))
        tile_record_restretched(tile_id=second.pk, layers={"png": {"v": 2, "sha256": "1"}}, stretch={}, flags=[])
        decide_one(third, person("reviewer"))
        decide_one(fourth, person("reviewer"))
        outcome = tiles_decide(
            area=area, seen=old, verb="reject", reason="cloud", by=person("reviewer"), action=uuid4()
        )
        assert outcome == Outcome(6, stale=[0, 1])
        now = seen(area, 2, 3, 4)
        again = tiles_decide(area=area, seen=now, verb="reject", reason="cloud", by=person("reviewer"), action=uuid4())
        assert again == Outcome(0, unchanged=[2, 3, 4])
        assert true_to_the_log(area)

    def test_undo_leaves_what_somebody_decided_meanwhile(self, area: Area, person: Any) -> None:
        by, action = person("reviewer"), uuid4()
        tiles_decide(area=area, seen=seen(area, 0, 1, 2), verb="reject", reason="cloud", by=by, action=action)
        decide_one(area.tiles.get(index=1), person("reviewer", "bob"))
        assert action_undo(area=area, action=action, by=by, undo=uuid4()) == Outcome(2, stale=[1])
        assert states(area) == "papppppp"
        assert true_to_the_log(area)

    def test_what_is_refused(self, area: Area, person: Any) -> None:
        by, action = person("reviewer"), uuid4()
        asked: dict[str, Any] = {"area": area, "seen": seen(area), "by": by, "action": action}
        with pytest.raises(BadInput):
            tiles_decide(**asked, verb="reject", reason="beauty")
        with pytest.raises(BadInput):
            tiles_decide(**asked, verb="reject", reason="other")
        with pytest.raises(NotAllowed):
            tiles_decide(**asked | {"by": person("viewer")}, verb="approve")
        failed = make_failed_tile(area, 90)
        with pytest.raises(Conflict):
            tiles_decide(**asked | {"seen": seen(area) | {failed.pk: 0}}, verb="approve")
        assert not ReviewDecision.objects.exists()
        tiles_decide(**asked, verb="approve")
        with pytest.raises(Conflict):
            tiles_decide(**asked, verb="reject", reason="cloud")
        with pytest.raises(NotAllowed):
            action_undo(area=area, action=action, by=person("reviewer", "bob"), undo=uuid4())
        with pytest.raises(NotFound):
            action_undo(area=area, action=uuid4(), by=by, undo=uuid4())
        assert true_to_the_log(area)


class TestAsAJob:
    def start(self, area: Area, by: Any, query: str = "slope_from=2&order=-slope", **more: Any) -> Job:
        asked: dict[str, Any] = {
            "action": uuid4(),
            "verb": "reject",
            "reason": "seam",
            "seen_at": timezone.now(),
        } | more
        return bulk_start(area=area, query=query, by=by, background=False, **asked)

    def test_all_that_match(self, area: Area, person: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bulk, "TILES_A_CHUNK", 4)
        monkeypatch.setattr(bulk, "TILES_A_WRITE", 2)
        by, action = person("reviewer"), uuid4()
        started = self.start(area, by, action=action)
        job = worked(started)
        assert (job.state, job.total, job.done, job.failed) == ("done", 6, 6, 0)
        assert states(area) == "pprrrrrr"
        assert set(ReviewDecision.objects.values_list("action", flat=True)) == {action}
        monkeypatch.setattr(bulk, "AT_ONCE", 3)
        undo = uuid4()
        undoing = action_undo(area=area, action=action, by=by, undo=undo, background=False)
        assert worked(undoing).done == 6
        assert action_undo(area=area, action=action, by=by, undo=undo) == undoing
        assert states(area) == "pppppppp"
        assert true_to_the_log(area)

    def test_a_repeated_action_is_one_job(self, area: Area, person: Any) -> None:
        by, action, at = person("reviewer"), uuid4(), timezone.now()
        first = self.start(area, by, action=action, seen_at=at)
        assert self.start(area, by, action=action, seen_at=at) == first
        worked(first)
        assert self.start(area, by, action=action, seen_at=at) == first
        with pytest.raises(Conflict):
            self.start(area, by, action=action, seen_at=at, reason="cloud")

    def test_a_chunk_that_is_run_again_doubles_nothing(self, area: Area, person: Any) -> None:
        """A worker that dies after its last write and before it closed the chunk leaves it to the next one."""
        job = self.start(area, person("reviewer"))
        kind = kind_of(bulk.KIND)
        for stage in (bulk.PLAN, bulk.TILES):
            lease = chunk_lease(job.pk)
            assert lease
            kind.run(lease)
            once = list(ReviewDecision.objects.order_by("id").values("client_id", "tile", "action"))
            chunks = job.chunks.count()
            kind.run(lease)
            JobChunk.objects.filter(pk=lease.chunk_id).update(state="waiting")
            again = chunk_lease(job.pk)
            assert again
            kind.run(again)
            assert list(ReviewDecision.objects.order_by("id").values("client_id", "tile", "action")) == once
            assert job.chunks.count() == chunks
            JobChunk.objects.filter(pk=lease.chunk_id).update(state="done")
            assert len(once) == (0 if stage == bulk.PLAN else 6)
        job.refresh_from_db()
        assert (job.total, job.done) == (6, 6)
        assert true_to_the_log(area)

    def test_what_changed_since_it_was_seen_is_skipped_and_said(self, area: Area, person: Any) -> None:
        """Before the job made its plan, and after."""
        by, bob = person("reviewer"), person("reviewer", "bob")
        job = self.start(area, by)
        decide_one(area.tiles.get(index=4), bob)
        lease = chunk_lease(job.pk)
        assert lease
        kind_of(bulk.KIND).run(lease)
        JobChunk.objects.filter(pk=lease.chunk_id).update(state="done")
        decide_one(area.tiles.get(index=6), bob)
        job = worked(job)
        assert (job.state, job.total, job.done, job.failures) == ("done", 6, 4, {bulk.STALE: 2})
        assert states(area) == "pprrarar"
        assert true_to_the_log(area)

    def test_it_does_not_begin_when_the_pictures_are_new(self, area: Area, person: Any) -> None:
        job = self.start(area, person("reviewer"))
        Job.objects.create(kind="restretch", title="Stretch", area=area, state="running", started_at=timezone.now())
        job = worked(job)
        assert (job.state, job.done) == ("failed", 0)
        assert "stretched anew" in job.error

    def test_undo_of_a_job_under_way_stops_it(self, area: Area, person: Any) -> None:
        by, action = person("reviewer"), uuid4()
        job = self.start(area, by, action=action)
        assert action_undo(area=area, action=action, by=by, undo=uuid4()) == Outcome(0)
        job.refresh_from_db()
        assert job.state == Job.State.CANCELLED

    def test_what_is_refused(self, area: Area, person: Any) -> None:
        by = person("reviewer")
        for query, more in (("slope_from=steep", {}), ("state=pending", {"reason": "beauty"})):
            with pytest.raises(BadInput):
                self.start(area, by, query, **more)
        with pytest.raises(NotAllowed):
            self.start(area, person("viewer"))
        with pytest.raises(Conflict):
            self.start(area, by, "failure=void")


def test_ids_of_entries_follow_from_the_action(area: Area, person: Any) -> None:
    """Another process that repeats the action comes to the same ids."""
    action, tile = uuid4(), area.tiles.get(index=0)
    tiles_decide(area=area, seen={tile.pk: 0}, verb="approve", by=person("reviewer"), action=action)
    assert ReviewDecision.objects.get().client_id == uuid5(action, f"tile {tile.pk}")
