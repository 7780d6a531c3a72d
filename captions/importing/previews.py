"""What an import would do, shown before it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from django.db.models import QuerySet

from tiles.models import Area, TilePair

from ..diff import Change, word_diff
from ..instructions import guide_of
from ..models import Caption
from ..writing.choosing import UNTOUCHED
from .matching import BATCH, Match, Survey, matches
from .records import records_of

MOST_LOOKED = 20_000
"""Records that a preview looks through; the import itself reads all."""
SHOWN = 50
NAMES = 200


@dataclass(frozen=True)
class Line:
    """A record beside what stands. kept: a person wrote, restored or accepted that, and it stays."""

    tile: TilePair
    match: Match
    stands: str
    diff: list[Change]
    kept: bool


@dataclass(frozen=True)
class Preview:
    """What an import would do. kept: matched records whose tile has a person's text. whole: all records were read."""

    survey: Survey
    lines: list[Line]
    kept: int
    whole: bool


def import_preview(*, area: Area, key: str) -> Preview:
    """Match a file with an area's tiles, writing nothing. Raises BadInput for one that cannot be read, NotFound."""
    survey = Survey(examples=NAMES)
    records = records_of(key)
    found = list(matches(islice(records, MOST_LOOKED), area=area, terms=guide_of(area).terms, survey=survey))
    whole = next(records, None) is None
    return Preview(survey, _lines(found[:SHOWN]), _kept(found), whole)


def _kept(found: Sequence[Match]) -> int:
    ids = [match.tile_id for match in found]
    parts = (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
    return sum(_of_people().filter(tile__in=part).count() for part in parts)


def _lines(found: Sequence[Match]) -> list[Line]:
    ids = [match.tile_id for match in found]
    tiles = TilePair.objects.select_related("caption", "area").in_bulk(ids)
    kept = set(_of_people().filter(tile__in=ids).values_list("tile", flat=True))
    lines = []
    for match in found:
        tile = tiles[match.tile_id]
        standing = getattr(tile, "caption", None)
        stands = standing.text if standing else ""
        diff = word_diff(stands, match.answer.description) if stands else []
        lines.append(Line(tile, match, stands, diff, match.tile_id in kept))
    return lines


def _of_people() -> QuerySet[Caption]:
    return Caption.objects.exclude(UNTOUCHED)
