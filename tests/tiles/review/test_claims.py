"""Claims: nobody gets a tile that stands before somebody else, in any order, also when two ask at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.support.factories import make_area, make_tile
from tests.tiles.review.test_replay import at_once, person_of
from tiles.core.errors import BadInput, NotAllowed, Stale
from tiles.models import Area, QueueEntry, TileClaim, TilePair
from tiles.review import selectors
from tiles.review.claims import claims_hold, claims_in_force, claims_release, claims_shown
from tiles.review.queue import QueueFilter, queue_handed_out
from tiles.review.services import decision_undo, tile_approve, tile_reject

pytestmark = pytest.mark.django_db
TILES = 12


@pytest.fixture
def area() -> Area:
    return many()


@pytest.fixture
def ann(person: Any) -> Any:
    return person("reviewer", "ann")


@pytest.fixture
def bob(person: Any) -> Any:
    return person("reviewer", "bob")


def many(**fields: Any) -> Area:
    area = make_area(**fields)
    for index in range(TILES):
        make_tile(area, index, files=False, score=(index * 5 % 7) / 7, slope=float(index * 7 % 5))
    return area


def hand_out(area: Area, by: Any, query: str = "state=queue", size: int = 4, **more: Any) -> list[int]:
    """The numbers that a page of this person gets."""
    asked = QueueFilter(QueryDict(query), queryset=selectors.queue(area=area))
    page = more.pop("page", None) or uuid4()
    return [
        tile.index for tile in queue_handed_out(area=area, asked=asked, by=by, page=page, size=size, **more).page.tiles
    ]


def approve(area: Area, index: int, by: Any, **more: Any) -> Any:
    tile = area.tiles.get(index=index)
    seen = {"seen": tile.layer_versions(), "seen_version": tile.version, "client_id": uuid4()}
    return tile_approve(tile_id=tile.pk, by=by, **seen, **more)


def log(area: Area) -> list[tuple[str, str, list[int]]]:
    return [(entry.what, entry.by.username, entry.detail["tiles"]) for entry in area.queue_entries.order_by("id")]


def run_out(area: Area) -> None:
    TileClaim.objects.filter(area=area).update(until=timezone.now() - timedelta(seconds=1))


class TestHandingOut:
    @pytest.mark.parametrize("order", ["", "-number", "score", "-score", "slope", "-slope", "built"])
    def test_everybody_gets_other_tiles_in_every_order(self, area: Area, ann: Any, bob: Any, order: str) -> None:
        query = f"state=queue&order={order}"
        got = [hand_out(area, who, query, size) for who, size in ((ann, 3), (bob, 3), (ann, 4), (bob, 20))]
        assert [len(numbers) for numbers in got] == [3, 3, 4, 8]
        assert got[0] == got[2][:3], "one's own tiles are not kept from oneself"
        assert not {*got[0], *got[2]} & {*got[1], *got[3]}
        assert sorted({*got[2], *got[3]}) == list(range(TILES)), "in the end all are somebody's"

    def test_pages_go_on_after_what_was_handed_out(self, area: Area, ann: Any, bob: Any) -> None:
        assert hand_out(area, ann) == [0, 1, 2, 3]
        assert hand_out(area, bob) == [4, 5, 6, 7]
        assert hand_out(area, ann, after=3) == [8, 9, 10, 11]
        assert hand_out(area, bob, after=7) == []
        assert hand_out(area, bob, before=8) == [4, 5, 6, 7]

    def test_what_is_looked_through_is_nobodys(self, area: Area, ann: Any, bob: Any) -> None:
        for query in ("", "state=approved"):
            assert hand_out(area, ann, query, 20) == hand_out(area, bob, query, 20)
        assert not TileClaim.objects.exists()

    def test_only_for_reviewers(self, area: Area, person: Any) -> None:
        with pytest.raises(NotAllowed):
            hand_out(area, person("annotator"))

    def test_few_queries_however_many_tiles(self, area: Area, ann: Any, bob: Any) -> None:
        hand_out(area, bob)
        ann.has_perm("tiles.review_tilepair")
        numbers = []
        for size in (1, 8):
            with CaptureQueriesContext(connection) as asked:
                hand_out(area, ann, size=size)
            numbers.append(len(asked))
        assert numbers[0] == numbers[1]


class TestAnEnd:
    def test_a_decision_ends_it_without_a_write(self, area: Area, ann: Any, bob: Any) -> None:
        Area.objects.update(policy="two")
        area.refresh_from_db()
        hand_out(area, ann)
        with CaptureQueriesContext(connection) as asked:
            approve(area, 1, ann)
        assert not [query for query in asked.captured_queries if "UPDATE" in query["sql"] and "claim" in query["sql"]]
        assert hand_out(area, bob, size=2) == [1, 4], "the second look is for somebody else, at once"

    def test_after_an_undo_it_is_free(self, area: Area, ann: Any, bob: Any) -> None:
        hand_out(area, ann)
        decision_undo(undoes=approve(area, 0, ann).client_id, by=ann, client_id=uuid4())
        assert hand_out(area, bob, size=2) == [0, 4]

    def test_leaving_gives_back_what_this_page_holds(self, area: Area, ann: Any, bob: Any) -> None:
        one, two = uuid4(), uuid4()
        hand_out(area, ann, page=one, size=2)
        hand_out(area, ann, page=two, size=2, after=1)
        approve(area, 0, ann)
        assert claims_release(area=area, by=bob, page=one) == 0, "nobody gives back what is not theirs"
        assert claims_release(area=area, by=ann, page=one) == 1
        assert hand_out(area, bob) == [1, 4, 5, 6]

    def test_it_runs_out_and_that_is_in_the_log(self, area: Area, ann: Any, bob: Any) -> None:
        hand_out(area, ann)
        approve(area, 2, ann)
        run_out(area)
        assert hand_out(area, bob) == [0, 1, 3, 4]
        assert log(area) == [
            ("claim", "ann", [0, 1, 2, 3]),
            ("lapse", "ann", [0, 1, 3]),
            ("claim", "bob", [0, 1, 3, 4]),
        ]

    def test_the_log_says_what_was_given_back(self, area: Area, ann: Any) -> None:
        page = uuid4()
        hand_out(area, ann, page=page)
        hand_out(area, ann, page=page)
        claims_release(area=area, by=ann, page=page)
        claims_release(area=area, by=ann, page=page)
        assert log(area) == [("claim", "ann", [0, 1, 2, 3]), ("release", "ann", [0, 1, 2, 3])]


class TestHolding:
    def hold(self, area: Area, by: Any, page: UUID, *numbers: int) -> list[tuple[int, str]]:
        held = claims_hold(area=area, numbers=numbers, by=by, page=page)
        assert held.until > timezone.now()
        return [(claim.tile.index, claim.by.username) for claim in held.lost]

    def test_it_renews_and_lets_go_of_the_rest(self, area: Area, ann: Any, bob: Any) -> None:
        page = uuid4()
        hand_out(area, ann, page=page)
        before = claims_in_force(area=area).get(tile__index=3).until
        assert self.hold(area, ann, page, 2, 3) == []
        assert claims_in_force(area=area).get(tile__index=3).until > before
        assert hand_out(area, bob) == [0, 1, 4, 5]

    def test_what_ran_out_and_went_to_somebody_else_is_said(self, area: Area, ann: Any, bob: Any) -> None:
        page = uuid4()
        hand_out(area, ann, page=page)
        run_out(area)
        hand_out(area, bob, size=2)
        assert self.hold(area, ann, page, 0, 1, 2) == [(0, "bob"), (1, "bob")]
        assert [(each["by"], each["tiles"]) for each in claims_shown(area=area)] == [("ann", [2]), ("bob", [0, 1])]

    def test_what_is_settled_needs_nobody(self, area: Area, ann: Any) -> None:
        page = uuid4()
        hand_out(area, ann, page=page)
        approve(area, 0, ann)
        assert self.hold(area, ann, page, 0, 1) == []
        assert [each["tiles"] for each in claims_shown(area=area)] == [[1]]

    def test_not_without_bounds_and_not_for_everybody(self, area: Area, ann: Any, person: Any) -> None:
        with pytest.raises(BadInput):
            self.hold(area, ann, uuid4(), *range(501))
        with pytest.raises(NotAllowed):
            self.hold(area, person("viewer"), uuid4(), 1)


class TestDeciding:
    def test_about_somebody_elses_tile_only_on_purpose(self, area: Area, ann: Any, bob: Any) -> None:
        hand_out(area, ann)
        with pytest.raises(Stale, match="ann is looking at this tile") as caught:
            approve(area, 0, bob)
        assert caught.value.extra["cause"] == "claim"
        assert caught.value.extra["current"]["claim"]["by"] == "ann"
        assert approve(area, 0, bob, past_claim=True).to_state == "approved"
        tile = area.tiles.get(index=0)
        seen = {"seen": tile.layer_versions(), "seen_version": 0, "client_id": uuid4()}
        with pytest.raises(Stale) as late:
            tile_reject(tile_id=tile.pk, reason="cloud", by=ann, **seen)
        assert late.value.extra["current"]["by"] == "bob"
        assert late.value.extra["current"]["at"]

    def test_when_it_ran_out_nothing_is_in_the_way(self, area: Area, ann: Any, bob: Any) -> None:
        hand_out(area, ann)
        run_out(area)
        assert approve(area, 0, bob).to_state == "approved"


class TestTheQueueOfOnePerson:
    """Two must agree: who judged a tile does not get it again, whatever the order."""

    @pytest.fixture
    def waiting(self, ann: Any, bob: Any) -> Area:
        """Ann judged 0, 3, 6; bob 1; about 2 they disagree."""
        area = many(policy="two")
        for index in (0, 3, 6):
            approve(area, index, ann)
        approve(area, 1, bob)
        approve(area, 2, ann)
        tile = area.tiles.get(index=2)
        seen = {"seen": tile.layer_versions(), "seen_version": tile.version, "client_id": uuid4()}
        tile_reject(tile_id=tile.pk, reason="cloud", by=bob, **seen)
        return area

    @pytest.mark.parametrize("order", ["", "-number", "score", "-score", "slope", "-slope"])
    def test_what_waits_for_whom(self, waiting: Area, person: Any, ann: Any, order: str) -> None:
        expected = {"ann": {1, 4, 5, *range(7, 12)}, "bob": {0, 3, 4, 5, 6, *range(7, 12)}, "cam": set(range(12))}
        query = f"state=queue&order={order}"
        whole = hand_out(waiting, person("reviewer", "cam"), f"order={order}", 20)
        for name, numbers in expected.items():
            page, by = uuid4(), person("reviewer", name)
            assert hand_out(waiting, by, query, 20, page=page) == [index for index in whole if index in numbers]
            claims_release(area=waiting, by=by, page=page)

    @pytest.mark.parametrize("order", ["", "-number", "score", "-score", "slope", "-slope"])
    def test_page_by_page_there_and_back(self, waiting: Area, bob: Any, order: str) -> None:
        query, page = f"state=queue&order={order}", uuid4()
        whole = hand_out(waiting, bob, query, 20, page=page)
        found = hand_out(waiting, bob, query, 3, page=page)
        while more := hand_out(waiting, bob, query, 3, page=page, after=found[-1]):
            found += more
        assert found == whole
        back = hand_out(waiting, bob, query, 3, page=page, before=whole[-1])
        while more := hand_out(waiting, bob, query, 3, page=page, before=back[0]):
            back = more + back
        assert back == whole[:-1]

    def test_with_one_reviewer_nobody_waits(self, waiting: Area, ann: Any) -> None:
        Area.objects.update(policy="one")
        waiting.refresh_from_db()
        assert hand_out(waiting, ann, size=20) == list(range(TILES))

    def test_its_plan_reads_no_more_than_the_page(self, waiting: Area, ann: Any) -> None:
        """Each state is read through the index on state and number, not sorted."""
        with CaptureQueriesContext(connection) as asked:
            hand_out(waiting, ann)
        reads = [
            query["sql"] for query in asked.captured_queries if "ORDER BY" in query["sql"] and "LIMIT" in query["sql"]
        ]
        pages = [sql for sql in reads if '"tiles_tilepair"."index" ASC LIMIT 5' in sql]
        assert len(pages) == 3
        for sql in pages if connection.vendor == "sqlite" else ():
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
                plan = " ".join(row[3] for row in cursor.fetchall())
            assert "tile_queue" in plan
            assert "TEMP B-TREE" not in plan


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_people_who_ask_at_once_get_no_tile_twice(self) -> None:
        """Real threads, each with its own connection, page after page to the end."""
        area = many()
        whom = [person_of(name) for name in ("ann", "bob", "cam")]
        pages = {who.pk: uuid4() for who in whom}

        def ask(who: Any) -> list[int]:
            found: list[int] = []
            while got := hand_out(area, who, size=2, page=pages[who.pk], after=found[-1] if found else None):
                found += got
            return found

        results = at_once(*[lambda who=who: ask(who) for who in whom])
        assert sorted(index for found in results for index in found) == list(range(TILES))
        assert TileClaim.objects.count() == TILES

    def test_deciding_and_asking_do_not_wait_for_each_other_for_ever(self) -> None:
        area = many()
        ann, bob = person_of("ann"), person_of("bob")
        numbers = hand_out(area, ann, size=6)
        results = at_once(
            lambda: [approve(area, index, ann).to_state for index in numbers],
            lambda: [hand_out(area, bob, size=6) for _again in range(6)][-1],
            lambda: claims_hold(area=area, numbers=numbers, by=ann, page=uuid4()).lost,
        )
        assert results[0] == ["approved"] * 6
        assert results[1] == [6, 7, 8, 9, 10, 11]
        assert results[2] == []
        taken = [entry.detail["tiles"] for entry in QueueEntry.objects.filter(by=bob)]
        assert taken == [[6, 7, 8, 9, 10, 11]]
        assert TilePair.objects.filter(review_state="approved").count() == 6
