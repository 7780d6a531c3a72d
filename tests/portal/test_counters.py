"""The maintained counters equal a recount, whatever building, judging and captioning do in whatever order."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from captions.services import caption_rectify, caption_write_machine
from portal.accounts.services import user_create
from tests.support.factories import counters, make_area, make_failed_tile, make_tile
from tiles.areas.selectors import area_counts, counters_recounted
from tiles.areas.services import area_recount
from tiles.build.record import tile_record_failed
from tiles.build.tile import Failed
from tiles.core.errors import ApplicationError
from tiles.models import Area, AreaCounter, ReviewDecision, TilePair
from tiles.models.choices import Failure
from tiles.review.services import decision_undo, tile_approve, tile_reject, tile_unsure

FEW = st.integers(0, 5)
REASONS = st.sampled_from(["cloud", "shadow", "flat"])
FAILURES = st.sampled_from([Failure.VOID, Failure.NOT_COVERED, Failure.CRASHED])


class Working(RuleBasedStateMachine):
    """Tiles appear, are judged, captioned and fail; after each step the counters must be true."""

    def __init__(self) -> None:
        super().__init__()
        self.by: Any = user_create(username=f"u{uuid4().hex[:8]}", password="a-long-word-9", role="curator")
        self.area = make_area(f"area-{uuid4().hex[:8]}")

    def tile(self, number: int) -> TilePair | None:
        tiles = list(TilePair.objects.filter(area=self.area).order_by("index"))
        return tiles[number % len(tiles)] if tiles else None

    def seen(self, tile: TilePair) -> dict[str, Any]:
        return {"seen": tile.layer_versions(), "seen_version": tile.version, "by": self.by, "client_id": uuid4()}

    @rule()
    def a_tile_is_built(self) -> None:
        make_tile(self.area, TilePair.objects.filter(area=self.area).count(), files=False)

    @rule(failure=FAILURES)
    def a_tile_fails(self, failure: Failure) -> None:
        make_failed_tile(self.area, TilePair.objects.filter(area=self.area).count(), failure)

    @rule(number=FEW, failure=FAILURES)
    def it_fails_again_otherwise(self, number: int, failure: Failure) -> None:
        if tile := self.tile(number):
            change = tile_record_failed(tile_id=tile.pk, failed=Failed(failure, "By the test."))
            AreaCounter.objects.add(self.area.pk, change)

    @rule(number=FEW)
    def approve(self, number: int) -> None:
        self.attempt(tile_approve, number)

    @rule(number=FEW, reason=REASONS)
    def reject(self, number: int, reason: str) -> None:
        self.attempt(tile_reject, number, reason=reason)

    @rule(number=FEW)
    def unsure(self, number: int) -> None:
        self.attempt(tile_unsure, number)

    @rule(back=FEW)
    def undo(self, back: int) -> None:
        entries = list(ReviewDecision.objects.filter(by=self.by).order_by("-id"))
        if entries:
            try:
                decision_undo(undoes=entries[back % len(entries)].client_id, by=self.by, client_id=uuid4())
            except ApplicationError:
                return

    @rule(number=FEW)
    def a_machine_captions(self, number: int) -> None:
        if tile := self.tile(number):
            caption_write_machine(tile_id=tile.pk)

    @rule(number=FEW)
    def a_person_captions(self, number: int) -> None:
        if tile := self.tile(number):
            try:
                caption_rectify(tile_id=tile.pk, text=f"Text {uuid4()}", base_version=0, by=self.by, client_id=uuid4())
            except ApplicationError:
                return

    def attempt(self, service: Any, number: int, **more: Any) -> None:
        if tile := self.tile(number):
            try:
                service(tile_id=tile.pk, **self.seen(tile), **more)
            except ApplicationError:
                return

    @invariant()
    def the_counters_are_true(self) -> None:
        assert counters(self.area) == counters_recounted(self.area)
        counts = area_counts(Area.objects.get(pk=self.area.pk))
        assert counts.total == TilePair.objects.filter(area=self.area).count()
        assert counts.built == counts.pending + counts.approved + counts.rejected + counts.unsure
        assert counts.failed == sum(counts.failures.values())
        assert counts.rejected == sum(counts.rejections.values())


class TestWorking(TestCase, Working.TestCase):  # type: ignore[misc]
    settings = settings(max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))


class TestRecount(TestCase):
    def test_a_wrong_counter_is_found_and_mended(self) -> None:
        area = make_area("testland")
        make_tile(area, 0, files=False)
        AreaCounter.objects.filter(area=area, name="pending").update(value=7)
        AreaCounter.objects.create(area=area, name="approved", value=3)
        assert area_recount(area=area) == {"approved": (3, 0), "pending": (7, 1)}
        assert counters(area) == counters_recounted(area)
        assert area_recount(area=area) == {}
