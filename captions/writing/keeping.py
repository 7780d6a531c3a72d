"""Storing what captioners say: each answer once, and where wanted as the caption, unless a person's text stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from tiles.models import Job, TilePair

from ..captioners.base import CaptionAnswer
from ..models import Instruction, Proposal
from ..services import caption_adopt

# Ids of proposals are worked out, not drawn: whoever asks the same again finds what was answered.
_PROPOSALS = UUID("1c0f6b52-7a5e-5c43-9d0c-0f1f5d2e8a64")
_ACTIONS = UUID("e3b0a6a4-52c1-5b7e-8a86-9c0f7f6f2d11")


def proposal_id(tile: TilePair, *, captioner: str, model: str, instruction: int) -> UUID:
    """The id of what a captioner says of a tile's picture as it is now, told this."""
    picture = (tile.layer("png") or {}).get("v", 0)
    return uuid5(_PROPOSALS, f"{tile.pk}/{picture}/{captioner}/{model}/{instruction}")


@dataclass(frozen=True)
class Said:
    """An answer to be stored. picture: the version of the picture that it was given for."""

    tile_id: int
    client_id: UUID
    picture: int
    answer: CaptionAnswer


def answers_keep(
    said: Iterable[Said], *, captioner: str, instruction: Instruction | None, job: Job, adopt: bool
) -> int:
    """Store answers, and make them captions when `adopt`; returns how many captions were written.

    Inside a transaction. A client_id that is known already is stored no second time; an answer about a picture that
    was replaced meanwhile is kept, and becomes no caption.
    """
    answers = {entry.tile_id: entry for entry in said}
    tiles = tiles_locked(answers)
    known = Proposal.objects.in_bulk([entry.client_id for entry in answers.values()], field_name="client_id")
    written = 0
    for tile_id, tile in tiles.items():
        entry = answers[tile_id]
        proposal = known.get(entry.client_id) or _store(tile, entry, captioner, instruction, job)
        if adopt and (tile.layer("png") or {}).get("v", 0) == entry.picture:
            written += caption_adopt(tile=tile, proposal=proposal, action=action_of(job)) is not None
    return written


def proposals_adopt(proposals: Mapping[int, Proposal], *, job: Job) -> int:
    """Make proposals that were stored before the captions of their tiles; returns how many were written."""
    tiles, action = tiles_locked(proposals), action_of(job)
    written = [caption_adopt(tile=tile, proposal=proposals[key], action=action) for key, tile in tiles.items()]
    return sum(revision is not None for revision in written)


def action_of(job: Job) -> UUID:
    """What the revisions of one job share, so that they can be taken back as one."""
    return uuid5(_ACTIONS, str(job.pk))


def undo_of(job: Job) -> UUID:
    """What the revisions share that take a job's back: always the same, so that it is done once."""
    return uuid5(action_of(job), "undo")


def tiles_locked(tile_ids: Iterable[int]) -> dict[int, TilePair]:
    """Tiles by id, locked in the order of their ids until the transaction ends."""
    rows = TilePair.objects.select_for_update(of=("self",)).select_related("area")
    return {tile.pk: tile for tile in rows.filter(pk__in=list(tile_ids)).order_by("pk")}


def _store(tile: TilePair, said: Said, captioner: str, instruction: Instruction | None, job: Job) -> Proposal:
    answer, components = said.answer, said.answer.components()
    provenance: dict[str, Any] = dict(answer.provenance)
    return Proposal.objects.create(
        tile=tile,
        area_id=tile.area_id,
        captioner=captioner,
        text=answer.description,
        components=components,
        confidence=answer.confidence,
        provenance=provenance,
        instruction=instruction,
        job=job,
        client_id=said.client_id,
    )
