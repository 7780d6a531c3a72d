"""Each check by what it says: where the words are, why, and what it leaves alone."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.captioners.base import TileFacts
from captions.captioners.rules import RulesCaptioner
from captions.checks.base import Checked, CheckFacts, Found
from captions.checks.catalogue import CHECKS, CONTRADICTIONS, LABELS, MOST_FINDINGS, doubt_of, findings_of
from captions.checks.lengths import tokens_estimate, tokens_of
from captions.checks.rivals import MANY, disagreement, likeness_of, rival_of
from tiles.raster.terrain import LANDFORMS

MOUNTAINS = CheckFacts(
    area="alps",
    index=0,
    landform="high_mountain",
    landform_shares={"high_mountain": 1.0},
    dem_min=412,
    dem_max=2310,
    relief=1898,
    slope=31,
    water_share=0.0,
    void_share=0.0,
    names=("Alps", "Sentinel-2"),
    satellite="Sentinel-2",
    gsd=10,
)


def find(text: str, facts: CheckFacts = MOUNTAINS, **more: Any) -> list[Found]:
    return findings_of(Checked(text=text, facts=facts, **more))


def codes(text: str, facts: CheckFacts = MOUNTAINS, **more: Any) -> set[str]:
    return {found.code for found in find(text, facts, **more)}


def test_every_code_has_a_label_and_a_check() -> None:
    assert {code for check in CHECKS for code in check.codes} == set(LABELS)


def test_a_finding_names_the_words_their_place_and_the_numbers() -> None:
    (found,) = find("High mountains beside the sea, seen from above.")
    assert (found.code, found.words, found.start) == ("sea", "sea", 26)
    assert found.message == "says “sea”: no water at sea level, lowest height 412 m"
    assert 0 < found.severity <= 1


def test_the_sea_is_left_alone_where_voids_or_another_zero_may_hide_it() -> None:
    text = "A rocky coast beside the open ocean."
    low = replace(MOUNTAINS, dem_min=40.0)
    assert "sea" in codes(text, low)
    assert "sea" not in codes(text, replace(low, void_share=0.2))
    assert "sea" not in codes(text, replace(low, vertical_datum="WGS 84 ellipsoid"))
    assert "sea" not in codes(text, replace(low, dem_min=4.0))
    assert "sea" not in codes(text, CheckFacts(area="unknown", index=0))


@pytest.mark.parametrize(
    "text",
    [
        "High mountains, free of snow, lakes and any sea.",
        "Steep mountains 2,310 m above sea level.",
        "Mountains under a sea of clouds.",
        "No sea is visible from these mountains.",
        "Seas or oceans are nowhere in these mountains.",
        "Ridges that look like the waves of a frozen sea.",
        "Mountains far from the coast, with no ocean.",
        "Mountains of what was an ancient sea.",
    ],
)
def test_denial_idiom_and_comparison_are_no_claim(text: str) -> None:
    assert "sea" not in codes(text)


class TestNumbersAndNames:
    def test_measured_numbers_are_proved_and_others_are_flagged(self) -> None:
        assert not codes("Mountains rise from 412 m to 2,310 m, with slopes of 31 degrees.")
        assert codes("Mountains with 17 huts and 3 roads.") == {"number"}
        assert [found.words for found in find("Mountains with 17 huts on them.")] == ["17"]

    def test_a_height_beyond_the_heights_is_a_contradiction(self) -> None:
        assert "height" in codes("Mountains rise to 4,800 m above sea level.")
        assert "height" in codes("Mountains of up to 13,000 ft.")
        assert "height" not in codes("Mountains rise to about 2,300 m.")
        assert "height" not in codes("A road of 5 km leads through the mountains.")

    def test_names_are_flagged_unless_the_metadata_know_them(self) -> None:
        assert [found.words for found in find("A ridge of the Hindu Kush at dawn.")] == ["Hindu Kush"]
        assert not codes("A ridge of the Alps, taken by Sentinel-2.")
        assert not codes("Ridges And Valleys Seen From Above")


class TestWording:
    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("A satellite image of a satellite image of ridges.", "boilerplate"),
            ("I'm sorry, but ridges cannot be described.", "boilerplate"),
            ("Sure! Here is the caption for the ridges.", "boilerplate"),
            ("Steep steep ridges seen from above.", "repetition"),
            ("Ridges seen from above. Ridges seen from above.", "repetition"),
            ("Ein Bild, das Berge mit einem Gletscher und den Wald zeigt.", "language"),
            ("一片山地的卫星图像", "language"),
            ("Горы и лес на снимке", "language"),
            ("Steep ridges.", "too_short"),
        ],
    )
    def test_it_is_found(self, text: str, code: str) -> None:
        assert code in codes(text)

    def test_the_language_is_the_areas(self) -> None:
        german = "Ein Bild, das Berge mit einem Gletscher und den Wald zeigt."
        assert "language" not in codes(german, language="de")
        assert "language" in codes("The ridges are seen from above with the valley in between.", language="de")
        assert "language" not in codes("山地和河谷", language="zh")

    def test_banned_words_are_whole_words_or_beginnings(self) -> None:
        assert "banned" in codes("Beautiful ridges above a valley.", banned=("beautiful",))
        assert "banned" not in codes("Ridges above stormy ground.", banned=("storm",))
        assert "banned" in codes("Ridges above stormy ground.", banned=("storm*",))

    def test_too_long_says_that_it_is_an_estimate(self) -> None:
        text = "Ridges " + "above valleys " * 60
        (found,) = [found for found in find(text) if found.code == "too_long"]
        assert "by estimate" in found.message
        assert "too_long" not in codes("Short ridges above a valley.", prompt="Ridges above a valley.")

    def test_the_estimate_counts_digits_and_marks_singly(self) -> None:
        assert tokens_estimate("a hill, 1234 m.") == 9


TRANSFORMERS = """
class AutoTokenizer:
    @staticmethod
    def from_pretrained(folder, local_files_only):
        assert local_files_only
        if folder == "nowhere":
            raise OSError("no such folder")
        return lambda text, add_special_tokens: {"input_ids": [7] * 80}
