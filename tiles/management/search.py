"""The options of `build_area` that say what imagery is searched for, in a catalogue or at Earth Engine."""

from __future__ import annotations

from argparse import ArgumentTypeError, BooleanOptionalAction
from datetime import date
from typing import Any, get_args

from django.core.management.base import CommandParser

from tiles.imagery.ee_request import PRESETS, Mask, Reducer, Resampling

# What the command calls each part of the search -> what the source calls it.
NAMES = {
    "collection": "collection",
    "start": "start",
    "end": "end",
    "cloud_limit": "cloud_limit",
    "mask": "mask",
    # of a STAC catalogue
    "composite": "composite",
    "scenes": "scenes",
    "assets": "assets",
    # of Earth Engine
    "preset": "preset",
    "months": "months",
    "cloud_property": "cloud_property",
    "score_band": "score_band",
    "mask_threshold": "threshold",
    "reducer": "reducer",
    "resampling": "resampling",
    "scale_factor": "scale_factor",
    "scale_offset": "offset",
    "clear_count": "clear_count",
}


def search_asked(options: dict[str, Any]) -> dict[str, Any]:
    """What was asked for on the command line, by the sources' names."""
    return {name: options[option] for option, name in NAMES.items() if options[option] is not None}


def add_search(parser: CommandParser) -> None:
    """Add the options to a command."""
    both = parser.add_argument_group("what to find, in a catalogue (stac) or at Earth Engine; see docs/build.md")
    both.add_argument("--collection", metavar="ID", help="as sentinel-2-l2a, or COPERNICUS/S2_HARMONIZED")
    both.add_argument("--start", type=_day, metavar="YYYY-MM-DD", help="first day of the imagery")
    both.add_argument("--end", type=_day, metavar="YYYY-MM-DD", help="last day of the imagery")
    both.add_argument("--cloud-limit", type=float, metavar="PERCENT", help="leave out scenes with more cloud")
    both.add_argument(
        "--mask",
        type=_mask,
        help=f"what takes the clouds out: classes, as 0,1,3,8,9,10, or {', '.join(get_args(Mask))}",
    )
    _add_catalogue(parser)
    _add_earthengine(parser)


def _add_catalogue(parser: CommandParser) -> None:
    group = parser.add_argument_group("imagery of a STAC catalogue")
    group.add_argument("--composite", choices=("median", "least_cloudy"), help="default median")
    group.add_argument("--scenes", type=int, metavar="NUMBER", help="passes that a median is made of (default 12)")
    group.add_argument(
        "--assets", type=_assets, metavar="ROLE=NAME,...", help="as in red=B04,scl=SCL; nir= does without near infrared"
    )


def _add_earthengine(parser: CommandParser) -> None:
    group = parser.add_argument_group("imagery of Earth Engine", "bands go by name, as in --bands B4,B3,B2 --nir B8")
    group.add_argument("--preset", choices=tuple(PRESETS), help="what the other answers change (default cloud-score)")
    group.add_argument("--months", type=_months, metavar="FIRST-LAST", help="the season, as 5-9 or 11-2")
    group.add_argument("--cloud-property", metavar="NAME", help="where a scene says its cloud cover")
    group.add_argument("--score-band", choices=("cs", "cs_cdf"), help="of Cloud Score+ (default cs_cdf)")
    group.add_argument("--mask-threshold", type=float, metavar="0..1", help="of Cloud Score+ (default 0.60)")
    group.add_argument("--reducer", choices=get_args(Reducer), help="many scenes to one picture (default median)")
    group.add_argument("--resampling", choices=get_args(Resampling), help="of each scene (default bilinear)")
    group.add_argument("--scale-factor", type=float, help="reflectance a unit (default 0.0001)")
    group.add_argument("--scale-offset", type=float, help="reflectance at 0 (default 0)")
    group.add_argument("--clear-count", action=BooleanOptionalAction, help="ask for the number of clear looks too")


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise ArgumentTypeError("give a date as 2021-07-31") from error


def _months(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal()):
        raise ArgumentTypeError("give the first and the last month, as in 5-9")
    return int(first), int(last)


def _mask(text: str) -> list[int] | str:
    """Classes of a scene classification by their numbers, or the name of one of Earth Engine's masks."""
    if text in get_args(Mask):
        return text
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise ArgumentTypeError(f"give numbers, as in 0,1,3,8,9,10, or one of {', '.join(get_args(Mask))}") from error


def _assets(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(equals for _role, equals, _name in pairs):
        raise ArgumentTypeError("give names as in red=B04,scl=SCL")
    return {role.strip(): name.strip() for role, _equals, name in pairs}
