"""Which records are of which tiles, and which cannot be used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from tiles.core.errors import BadInput
from tiles.models import Area, TilePair
from tiles.models.choices import BuildState

from ..captioners.base import CaptionAnswer
from ..components import components_clean
from ..texts import text_clean
from .records import Record

BATCH = 500
EXAMPLES = 10


@dataclass
class Survey:
    """What an import would do. unmatched: names that are no built tile of the area; unusable: names with a reason.

    examples: how many names of either kind are kept.
    """

    records: int = 0
    matched: int = 0
    doubled: int = 0
    unmatched: int = 0
    unmatched_names: list[str] = field(default_factory=list)
    unusable: int = 0
    unusable_names: list[str] = field(default_factory=list)
    examples: int = EXAMPLES

    def in_words(self) -> str:
        """One line for people."""
        return (
            f"{self.records:,} records: {self.matched:,} of a tile here, {self.unmatched:,} of none, "
            f"{self.doubled:,} of a tile that has one already, {self.unusable:,} unusable."
        )


@dataclass(frozen=True)
class Match:
    """A record of a tile, as it will be stored."""

    tile_id: int
    name: str
    answer: CaptionAnswer


def matches(records: Iterable[Record], *, area: Area, terms: Sequence[str], survey: Survey) -> Iterator[Match]:
    """The records that belong to built tiles of an area, the first of each tile; `survey` counts them all."""
    seen: set[int] = set()
    for batch in _batches(records):
        numbers = {record.index for record in batch if record.index is not None}
        tiles = TilePair.objects.filter(area=area, build_state=BuildState.BUILT, index__in=numbers)
        known = dict(tiles.values_list("index", "pk"))
        for record in batch:
            survey.records += 1
            tile_id = known.get(record.index) if record.index is not None else None
            if tile_id is None:
                survey.unmatched += 1
                _example(survey.unmatched_names, record.name, survey.examples)
            elif tile_id in seen:
                survey.doubled += 1
            elif (match := _match(tile_id, record, terms, survey)) is not None:
                seen.add(tile_id)
                survey.matched += 1
                yield match


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    rows = iter(records)
    while batch := list(islice(rows, BATCH)):
        yield batch


def _match(tile_id: int, record: Record, terms: Sequence[str], survey: Survey) -> Match | None:
    record = _terms_first(record, terms)
    try:
        if record.problem:
            raise BadInput(record.problem)
        answer = CaptionAnswer(
            description=text_clean(record.text),
            **_components(record),
        )
    except BadInput as error:
        survey.unusable += 1
        _example(survey.unusable_names, f"{record.name}: {error.message}", survey.examples)
        return None
    return Match(tile_id, record.name, answer)


def _components(record: Record) -> dict[str, Any]:
    clean = components_clean({"terms": record.terms, "category": record.category, "weather": record.weather})
    return {**clean, "terms": tuple(clean["terms"])}


def _terms_first(record: Record, terms: Sequence[str]) -> Record:
    """RS3DBench writes a term a line before the sentence: such lines become terms, unless there is nothing else."""
    lines = [line.strip() for line in record.text.splitlines() if line.strip()]
    known = {term.lower() for term in terms}
    leading = next((place for place, line in enumerate(lines) if line.lower() not in known), len(lines))
    if not leading:
        return record
    found = tuple(line.lower() for line in lines[:leading])
    rest = "\n".join(lines[leading:]) or ", ".join(found)
    return replace(record, text=rest, terms=(*record.terms, *found))


def _example(names: list[str], name: str, most: int) -> None:
    if len(names) < most:
        names.append(name[:200])
