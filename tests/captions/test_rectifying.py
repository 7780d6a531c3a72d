"""The queue of captions, claims, drafts and readings as the rectify page asks for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from captions.models import Caption, CaptionDraft, CaptionSettings, Finding, Proposal, Reading
from captions.rectifying.claims import claims_hold, claims_release, claims_shown
from captions.rectifying.queue import RectifyFilter, captions_readable, queue_handed_out
from captions.services import caption_rectify, caption_write_machine
from tests.support.factories import make_area, make_tile
from tiles.core.errors import BadInput, NotAllowed
from tiles.models import Area

pytestmark = pytest.mark.django_db

QUEUE = "/api/v1/areas/testland/captions/queue/"
TILE = "/api/v1/areas/testland/tiles/{}/caption/"


@pytest.fixture
def area() -> Area:
    """Six captions, of which the last is the most doubtful."""
    made = make_area()
    for index in range(6):
        caption_write_machine(tile_id=make_tile(made, index, files=False).pk)
        Caption.objects.filter(tile__area=made, tile__index=index).update(doubt=index / 10)
    return made


def caption(index: int) -> Caption:
    return Caption.objects.get(tile__index=index)


def handed(area: Area, by: Any, page: UUID | None = None, size: int = 24, after: str = "", **asked: str) -> Any:
    """Numbers of the tiles that were handed out, and the cursor."""
    chosen = RectifyFilter(asked, queryset=captions_readable(area=area))
    found = queue_handed_out(area=area, asked=chosen, by=by, page=page or uuid4(), size=size, after=after)
    return [each.tile.index for each in found.captions], found.after


def save(index: int, by: Any, text: str = "By hand.") -> None:
    standing = caption(index)
    caption_rectify(tile_id=standing.tile_id, text=text, base_version=standing.version, by=by, client_id=uuid4())


def send(client: Client, address: str, method: str = "post", **body: Any) -> Any:
    return getattr(client, method)(address, body, content_type="application/json")


class TestQueue:
    def test_the_most_doubtful_comes_first_page_by_page(self, area: Area, person: Callable[..., Any]) -> None:
        by, found, after = person("annotator"), [], "0."
        while after:
            numbers, after = handed(area, by, size=2, after=after)
            found += numbers
        assert found == [5, 4, 3, 2, 1, 0]

    def test_what_others_read_comes_last_where_a_second_reader_is_wanted(
        self, area: Area, person: Callable[..., Any]
    ) -> None:
        mine, theirs = person("annotator"), person("curator")
        save(5, theirs)
        save(4, mine)
        assert handed(area, mine)[0] == [3, 2, 1, 0]
        CaptionSettings.objects.create(area=area, second_reader=True)
        found, after = [], "0."
        while after:
            numbers, after = handed(area, mine, size=3, after=after)
            found += numbers
        assert found == [3, 2, 1, 0, 5]

    def test_filters(self, area: Area, person: Callable[..., Any]) -> None:
        by = person("annotator")
        Caption.objects.filter(tile__index=2).update(flagged=True)
        Finding.objects.create(caption=caption(1), area=area, code="says_sea", message="No water.", severity=1)
        area.tiles.filter(index=3).update(landform="plain")
        save(0, by)
        assert handed(area, by, flagged="yes")[0] == [2]
        assert handed(area, by, finding="says_sea")[0] == [1]
        assert handed(area, by, landform="plain")[0] == [3]
        assert handed(area, by, state="read")[0] == [0]
        with pytest.raises(BadInput, match="state"):
            handed(area, by, state="nonsense")
        with pytest.raises(BadInput, match="damaged"):
            handed(area, by, after="x.y")

    def test_a_viewer_is_given_nothing(self, area: Area, person: Callable[..., Any]) -> None:
        with pytest.raises(NotAllowed):
            handed(area, person("viewer"))


class TestClaims:
    def test_nobody_gets_what_somebody_has(self, area: Area, person: Callable[..., Any], settings: Any) -> None:
        mine, theirs, page = person("annotator"), person("curator"), uuid4()
        assert handed(area, mine, page, size=2)[0] == [5, 4]
        assert handed(area, theirs, size=2)[0] == [3, 2]
        assert [claim["tiles"] for claim in claims_shown(area=area)] == [[4, 5], [2, 3]]
        held = claims_hold(area=area, numbers=[4, 3], by=mine, page=page)
        assert [(claim.caption.tile.index, claim.by) for claim in held.lost] == [(3, theirs)]
        assert handed(area, theirs)[0] == [5, 3, 2, 1, 0]
        assert claims_release(area=area, by=mine, page=page) == 1
        assert 4 in handed(area, theirs)[0]
        settings.DEMETER_CLAIM_SECONDS = -1
        claims_hold(area=area, numbers=[4], by=theirs, page=uuid4())
        assert handed(area, mine)[0] == [4]

    def test_saving_gives_it_back(self, area: Area, person: Callable[..., Any]) -> None:
        mine, theirs = person("annotator"), person("curator")
        handed(area, mine)
        save(5, mine)
        assert handed(area, theirs, state="read")[0] == [5]


class TestJson:
    def test_all_that_a_key_may_ask_for_comes_ahead(self, area: Area, signed_in: Any) -> None:
        tile = area.tiles.get(index=5)
        for name, text in (("model-b", "An old one."), ("model-b", "A rival."), ("rules", caption(5).text)):
            Proposal.objects.create(tile=tile, area=area, captioner=name, text=text, client_id=uuid4())
        Finding.objects.create(caption=caption(5), area=area, code="says_sea", message="No water.", severity=1)
        client = signed_in("annotator")
        first = send(client, QUEUE, page=str(uuid4())).json()
        assert [item["index"] for item in first["items"]] == [5, 4, 3, 2, 1, 0]
        assert (first["left"], first["left_capped"], first["after"]) == (6, False, "")
        shown = first["items"][0]["caption"]
        assert [rival["text"] for rival in shown["rivals"]] == ["A rival."]
        assert shown["findings"][0]["message"] == "No water."
        assert shown["machine"] == {"text": shown["text"], "origin": "rules"}
        assert shown["prompt"] == shown["composed"] != ""
        assert client.get(f"{QUEUE}5/").json()["caption"] == shown
        assert client.get(f"{QUEUE}99/").status_code == 404

    def test_many_captions_cost_as_many_queries_as_one(self, area: Area, signed_in: Any) -> None:
        client, counts = signed_in("annotator"), []
        for flagged in (1, 6):
            Caption.objects.filter(tile__index__lt=flagged).update(flagged=True)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                answer = send(client, f"{QUEUE}?flagged=yes", page=str(uuid4()))
            assert len(answer.json()["items"]) == flagged
            counts.append(len(queries))
        assert counts[0] == counts[1]

    def test_accepted_confirmed_flagged_and_taken_back(self, area: Area, signed_in: Any) -> None:
        CaptionSettings.objects.create(area=area, second_reader=True)
        mine, theirs = signed_in("annotator"), signed_in("curator")
        address, ids = f"{TILE.format(3)}readings/", [str(uuid4()) for _ in range(5)]
        said = [
            send(mine, address, verb="accept", base_version=1, client_id=ids[0]),
            send(mine, address, verb="accept", base_version=1, client_id=ids[0]),
            send(theirs, address, verb="accept", base_version=1, client_id=ids[1]),
            send(theirs, address, verb="undo", undoes=ids[1], client_id=ids[2]),
            send(mine, address, verb="flag", base_version=1, client_id=ids[3]),
            send(mine, address, verb="unflag", base_version=1, client_id=ids[4]),
        ]
        assert [(answer.json()["state"], answer.json()["flagged"]) for answer in said] == [
            *[("read", False)] * 2,
            ("confirmed", False),
            ("read", False),
            ("read", True),
            ("read", False),
        ]
        assert caption(3).readings.count() == 5
        stale = send(mine, address, verb="flag", base_version=9, client_id=str(uuid4()))
        assert (stale.status_code, stale.json()["code"]) == (409, "stale")
        assert send(mine, address, verb="flag", client_id=str(uuid4())).status_code == 400

    def test_components_are_saved_and_composed(self, area: Area, signed_in: Any) -> None:
        client, address = signed_in("annotator"), TILE.format(2)
        CaptionSettings.objects.create(area=area, preset="mmm-rs-training")
        given = {"terms": ["terraces"], "category": "farmland", "weather": "fog"}
        seen = send(client, f"{address}preview/", text="A slope.", components=given).json()
        assert "fog" in seen["composed"].lower()
        assert "farmland" in seen["composed"].lower()
        assert ["added", "A"] in [[op, text.split()[0]] for op, text in seen["diff"] if op == "added"]
        by_hand = given | {"prompt": {"text": "Mine.", "of": seen["composed"]}}
        body = {"text": "A slope.", "base_version": 1, "client_id": str(uuid4()), "components": by_hand}
        assert send(client, address, "put", **body).status_code == 200
        standing = caption(2)
        assert (standing.components, standing.prompt, standing.state) == (by_hand, "Mine.", Reading.READ)
        held = send(client, f"{address}preview/", text="A slope.", components=by_hand).json()
        moved = send(client, f"{address}preview/", text="A cliff.", components=by_hand).json()
        assert (held["stale"], held["prompt"], moved["stale"]) == (False, "Mine.", True)
        wrong = send(client, f"{address}preview/", text="A", components={"colour": "red"})
        assert (wrong.status_code, "colour" in wrong.json()["message"]) == (400, True)

    def test_a_draft_is_its_writers_and_goes_with_the_save(self, area: Area, signed_in: Any) -> None:
        mine, theirs, address = signed_in("annotator"), signed_in("curator"), f"{TILE.format(4)}draft/"
        for text in ("Half", "Half a text"):
            assert send(mine, address, "put", text=text, components={}, base_version=1).status_code == 200
        draft = mine.get(f"{QUEUE}4/").json()["caption"]["draft"]
        assert (draft["text"], draft["base"]) == ("Half a text", 1)
        assert theirs.get(f"{QUEUE}4/").json()["caption"]["draft"] is None
        save(0, CaptionDraft.objects.get().by)
        assert CaptionDraft.objects.count() == 1
        save(4, CaptionDraft.objects.get().by)
        assert CaptionDraft.objects.count() == 0
        send(mine, address, "put", text="Again", components={}, base_version=2)
        assert mine.delete(address).status_code == 200
        assert CaptionDraft.objects.count() == 0


class TestPage:
    def test_it_holds_its_first_captions(self, area: Area, signed_in: Any) -> None:
        page = signed_in("annotator").get("/areas/testland/captions/rectify/?landform=hill")
        assert page.status_code == 200
        assert [item["index"] for item in page.context["page"]["first"]["items"]] == [5, 4, 3, 2, 1, 0]

    def test_an_area_without_captions_says_what_to_do(self, signed_in: Any) -> None:
        make_area("empty")
        page = signed_in("annotator").get("/areas/empty/captions/rectify/").content.decode()
        assert "Build this area" in page
