"""The options of `build_area` that say what imagery is searched for, in a catalogue or at Earth Engine."""

from __future__ import annotations

from argparse import ArgumentTypeError, BooleanOptionalAction
from collections.abc import Callable, Sequence
from typing import Any

from django.core.management.base import CommandParser

from tiles.imagery.questions import CATALOGUE, EARTHENGINE, PRESET, Question

# What the command calls each part of the search -> the sources' questions about it.
OPTIONS: dict[str, list[Question]] = {}
for _question in (*CATALOGUE, PRESET, *EARTHENGINE):
    if _question.flag:
        OPTIONS.setdefault(_question.flag, []).append(_question)


def search_asked(options: dict[str, Any]) -> dict[str, Any]:
    """What was asked for on the command line, by the sources' names."""
    answers = {asked[0].name: options[flag.replace("-", "_")] for flag, asked in OPTIONS.items()}
    return {name: answer for name, answer in answers.items() if answer is not None}


def add_search(parser: CommandParser) -> None:
    """Add the options to a command."""
    both = parser.add_argument_group("what to find, in a catalogue (stac) or at Earth Engine; see docs/build.md")
    catalogue = parser.add_argument_group("imagery of a STAC catalogue")
    engine = parser.add_argument_group("imagery of Earth Engine", "bands go by name, as in --bands B4,B3,B2 --nir B8")
    for flag, asked in OPTIONS.items():
        group = both if len(asked) > 1 else catalogue if asked[0] in CATALOGUE else engine
        words = "; ".join(dict.fromkeys(question.help for question in asked))
        if asked[0].kind == "yes":
            group.add_argument(f"--{flag}", action=BooleanOptionalAction, help=words)
        else:
            group.add_argument(f"--{flag}", type=_answer(asked), metavar=_metavar(asked), help=words)


def _answer(asked: Sequence[Question]) -> Callable[[str], Any]:
    """The answer to whichever of these questions a text can answer."""

    def parse(text: str) -> Any:
        hints = []
        for question in asked:
            try:
                return question.parse(text)
            except ValueError as error:
                hints.append(str(error))
        raise ArgumentTypeError(", or ".join(dict.fromkeys(hints)))

    return parse


METAVARS = {
    **{"day": "YYYY-MM-DD", "number": "NUMBER", "whole": "NUMBER", "months": "FIRST-LAST"},
    **{"classes": "CLASSES", "assets": "ROLE=NAME,...", "text": "NAME"},
}


def _metavar(asked: Sequence[Question]) -> str:
    """What an answer looks like, as the help shows it."""
    return "|".join(dict.fromkeys("|".join(question.choices) or METAVARS[question.kind] for question in asked))
