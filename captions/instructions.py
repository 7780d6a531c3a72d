"""What captioners are told about an area: versions, of which the newest counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from tiles.core.errors import BadInput, NotFound
from tiles.core.permissions import BUILD_AREA, require
from tiles.core.words import hidden_character
from tiles.models import Area

from .captioners.base import Guide
from .components import TERM_LENGTH, line_clean
from .models import Instruction

TEXT_LENGTH = 4000
MOST_TERMS = 100

USUAL_TERMS = (
    "farmland",
    "plain",
    "ocean",
    "island",
    "lake",
    "hill",
    "mountain",
    "highland",
    "river",
    "coast",
    "forest",
    "desert",
    "snow",
    "urban",
)
"""Landforms and cover as RS3DBench names them (arXiv 2509.18897)."""
USUAL_TEXT = (
    "Describe this satellite image for a dataset that teaches models to make such images from words. Write one or two "
    "plain English sentences about what can be seen: land cover, landforms, water, settlement, pattern and colour. "
    "Say nothing that the image and the measured facts do not show: no place names, no dates, no numbers, no guesses."
)
USUAL = Guide(USUAL_TEXT, USUAL_TERMS)


def instruction_write(*, area: Area, text: str, terms: Sequence[str], by: Any) -> Instruction:
    """A new version of what captioners are told. by: who wrote it; nobody on the command line.

    What stands already is returned as it is. Raises NotAllowed, BadInput for a text or terms that cannot be used.
    """
    if by is not None:
        require(by, BUILD_AREA)
    text, chosen = _text(text), _terms(terms)
    with transaction.atomic():
        Area.objects.select_for_update().get(pk=area.pk)
        newest = Instruction.objects.filter(area=area).order_by("-number").first()
        if newest and (newest.text, newest.terms) == (text, chosen):
            return newest
        number = newest.number + 1 if newest else 1
        return Instruction.objects.create(area=area, number=number, text=text, terms=chosen, by=by)


def guide_of(area: Area, *, number: int | None = None) -> Guide:
    """What captioners of an area are told now, or were told by version `number`; the usual where there is none (0).

    Raises NotFound for a version that never was.
    """
    if number == 0:
        return USUAL
    versions = Instruction.objects.filter(area=area)
    if number is None:
        found = versions.order_by("-number").first()
        return _guide(found) if found else USUAL
    found = versions.filter(number=number).first()
    if found is None:
        raise NotFound(f"This area has no instruction {number}.")
    return _guide(found)


def instructions_of(area: Area) -> list[Guide]:
    """Every version there is of what captioners of an area are told, the newest first, and the usual one last."""
    versions = Instruction.objects.filter(area=area).order_by("-number")
    return [*(_guide(version) for version in versions), USUAL]


def _guide(instruction: Instruction) -> Guide:
    return Guide(instruction.text, tuple(instruction.terms), instruction.number)


def _text(text: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise BadInput("The instruction is empty. Say what the captions are to tell.", field="text")
    if len(text) > TEXT_LENGTH:
        raise BadInput(f"The instruction is too long: keep it below {TEXT_LENGTH:,} characters.", field="text")
    if hidden := hidden_character(text, lines=True):
        raise BadInput(f"The instruction holds an invisible character ({hidden}). Type it again.", field="text")
    return text


def _terms(terms: Sequence[str]) -> list[str]:
    kept = [term for term in dict.fromkeys(line_clean(term, "term").lower() for term in terms) if term]
    if not kept:
        raise BadInput("Name at least one term that an answer may choose, as in farmland.", field="terms")
    if len(kept) > MOST_TERMS or any(len(term) > TERM_LENGTH for term in kept):
        raise BadInput(f"At most {MOST_TERMS} terms of at most {TERM_LENGTH} characters each.", field="terms")
    return kept
