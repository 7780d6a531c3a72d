"""Findings are kept with captions, follow texts and measures, and a person's dismissal holds."""

from __future__ import annotations

from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from captions.captioners.base import CaptionAnswer, TileFacts
from captions.checking import caption_check, captions_check_tiles, captions_recheck, finding_dismiss, finding_restore
from captions.checks.rivals import MANY
from captions.models import Caption, CaptionSettings, Finding, Proposal
from captions.services import caption_rectify, caption_restore, caption_write_machine, captions_write_missing
from tests.support.factories import make_area, make_tile
from tiles.core.errors import NotAllowed, NotFound
from tiles.core.signals import tiles_built
from tiles.models import Area, TilePair

pytestmark = pytest.mark.django_db

SEA = "Hills beside the open sea and a road."


class Parrot:
    """A captioner that says what the test told it, and how sure it is."""

    name = "parrot"

    def __init__(self, says: str, confidence: float | None = None) -> None:
        self.says, self.confidence = says, confidence

    def caption(self, facts: TileFacts) -> CaptionAnswer:
        provenance = {} if self.confidence is None else {"confidence": self.confidence}
        return CaptionAnswer(self.says, confidence=self.confidence, provenance=provenance)


@pytest.fixture
def area() -> Area:
    return make_area()


@pytest.fixture
def tile(area: Area) -> TilePair:
    return make_tile(area, 7, files=False)


@pytest.fixture
def ann(person: Any) -> Any:
    return person("annotator", "ann")


def save(tile: TilePair, by: Any, text: str, base: int) -> None:
    caption_rectify(tile_id=tile.pk, text=text, base_version=base, by=by, client_id=uuid4())


def standing(tile: TilePair) -> dict[str, Finding]:
    return {finding.code: finding for finding in Finding.objects.filter(caption__tile=tile)}


class TestWriting:
    def test_a_machines_text_is_checked_as_it_is_written(self, tile: TilePair) -> None:
        caption_write_machine(tile_id=tile.pk, captioner=Parrot(SEA))
        found = standing(tile)["sea"]
        assert (found.words, found.start, found.area_id) == ("sea", SEA.index("sea"), tile.area_id)
        assert f"lowest height {tile.dem_min:.0f} m" in found.message
        assert Caption.objects.get(tile=tile).doubt == found.severity

    def test_rules_say_nothing_doubtful(self, area: Area) -> None:
        for index in range(12):
            make_tile(area, index, files=False)
        captions_write_missing(area_id=area.pk)
        assert not Finding.objects.filter(area=area).exclude(code="duplicate").exists()

    def test_many_first_captions_cost_the_same_few_queries(self, area: Area) -> None:
        def write(indexes: range) -> int:
            for index in indexes:
                make_tile(area, index, files=False)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                captions_write_missing(area_id=area.pk, captioner=Parrot(SEA))
            return len(queries)

        write(range(2))
        assert write(range(10, 14)) == write(range(20, 60))

    def test_a_person_mends_it(self, tile: TilePair, ann: Any) -> None:
        caption_write_machine(tile_id=tile.pk, captioner=Parrot(SEA))
        save(tile, ann, "Hills beside a road and a wood.", 1)
        assert standing(tile) == {}
        assert Caption.objects.get(tile=tile).doubt == 0
        caption_restore(tile_id=tile.pk, number=1, base_version=2, by=ann, client_id=uuid4())
        assert "sea" in standing(tile)

    def test_confidence_and_disagreement_make_a_machines_text_doubtful(self, area: Area, ann: Any) -> None:
        sure, unsure = make_tile(area, 1, files=False), make_tile(area, 2, files=False)
        text = "Hills seen from above with a road."
        caption_write_machine(tile_id=sure.pk, captioner=Parrot(text, 1.0))
        caption_write_machine(tile_id=unsure.pk, captioner=Parrot(text, 0.5))
        assert Caption.objects.get(tile=sure).doubt == 0
        assert Caption.objects.get(tile=unsure).doubt == pytest.approx(0.15)
        Proposal.objects.create(
            tile=sure, area=area, captioner="glm", text="An open, flat plain.", client_id=uuid4(), components={}
        )
        captions_check_tiles(tile_ids=[sure.pk])
        assert standing(sure)["rivals"].message == "says hills, and glm says plain"
        assert Caption.objects.get(tile=sure).doubt == pytest.approx(1 - 0.6 * 0.6)
        save(sure, ann, "Hills seen from above with one road.", 1)
        assert Caption.objects.get(tile=sure).doubt == 0

    def test_the_same_text_for_many_tiles_is_found(self, area: Area) -> None:
        for index in range(MANY):
            make_tile(area, index, files=False)
        captions_write_missing(area_id=area.pk, captioner=Parrot("Hills seen from above with a road."))
        assert not Finding.objects.filter(code="duplicate").exists()
        one_more = make_tile(area, MANY, files=False)
        caption_write_machine(tile_id=one_more.pk, captioner=Parrot("With a road: hills, seen from above!"))
        assert "duplicate" in standing(one_more)
        captions_recheck(area=area)
        assert Finding.objects.filter(code="duplicate").count() == MANY + 1

    def test_settings_of_the_area_count(self, area: Area, tile: TilePair) -> None:
        CaptionSettings.objects.create(area=area, banned=["road"], language="de")
        caption_write_machine(tile_id=tile.pk, captioner=Parrot("The hills of the area in between a road and it."))
        assert set(standing(tile)) == {"banned", "language"}