"""


def test_tokens_are_exact_with_a_tokenizer_and_estimated_with_a_broken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """A stand-in for transformers, which is no requirement."""
    (tmp_path / "transformers.py").write_text(TRANSFORMERS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "transformers", raising=False)
    settings.DEMETER_CLIP_TOKENIZER = str(tmp_path)
    (found,) = [found for found in find("Ridges above a valley.") if found.code == "too_long"]
    assert found.message.startswith("the prompt has 80 tokens, and")
    settings.DEMETER_CLIP_TOKENIZER = "nowhere"
    assert tokens_of("Ridges above a valley.") == (5, False)
    sys.modules.pop("transformers", None)


class TestRivals:
    def test_captioners_that_name_another_ground_disagree(self) -> None:
        rivals = (rival_of("glm", "Open sea with small waves.", ["ocean"]),)
        checked = Checked(text="High mountains above a valley.", facts=MOUNTAINS, rivals=rivals)
        assert "rivals" in {found.code for found in findings_of(checked)}
        assert disagreement(checked) == 1.0

    def test_who_speaks_of_something_else_does_not(self) -> None:
        rivals = (rival_of("glm", "A forest with a road.", []),)
        checked = Checked(text="High mountains above a valley.", facts=MOUNTAINS, rivals=rivals)
        assert "rivals" not in {found.code for found in findings_of(checked)}
        assert disagreement(checked) == 0.0

    def test_the_same_words_for_many_tiles(self) -> None:
        assert likeness_of("Hills, in the  SUN.") == likeness_of("the sun in hills")
        assert likeness_of("Hills of 10 m") != likeness_of("Hills of 20 m")
        assert "duplicate" in codes("Mountains above a valley.", alike=MANY)
        assert "duplicate" not in codes("Mountains above a valley.", alike=MANY - 1)


def test_doubt_grows_with_findings_and_falls_with_confidence() -> None:
    assert doubt_of([]) == 0
    assert doubt_of([0.8]) == 0.8
    assert doubt_of([0.8, 0.5]) == 0.9
    assert doubt_of([], confidence=0.0) == 0.3
    assert doubt_of([], confidence=1.0, disagreement=1.0) == 0.4
    assert doubt_of([1.0], confidence=0.5, disagreement=0.5) == 1.0


shares = st.floats(0, 1)
grounds = st.builds(
    lambda name, low, relief, slope, water, brightness, green, vegetation, satellite: TileFacts(
        area="drawn",
        index=random.Random(f"{name}{low}{relief}").randrange(1000),
        landform=name,
        landform_shares={} if name == "ocean" else {name: 1.0 - water},
        dem_min=0.0 if name == "ocean" or water > 0 else low,
        dem_max=relief if name == "ocean" or water > 0 else low + relief,
        relief=relief,
        slope=slope,
        water_share=water,
        void_share=0.0,
        brightness=brightness,
        contrast=0.05,
        saturation=0.3,
        greenness=green,
        vegetation=vegetation,
        satellite=satellite,
    ),
    st.sampled_from([landform.name for landform in LANDFORMS]),
    st.floats(-50, 5000),
    st.floats(0, 3000),
    st.floats(0, 40),
    shares,
    shares,
    shares,
    st.one_of(st.none(), shares),
    st.sampled_from(["", "Sentinel-2", "Landsat 8"]),
)


def consistent(facts: TileFacts) -> bool:
    """As a tile can be: relief and slope go with the landform, as tiles.raster.terrain measures them."""
    ranges = {landform.name: landform.relief for landform in LANDFORMS}
    least, _most = ranges[facts.landform]
    relief, slope, water = facts.relief or 0, facts.slope or 0, facts.water_share or 0
    if facts.landform == "ocean":
        return water > 0.5
    if facts.landform in ("plain", "highland"):
        high = (facts.dem_min or 0) >= 1000
        return relief < 200 and slope < 8 and water < 0.5 and high == (facts.landform == "highland")
    return water < 0.5 and relief >= max(least, 60) and slope >= relief / 100


@given(facts=grounds.filter(consistent))
def test_what_the_rules_write_from_the_facts_is_never_contradicted(facts: TileFacts) -> None:
    said = RulesCaptioner().caption(facts)
    known = CheckFacts(**{name: getattr(facts, name) for name in facts.__dataclass_fields__})
    found = find(said.description, known, components=said.components())
    assert [each for each in found if each.code in CONTRADICTIONS or each.code in ("number", "name")] == []


@given(text=st.text(max_size=400))
def test_any_text_is_checked_and_every_place_holds_its_words(text: str) -> None:
    found = find(text)
    assert len(found) <= MOST_FINDINGS
    for each in found:
        if each.start is not None:
            assert text.startswith(each.words, each.start)
