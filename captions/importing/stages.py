"""The two stages of an import's job: match the records with tiles, then store them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID, uuid5

from tiles.jobs.leases import Lease
from tiles.models import Area, JobChunk, JobEvent

from ..captioners.base import CaptionAnswer
from ..instructions import guide_of
from ..writing.keeping import Said, answers_keep, tiles_locked
from ..writing.options import IMPORT, Captioning
from .matching import Match, Survey, matches
from .records import records_of

GIVEN = 1
ROWS_A_CHUNK = 100

_IMPORTS = UUID("8d2f7c1e-3b64-5f0a-8c91-5a7e6b0d4f23")


def import_plan(lease: Lease, area: Area) -> None:
    """Read the source through, and hand out what belongs to tiles. What does not is said in the log."""
    survey, rows = Survey(), []
    for match in matches(
        records_of(lease.job.parameters["source"]), area=area, terms=guide_of(area).terms, survey=survey
    ):
        lease.beat()
        rows.append(_row(match))
    with lease.fence():
        if lease.job.chunks.filter(stage=GIVEN).exists():
            return  # an earlier attempt came so far
        lease.expect(total=len(rows))
        payloads = [
            {"do": "given", "rows": rows[start : start + ROWS_A_CHUNK]} for start in range(0, len(rows), ROWS_A_CHUNK)
        ]
        lease.add_chunks(payloads, stage=GIVEN)
        lease.log(survey.in_words())
        for name in (*survey.unmatched_names, *survey.unusable_names):
            lease.log(f"Left out: {name}", JobEvent.Level.WARNING)


def import_write(lease: Lease, _area: Area) -> None:
    """Store the records of one chunk."""
    rows: list[dict[str, Any]] = lease.payload["rows"]
    asked = Captioning.of(lease.job.parameters)
    with lease.fence():
        tiles = tiles_locked(row["tile"] for row in rows)
        said = [
            Said(row["tile"], _client_id(row), (tiles[row["tile"]].layer("png") or {}).get("v", 0), _answer(row, asked))
            for row in rows
            if row["tile"] in tiles
        ]
        answers_keep(said, captioner=IMPORT, instruction=None, job=lease.job, adopt=asked.make_captions)
        lease.count(done=len(rows))
        JobChunk.objects.filter(pk=lease.chunk_id).update(payload={"do": "given", "rows": []})


def _row(match: Match) -> dict[str, Any]:
    answer = asdict(match.answer)
    kept = {name: answer[name] for name in ("description", "terms", "category", "weather")}
    return {"tile": match.tile_id, "name": match.name[:200], **kept}


def _client_id(row: dict[str, Any]) -> UUID:
    """The same text for the same tile is kept once, from whichever file it comes."""
    said = [row["tile"], row["description"], row["terms"], row["category"], row["weather"]]
    return uuid5(_IMPORTS, repr(said))


def _answer(row: dict[str, Any], asked: Captioning) -> CaptionAnswer:
    return CaptionAnswer(
        description=row["description"],
        terms=tuple(row["terms"]),
        category=row["category"],
        weather=row["weather"],
        provenance={"backend": IMPORT, "source": asked.model, "name": row["name"]},
    )
