"""Components of a caption, and the prompt that they compose with its text."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from captions.components import components_clean, override_is_stale
from captions.models import Caption
from captions.services import caption_rectify, caption_restore, caption_write_machine
from captions.wanted import prompts_refresh, settings_of, settings_save
from tests.support.factories import make_area, make_tile
from tiles.core.errors import BadInput, NotAllowed
from tiles.models import Area, TilePair

pytestmark = pytest.mark.django_db


@pytest.fixture
def area() -> Area:
    area = make_area("coast")
    area.satellite = "Sentinel-2"
    area.save()
    return area


@pytest.fixture
def tile(area: Area) -> TilePair:
    return make_tile(area, 3, files=False, native_gsd=10)


def save(tile: TilePair, by: Any, text: str, base: int, **components: Any) -> Caption:
    caption_rectify(
        tile_id=tile.pk, text=text, base_version=base, by=by, client_id=uuid4(), components=components or None
    )
    return Caption.objects.get(tile=tile)


def test_the_prompt_is_composed_with_every_save(tile: TilePair, person: Any) -> None:
    saved = save(tile, person("annotator"), "A river crosses farmland.", 0, weather="fog", terms=["River", "river "])

    assert saved.prompt == "Low precision resolution, fog, A river crosses farmland, Sentinel-2."
    assert saved.components == {"terms": ["river"], "category": "", "weather": "fog"}


def test_a_machines_first_caption_has_a_prompt_too(tile: TilePair) -> None:
    caption_write_machine(tile_id=tile.pk)
    caption = Caption.objects.get(tile=tile)

    assert caption.prompt.startswith("Low precision resolution, ")
    assert caption.text.rstrip(".") in caption.prompt


def test_a_component_changed_alone_is_a_revision(tile: TilePair, person: Any) -> None:
    ann = person("annotator")
    save(tile, ann, "Dunes.", 0)

    changed = save(tile, ann, "Dunes.", 1, category="desert")
    again = save(tile, ann, "Dunes.", 2, category="desert")

    assert (changed.version, again.version) == (2, 2)
    restored = caption_restore(tile_id=tile.pk, number=1, base_version=2, by=ann, client_id=uuid4())
    assert restored.components.get("category", "") == ""


def test_a_prompt_written_by_hand_holds_until_a_component_changes(tile: TilePair, person: Any) -> None:
    ann = person("annotator")
    composed = save(tile, ann, "Dunes.", 0).prompt

    by_hand = save(tile, ann, "Dunes.", 1, prompt={"text": "Nothing but sand", "of": composed})
    assert by_hand.prompt == "Nothing but sand"

    foggy = save(tile, ann, "Dunes.", 2, weather="fog", prompt=by_hand.components["prompt"])
    assert foggy.prompt == "Low precision resolution, fog, Dunes, Sentinel-2."
    wanted = settings_of([tile.area_id])[tile.area_id]
    assert override_is_stale(text=foggy.text, components=foggy.components, tile=tile, wanted=wanted)


@pytest.mark.parametrize(
    "components",
    [
        {"city": "Rome"},
        {"weather": "hail"},
        {"terms": "river"},
        {"terms": ["x" * 41]},
        {"terms": [f"term {number}" for number in range(25)]},
        {"terms": [3]},
        {"category": "x" * 101},
        {"category": "a\u202eb"},
        {"prompt": {"text": "only"}},
        {"prompt": {"text": " ", "of": "x"}},
    ],
)
def test_what_is_no_component_is_refused(components: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        components_clean(components)


class TestSettings:
    def test_prompts_follow_them(self, area: Area, tile: TilePair, person: Any) -> None:
        save(tile, person("annotator"), "Dunes.", 0)
        other = make_tile(area, 4, files=False, native_gsd=0.3)
        save(other, person("annotator"), "Roofs.", 0)

        settings_save(area=area, by=person("curator"), values={"preset": "mmm-rs-training", "dataset": "COAST"})

        assert prompts_refresh(area=area) == 2
        assert prompts_refresh(area=area) == 0
        assert Caption.objects.get(tile=other).prompt == (
            "Satellite imagery, Ultra-high precision resolution, Roofs, Sentinel-2, COAST"
        )

    def test_only_curators_set_them(self, area: Area, person: Any) -> None:
        with pytest.raises(NotAllowed):
            settings_save(area=area, by=person("annotator"), values={"dataset": "X"})

    @pytest.mark.parametrize(
        "values",
        [
            {"preset": "long"},
            {"template": "{city}"},
            {"low_limit": 0},
            {"banned": "word"},
            {"banned": [f"word {number}" for number in range(201)]},
            {"dataset": "x" * 101},
        ],
    )
    def test_wrong_ones_are_refused_and_change_nothing(self, area: Area, person: Any, values: dict[str, Any]) -> None:
        with pytest.raises(BadInput):
            settings_save(area=area, by=person("curator"), values=values)
        assert settings_of([area.pk])[area.pk].preset == "mmm-rs-short"

    def test_banned_words_are_kept_small_and_once(self, area: Area, person: Any) -> None:
        saved = settings_save(area=area, by=person("curator"), values={"banned": ["Image of", "image  of", ""]})
        assert saved.banned == ["image of"]
