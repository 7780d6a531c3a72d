"""The embedded captioner: grammatical, varied, repeatable, and true to what was measured."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.captioners.base import TileFacts, facts_of
from captions.captioners.rules import RulesCaptioner
from captions.captioners.wording import degrees, listed, metres, share_of
from captions.texts import text_clean
from tiles.models import Area, TilePair
from tiles.raster.terrain import LANDFORMS

NAMES = [landform.name for landform in LANDFORMS]
HILLS = TileFacts(
    area="coast",
    index=3,
    landform="hill",
    landform_shares={"hill": 0.8, "plain": 0.2},
    dem_min=12.4,
    dem_max=187.0,
    relief=174.6,
    slope=7.6,
    water_share=0.0,
    void_share=0.0,
    brightness=0.2,
    contrast=0.1,
    saturation=0.3,
    greenness=0.66,
)


def say(facts: TileFacts) -> str:
    return RulesCaptioner().caption(facts).description


def wordings(facts: TileFacts) -> set[str]:
    """Everything it says of such tiles, over the numbers of an area."""
    return {say(replace(facts, index=index)) for index in range(200)}


def shares() -> st.SearchStrategy[float]:
    return st.floats(0, 1)


MAYBE = st.none()
ANY_FACTS = st.builds(
    TileFacts,
    area=st.just("coast"),
    index=st.integers(0, 10_000),
    modality=st.sampled_from(["rgb", "sar", "nir"]),
    satellite=st.sampled_from(["", "Sentinel-2"]),
    landform=st.sampled_from(["", *NAMES]),
    landform_shares=st.dictionaries(st.sampled_from(NAMES[1:]), shares()),
    dem_min=MAYBE | st.floats(-430, 8000),
    dem_max=MAYBE | st.floats(-430, 8848),
    slope=MAYBE | st.floats(0, 90),
    water_share=MAYBE | shares(),
    void_share=MAYBE | shares(),
    brightness=MAYBE | shares(),
    contrast=MAYBE | shares(),
    saturation=MAYBE | shares(),
    greenness=MAYBE | shares(),
    ndvi=MAYBE | st.floats(-1, 1),
    vegetation=MAYBE | st.floats(0, 1),
)


@given(facts=ANY_FACTS)
def test_any_facts_give_a_clean_sentence(facts: TileFacts) -> None:
    answer = RulesCaptioner().caption(facts)
    text = answer.description
    assert text == text_clean(text)
    assert re.fullmatch(r"[A-Z].*\.", text)
    assert not re.search(r"  | [.,]|,,|\.\.|None|nan|\b(\w+) \1\b", text)
    if not re.search(r"\b[Aa] (range|landscape) of ", text):
        assert not re.search(r"\b(hills|mountains| and level (high )?ground| mountains) (rises|lies|reaches)\b", text)
    json.dumps(answer.provenance)
    json.dumps(answer.components())


@given(facts=ANY_FACTS)
def test_the_same_facts_give_the_same_words(facts: TileFacts) -> None:
    assert RulesCaptioner().caption(facts) == RulesCaptioner().caption(facts)


def test_an_area_is_not_one_phrase_repeated() -> None:
    assert len(wordings(HILLS)) >= 20


def test_it_says_what_was_measured() -> None:
    for text in wordings(HILLS):
        assert re.search(r"hill", text, re.IGNORECASE)
        assert "190 m" in text
        assert "moderate slopes" in text
        assert "about two thirds" in text
        assert "sea" not in text
        assert "missing" not in text


def test_it_never_says_what_cannot_be_measured() -> None:
    unmeasured = re.compile(r"farm|river|road|town|city|lake|forest|island|beach|snow|cloud|building", re.IGNORECASE)
    for name in NAMES:
        for text in wordings(replace(HILLS, landform=name, water_share=0.4, void_share=0.3, vegetation=0.9)):
            assert not unmeasured.search(text)


@pytest.mark.parametrize(
    ("name", "terms"),
    [
        ("ocean", ("ocean",)),
        ("plain", ("plain",)),
        ("highland", ("plain", "highland")),
        ("hill", ("hill",)),
        ("low_mountain", ("mountain",)),
        ("high_mountain", ("mountain",)),
    ],
)
def test_every_landform_has_words_and_terms(name: str, terms: tuple[str, ...]) -> None:
    water = 0.9 if name == "ocean" else 0.0
    facts = replace(HILLS, landform=name, landform_shares={}, water_share=water, slope=3.0)
    assert RulesCaptioner().caption(facts).terms == terms
    word = {"ocean": "sea", "plain": "plain|level|flat", "highland": "plateau|highland|upland", "hill": "hill"}.get(
        name, "mountain"
    )
    assert all(re.search(word, text, re.IGNORECASE) for text in wordings(facts))


@pytest.mark.parametrize("name", ["plain", "highland"])
def test_steep_ground_is_no_plain_however_low_its_relief(name: str) -> None:
    facts = replace(HILLS, landform=name, landform_shares={name: 1.0}, slope=26.0)
    assert not any(re.search(r"plain|level|flat|plateau|upland", text, re.IGNORECASE) for text in wordings(facts))
    assert RulesCaptioner().caption(facts).terms == ()


def test_high_and_low_mountains_are_mountains() -> None:
    facts = replace(HILLS, landform="high_mountain", landform_shares={"high_mountain": 0.6, "low_mountain": 0.4})
    assert not any("low mountains" in text for text in wordings(facts))
    assert RulesCaptioner().caption(facts).terms == ("mountain",)


@pytest.mark.parametrize(
    ("rgb", "known"),
    [
        ({"dtype": "uint8", "max": 255.0}, True),
        ({"dtype": "float32", "max": 1.1}, True),
        ({"dtype": "float32", "max": 9000.0}, False),
        ({"dtype": "uint16", "max": 12000.0}, False),
        ({"dtype": "uint16", "max": 12000.0, "scale": 0.0001}, True),
        ({}, False),
    ],
)
def test_light_and_colour_are_facts_only_where_their_scale_is_known(rgb: dict[str, object], known: bool) -> None:
    measures = {"brightness": 0.9, "contrast": 0.1, "saturation": 0.3, "greenness": 0.2, "ndvi": None}
    facts = facts_of(TilePair(area=Area(slug="coast"), index=1, layers={"rgb": rgb}, measures=measures))
    assert facts.brightness == (0.9 if known else None)
    assert facts.contrast == (0.1 if known else None)
    assert facts.saturation == (0.3 if known else None)
    assert facts.greenness == (0.2 if known else None)


def test_a_second_landform_and_water_are_named() -> None:
    facts = replace(HILLS, landform_shares={"hill": 0.5, "low_mountain": 0.3}, water_share=0.2)
    assert all("ills and low mountains" in text and "about a fifth of the image" in text for text in wordings(facts))
    assert RulesCaptioner().caption(facts).terms == ("hill", "mountain", "ocean")


def test_missing_heights_are_admitted() -> None:
    assert say(replace(HILLS, void_share=0.1)).endswith(" Heights are missing for about a tenth of the image.")


def test_a_tile_without_heights_says_so() -> None:
    facts = TileFacts(area="coast", index=1, modality="sar", greenness=None)
    assert all(text.startswith("This is a radar image") and "heights" in text for text in wordings(facts))


def test_near_infrared_decides_about_vegetation() -> None:
    for text in wordings(replace(HILLS, vegetation=0.02)):
        assert "vegetation" in text
        assert "green" not in text


def test_provenance_names_the_rules_and_the_facts() -> None:
    answer = RulesCaptioner().caption(HILLS)
    assert answer.provenance["backend"] == "rules"
    assert answer.provenance["facts"]["slope"] == 7.6
    assert "model" not in answer.provenance
    assert answer.confidence == pytest.approx(0.8)


def test_numbers_as_a_person_says_them() -> None:
    assert [metres(height) for height in (0, 7.4, -3.2, 99.4, 99.6, 1874, 12345)] == [
        "0 m",
        "7 m",
        "−3 m",
        "99 m",
        "100 m",
        "1,870 m",
        "12,340 m",
    ]
    assert [degrees(angle) for angle in (1.2, 6.5, 33.3)] == ["1 degree", "6 degrees", "33 degrees"]
    assert [share_of(share) for share in (0.01, 0.1, 0.25, 1 / 3, 0.5, 2 / 3, 0.85, 1.0)] == [
        "a sliver",
        "about a tenth",
        "about a quarter",
        "about a third",
        "about half",
        "about two thirds",
        "most",
        "nearly all",
    ]
    assert [listed(parts) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b, and c"]
