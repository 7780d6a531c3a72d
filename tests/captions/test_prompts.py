"""Prompts composed from components."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.prompts import PRESETS, Components, compose, gsd_level, template_check, template_of
from tiles.core.errors import BadInput

FARMLAND = Components(
    modality="Satellite imagery",
    level="Ordinary precision resolution",
    weather="fog",
    category="farmland",
    description="a satellite image shows a large area of farmland",
    satellite="Sentinel-2",
    dataset="GID",
    terms=("farmland", "plain"),
)


def test_the_published_short_form() -> None:
    assert compose(PRESETS["mmm-rs-short"].template, FARMLAND) == (
        "Ordinary precision resolution, fog, a satellite image shows a large area of farmland, Sentinel-2."
    )


def test_the_published_training_form() -> None:
    city = Components(
        modality="Satellite imagery",
        level="Ultra-high precision resolution",
        weather="night",
        category="built-up",
        description="a satellite image of a city with lots of buildings",
        satellite="GF2",
        dataset="GID",
    )
    assert compose(PRESETS["mmm-rs-training"].template, city) == (
        "Satellite imagery, Ultra-high precision resolution, night, built-up, "
        "a satellite image of a city with lots of buildings, GF2, GID"
    )


def test_terms_stand_one_a_line_before_the_text() -> None:
    assert compose(PRESETS["rs3dbench-terms"].template, FARMLAND) == (
        "farmland\nplain\na satellite image shows a large area of farmland"
    )


def test_what_is_not_known_leaves_no_gap() -> None:
    clear = Components(level="Low precision resolution", description="Hills rise to 900 m.\nNothing is green.")

    assert compose(PRESETS["mmm-rs-short"].template, clear) == (
        "Low precision resolution, Hills rise to 900 m. Nothing is green."
    )
    assert compose(PRESETS["mmm-rs-short"].template, Components()) == ""


def test_a_template_may_say_more_than_components() -> None:
    template = "seen by {satellite}, {terms}, {description}"

    assert compose(template, FARMLAND) == (
        "seen by Sentinel-2, farmland, plain, a satellite image shows a large area of farmland"
    )
    assert compose(template, Components(description="hills")) == "hills"


@pytest.mark.parametrize(
    ("gsd", "words"),
    [
        (0.3, "Ultra-high"),
        (0.5, "High"),
        (0.99, "High"),
        (1, "Ordinary"),
        (4.9, "Ordinary"),
        (5, "Low"),
        (10, "Low"),
        (10.1, "Ultra-low"),
        (100, "Ultra-low"),
    ],
)
def test_levels_of_resolution(gsd: float, words: str) -> None:
    assert gsd_level(gsd) == f"{words} precision resolution"


def test_the_limit_of_low_can_be_moved_and_nothing_is_said_of_the_unknown() -> None:
    assert gsd_level(30, low_limit=30) == "Low precision resolution"
    assert gsd_level(None) == ""


@pytest.mark.parametrize("template", ["{city}, {description}", "{description", "description}", "{level}", "x" * 501])
def test_a_template_that_cannot_be_one_is_refused(template: str) -> None:
    with pytest.raises(BadInput):
        template_check(template)


def test_an_own_template_goes_before_the_preset() -> None:
    assert template_of(preset="mmm-rs-short", own="{terms}") == "{terms}"
    assert template_of(preset="mmm-rs-short", own=" ") == PRESETS["mmm-rs-short"].template
    with pytest.raises(BadInput, match="no prompt preset"):
        template_of(preset="long")


@given(st.text(max_size=60), st.text(max_size=20))
def test_no_component_breaks_the_line(description: str, satellite: str) -> None:
    """Readers take a prompt line by line, so a component never brings a line end of its own."""
    composed = compose(PRESETS["mmm-rs-short"].template, Components(description=description, satellite=satellite))
    assert len(composed.splitlines()) <= 1
