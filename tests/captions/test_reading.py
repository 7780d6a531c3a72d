"""Captions are read by people: accepted, confirmed by somebody else, flagged; every step in a log."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from captions.models import Caption, CaptionReading, CaptionRevision, Reading
from captions.reading import caption_read, reading_undo
from captions.services import caption_rectify, caption_write_machine
from captions.wanted import settings_save
from tests.support.factories import make_area, make_tile
from tiles.core.errors import BadInput, Conflict, NotAllowed, NotFound, Stale
from tiles.models import TilePair

pytestmark = pytest.mark.django_db


@pytest.fixture
def tile() -> TilePair:
    tile = make_tile(make_area("coast"), 3, files=False)
    caption_write_machine(tile_id=tile.pk)
    return tile


@pytest.fixture
def ann(person: Any) -> Any:
    return person("annotator", "ann")


@pytest.fixture
def bob(person: Any) -> Any:
    return person("annotator", "bob")


def read(tile: TilePair, by: Any, verb: str = "accept", base: int = 1, client_id: UUID | None = None) -> CaptionReading:
    return caption_read(tile_id=tile.pk, verb=verb, base_version=base, by=by, client_id=client_id or uuid4())


def state(tile: TilePair) -> tuple[str, str | None, bool]:
    caption = Caption.objects.select_related("read_by").get(tile=tile)
    return caption.state, caption.read_by.username if caption.read_by else None, caption.flagged


def second_readers(tile: TilePair, person: Any) -> None:
    settings_save(area=tile.area, by=person("curator"), values={"second_reader": True})


def test_accepting_says_who_read_it(tile: TilePair, ann: Any) -> None:
    entry = read(tile, ann)

    assert (entry.from_state, entry.to_state) == (Reading.UNREAD, Reading.READ)
    assert state(tile) == ("read", "ann", False)


def test_writing_is_reading_and_a_machine_begins_anew(tile: TilePair, ann: Any) -> None:
    caption_rectify(tile_id=tile.pk, text="Hills.", base_version=1, by=ann, client_id=uuid4())
    assert state(tile) == ("read", "ann", False)


def test_without_second_readers_one_is_enough(tile: TilePair, ann: Any, bob: Any) -> None:
    read(tile, ann)
    read(tile, bob)
    assert state(tile) == ("read", "ann", False)


def test_a_second_reader_is_somebody_else(tile: TilePair, ann: Any, bob: Any, person: Any) -> None:
    second_readers(tile, person)
    read(tile, ann)
    read(tile, ann)
    assert state(tile)[0] == "read"

    entry = read(tile, bob)
    assert (entry.verb, state(tile)) == ("confirm", ("confirmed", "ann", False))

    caption_rectify(tile_id=tile.pk, text="Hills.", base_version=1, by=bob, client_id=uuid4())
    assert state(tile) == ("read", "bob", False)


def test_a_repeated_request_counts_once(tile: TilePair, ann: Any, bob: Any, person: Any) -> None:
    second_readers(tile, person)
    read(tile, ann)
    client_id = uuid4()

    assert read(tile, bob, client_id=client_id).pk == read(tile, bob, client_id=client_id).pk
    assert CaptionReading.objects.count() == 2
    with pytest.raises(Conflict):
        read(tile, ann, client_id=client_id)


def test_flags_come_and_go(tile: TilePair, ann: Any) -> None:
    read(tile, ann, "flag")
    assert state(tile) == ("unread", None, True)
    read(tile, ann, "unflag")
    assert state(tile) == ("unread", None, False)


def test_undo_takes_back_in_turn(tile: TilePair, ann: Any, bob: Any, person: Any) -> None:
    second_readers(tile, person)
    first = read(tile, ann)
    second = read(tile, bob)

    with pytest.raises(Stale):
        reading_undo(undoes=first.client_id, by=ann, client_id=uuid4())
    with pytest.raises(NotAllowed):
        reading_undo(undoes=second.client_id, by=ann, client_id=uuid4())
    again = uuid4()
    reading_undo(undoes=second.client_id, by=bob, client_id=again)
    assert reading_undo(undoes=second.client_id, by=bob, client_id=again).undoes_id == second.pk
    assert state(tile) == ("read", "ann", False)
    reading_undo(undoes=first.client_id, by=ann, client_id=uuid4())
    assert state(tile) == ("unread", None, False)
    with pytest.raises(Conflict):
        reading_undo(undoes=first.client_id, by=ann, client_id=uuid4())
    with pytest.raises(NotFound):
        reading_undo(undoes=uuid4(), by=ann, client_id=uuid4())


def test_what_was_saved_since_is_not_accepted(tile: TilePair, ann: Any, bob: Any) -> None:
    caption_rectify(tile_id=tile.pk, text="Hills.", base_version=1, by=bob, client_id=uuid4())
    with pytest.raises(Stale) as caught:
        read(tile, ann)
    assert caught.value.extra["current"]["text"] == "Hills."


def test_who_may_not_and_what_cannot_be(tile: TilePair, ann: Any, person: Any) -> None:
    with pytest.raises(NotAllowed):
        read(tile, person("viewer"))
    with pytest.raises(BadInput):
        read(tile, ann, "confirm")
    with pytest.raises(NotFound):
        caption_read(
            tile_id=make_tile(tile.area, 9, files=False).pk, verb="accept", base_version=0, by=ann, client_id=uuid4()
        )


def test_an_edit_knows_how_far_it_went_from_the_machine(tile: TilePair, ann: Any) -> None:
    machine = Caption.objects.get(tile=tile).text
    caption_rectify(tile_id=tile.pk, text=f"{machine} Truly so.", base_version=1, by=ann, client_id=uuid4())
    assert CaptionRevision.objects.get(number=2).words_changed == 3