class TestDismissing:
    @pytest.fixture(autouse=True)
    def written(self, tile: TilePair) -> None:
        caption_write_machine(tile_id=tile.pk, captioner=Parrot(f"A quiet place. {SEA}"))

    def test_it_stays_dismissed_while_its_sentence_stays(self, tile: TilePair, ann: Any) -> None:
        finding = standing(tile)["sea"]
        caption = finding_dismiss(tile_id=tile.pk, finding_id=finding.pk, by=ann)
        assert caption.doubt == 0
        save(tile, ann, f"A very quiet place, seen from above. {SEA}", 1)
        finding.refresh_from_db()
        assert finding.dismissed_by == ann
        assert Caption.objects.get(tile=tile).text.startswith("sea", finding.start)
        save(tile, ann, "Hills that fall steeply into a sea.", 2)
        assert standing(tile)["sea"].dismissed_by is None
        assert Caption.objects.get(tile=tile).doubt > 0

    def test_it_can_be_taken_back_and_both_can_be_repeated(self, tile: TilePair, ann: Any, person: Any) -> None:
        finding, bob = standing(tile)["sea"], person("annotator", "bob")
        finding_dismiss(tile_id=tile.pk, finding_id=finding.pk, by=ann)
        finding_dismiss(tile_id=tile.pk, finding_id=finding.pk, by=bob)
        finding.refresh_from_db()
        assert finding.dismissed_by == ann
        for _ in range(2):
            assert finding_restore(tile_id=tile.pk, finding_id=finding.pk, by=bob).doubt > 0
        finding.refresh_from_db()
        assert (finding.dismissed_by, finding.dismissed_at) == (None, None)

    def test_one_that_is_gone_says_so(self, tile: TilePair, ann: Any) -> None:
        finding = standing(tile)["sea"]
        save(tile, ann, "Hills beside a road and a wood.", 1)
        with pytest.raises(NotFound, match="Reload"):
            finding_dismiss(tile_id=tile.pk, finding_id=finding.pk, by=ann)

    def test_viewers_may_not(self, tile: TilePair, person: Any) -> None:
        with pytest.raises(NotAllowed):
            finding_dismiss(tile_id=tile.pk, finding_id=standing(tile)["sea"].pk, by=person("viewer"))


