"""Blind rounds: how tiles are chosen, judged without a trace on them, and compared."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from tests.support.factories import counters, make_area, make_tile, recount
from tiles.core.errors import BadInput, Conflict
from tiles.models import Area, BlindAnswer, BlindRound, TilePair
from tiles.models.appendonly import AppendOnlyError
from tiles.review.blind import blind_round_start
from tiles.review.blinded import round_result
from tiles.review.services import tiles_decide

pytestmark = pytest.mark.django_db
API = "/api/v1/areas/testland/blind/"


@pytest.fixture
def area(data_folder: Any, person: Any) -> Area:
    """40 tiles: ann rejected 0..3 for cloud and approved 4..19, bob approved 20..35; the rest is pending."""
    area = make_area()
    for index in range(40):
        make_tile(area, index, files=False)
    for who, verb, reason, some in (
        ("ann", "reject", "cloud", range(4)),
        ("ann", "approve", "", range(4, 20)),
        ("bob", "approve", "", range(20, 36)),
    ):
        seen = dict(area.tiles.filter(index__in=some).values_list("pk", "version"))
        tiles_decide(area=area, seen=seen, verb=verb, reason=reason, by=person("reviewer", who), action=uuid4())
    return area


def start(area: Area, person: Any, *names: str, size: int = 10, seed: int = 3) -> BlindRound:
    reviewers = [person("reviewer", name).pk for name in names]
    return blind_round_start(
        area=area, size=size, seed=seed, reviewers=reviewers, by=person("curator"), client_id=uuid4()
    )


def judge(client: Client, made: BlindRound, item: dict[str, Any], verb: str, **more: Any) -> Any:
    body = {"client_id": str(uuid4()), "index": item["index"], "verb": verb, "seen": item["layers"], **more}
    return client.post(f"{API}{made.pk}/answers/", data=body, content_type="application/json")


def test_tiles_of_every_verdict_by_a_seed(area: Area, person: Any) -> None:
    made = start(area, person, "ann")
    chosen = list(made.tiles.values_list("index", "state"))
    assert [state for _index, state in chosen].count("rejected") == 4, "all there are, fewer than half"
    assert len(chosen) == 10
    assert chosen == list(start(area, person, "ann").tiles.values_list("index", "state")), "a seed repeats itself"
    assert chosen != list(start(area, person, "ann", seed=4).tiles.values_list("index", "state"))
    assert start(area, person, "ann", size=500).tiles.count() == 36, "nothing pending"


def test_what_is_refused(area: Area, person: Any) -> None:
    for size, names in ((0, ["ann"]), (501, ["ann"]), (5, [])):
        with pytest.raises(BadInput):
            start(area, person, *names, size=size)
    with pytest.raises(BadInput, match="may review"):
        blind_round_start(
            area=area, size=5, seed=1, reviewers=[person("viewer").pk], by=person("curator"), client_id=uuid4()
        )
    with pytest.raises(Conflict, match="Nothing of"):
        start(make_area("empty"), person, "ann")


def test_a_round_leaves_no_trace_on_the_tiles(area: Area, person: Any, signed_in: Any) -> None:
    made, client = start(area, person, "ann"), signed_in("reviewer", "ann")
    before = list(TilePair.objects.order_by("pk").values())
    page = client.get(f"{API}{made.pk}/answers/").json()
    assert [item["index"] for item in page["items"]] == list(made.tiles.values_list("index", flat=True))
    assert not {"state", "reason", "version", "marks", "decisions"} & set(page["items"][0])
    assert "cloud" not in str(page["items"]), "nothing tells the earlier reason"
    for item in page["items"]:
        assert judge(client, made, item, "approve").status_code == 201
    assert list(TilePair.objects.order_by("pk").values()) == before
    assert counters(area) == recount(area)
    with pytest.raises(AppendOnlyError):
        BlindAnswer.objects.all().delete()


def test_answers_repeat_are_undone_and_guarded(area: Area, person: Any, signed_in: Any) -> None:
    made, client = start(area, person, "ann", "bob"), signed_in("reviewer", "ann")
    item = client.get(f"{API}{made.pk}/answers/").json()["items"][0]
    said = {"client_id": str(uuid4())}
    assert judge(client, made, item, "reject", reason="seam", **said).json()["answered"] == 1
    assert judge(client, made, item, "reject", reason="seam", **said).json()["answered"] == 1
    assert judge(client, made, item, "approve", **said).status_code == 409
    assert judge(client, made, item, "reject", reason="nonsense").status_code == 400
    assert judge(client, made, {**item, "layers": {"png": 99}}, "approve").status_code == 409
    assert judge(client, made, {**item, "index": 39}, "approve").status_code == 404
    assert judge(signed_in("reviewer", "eve"), made, item, "approve").status_code == 403
    undo = {"undoes": said["client_id"], "client_id": str(uuid4())}
    other = signed_in("reviewer", "bob")
    assert judge(other, made, item, "undo", undoes=said["client_id"]).status_code == 403
    assert judge(client, made, item, "undo", **undo).json()["answered"] == 0
    assert judge(client, made, item, "undo", **undo).json()["answered"] == 0
    assert judge(client, made, item, "undo", undoes=said["client_id"]).status_code == 409
    assert judge(client, made, item, "approve").json()["answered"] == 1
    left = client.get(f"{API}{made.pk}/answers/").json()["items"]
    assert item["index"] not in [each["index"] for each in left]


def test_agreement_with_oneself_and_with_others(area: Area, person: Any, signed_in: Any) -> None:
    """ann approves everything but one cloud, bob everything; then a tile is made again."""
    made = start(area, person, "ann", "bob", size=36)
    for who in ("ann", "bob"):
        client = signed_in("reviewer", who)
        for bound in ("", "?after=23"):
            for item in client.get(f"{API}{made.pk}/answers/{bound}").json()["items"]:
                cloud = who == "ann" and item["index"] == 0
                verb, more = ("reject", {"reason": "cloud"}) if cloud else ("approve", {})
                assert judge(client, made, item, verb, **more).status_code == 201
    ann, bob = round_result(blind_round=made).reviewers
    with_self = {row.label: (row.agreement.both, row.agreement.one) for row in ann.with_self.classes}
    assert with_self == {"Approve": (16, 3), "Reject": (1, 3), "Cloud or haze": (1, 3)}
    assert (ann.with_others.pairs, ann.with_others.same.part) == (16, 16)
    assert (bob.with_self.pairs, bob.with_others.pairs) == (16, 20)
    among = round_result(blind_round=made).among
    assert (among.pairs, among.same.part) == (36, 35)
    assert among.kappa is not None
    assert among.kappa < 0.1
    html = signed_in("curator").get(f"/areas/testland/blind/{made.pk}/").content.decode()
    assert "misleads here" in html
    assert "Between the reviewers" in html
    assert "bob" not in signed_in("reviewer", "ann").get(f"/areas/testland/blind/{made.pk}/").content.decode()


def test_nobody_sees_what_stood_before_they_are_through(area: Area, person: Any, signed_in: Any) -> None:
    made = start(area, person, "ann")
    html = signed_in("reviewer", "ann").get(f"/areas/testland/blind/{made.pk}/").content.decode()
    assert "Judge all tiles first" in html
    assert "4 rejected" not in html
    assert signed_in("reviewer", "eve").get(f"/areas/testland/blind/{made.pk}/").status_code == 403
    assert "Round" not in signed_in("reviewer", "eve").get("/areas/testland/blind/").content.decode()


def test_a_round_is_started_on_its_page(area: Area, person: Any, signed_in: Any) -> None:
    client = signed_in("curator")
    asked = {"size": "5", "seed": "7", "reviewers": [person("reviewer", "ann").pk], "client_id": str(uuid4())}
    for _twice in range(2):
        assert client.post("/areas/testland/blind/", asked).status_code == 302
    assert BlindRound.objects.get().tiles.count() == 5
    assert client.post("/areas/testland/blind/", {**asked, "client_id": str(uuid4()), "size": "x"}).status_code == 400
    assert signed_in("reviewer", "ann").post("/areas/testland/blind/", asked).status_code == 403
