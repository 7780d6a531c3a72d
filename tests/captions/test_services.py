"""Captions are written once, by whom it says, and never over what somebody else saved meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from captions.captioners.base import CaptionAnswer, TileFacts
from captions.models import MAX_LENGTH, Caption, CaptionRevision
from captions.services import caption_rectify, caption_restore, caption_write_machine, captions_write_missing
from tests.support.factories import counters, make_area, make_failed_tile, make_tile, recount
from tiles.core.errors import BadInput, Conflict, NotAllowed, NotFound, Stale
from tiles.models import Area, TilePair
from tiles.models.appendonly import AppendOnlyError
from tiles.models.choices import BuildState

pytestmark = pytest.mark.django_db


class Parrot:
    """A captioner that says what the test told it."""

    name = "parrot"

    def __init__(self, says: str) -> None:
        self.says = says

    def caption(self, facts: TileFacts) -> CaptionAnswer:
        return CaptionAnswer(self.says, terms=("hill",), provenance={"backend": self.name})


@pytest.fixture
def area() -> Area:
    return make_area()


@pytest.fixture
def tile(area: Area) -> TilePair:
    return make_tile(area, 7, files=False)


@pytest.fixture
def ann(person: Any) -> Any:
    return person("annotator", "ann")


@pytest.fixture
def bob(person: Any) -> Any:
    return person("annotator", "bob")


def save(tile: TilePair, by: Any, text: str, base: int, client_id: UUID | None = None) -> CaptionRevision:
    return caption_rectify(tile_id=tile.pk, text=text, base_version=base, by=by, client_id=client_id or uuid4())


def restore(tile: TilePair, by: Any, number: int, base: int, client_id: UUID | None = None) -> CaptionRevision:
    return caption_restore(tile_id=tile.pk, number=number, base_version=base, by=by, client_id=client_id or uuid4())


def now(tile: TilePair) -> tuple[int, str, str]:
    caption = Caption.objects.get(tile=tile)
    return caption.version, caption.text, caption.origin


class TestMachine:
    def test_the_first_caption_is_marked_as_the_rules(self, area: Area, tile: TilePair) -> None:
        revision = caption_write_machine(tile_id=tile.pk)
        assert revision
        assert (revision.number, revision.origin, revision.author) == (1, "rules", None)
        assert revision.provenance["backend"] == "rules"
        assert revision.components["terms"] == ["hill"]
        assert now(tile) == (1, revision.text, "rules")
        tile.refresh_from_db()
        assert tile.captioned
        assert counters(area) == recount(area)
        assert counters(area)["captioned"] == 1

    def test_a_rerun_writes_nothing(self, area: Area, tile: TilePair) -> None:
        caption_write_machine(tile_id=tile.pk)
        assert caption_write_machine(tile_id=tile.pk) is None
        assert CaptionRevision.objects.count() == 1
        assert counters(area) == recount(area)

    def test_a_tile_that_changed_is_described_anew(self, tile: TilePair) -> None:
        caption_write_machine(tile_id=tile.pk)
        TilePair.objects.filter(pk=tile.pk).update(landform="high_mountain", dem_max=3000)
        assert caption_write_machine(tile_id=tile.pk)
        assert now(tile)[0] == 2
        assert "mountain" in now(tile)[1]

    def test_a_persons_text_is_never_replaced(self, tile: TilePair, ann: Any) -> None:
        caption_write_machine(tile_id=tile.pk)
        save(tile, ann, "A valley.", 1)
        assert caption_write_machine(tile_id=tile.pk, captioner=Parrot("Something else.")) is None
        assert now(tile) == (2, "A valley.", "person")

    def test_nor_a_machines_text_that_a_person_chose(self, tile: TilePair, ann: Any) -> None:
        caption_write_machine(tile_id=tile.pk, captioner=Parrot("First."))
        save(tile, ann, "A valley.", 1)
        restore(tile, ann, 1, 2)
        assert caption_write_machine(tile_id=tile.pk, captioner=Parrot("Something else.")) is None
        assert now(tile) == (3, "First.", "parrot")

    def test_a_tile_that_is_gone_or_not_built_is_passed_over(self, area: Area) -> None:
        failed = make_failed_tile(area, 9)
        assert caption_write_machine(tile_id=failed.pk) is None
        assert caption_write_machine(tile_id=10**9) is None
        assert not Caption.objects.exists()

    def test_missing_ones_are_filled_and_only_those(self, area: Area, ann: Any) -> None:
        tiles = [make_tile(area, index, files=False) for index in (0, 3, 8)]
        make_failed_tile(area, 9)
        other = make_tile(make_area("elsewhere"), 0, files=False)
        save(tiles[1], ann, "A valley.", 0)
        assert captions_write_missing(area_id=area.pk) == 2
        assert captions_write_missing(area_id=area.pk) == 0
        assert now(tiles[1]) == (1, "A valley.", "person")
        assert Caption.objects.filter(area=area).count() == 3
        assert not Caption.objects.filter(tile=other).exists()
        assert counters(area) == recount(area)

    def test_missing_ones_go_on_beyond_a_batch(self, area: Area, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("captions.services.BATCH", 2)
        for index in range(5):
            make_tile(area, index, files=False)
        assert captions_write_missing(area_id=area.pk) == 5
        assert counters(area)["captioned"] == 5


class TestRectify:
    def test_a_save_is_a_revision_with_its_author(self, tile: TilePair, ann: Any) -> None:
        first = caption_write_machine(tile_id=tile.pk)
        revision = save(tile, ann, "  A valley with terraces.\r\n", 1)
        assert (revision.number, revision.text, revision.origin) == (2, "A valley with terraces.", "person")
        assert revision.author == ann
        assert now(tile) == (2, "A valley with terraces.", "person")
        assert first
        assert revision.components == first.components
        assert list(CaptionRevision.objects.values_list("number", flat=True)) == [1, 2]

    def test_a_tile_without_a_caption_can_be_given_one(self, area: Area, tile: TilePair, ann: Any) -> None:
        assert save(tile, ann, "A valley.", 0).number == 1
        assert counters(area) == recount(area)
        assert counters(area)["captioned"] == 1

    def test_repeating_a_save_counts_once(self, tile: TilePair, ann: Any) -> None:
        mine = uuid4()
        first = save(tile, ann, "A valley.", 0, mine)
        save(tile, ann, "A gorge.", 1)
        assert save(tile, ann, "A valley.", 0, mine) == first
        assert now(tile) == (2, "A gorge.", "person")

    def test_the_id_of_anothers_save_is_refused(self, area: Area, tile: TilePair, ann: Any, bob: Any) -> None:
        mine = uuid4()
        save(tile, ann, "A valley.", 0, mine)
        with pytest.raises(BadInput, match="id of another"):
            save(tile, bob, "A gorge.", 1, mine)
        with pytest.raises(BadInput, match="id of another"):
            save(make_tile(area, 8, files=False), ann, "A gorge.", 0, mine)

    def test_a_stale_save_gets_both_texts(self, tile: TilePair, ann: Any, bob: Any) -> None:
        save(tile, ann, "A valley.", 0)
        save(tile, bob, "A green valley.", 1)
        with pytest.raises(Stale) as caught:
            save(tile, ann, "A long valley.", 1)
        extra = caught.value.extra
        assert extra["current"]["version"] == 2
        assert extra["current"]["text"] == "A green valley."
        assert extra["current"]["author"] == "bob"
        assert extra["current"]["origin"] == "person"
        assert extra["current"]["at"]
        assert extra["yours"] == "A long valley."
        assert extra["diff"] == [("same", "A "), ("removed", "green"), ("added", "long"), ("same", " valley.")]
        assert now(tile) == (2, "A green valley.", "person")

    def test_a_base_from_the_future_is_stale_too(self, tile: TilePair, ann: Any) -> None:
        with pytest.raises(Stale):
            save(tile, ann, "A valley.", 4)

    def test_two_who_write_the_same_agree(self, tile: TilePair, ann: Any, bob: Any) -> None:
        save(tile, ann, "A valley.", 0)
        assert save(tile, bob, "A valley. ", 0).author == ann
        assert CaptionRevision.objects.count() == 1

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("", "empty"),
            (" \n\t ", "empty"),
            ("x" * (MAX_LENGTH + 1), "too_long"),
            ("x" * 9 * MAX_LENGTH, "too_long"),
            ("A val\x00ley.", "control_characters"),
            ("A val\x1b[31mley.", "control_characters"),
            ("A \u202eyellav.", "control_characters"),
            ("A \ud800valley.", "control_characters"),
            ("12 34 !", "no_word"),
            ("\u200b\u200b", "no_word"),
        ],
    )
    def test_what_is_no_text_is_refused(self, tile: TilePair, ann: Any, text: str, code: str) -> None:
        with pytest.raises(BadInput) as caught:
            save(tile, ann, text, 0)
        assert caught.value.code == code
        assert not Caption.objects.exists()

    @pytest.mark.parametrize(
        ("text", "kept"),
        [
            ("x" * MAX_LENGTH, "x" * MAX_LENGTH),
            ("平原，有一条河。", "平原，有一条河。"),
            ("دشتِ می‌خواهم", "دشتِ می‌خواهم"),
            ("Cafe\u0301 hill", "Caf\u00e9 hill"),
            ("plain\r\nhill\rlake", "plain\nhill\nlake"),
            ("plain\thill", "plain hill"),
            ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ],
    )
    def test_any_language_is_kept_as_it_is(self, tile: TilePair, ann: Any, text: str, kept: str) -> None:
        assert save(tile, ann, text, 0).text == kept

    def test_a_tile_that_is_not_built_has_nothing_to_describe(self, area: Area, ann: Any) -> None:
        with pytest.raises(Conflict) as caught:
            save(make_failed_tile(area, 9), ann, "A valley.", 0)
        assert caught.value.code == "not_built"

    def test_no_such_tile(self, ann: Any) -> None:
        with pytest.raises(NotFound):
            caption_rectify(tile_id=10**9, text="A valley.", base_version=0, by=ann, client_id=uuid4())

    def test_a_viewer_may_not(self, tile: TilePair, person: Any) -> None:
        with pytest.raises(NotAllowed):
            save(tile, person("viewer"), "A valley.", 0)
        with pytest.raises(NotAllowed):
            restore(tile, person("viewer"), 1, 0)
        assert not Caption.objects.exists()


class TestRestore:
    def test_the_old_words_come_back_as_a_new_revision(self, tile: TilePair, ann: Any, bob: Any) -> None:
        machine = caption_write_machine(tile_id=tile.pk)
        assert machine
        save(tile, ann, "A valley.", 1)
        revision = restore(tile, bob, 1, 2)
        assert (revision.number, revision.text, revision.origin) == (3, machine.text, "rules")
        assert (revision.author, revision.restores) == (bob, machine)
        assert now(tile) == (3, machine.text, "rules")

    def test_what_stands_needs_no_restoring(self, tile: TilePair, ann: Any) -> None:
        first = save(tile, ann, "A valley.", 0)
        assert restore(tile, ann, 1, 1) == first
        assert CaptionRevision.objects.count() == 1

    def test_repeats_stale_bases_and_unknown_numbers(self, tile: TilePair, ann: Any) -> None:
        mine = uuid4()
        save(tile, ann, "A valley.", 0)
        save(tile, ann, "A gorge.", 1)
        with pytest.raises(Stale):
            restore(tile, ann, 1, 1)
        first = restore(tile, ann, 1, 2, mine)
        assert restore(tile, ann, 1, 2, mine) == first
        with pytest.raises(NotFound):
            restore(tile, ann, 9, 3)


class TestLog:
    def test_revisions_are_never_changed_or_deleted(self, tile: TilePair, ann: Any) -> None:
        revision = save(tile, ann, "A valley.", 0)
        revision.text = "Another."
        with pytest.raises(AppendOnlyError):
            revision.save()
        with pytest.raises(AppendOnlyError):
            revision.delete()
        with pytest.raises(AppendOnlyError):
            CaptionRevision.objects.filter(pk=revision.pk).update(text="Another.")
        with pytest.raises(AppendOnlyError):
            CaptionRevision.objects.all().delete()

    def test_the_database_refuses_a_persons_words_without_a_person(self, tile: TilePair) -> None:
        caption_write_machine(tile_id=tile.pk)
        with pytest.raises(IntegrityError), transaction.atomic():
            Caption.objects.filter(tile=tile).update(origin="person")


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["save", "stale", "restore", "machine", "repeat"]), st.integers(0, 1), st.integers(0, 3)),
    max_size=12,
)


@given(actions=ACTIONS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_after_anything_the_caption_is_its_newest_revision(actions: Any, ann: Any) -> None:
    with transaction.atomic():
        area = make_area()
        tiles = [make_tile(area, index, files=False) for index in range(2)]
        last: dict[int, Callable[[], Any]] = {}
        for what, which, number in actions:
            _act(what, tiles[which], number, ann, last)
        for caption in Caption.objects.filter(area=area):
            log = list(caption.revisions.order_by("number"))
            assert [revision.number for revision in log] == list(range(1, caption.version + 1))
            newest = log[-1]
            assert (caption.text, caption.origin, caption.author_id) == (newest.text, newest.origin, newest.author_id)
            assert caption.tile.captioned
        assert counters(area) == recount(area)
        transaction.set_rollback(True)


def _act(what: str, tile: TilePair, number: int, by: Any, last: dict[int, Callable[[], Any]]) -> None:
    caption = Caption.objects.filter(tile=tile).first()
    version = caption.version if caption else 0
    words = ("A valley.", "A gorge.", "A plain.", "A coast.")[number]
    if what == "machine":
        caption_write_machine(tile_id=tile.pk, captioner=Parrot(words))
    elif what == "repeat" and tile.pk in last:
        before = CaptionRevision.objects.count()
        last[tile.pk]()
        assert CaptionRevision.objects.count() == before
    elif what == "stale" and caption and caption.text != words:
        with pytest.raises(Stale):
            save(tile, by, words, version + 1)
    elif what == "restore" and 1 <= number <= version:
        restore(tile, by, number, version)
    elif what == "save":
        made = save(tile, by, words, version)
        if made.number > version:
            last[tile.pk] = lambda: save(tile, by, words, version, made.client_id)


@pytest.mark.django_db(transaction=True)
class TestRaces:
    """Two connections at once. On SQLite the second waits for the first; on PostgreSQL the tile's row is locked."""

    def race(self, *calls: Callable[[], Any]) -> list[Any]:
        """What each call returned or raised, all started together on connections of their own."""
        start = threading.Barrier(len(calls))
        results: list[Any] = [None] * len(calls)

        def run(place: int, call: Callable[[], Any]) -> None:
            try:
                start.wait(20)
                results[place] = call()
            except Exception as error:
                results[place] = error
            finally:
                connections.close_all()

        threads = [threading.Thread(target=run, args=item) for item in enumerate(calls)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return results

    @pytest.fixture(autouse=True)
    def _shared_database(self) -> None:
        if connection.vendor == "sqlite" and connection.is_in_memory_db():
            pytest.skip("an in-memory database has one connection")

    def test_of_two_first_captions_one_is_written(self, area: Area, tile: TilePair) -> None:
        write = lambda: caption_write_machine(tile_id=tile.pk)  # noqa: E731
        results = self.race(write, write, lambda: captions_write_missing(area_id=area.pk))
        assert not [result for result in results if isinstance(result, Exception)], results
        assert CaptionRevision.objects.count() == 1
        assert counters(area) == recount(area)

    def test_of_two_saves_over_one_version_one_is_stale(self, area: Area, tile: TilePair, ann: Any, bob: Any) -> None:
        results = self.race(
            lambda: save(tile, ann, "A valley.", 0),
            lambda: save(tile, bob, "A gorge.", 0),
        )
        assert sorted(type(result).__name__ for result in results) == ["CaptionRevision", "Stale"]
        winner = next(result for result in results if isinstance(result, CaptionRevision))
        assert now(tile) == (1, winner.text, "person")
        assert counters(area) == recount(area)

    def test_one_save_sent_twice_at_once_is_one_revision(self, tile: TilePair, ann: Any) -> None:
        mine = uuid4()
        again = lambda: save(tile, ann, "A valley.", 0, mine)  # noqa: E731
        first, second = self.race(again, again)
        assert first == second
        assert CaptionRevision.objects.count() == 1


def test_a_rebuilt_tile_that_fails_keeps_its_caption(tile: TilePair, ann: Any) -> None:
    save(tile, ann, "A valley.", 0)
    TilePair.objects.filter(pk=tile.pk).update(build_state=BuildState.PLANNED)
    assert caption_write_machine(tile_id=tile.pk) is None
    assert now(tile) == (1, "A valley.", "person")
