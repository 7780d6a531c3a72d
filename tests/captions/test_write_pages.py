"""The pages where captioners are let to write and are compared, and the filter by writer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from captions.comparing import captioners_of, standings, vote_cast
from captions.filters import origins
from captions.instructions import guide_of
from captions.models import CaptionVote, Proposal
from captions.services import caption_adopt
from captions.writing.options import Captioning
from captions.writing.services import captioning_start
from tests.support.factories import make_area, make_tile
from tiles.core.errors import BadInput, Conflict, NotAllowed
from tiles.jobs.runner import run_here
from tiles.models import Area, Job, TilePair

pytestmark = pytest.mark.django_db

WRITE, COMPARE = "/areas/land/captions/write/", "/areas/land/captions/compare/"
EVIL = '<img src=x onerror="alert(1)"> hills'


@pytest.fixture
def area(data_folder: Path) -> Area:
    area = make_area("land")
    for index in range(4):
        make_tile(area, index, files=False)
    return area


def propose(tile: TilePair, captioner: str, text: str, confidence: float | None = None) -> Proposal:
    return Proposal.objects.create(
        tile=tile, area_id=tile.area_id, captioner=captioner, text=text, confidence=confidence, client_id=uuid4()
    )


@pytest.fixture
def rivals(area: Area) -> dict[str, Proposal]:
    """What two captioners say of the first tile; of the third too, and one alone of the second."""
    first, second, third, _fourth = area.tiles.order_by("index")
    propose(second, "glm", "Alone.")
    propose(third, "glm", "Dunes."), propose(third, "llava", "Sand in waves.")
    propose(first, "glm", "An older text.")
    return {"glm": propose(first, "glm", EVIL, 0.5), "llava": propose(first, "llava", "Low hills.", 0.9)}


def given(client: Any, **changes: Any) -> dict[str, Any]:
    """The form as the page shows it, with changes."""
    form = client.get(WRITE).context["form"]
    shown = {name: form[name].value() for name in form.fields}
    filled = {name: value for name, value in shown.items() if value not in (None, False)}
    return {**filled, "captioner": "rules", **changes}


class TestWriting:
    def test_a_trial_then_all(self, signed_in: Any, area: Area) -> None:
        cara = signed_in("curator")
        answer = cara.post(WRITE, given(cara, trial="1"))
        assert answer["Location"] == f"{WRITE}#trial"
        trial = Job.objects.get()
        assert 'hx-trigger="every 2s"' in cara.get(f"{WRITE}trial/").content.decode()
        run_here(trial.pk, lambda _job: None)
        page = cara.get(WRITE).content.decode()
        assert "All 4 tiles would take about" in page
        assert Proposal.objects.first().text in page  # type: ignore[union-attr]
        assert "every 2s" not in page
        assert guide_of(area).number == 0

        answer = cara.post(WRITE, given(cara, start="1", limit="2"))
        job = Job.objects.order_by("-id")[0]
        assert answer["Location"] == f"/jobs/{job.pk}/"
        assert Captioning.of(job.parameters).limit == 2
        assert cara.get(f"/jobs/{job.pk}/").status_code == 200

    def test_another_instruction_is_a_new_version(self, signed_in: Any, area: Area) -> None:
        cara = signed_in("curator")
        cara.post(WRITE, given(cara, start="1", text="Look.\r\n", terms="lake,\nhill"))
        assert (guide_of(area).number, guide_of(area).terms) == (1, ("lake", "hill"))
        assert Captioning.of(Job.objects.get().parameters).instruction == 1

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"captioner": "nobody"}, "Select a valid choice"),
            ({"terms": " , "}, "Name at least one term"),
            ({"budget_money": "2"}, "needs the captioner&#x27;s prices"),
            ({"limit": "0"}, "greater than or equal to 1"),
        ],
    )
    def test_what_is_wrong_is_said(self, signed_in: Any, area: Area, changes: dict[str, str], words: str) -> None:
        cara = signed_in("curator")
        page = cara.post(WRITE, given(cara, start="1", **changes))
        assert page.status_code == 200
        assert words in page.content.decode()
        assert not Job.objects.exists()

    def test_endpoints_are_listed_without_their_keys(self, signed_in: Any, area: Area, settings: Any) -> None:
        usual = {"urls": ["http://gpu:8000/v1"], "model": "glm-4v", "key": "sk-secret", "concurrent": 1}
        rest = {"requests": 0, "tokens": 0, "seconds": 1.0, "picture": 64, "depth": False, "longest": 99}
        right = {**usual, **rest, "prices": (0.0, 0.0)}
        settings.CAPTION_ENDPOINTS = {"glm": right, "broken": {**right, "model": ""}}
        page = signed_in("curator").get(WRITE).content.decode()
        assert "glm-4v at gpu:8000" in page
        assert "Set CAPTION_BROKEN_MODEL" in page
        assert "sk-secret" not in page

    def test_a_running_one_is_not_started_twice(self, signed_in: Any, area: Area) -> None:
        cara = signed_in("curator")
        captioning_start(area=area, asked=Captioning(captioner="rules"), background=False)
        page = cara.post(WRITE, given(cara, start="1", limit="1")).content.decode()
        assert "at work on this area already" in page
        assert Job.objects.count() == 1


class TestWritingAnew:
    PAGE = "/captions/recaption/"

    def test_a_selection_tried_written_and_taken_back(self, signed_in: Any, area: Area) -> None:
        cara, keys = signed_in("curator"), []
        for tile in area.tiles.order_by("index")[:3]:
            caption_adopt(tile=tile, proposal=propose(tile, "glm", f"{EVIL} {tile.index}"))
            keys.append(str(tile.caption.pk))
        ann = signed_in("annotator")
        body = {"text": "Mine.", "base_version": 1, "client_id": str(uuid4())}
        ann.put("/api/v1/areas/land/tiles/2/caption/", body, content_type="application/json")
        address = f"{self.PAGE}?only={','.join(keys)}"
        page = cara.get(address)
        assert (page.context["selected"].number, page.context["selected"].writable) == (3, 2)
        asked = {"captioner": "rules", "instruction": "0"}
        assert cara.post(address, {**asked, "trial": "1"})["Location"] == f"{address}#trial"
        run_here(Job.objects.get().pk, lambda _job: None)
        shown = cara.get(address).content.decode()
        assert "All 2 tiles would take about" in shown
        assert "Stands now: &lt;img src=x" in shown
        assert "<img src=x" not in shown

        assert cara.post(address, {**asked, "start": "1"})["Location"].startswith("/jobs/")
        job = run_here(Job.objects.order_by("-id")[0].pk, lambda _job: None)
        assert (job.done, f"/write/{job.pk}/undo/" in cara.get(address).content.decode()) == (2, True)
        assert ann.post(f"{WRITE}{job.pk}/undo/").status_code == 403
        assert "2 texts are back." in cara.post(f"{WRITE}{job.pk}/undo/", follow=True).content.decode()
        assert [tile.caption.origin for tile in area.tiles.order_by("index")[:3]] == ["glm", "glm", "person"]
        assert "taken back" in cara.get(address).content.decode()
        assert cara.post(f"/areas/elsewhere/captions/write/{job.pk}/undo/").status_code == 404

    def test_one_area_is_chosen_first(self, signed_in: Any, area: Area) -> None:
        cara, other = signed_in("curator"), make_area("other")
        keys = []
        for where in (area, other):
            tile = where.tiles.first() or make_tile(where, 0, files=False)
            caption_adopt(tile=tile, proposal=propose(tile, "glm", "Hills."))
            keys.append(tile.caption.pk)
        query = f"only={keys[0]},{keys[1]}"
        assert f"?{query}&amp;area=other" in cara.get(f"{self.PAGE}?{query}").content.decode()
        assert cara.get(f"{self.PAGE}?{query}&area=other").context["selected"].number == 1
        assert "Of which area?" in cara.get(f"{self.PAGE}?origin=glm").content.decode()
        assert "No such captions" in cara.get(f"{self.PAGE}?only=999999").content.decode()
        listed = {role: signed_in(role).get("/captions/").content.decode() for role in ("annotator", "curator")}
        assert (self.PAGE in listed["annotator"], self.PAGE in listed["curator"]) == (False, True)


class TestComparing:
    def test_texts_side_by_side_and_escaped(self, signed_in: Any, rivals: dict[str, Proposal]) -> None:
        page = signed_in("annotator").get(COMPARE).content.decode()
        assert "Which describes tile_0 best?" in page
        assert "&lt;img src=x" in page
        assert "<img src=x" not in page
        assert "An older text." not in page
        assert "glm is better" in page

    def test_blind(self, signed_in: Any, rivals: dict[str, Proposal]) -> None:
        page = signed_in("annotator").get(f"{COMPARE}?blind=1").content.decode()
        form = page[page.index('<form method="post"') : page.index("</form>")]
        assert not re.search("glm|llava", form)
        assert "Text A" in form
        assert "Text B" in form

    def test_a_vote_leads_to_the_next_and_counts(self, signed_in: Any, area: Area, rivals: dict[str, Proposal]) -> None:
        ann = signed_in("annotator")
        vote = {
            "winner": rivals["llava"].pk,
            "rival": [one.pk for one in rivals.values()],
            "blind": "1",
            "client_id": uuid4(),
        }
        for _twice in range(2):
            answer = ann.post(f"{COMPARE}0/", vote)
            assert answer["Location"] == f"{COMPARE}?blind=1&tile=2"
        kept = CaptionVote.objects.get()
        assert (kept.winner, kept.blind, kept.rivals) == ("llava", True, {n: p.pk for n, p in rivals.items()})
        best, other = standings(area)
        assert (best.captioner, best.wins, best.votes, best.confidence) == ("llava", 1, 1, 0.9)
        assert (other.captioner, other.wins, other.votes) == ("glm", 0, 1)
        assert "Which describes tile_2 best?" in ann.get(COMPARE).content.decode()

    def test_what_is_no_vote(self, area: Area, rivals: dict[str, Proposal], person: Any) -> None:
        tile, ann = area.tiles.get(index=0), person("annotator")
        keys = [one.pk for one in rivals.values()]
        stranger = Proposal.objects.filter(tile__index=2)[0].pk
        for winner, shown in ((stranger, keys), (None, keys[:1]), (None, [keys[0], stranger])):
            with pytest.raises(BadInput):
                vote_cast(tile=tile, winner=winner, rivals=shown, blind=False, by=ann, client_id=uuid4())
        with pytest.raises(NotAllowed):
            vote_cast(tile=tile, winner=None, rivals=keys, blind=False, by=person("viewer"), client_id=uuid4())
        same = uuid4()
        vote_cast(tile=tile, winner=None, rivals=keys, blind=False, by=ann, client_id=same)
        with pytest.raises(Conflict):
            vote_cast(tile=tile, winner=keys[0], rivals=keys, blind=False, by=ann, client_id=same)

    def test_nothing_to_compare(self, signed_in: Any, area: Area) -> None:
        assert "Nothing to compare yet" in signed_in("viewer").get(COMPARE).content.decode()
        assert signed_in("viewer").get(f"{COMPARE}?tile=99").status_code == 404


def test_the_filter_offers_whoever_wrote(signed_in: Any, area: Area, rivals: dict[str, Proposal]) -> None:
    assert [name for name, _label in origins()] == ["rules", "person"]
    tile = TilePair.objects.select_related("area").get(area=area, index=0)
    caption_adopt(tile=tile, proposal=rivals["llava"])
    assert [name for name, _label in origins()] == ["rules", "person", "llava"]
    assert captioners_of(area) == ["glm", "llava"]
    page = signed_in("viewer").get("/captions/?origin=llava&area=land")
    assert "Low hills." in page.content.decode()
    assert "Compare captioners" in page.content.decode()
    assert signed_in("viewer").get("/captions/?origin=nobody").status_code == 400
