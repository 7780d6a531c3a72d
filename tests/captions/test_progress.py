"""How far the captions of an area are, who reads them at what pace, and how the captioners' words fared."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from captions import progress
from captions.bulk import captions_edit
from captions.edits import edit_of
from captions.models import Caption, CaptionReading, CaptionRevision, Reading
from captions.progress import states_counted, work_done
from captions.reading import caption_read, reading_undo
from captions.services import caption_rectify, caption_write_machine
from tests.support.factories import make_area, make_tile
from tiles.models import Area, TilePair

pytestmark = pytest.mark.django_db


@pytest.fixture
def area() -> Area:
    area = make_area("coast", name="Coast")
    for index in range(6):
        caption_write_machine(tile_id=make_tile(area, index, files=False).pk)
    return area


def tile(area: Area, index: int) -> TilePair:
    return area.tiles.get(index=index)


def accept(area: Area, index: int, by: Any, verb: str = "accept", base: int = 1) -> CaptionReading:
    return caption_read(tile_id=tile(area, index).pk, verb=verb, base_version=base, by=by, client_id=uuid4())


def edit(area: Area, index: int, by: Any, words: str) -> None:
    caption = Caption.objects.get(tile__area=area, tile__index=index)
    caption_rectify(
        tile_id=caption.tile_id,
        text=f"{caption.text} {words}",
        base_version=caption.version,
        by=by,
        client_id=uuid4(),
    )


def spread(by: Any, *seconds: int) -> None:
    """Let a person's entries, in their order, have happened so many seconds after noon yesterday."""
    noon = timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
    readings, revisions = CaptionReading.objects.filter(by=by), CaptionRevision.objects.filter(author=by)
    entries = sorted([*readings, *revisions], key=lambda entry: entry.at)
    for entry, after in zip(entries, seconds, strict=True):
        # The logs refuse to be changed; a test turns back the clock below them.
        QuerySet(type(entry)).filter(pk=entry.pk).update(at=noon + timedelta(seconds=after))


@pytest.fixture
def ann(person: Any) -> Any:
    return person("annotator", "ann")


def test_states_are_counted_to_a_limit(area: Area, ann: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    make_area("elsewhere")
    accept(area, 0, ann)
    accept(area, 1, ann, "flag")
    counts = {count.name: (count.number, count.capped) for count in states_counted(area=area)}
    assert counts == {"unread": (5, False), "read": (1, False), "confirmed": (0, False), "flagged": (1, False)}
    monkeypatch.setattr(progress, "COUNT_LIMIT", 4)
    assert states_counted(area=area)[0].capped


def test_pace_without_pauses_and_bulk_apart(area: Area, ann: Any, person: Any) -> None:
    for index in (0, 1, 2):
        accept(area, index, ann)
    edit(area, 3, ann, "More.")
    taken = accept(area, 4, ann)
    reading_undo(undoes=taken.client_id, by=ann, client_id=uuid4())
    spread(ann, 0, 10, 30, 30 + 600, 700, 701)  # the edit comes after a pause; the last two are undone and the undo
    bob = person("annotator", "bob")
    accept(area, 5, bob)
    seen = dict(Caption.objects.filter(area=area, tile__index__in=(0, 1)).values_list("pk", "version"))
    term = edit_of({"do": "add_term", "term": "coast"})
    captions_edit(seen=seen, edit=term, by=bob, action=uuid4())

    first, second = work_done(area=area).people
    assert (first.name, first.read, first.edited, first.in_bulk) == ("ann", 3, 1, 0)
    assert (first.seconds, first.an_hour, first.a_day) == (15, 240, 4)
    assert list(first.days.values()) == [4]
    assert (second.name, second.read, second.edited, second.in_bulk) == ("bob", 1, 0, 2)
    assert (second.seconds, second.an_hour) == (None, None)
    assert [pace.name for pace in work_done(area=area, by=bob).people] == ["bob"]
    assert work_done(area=make_area("elsewhere")).people == []
    later = timezone.now() + progress.PERIOD + timedelta(days=1)
    assert work_done(area=area, now=later).people == []


def test_what_became_of_a_captioners_words(area: Area, ann: Any, person: Any) -> None:
    """A caption counts once, by what was done last; bulk changes and people's own texts do not count."""
    for index in (0, 1):
        accept(area, index, ann)
    edit(area, 2, ann, "One")
    edit(area, 3, ann, "One two three")
    edit(area, 1, ann, "One two")
    accept(area, 2, person("annotator", "bob"), base=2)
    term = edit_of({"do": "add_term", "term": "coast"})
    captions_edit(seen={Caption.objects.get(tile__index=4).pk: 1}, edit=term, by=ann, action=uuid4())

    (rules,) = work_done(area=area).captioners
    assert (rules.captioner, rules.judged, rules.accepted, sorted(rules.words)) == ("rules", 4, 1, [1, 2, 3])
    assert (rules.percent_accepted, rules.mean_words, rules.median_words) == (25, 2, 2)


def test_only_the_newest_entries_of_the_logs_are_read(
    area: Area, ann: Any, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    for index in range(5):
        accept(area, index, ann)
    monkeypatch.setattr(progress, "LOG_LIMIT", 2)
    with django_assert_max_num_queries(5):
        work = work_done(area=area)
    assert (work.people[0].read, work.whole) == (2, False)
    assert work.since == CaptionReading.objects.order_by("-id")[1].at


def test_who_sees_what(area: Area, ann: Any, signed_in: Any, person: Any) -> None:
    accept(area, 0, ann)
    accept(area, 1, person("annotator", "bob"))
    shown = {
        name: signed_in(role, name).get("/areas/coast/captions/progress/").content.decode()
        for role, name in (("viewer", "viewer"), ("annotator", "ann"), ("curator", "curator"))
    }
    assert [name for name in ("ann", "bob") if f'<th scope="row">{name}</th>' in shown["curator"]] == ["ann", "bob"]
    assert '<th scope="row">bob</th>' not in shown["ann"]
    assert "Your work" in shown["ann"]
    assert '<th scope="row">' not in shown["viewer"]
    for page in shown.values():
        assert f'state={Reading.UNREAD}">4</a>' in page
        assert "style=" not in page
    assert signed_in("viewer").get("/areas/nowhere/captions/progress/").status_code == 404
