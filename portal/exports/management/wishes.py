"""The options of `manage.py export_release` that say which tiles, how they are split, and under whose terms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from portal.exports.selection import query_normal, view_query
from portal.exports.splitting.blocks import SPLITS
from portal.exports.wanted import BY_AREA, FILES, WAYS, Split, Terms, Wanted
from tiles.core.errors import BadInput
from tiles.models import Area

PAIR = "SLUG=TEXT"


def add_wishes(parser: CommandParser) -> None:
    """Add the options."""
    tiles = parser.add_argument_group("which tiles")
    tiles.add_argument("--filter", default="", metavar="QUERY", help="of the gallery, as in 'landform=hill'")
    tiles.add_argument("--view", default="", metavar="NAME", help="a shared view of the gallery instead")
    tiles.add_argument("--tiles", type=Path, metavar="FILE", help="only these: a tile a line, as in coast/42")
    tiles.add_argument("--unique", action="store_true", help="leave out near-duplicates")
    splits = parser.add_argument_group("splits")
    splits.add_argument("--split", default="", choices=WAYS, help="none when not given")
    splits.add_argument("--shares", default="80,10,10", metavar="TRAIN,VAL,TEST", help="in %%; for blocks and random")
    splits.add_argument("--seed", type=int, default=Split.seed)
    splits.add_argument("--block-km", type=float, default=Split.block_km, help="width of a spatial block")
    splits.add_argument("--buffer-km", type=float, default=Split.buffer_km, help="left out between splits of blocks")
    splits.add_argument("--area-split", action="append", default=[], metavar="SLUG=SPLIT", help="for --split area")
    splits.add_argument("--list", action="append", default=[], metavar="SPLIT=FILE", help="for --split files")
    terms = parser.add_argument_group("what users are told")
    terms.add_argument("--release-version", default=Terms.version, metavar="VERSION", help="semantic, as in 1.2.0")
    terms.add_argument("--doi", default="")
    terms.add_argument("--author", action="append", default=[], metavar="NAME", help="may be repeated")
    terms.add_argument("--licence", action="append", default=[], metavar=PAIR, help="instead of the area's own")
    terms.add_argument("--attribution", action="append", default=[], metavar=PAIR, help="instead of the area's own")


def wanted_from(options: dict[str, Any], areas: Sequence[Area]) -> Wanted:
    """Raises BadInput, NotFound."""
    if options["view"] and options["filter"]:
        raise BadInput("Give --view or --filter, not both.")
    query = view_query(view=options["view"], areas=areas, by=None) if options["view"] else options["filter"]
    return Wanted(
        query=query_normal(query, areas=areas, by=None),
        tiles=_text(options["tiles"]) if options["tiles"] else "",
        unique=options["unique"],
        split=_split(options),
    )


def terms_from(options: dict[str, Any]) -> Terms:
    """Raises BadInput."""
    return Terms(
        version=options["release_version"],
        doi=options["doi"],
        authors=options["author"],
        licences=_pairs("--licence", options["licence"]),
        attributions=_pairs("--attribution", options["attribution"]),
    )


def _split(options: dict[str, Any]) -> Split:
    try:
        shares = [float(part) / 100 for part in options["shares"].split(",")]
        named = dict(zip(SPLITS, shares, strict=True))
    except ValueError as error:
        raise BadInput("Write --shares as three numbers, as in 80,10,10.") from error
    way = options["split"]
    lists = _pairs("--list", options["list"]) if way == FILES else {}
    return Split(
        way=way,
        shares=named,
        seed=options["seed"],
        block_km=options["block_km"],
        buffer_km=options["buffer_km"],
        of_area=_pairs("--area-split", options["area_split"]) if way == BY_AREA else {},
        lists={name: _text(Path(file)) for name, file in lists.items()},
    )


def _pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if any(not (name and sign and value) for name, sign, value in pairs):
        raise BadInput(f"Write {option} with a sign of equality between name and text.")
    return {name: value for name, _sign, value in pairs}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read as a text: {error}.") from error
