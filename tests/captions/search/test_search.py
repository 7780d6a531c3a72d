"""Finding captions by their words. Runs on SQLite and on PostgreSQL, which must agree."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from captions.models import Caption
from captions.search import selectors
from captions.search.engines import Scope, engine
from captions.search.index import index_differences, index_rebuild
from captions.search.selectors import captions_search
from captions.services import caption_rectify, caption_write_machine
from tests.support.factories import make_area, make_tile
from tiles.core.errors import BadInput
from tiles.models import Area

pytestmark = pytest.mark.django_db

TEXTS = {
    0: "Steep mountains rise above a river with terraced fields.",
    1: "A river crosses level farmland near the sea.",
    2: "Snow covers high mountains; no river is seen.",
    3: "Bäume und Felder an der Küste.",
    4: "Low-lying ground, a sandy beach and the open sea.",
}


@pytest.fixture
def area(person: Callable[..., Any]) -> Area:
    index_rebuild()
    area = make_area("coast")
    for index, text in TEXTS.items():
        save(area, index, text, person("annotator"))
    return area


def save(area: Area, index: int, text: str, by: Any, base: int = 0) -> None:
    tile = area.tiles.filter(index=index).first() or make_tile(area, index, files=False)
    caption_rectify(tile_id=tile.pk, text=text, base_version=base, by=by, client_id=uuid4())


def found(text: str, scope: Scope | None = None) -> list[int]:
    return [hit.caption.tile.index for hit in captions_search(text=text, scope=scope or Scope()).hits]


@pytest.mark.parametrize(
    ("text", "indexes"),
    [
        ("river", [0, 1, 2]),
        ("RIVER mountains", [0, 2]),
        ("mountain", [0, 2]),
        ("river -snow", [0, 1]),
        ('"the open sea"', [4]),
        ('sea -"open sea"', [1]),
        ("terr* river", [0]),
        ("low-lying", [4]),
        ("baume kuste", [3]),
        ("the", [1, 4]),
        ("glacier", []),
    ],
)
def test_words_phrases_exclusion(area: Area, text: str, indexes: list[int]) -> None:
    assert sorted(found(text)) == indexes


@pytest.mark.parametrize("text", ["", "-snow", '"open', "*", "!!", "a " * 33, "x" * 301])
def test_a_search_for_nothing_says_so(area: Area, text: str) -> None:
    with pytest.raises(BadInput):
        captions_search(text=text, scope=Scope())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40))
def test_nothing_that_is_typed_breaks_the_engine(area: Area, text: str) -> None:
    with suppress(BadInput):
        captions_search(text=text, scope=Scope())


def test_the_words_found_are_marked(area: Area) -> None:
    (hit,) = captions_search(text='"open sea" ground', scope=Scope()).hits

    assert [words for words, marked in hit.parts if marked] in (["ground", "open sea"], ["ground", "open", "sea"])
    assert "".join(words for words, _marked in hit.parts) == TEXTS[4]


def test_one_area_and_one_origin(area: Area, person: Callable[..., Any]) -> None:
    other = make_area("inland")
    save(other, 0, "A river in a valley.", person("annotator"))
    machine = make_tile(other, 1, files=False)
    caption_write_machine(tile_id=machine.pk)

    assert found("river", Scope(area=other.pk)) == [0]
    assert len(found("river")) == 4
    assert found("river", Scope(area=other.pk, origin="rules")) == []
    assert found("river", Scope(origin="person")) != []
    assert found(f"area{other.pk}") == []


def test_a_saved_text_is_found_at_once_and_the_old_one_no_more(area: Area, person: Callable[..., Any]) -> None:
    save(area, 1, "Sand dunes near a lagoon.", person("annotator"), base=1)

    assert found("lagoon") == [1]
    assert found("farmland") == []


def test_the_most_relevant_come_first_and_beyond_the_limit_the_newest(
    area: Area, person: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    save(area, 5, "River, river, river.", person("annotator"))
    save(area, 6, "One river among many other things that are said of this tile, at great length.", person("annotator"))

    ranked = captions_search(text="river", scope=Scope())
    assert ranked.by_relevance
    assert (ranked.count, ranked.capped) == (5, False)
    assert ranked.hits[0].caption.tile.index == 5

    monkeypatch.setattr(selectors, "RANK_LIMIT", 4)
    newest = captions_search(text="river", scope=Scope(), size=3)
    assert not newest.by_relevance
    assert (newest.count, newest.capped) == (4, True)
    assert [hit.caption.tile.index for hit in newest.hits] == [6, 5, 2]
    older = captions_search(text="river", scope=Scope(), size=3, after=newest.after)
    assert [hit.caption.tile.index for hit in older.hits] == [1, 0]
    assert older.after == ""


def test_pages_of_relevance_follow_each_other(area: Area) -> None:
    first = captions_search(text="river", scope=Scope(), size=2)
    second = captions_search(text="river", scope=Scope(), size=2, after=first.after)

    assert len(first.hits) == 2
    assert sorted(hit.caption.tile.index for hit in (*first.hits, *second.hits)) == [0, 1, 2]
    with pytest.raises(BadInput):
        captions_search(text="river", scope=Scope(), after="two")


def test_after_all_migrations_the_index_is_the_table(area: Area) -> None:
    """The services keep it, so nothing that a migration does to the captions' table can cut it off."""
    assert index_differences() == (0, 0)
    before = {text: found(text) for text in ("river", "sea", "mountain*")}

    assert index_rebuild() == Caption.objects.count()
    assert {text: found(text) for text in before} == before


def test_a_damaged_index_is_told_and_made_anew(area: Area, capsys: pytest.CaptureFixture[str]) -> None:
    engine().remove(list(Caption.objects.values_list("pk", flat=True)))

    call_command("rebuild_search", "--check")
    assert "5 captions are not indexed" in capsys.readouterr().out
    call_command("rebuild_search")
    assert "5 captions indexed" in capsys.readouterr().out
    assert sorted(found("river")) == [0, 1, 2]
