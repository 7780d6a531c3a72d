"""The parts a caption is made of besides its text, checked, and the prompt they compose with it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from tiles.core.errors import BadInput
from tiles.core.words import hidden_character
from tiles.models import TilePair
from tiles.models.choices import Scene

from .models import CaptionSettings
from .prompts import MODALITY_WORDS, Components, compose, gsd_level, template_of
from .texts import text_clean

MOST_TERMS = 24
TERM_LENGTH = 40
CATEGORY_LENGTH = 100
WEATHERS = tuple(scene.value for scene in Scene)
NAMES = ("terms", "category", "weather", "prompt")


def components_clean(given: Mapping[str, Any]) -> dict[str, Any]:
    """Components as they are kept: terms (each once, small, in their order), category, weather, and the prompt.

    `prompt`, where there is one, is `{"text", "of"}`: the whole prompt as a person wrote it, and what was composed
    then. Raises BadInput for anything else.
    """
    unknown = sorted(set(given) - set(NAMES))
    if unknown:
        raise BadInput(f"A caption has no component {unknown[0][:40]!r}. Components: {', '.join(NAMES)}.")
    weather = given.get("weather", "")
    if weather not in WEATHERS:
        raise BadInput(f"There is no weather {str(weather)[:40]!r}. Choose fog, night, snow, or nothing for clear.")
    kept = {"terms": terms_clean(given.get("terms", ())), "category": line_clean(given.get("category", ""), "category")}
    return kept | {"weather": weather} | _override(given.get("prompt"))


def terms_clean(terms: Any) -> list[str]:
    """Terms, each once, in small letters. Raises BadInput for what is no list of short lines."""
    if isinstance(terms, str) or not isinstance(terms, Iterable):
        raise BadInput("Terms are a list of words.")
    cleaned = list(dict.fromkeys(line_clean(term, "term").lower() for term in terms))
    kept = [term for term in cleaned if term]
    if len(kept) > MOST_TERMS or any(len(term) > TERM_LENGTH for term in kept):
        raise BadInput(f"A caption has at most {MOST_TERMS} terms of at most {TERM_LENGTH} characters.")
    return kept


def composed(*, text: str, components: Mapping[str, Any], tile: TilePair, wanted: CaptionSettings) -> str:
    """The prompt that a caption's text and components compose. Needs `tile.area` loaded."""
    parts = Components(
        modality=MODALITY_WORDS[tile.modality],
        level=gsd_level(tile.native_gsd, low_limit=wanted.low_limit),
        weather=components.get("weather") or tile.scene,
        category=components.get("category") or tile.category,
        description=text,
        satellite=tile.satellite or tile.area.satellite,
        dataset=wanted.dataset or tile.area.name,
        terms=tuple(components.get("terms") or ()),
    )
    return compose(template_of(preset=wanted.preset, own=wanted.template), parts)


def prompt_of(*, text: str, components: Mapping[str, Any], tile: TilePair, wanted: CaptionSettings) -> str:
    """The prompt that holds: the one written by hand as long as what it replaced is composed still, else that."""
    made = composed(text=text, components=components, tile=tile, wanted=wanted)
    override = components.get("prompt") or {}
    return str(override["text"]) if override.get("of") == made else made


def override_is_stale(*, text: str, components: Mapping[str, Any], tile: TilePair, wanted: CaptionSettings) -> bool:
    """Whether a prompt was written by hand that holds no more, since a component changed."""
    override = components.get("prompt") or {}
    return bool(override) and override["of"] != composed(text=text, components=components, tile=tile, wanted=wanted)


def _override(given: Any) -> dict[str, Any]:
    if not given:
        return {}
    if not isinstance(given, Mapping) or set(given) != {"text", "of"}:
        raise BadInput("A prompt written by hand comes with what it replaces: text and of.")
    return {"prompt": {"text": text_clean(str(given["text"])), "of": str(given["of"])}}


def line_clean(given: Any, what: str) -> str:
    """One short line. Raises BadInput, which calls it `what`."""
    if not isinstance(given, str):
        raise BadInput(f"The {what} of a caption is text.")
    line = " ".join(unicodedata.normalize("NFC", given).split())
    if hidden := hidden_character(line):
        raise BadInput(f"The {what} holds an invisible character ({hidden}). Type it again without.")
    if len(line) > CATEGORY_LENGTH:
        raise BadInput(f"The {what} is too long: keep it below {CATEGORY_LENGTH} characters.")
    return line
