"""Changing many captions as one action: previewed, at once, as a job, and taken back."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.http import QueryDict
from django.utils import timezone

from captions import bulk, changes
from captions.bulk import Outcome, captions_edit, captions_edit_start, captions_edit_undo
from captions.changes import Among, changes_counted, changes_page
from captions.edits import Edit, edit_of
from captions.models import Caption, CaptionRevision, Finding, Reading
from captions.reading import caption_read
from captions.search.engines import Scope
from captions.search.index import index_differences, index_write
from captions.search.selectors import captions_search
from captions.services import caption_rectify, caption_write_machine
from tests.support.factories import counters, make_area, make_failed_tile, make_tile, recount
from tiles.core.errors import BadInput, Conflict, NotAllowed, NotFound
from tiles.jobs.registry import kind_of
from tiles.jobs.runner import chunk_lease, run_here
from tiles.models import Area, Job, JobChunk

pytestmark = pytest.mark.django_db

TEXTS = ["A see of hills.", "The see and a seesaw.", "No water.", "See it.", "see see see", "Woods by the see."]
SEE: Edit = edit_of({"do": "replace", "find": "see", "replace": "sea", "whole_word": True})
CHANGED = [0, 1, 3, 4, 5]


@pytest.fixture
def ann(person: Any) -> Any:
    return person("annotator", "ann")


@pytest.fixture
def area(person: Any) -> Area:
    """Captions by bob."""
    area = make_area("coast")
    for index, text in enumerate(TEXTS):
        save(make_tile(area, index, files=False), text, person("annotator", "bob"))
    return area


def save(tile: Any, text: str, by: Any, base: int = 0) -> None:
    caption_rectify(tile_id=tile.pk, text=text, base_version=base, by=by, client_id=uuid4())


def texts(area: Area) -> list[str]:
    return list(Caption.objects.filter(area=area).order_by("tile__index").values_list("text", flat=True))


def seen(area: Area, *indexes: int) -> dict[int, int]:
    captions = Caption.objects.filter(area=area)
    return dict((captions.filter(tile__index__in=indexes) if indexes else captions).values_list("pk", "version"))


def among(query: str = "") -> Among:
    return Among.of(QueryDict(query))


def previewed(query: str = "", edit: Edit = SEE) -> list[int]:
    """Numbers of the tiles whose captions would change, page by page."""
    found, after = [], ""
    while True:
        page = changes_page(among=among(query), edit=edit, after=after)
        found += [caption.tile.index for caption, _edited in page.items]
        after = page.after
        if not after:
            return found


def worked(job: Any) -> Job:
    assert isinstance(job, Job)
    return run_here(job.pk, lambda _job: None, pause=lambda _seconds: None)


class TestPreview:
    def test_every_change_newest_first(self, area: Area) -> None:
        assert previewed() == [5, 4, 3, 1, 0]
        page = changes_page(among=among(), edit=SEE)
        assert page.items[1][1].text == "sea sea sea"
        assert ("removed", "see") in [tuple(change) for change in page.items[4][1].diff]
        assert changes_counted(among=among(), edit=SEE) == (5, False)

    def test_parts_of_words_with_the_words_as_they_are(self, area: Area) -> None:
        edit = edit_of({"do": "replace", "find": "Se", "replace": "xx", "match_case": True})
        assert previewed(edit=edit) == [3]
        assert sorted(previewed(edit=edit_of({"do": "replace", "find": "saw", "replace": ""}))) == [1]

    def test_the_scope_is_the_lists_filter(self, area: Area, person: Any, ann: Any) -> None:
        other = make_area("elsewhere")
        save(make_tile(other, 9, files=False), "A see, elsewhere.", ann)
        assert previewed("area=elsewhere") == [9]
        assert sorted(previewed("area=coast")) == CHANGED
        assert previewed("q=woods") == [5]
        assert previewed("q=-woods&area=coast") == [4, 3, 1, 0], "what the edit looks for is looked for too"
        assert previewed("origin=rules") == []
        caption = Caption.objects.get(tile__index=0)
        caption.state = Reading.UNREAD
        caption.save()
        index_write([caption])
        assert previewed("state=unread") == [0]
        assert previewed(f"only={caption.pk}&area=elsewhere") == [0]
        for query in ("area=nowhere", "state=cat", "only=cat", f"only={','.join(['1'] * 501)}"):
            with pytest.raises(BadInput):
                among(query)

    def test_a_finding_of_the_filter_narrows_it_too(self, area: Area) -> None:
        Finding.objects.all().delete()
        caption = Caption.objects.get(tile__index=4)
        Finding.objects.create(caption=caption, area=area, code="sea", message="No sea.", severity=1)
        assert previewed("finding=sea") == [4]
        assert previewed("finding=sea&area=coast") == [4]
        assert previewed("finding=lake") == []

    def test_pages_and_counts_are_bounded(self, area: Area, monkeypatch: pytest.MonkeyPatch) -> None:
        """Batches, pages and limits of every size give the same captions, each once."""
        part = edit_of({"do": "replace", "find": "see", "replace": "sea"})
        for batch, size, looked in ((1, 2, 3), (2, 1, 2), (4, 50, 1), (100, 2, 100)):
            monkeypatch.setattr(changes, "BATCH", batch)
            monkeypatch.setattr(changes, "PAGE_SIZE", size)
            monkeypatch.setattr(changes, "LOOKED_LIMIT", looked)
            assert previewed(edit=SEE) == previewed(edit=part) == [5, 4, 3, 1, 0]
        monkeypatch.setattr(changes, "COUNT_LIMIT", 2)
        assert changes_counted(among=among(), edit=SEE) == (2, True)
        assert changes_counted(among=among(), edit=SEE, exact=True) == (5, False)
        monkeypatch.setattr(changes, "COUNT_LOOKED_LIMIT", 3)
        assert changes_counted(among=among(), edit=part)[1]
        for after in ("zzz", "1.5"):
            with pytest.raises(BadInput):
                changes_page(among=among(), edit=SEE, after=after)


class TestAtOnce:
    def test_one_action_and_one_undo(self, area: Area, ann: Any) -> None:
        before, action, undo = texts(area), uuid4(), uuid4()
        asked: dict[str, Any] = {"seen": seen(area, *CHANGED), "edit": SEE, "by": ann, "action": action}
        assert captions_edit(**asked) == Outcome(5)
        after = texts(area)
        assert after[:2] == ["A sea of hills.", "The sea and a seesaw."]
        made = CaptionRevision.objects.filter(action=action)
        assert {(row.origin, row.author, row.number) for row in made} == {("person", ann, 2)}
        assert captions_edit(**asked) == Outcome(5), "a repeat changes nothing twice"
        assert made.count() == 5

        for _again in range(2):
            assert captions_edit_undo(action=action, by=ann, undo=undo) == Outcome(5)
        assert texts(area) == before
        assert CaptionRevision.objects.filter(action=undo, restores__number=1).count() == 5
        third = captions_edit_undo(action=action, by=ann, undo=uuid4())
        assert isinstance(third, Outcome)
        assert (third.done, len(third.unchanged)) == (0, 5)
        with pytest.raises(Conflict):
            captions_edit_undo(action=undo, by=ann, undo=uuid4())
        assert index_differences() == (0, 0)
        assert counters(area) == recount(area)

    def test_a_machines_text_becomes_the_persons_and_is_still_unread(self, area: Area, ann: Any) -> None:
        tile = make_tile(area, 7, files=False)
        caption_write_machine(tile_id=tile.pk)
        caption = Caption.objects.get(tile=tile)
        word = re.findall(r"\w+", caption.text)[-1]
        edit = edit_of({"do": "replace", "find": word, "replace": "Zebra"})
        captions_edit(seen={caption.pk: 1}, edit=edit, by=ann, action=uuid4())
        caption.refresh_from_db()
        assert (caption.origin, caption.author, caption.state) == ("person", ann, Reading.UNREAD)
        assert "Zebra" in caption.prompt
        assert [hit.caption for hit in captions_search(text="zebra", scope=Scope(state="unread")).hits] == [caption]
        caption_read(tile_id=tile.pk, verb="accept", base_version=2, by=ann, client_id=uuid4())
        assert captions_search(text="zebra", scope=Scope(state="unread")).hits == []

    def test_what_was_saved_since_is_left_alone_and_named(self, area: Area, ann: Any, person: Any) -> None:
        old = seen(area)
        save(area.tiles.get(index=1), "The see again.", person("annotator", "bob"), 1)
        outcome = captions_edit(seen=old, edit=SEE, by=ann, action=uuid4())
        assert outcome == Outcome(4, unchanged=[("coast", 2)], stale=[("coast", 1)])
        assert texts(area)[1] == "The see again."

    def test_undo_leaves_what_somebody_saved_meanwhile(self, area: Area, ann: Any, person: Any) -> None:
        action = uuid4()
        captions_edit(seen=seen(area, 0, 1), edit=SEE, by=ann, action=action)
        save(area.tiles.get(index=1), "The sea, by Bob.", person("annotator", "bob"), 2)
        assert captions_edit_undo(action=action, by=ann, undo=uuid4()) == Outcome(1, stale=[("coast", 1)])
        assert texts(area)[:2] == [TEXTS[0], "The sea, by Bob."]

    def test_terms(self, area: Area, ann: Any) -> None:
        action = uuid4()
        add = edit_of({"do": "add_term", "term": "coast"})
        assert captions_edit(seen=seen(area, 0, 1), edit=add, by=ann, action=action) == Outcome(2)
        caption = Caption.objects.get(tile__index=0)
        assert (caption.text, caption.components["terms"]) == (TEXTS[0], ["coast"])
        remove = edit_of({"do": "remove_term", "term": "coast"})
        assert sorted(previewed(edit=remove)) == [0, 1]
        assert captions_edit_undo(action=action, by=ann, undo=uuid4()) == Outcome(2)
        assert previewed(edit=remove) == []

    def test_what_cannot_be_a_caption_is_refused(self, area: Area, ann: Any) -> None:
        save(area.tiles.get(index=2), "see", ann, 1)
        gone = edit_of({"do": "replace", "find": "see", "replace": "", "whole_word": True})
        outcome = captions_edit(seen=seen(area, 2, 5), edit=gone, by=ann, action=uuid4())
        assert outcome == Outcome(1, refused=[("coast", 2)])
        assert changes_counted(among=among("area=coast"), edit=gone)[0] == 3, "4 and 2 would be empty"

    def test_who_may_not(self, area: Area, ann: Any, person: Any) -> None:
        action, bob = uuid4(), person("annotator", "bob")
        asked: dict[str, Any] = {"seen": seen(area, 0), "edit": SEE, "action": action}
        with pytest.raises(NotAllowed):
            captions_edit(**asked, by=person("viewer"))
        with pytest.raises(NotFound):
            captions_edit(**asked | {"seen": {10**9: 1}}, by=ann)
        captions_edit(**asked, by=ann)
        with pytest.raises(Conflict):
            captions_edit(**asked, by=bob)
        with pytest.raises(NotAllowed):
            captions_edit_undo(action=action, by=bob, undo=uuid4())
        with pytest.raises(NotFound):
            captions_edit_undo(action=uuid4(), by=ann, undo=uuid4())


class TestAsAJob:
    def start(self, by: Any, query: str = "area=coast", **more: Any) -> Job:
        asked: dict[str, Any] = {"action": uuid4(), "edit": SEE, "seen_at": timezone.now(), "among": among(query)}
        return captions_edit_start(**asked | more, by=by, background=False)

    def test_all_but_those_left_out_and_one_undo(self, area: Area, ann: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bulk, "CAPTIONS_A_CHUNK", 3)
        monkeypatch.setattr(bulk, "CAPTIONS_A_WRITE", 2)
        monkeypatch.setattr(bulk, "AT_ONCE", 3)
        before, action, undo = texts(area), uuid4(), uuid4()
        job = worked(self.start(ann, action=action, left_out=[Caption.objects.get(tile__index=3).pk]))
        assert (job.state, job.total, job.done, job.failed) == ("done", 4, 4, 0)
        assert texts(area)[3] == TEXTS[3]
        assert texts(area)[4] == "sea sea sea"
        undoing = captions_edit_undo(action=action, by=ann, undo=undo, background=False)
        assert worked(undoing).done == 4
        assert captions_edit_undo(action=action, by=ann, undo=undo) == undoing
        assert texts(area) == before

    def test_a_repeated_action_is_one_job(self, area: Area, ann: Any, person: Any) -> None:
        action, at = uuid4(), timezone.now()
        first = self.start(ann, action=action, seen_at=at)
        assert self.start(ann, action=action, seen_at=at) == first
        worked(first)
        assert self.start(ann, action=action, seen_at=at) == first
        with pytest.raises(Conflict):
            self.start(ann, "q=woods", action=action, seen_at=at)
        with pytest.raises(Conflict):
            self.start(person("annotator", "bob"), action=action, seen_at=at)
        with pytest.raises(BadInput):
            self.start(ann, left_out=range(1, 1002))

    def test_a_chunk_that_is_run_again_doubles_nothing(self, area: Area, ann: Any) -> None:
        """A worker that dies after its last write and before it closed the chunk leaves it to the next one."""
        job = self.start(ann)
        kind = kind_of(bulk.KIND)
        for stage, expected in ((bulk.PLAN, 6), (bulk.CAPTIONS, 11)):
            lease = chunk_lease(job.pk)
            assert lease
            whole = dict(lease.payload)
            kind.run(lease)
            JobChunk.objects.filter(pk=lease.chunk_id).update(state="waiting", payload=whole)
            again = chunk_lease(job.pk)
            assert again
            kind.run(again)
            assert CaptionRevision.objects.count() == expected
            assert job.chunks.count() == 2
            JobChunk.objects.filter(pk=lease.chunk_id).update(state="done")
            assert JobChunk.objects.filter(job=job, stage=stage).count() == 1
        assert texts(area)[0] == "A sea of hills."

    def test_what_was_saved_since_the_preview_is_named_in_the_log(self, area: Area, ann: Any, person: Any) -> None:
        """Before the job made its plan, and after."""
        job, bob = self.start(ann), person("annotator", "bob")
        save(area.tiles.get(index=4), "see saw", bob, 1)
        lease = chunk_lease(job.pk)
        assert lease
        kind_of(bulk.KIND).run(lease)
        JobChunk.objects.filter(pk=lease.chunk_id).update(state="done")
        save(area.tiles.get(index=0), "A see of grass.", bob, 1)
        job = worked(job)
        assert (job.state, job.done, job.failures) == ("done", 3, {bulk.STALE: 2})
        log = " ".join(job.events.values_list("message", flat=True))
        assert "coast tile_4" in log
        assert "coast tile_0" in log
        assert texts(area)[0] == "A see of grass."

    def test_undo_of_a_job_under_way_stops_it(self, area: Area, ann: Any) -> None:
        action = uuid4()
        job = self.start(ann, action=action)
        assert captions_edit_undo(action=action, by=ann, undo=uuid4()) == Outcome(0)
        job.refresh_from_db()
        assert job.state == Job.State.CANCELLED


class TestHttp:
    def post(self, client: Any, path: str, **body: Any) -> Any:
        return client.post(f"/api/v1/captions/edit/{path}", body, content_type="application/json")

    def test_preview_change_undo(self, area: Area, signed_in: Any) -> None:
        client, action = signed_in("annotator", "ann"), str(uuid4())
        asked = {"do": "replace", "find": "see", "replace": "sea", "whole_word": "on", "area": "coast"}
        page = client.get("/api/v1/captions/edit/preview/", asked).json()
        assert [item["index"] for item in page["items"]] == [5, 4, 3, 1, 0]
        assert page["items"][0]["diff"] == [
            ["same", "Woods by the "],
            ["removed", "see"],
            ["added", "sea"],
            ["same", "."],
        ]
        assert client.get("/api/v1/captions/edit/count/", asked).json() == {"count": 5, "capped": False}
        edit = {"do": "replace", "find": "see", "replace": "sea", "whole_word": True}
        named = [{"id": item["id"], "version": item["version"]} for item in page["items"][1:]]
        save(area.tiles.get(index=0), "see", area.tiles.get(index=0).caption.author, 1)
        answer = self.post(client, "", action=action, edit=edit, captions=named)
        assert answer.json() == {
            "done": 3,
            "unchanged": [],
            "stale": [{"area": "coast", "index": 0}],
            "refused": [],
            "job": None,
        }
        undone = self.post(client, "undo/", action=action, undo=str(uuid4()))
        assert undone.json()["done"] == 3
        started = self.post(client, "", action=str(uuid4()), edit=edit, filter="area=coast", seen_at=page["at"])
        assert started.status_code == 202
        assert Job.objects.get(pk=started.json()["job"]).parameters["among"] == "area=coast"

    def test_the_pages_say_what_is_selected_and_who_may(self, area: Area, signed_in: Any) -> None:
        keys = ",".join(map(str, sorted(seen(area, 0, 1))))
        page = signed_in("annotator").get("/captions/many/", {"only": keys, "do": "add_term", "area": "coast"})
        assert "2 selected captions" in page.content.decode()
        assert page.context["page"]["filter"] == f"area=coast&only={keys}"
        scope = {"area": "coast", "state": "read", "q": '"the see" <b>'}
        page = signed_in("annotator").get("/captions/many/", scope)
        assert page.context["scope"] == ["of Coast", "read by one person", 'that hold: "the see" <b>']
        assert "<b>" not in page.content.decode()
        listed = {role: signed_in(role).get("/captions/").content.decode() for role in ("viewer", "annotator")}
        assert ('type="checkbox"' in listed["viewer"], 'type="checkbox"' in listed["annotator"]) == (False, True)

    def test_what_makes_no_sense(self, area: Area, signed_in: Any) -> None:
        client, edit = signed_in("annotator"), {"do": "replace", "find": "a", "replace": "b"}
        assert client.get("/api/v1/captions/edit/preview/", {"do": "replace"}).status_code == 400
        assert client.get("/api/v1/captions/edit/preview/", {**edit, "q": '"open'}).status_code == 400
        assert self.post(client, "", action=str(uuid4()), edit=edit).status_code == 400
        assert self.post(client, "", action=str(uuid4()), edit=edit, filter="").status_code == 400
        both = {"captions": [{"id": 1, "version": 1}], "filter": "", "seen_at": timezone.now().isoformat()}
        assert self.post(client, "", action=str(uuid4()), edit=edit, **both).status_code == 400


def test_ids_of_revisions_follow_from_the_action(area: Area, ann: Any) -> None:
    """Another process that repeats the action comes to the same ids."""
    action = UUID("00000000-0000-4000-8000-000000000001")
    caption = Caption.objects.get(tile__index=0)
    captions_edit(seen={caption.pk: 1}, edit=SEE, by=ann, action=action)
    first = CaptionRevision.objects.get(action=action).client_id
    assert first == bulk.uuid5(action, f"caption {caption.pk}")


def test_a_tile_that_is_not_built_any_more_is_refused(area: Area, ann: Any) -> None:
    assert make_failed_tile(area, 90)
    tile = area.tiles.get(index=0)
    type(tile).objects.filter(pk=tile.pk).update(build_state="failed", failure="void")
    assert captions_edit(seen=seen(area, 0), edit=SEE, by=ann, action=uuid4()) == Outcome(0, refused=[("coast", 0)])
