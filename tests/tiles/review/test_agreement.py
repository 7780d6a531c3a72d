"""How decisions agree with the score and between people, and the pace: as the pages show it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.support.factories import make_area, make_tile
from tiles.models import Area, AreaCounter, ReviewDecision, TilePair
from tiles.review import agreement
from tiles.review.agreement import people_agreement, score_agreement
from tiles.review.pace import pace_report
from tiles.review.services import decision_undo, tile_approve, tile_reject, tile_unsure, tiles_decide

pytestmark = pytest.mark.django_db


@pytest.fixture
def area(data_folder: Any) -> Area:
    return make_area()


def decide(tile: TilePair, by: Any, reason: str = "", *, unsure: bool = False) -> ReviewDecision:
    tile.refresh_from_db()
    seen: dict[str, Any] = {
        "tile_id": tile.pk,
        "seen": tile.layer_versions(),
        "seen_version": tile.version,
        "by": by,
        "client_id": uuid4(),
    }
    if unsure:
        return tile_unsure(**seen)
    return tile_reject(reason=reason, **seen) if reason else tile_approve(**seen)


def decided_area(area: Area, by: Any, number: int, rejected: Any) -> None:
    """Tiles of falling score, `rejected` of their number or not; a cloud makes the first ten."""
    tiles = TilePair.objects.bulk_create(
        TilePair(
            area=area,
            index=index,
            build_state="built",
            score=1 - index / number,
            causes=[{"code": "cloud", "severity": 1, "value": 1}] if index < 10 else [],
        )
        for index in range(number)
    )
    AreaCounter.objects.add(area.pk, {"built": number, "pending": number})
    for verb, reason, some in (
        ("approve", "", [tile for tile in tiles if not rejected(tile.index)]),
        ("reject", "cloud", [tile for tile in tiles if rejected(tile.index)]),
    ):
        seen = {tile.pk: 0 for tile in some}
        tiles_decide(area=area, seen=seen, verb=verb, reason=reason, by=by, action=uuid4())


class TestScore:
    def test_an_order_that_finds_them(self, area: Area, person: Any, signed_in: Any) -> None:
        decided_area(area, person("reviewer"), 200, lambda index: index < 20 or index in (100, 150))
        make_tile(area, 900, files=False)
        found = score_agreement(area=area)
        assert (found.decided, found.undecided, found.sampled) == (200, 1, 200)
        assert (found.rejected.part, found.rejected.whole) == (22, 200)
        assert [step.rejected.part for step in found.steps] == [0, 0, 1, 0, 0, 1, 0, 0, 0, 20]
        tenth = next(first for first in found.firsts if first.percent == 10)
        assert (tenth.recall.part, tenth.recall.whole) == (20, 22)
        assert (tenth.precision.part, tenth.precision.whole) == (20, 20)
        cloud, none = found.causes
        assert (cloud.label, cloud.rejected.part, cloud.rejected.whole) == ("cloud", 10, 10)
        assert (none.label, none.reasons) == ("no cause", [("Cloud or haze", 12)])
        assert found.sentence.startswith("The order can be trusted: the first 20 % of the decided tiles hold 91 %")
        html = signed_in("viewer").get("/areas/testland/agreement/").content.decode()
        assert found.sentence in html
        assert "style=" not in html, "the policy of the pages forbids it"

    def test_an_order_that_does_not(self, area: Area, person: Any) -> None:
        decided_area(area, person("reviewer"), 200, lambda index: index % 8 == 0)
        assert score_agreement(area=area).sentence.startswith("The order cannot be trusted here")

    def test_too_few_to_tell(self, area: Area, person: Any) -> None:
        decided_area(area, person("reviewer"), 30, lambda index: index < 3)
        found = score_agreement(area=area)
        assert found.tone == "none"
        assert "cannot be told yet: 3 of 30" in found.sentence

    def test_what_a_rule_decided_says_nothing(self, area: Area) -> None:
        make_tile(area, 0, files=False, review_state="rejected", reason="flat")
        assert score_agreement(area=area).sampled == 0

    def test_a_sample_stands_for_a_great_area(self, area: Area, person: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(agreement, "SAMPLE", 100)
        decided_area(area, person("reviewer"), 400, lambda index: index < 80)
        with CaptureQueriesContext(connection) as asked:
            found = score_agreement(area=area)
        assert 60 < found.sampled < 140
        assert found.rejected.low < 0.2 < found.rejected.high
        assert len(asked) == 2, "the counters and the sample"


class TestPeople:
    def test_agreement_by_class(self, area: Area, person: Any, signed_in: Any) -> None:
        ann, bob = person("reviewer", "ann"), person("reviewer", "bob")
        tiles = [make_tile(area, index, files=False) for index in range(5)]
        said = [("", ""), ("", "seam"), ("cloud", "cloud"), ("cloud", "seam"), ("seam", "")]
        for tile, (first, second) in zip(tiles, said, strict=True):
            decide(tile, ann, first)
            decide(tile, bob, second)
        decide(make_tile(area, 7, files=False), ann)
        undone = decide(tiles[0], bob, "seam")
        decision_undo(undoes=undone.client_id, by=bob, client_id=uuid4())
        found = people_agreement(area=area)
        assert (found.tiles, found.pairs, found.same.part) == (5, 5, 3)
        rows = {row.label: (row.agreement.both, row.agreement.one) for row in found.classes}
        assert rows == {"Approve": (1, 2), "Reject": (2, 2), "Cloud or haze": (1, 1), "Seam or striping": (0, 3)}
        html = signed_in("viewer").get("/areas/testland/agreement/").content.decode()
        assert "5 pairs of judgements" in html

    def test_other_pixels_are_another_judgement(self, area: Area, person: Any) -> None:
        tile = make_tile(area, 0, files=False)
        decide(tile, person("reviewer", "ann"))
        tile.refresh_from_db()
        tile.layers = {**tile.layers, "png": {**tile.layers["png"], "v": 2}}
        tile.save()
        decide(tile, person("reviewer", "bob"), "cloud")
        assert people_agreement(area=area).pairs == 0


class TestPace:
    def test_what_a_person_did(self, area: Area, person: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        ann = person("reviewer", "ann")
        tiles = [make_tile(area, index, files=False) for index in range(8)]
        start = timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0)
        for tile, minute in zip(tiles, (0, 1, 2, 4, 60), strict=False):
            monkeypatch.setattr(timezone, "now", lambda at=start + timedelta(minutes=minute): at)
            entry = decide(tile, ann, "cloud" if tile.index in (1, 2) else "")
        decision_undo(undoes=entry.client_id, by=ann, client_id=uuid4())
        seen = {tile.pk: 0 for tile in tiles[5:]}
        tiles_decide(area=area, seen=seen, verb="approve", by=ann, action=uuid4())
        elsewhere = make_tile(make_area("elsewhere"), 0, files=False)
        decide(elsewhere, ann)
        decide(tiles[6], person("reviewer", "bob"), unsure=True)
        report = pace_report(area=area, now=start)
        mine, theirs = report.people
        assert (mine.name, mine.decisions, mine.in_bulk, mine.undos) == ("ann", 8, 3, 1)
        assert mine.seconds == 60
        assert mine.active_hours == pytest.approx(4 / 60)
        assert mine.an_hour == pytest.approx(45)
        assert mine.reasons == [("Cloud or haze", 2)]
        assert mine.by_day[-1] == (start.date(), 8)
        assert (theirs.name, theirs.decisions, theirs.seconds) == ("bob", 1, None)
        assert [one.name for one in pace_report(area=area, by=ann, now=start).people] == ["ann"]
        assert pace_report(area=area, now=start + timedelta(days=40)).people == []

    def test_who_sees_whom(self, area: Area, person: Any, signed_in: Any) -> None:
        decide(make_tile(area, 0, files=False), person("reviewer", "ann"))
        decide(make_tile(area, 1, files=False), person("reviewer", "bob"))
        curators = signed_in("curator").get("/areas/testland/pace/").content.decode()
        assert "ann" in curators
        assert "bob" in curators
        own = signed_in("reviewer", "ann").get("/areas/testland/pace/").content.decode()
        assert "bob" not in own