class TestAgain:
    def test_a_tile_built_anew_is_checked_though_a_person_wrote(self, tile: TilePair, ann: Any) -> None:
        save(tile, ann, "Steep hills seen from above.", 0)
        assert standing(tile) == {}
        TilePair.objects.filter(pk=tile.pk).update(relief=4.0, dem_min=100, dem_max=104, slope=0.3)
        tiles_built.send(sender=TilePair, tile_ids=[tile.pk])
        assert set(standing(tile)) == {"hill", "slope"}

    def test_checking_twice_changes_nothing(self, area: Area, tile: TilePair) -> None:
        caption_write_machine(tile_id=tile.pk, captioner=Parrot(SEA))
        before = list(Finding.objects.values())
        assert captions_recheck(area=area) == 1
        caption_check(Caption.objects.select_related("tile__area").get(tile=tile))
        assert list(Finding.objects.values()) == before

    def test_the_command_composes_and_checks(self, area: Area, tile: TilePair) -> None:
        caption_write_machine(tile_id=tile.pk, captioner=Parrot("Hills seen from above with a road."))
        CaptionSettings.objects.create(area=area, banned=["road"], preset="rs3dbench-terms")
        said = StringIO()
        call_command("check_captions", "testland", stdout=said)
        assert said.getvalue() == "testland: 1 captions checked, 1 prompts composed anew.\n"
        assert set(standing(tile)) == {"banned"}
        with pytest.raises(CommandError, match="no area 'nowhere'"):
            call_command("check_captions", "nowhere")


class TestJson:
    BASE = "/api/v1/areas/testland/tiles/7/caption/"

    def test_findings_come_with_the_caption_and_are_dismissed_by_their_id(self, signed_in: Any, tile: TilePair) -> None:
        caption_write_machine(tile_id=tile.pk, captioner=Parrot(SEA))
        client = signed_in("annotator", "ann")
        caption = client.get(self.BASE).json()
        (finding,) = caption["findings"]
        assert (finding["code"], finding["title"], finding["start"]) == ("sea", "Sea", SEA.index("sea"))
        assert (caption["state"], caption["flagged"], caption["doubt"]) == ("unread", False, finding["severity"])
        assert caption["prompt"]
        assert caption["components"]["terms"] == []
        after = client.post(f"{self.BASE}findings/{finding['id']}/dismiss/").json()
        assert after["findings"][0]["dismissed_by"] == "ann"
        assert after["doubt"] == 0
        after = client.post(f"{self.BASE}findings/{finding['id']}/restore/").json()
        assert after["findings"][0]["dismissed_by"] is None
        gone = client.post(f"{self.BASE}findings/{finding['id'] + 1}/dismiss/")
        assert (gone.status_code, gone.json()["code"]) == (404, "finding_gone")
        assert signed_in("viewer").post(f"{self.BASE}findings/{finding['id']}/dismiss/").status_code == 403

    def test_a_finding_of_another_tile_is_not_reached(self, signed_in: Any, area: Area, tile: TilePair) -> None:
        other = make_tile(area, 8, files=False)
        for each in (tile, other):
            caption_write_machine(tile_id=each.pk, captioner=Parrot(SEA))
        key = standing(other)["sea"].pk
        assert signed_in("annotator").post(f"{self.BASE}findings/{key}/dismiss/").status_code == 404


class TestList:
    def test_captions_are_listed_by_finding_area_and_state(self, signed_in: Any, area: Area, ann: Any) -> None:
        tiles = [make_tile(area, index, files=False) for index in range(3)]
        for each in tiles:
            caption_write_machine(tile_id=each.pk, captioner=Parrot(SEA))
        finding_dismiss(tile_id=tiles[0].pk, finding_id=standing(tiles[0])["sea"].pk, by=ann)
        save(tiles[1], ann, f"{SEA} Read.", 1)
        client = signed_in("viewer")

        def listed(query: str) -> list[str]:
            rows = client.get(f"/captions/?{query}").context["rows"]
            return [row["caption"].tile.name for row in rows]

        assert listed("finding=sea") == ["tile_2", "tile_1"]
        assert listed("finding=sea&area=testland&state=unread") == ["tile_2"]
        assert listed("finding=lake") == []
        assert listed("state=read") == ["tile_1"]
        assert "<mark>sea</mark>" in client.get("/captions/?finding=sea").content.decode()

    def test_filters_that_do_not_go_together_say_so(self, signed_in: Any) -> None:
        client = signed_in("viewer")
        for query in ("finding=sea&q=hill", "finding=sea&origin=rules", "finding=nothing"):
            assert client.get(f"/captions/?{query}").status_code == 400
