"""Which captioner writes better: people compare what several say of one tile, with or without knowing who says it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from tiles.core.errors import BadInput, Conflict, NotFound
from tiles.core.permissions import RECTIFY_CAPTIONS, require
from tiles.models import Area, TilePair

from .models import CaptionVote, Proposal

MOST_VOTES = 5000
SAMPLE = 500
NOT_THEIRS = "These are not the texts of this tile any more. Reload the page and choose again."


def vote_cast(
    *, tile: TilePair, winner: int | None, rivals: Sequence[int], blind: bool, by: Any, client_id: UUID
) -> CaptionVote:
    """Say which proposal describes a tile best; None where none is better. Repeating a client_id counts once.

    rivals: the proposals that were on the page, of a captioner each. Raises NotAllowed, BadInput for texts of another
    tile or a winner that was not among them, Conflict for an id that belongs to another vote.
    """
    require(by, RECTIFY_CAPTIONS)
    if len(rivals) < 2 or (winner is not None and winner not in rivals):
        raise BadInput("Choose one of the texts that stand side by side.")
    shown = dict(Proposal.objects.filter(pk__in=rivals, tile=tile).values_list("captioner", "pk"))
    if sorted(shown.values()) != sorted(rivals):
        raise BadInput(NOT_THEIRS)
    best = next((name for name, key in shown.items() if key == winner), "")
    with transaction.atomic():
        vote, made = CaptionVote.objects.get_or_create(
            client_id=client_id,
            defaults={
                "tile": tile,
                "area_id": tile.area_id,
                "winner": best,
                "rivals": shown,
                "blind": blind,
                "by": by,
            },
        )
    if not made and (vote.tile_id, vote.winner, vote.by_id) != (tile.pk, best, by.pk):
        raise Conflict("This vote was given already. Reload the page.", code="client_id_taken")
    return vote


def rivals_of(tile: TilePair, *, by: Any) -> list[Proposal]:
    """The newest text of each captioner about a tile, in an order that tells nothing and stays for a person."""
    newest: dict[str, Proposal] = {}
    for proposal in Proposal.objects.filter(tile=tile).order_by("id"):
        newest[proposal.captioner] = proposal
    return sorted(newest.values(), key=lambda one: hashlib.sha256(f"{by.pk}/{tile.pk}/{one.pk}".encode()).digest())


def comparable(area: Area) -> QuerySet[TilePair]:
    """Tiles that several captioners described."""
    others = Proposal.objects.filter(tile=OuterRef("tile"), captioner__gt=OuterRef("captioner"))
    several = Proposal.objects.filter(Exists(others), tile=OuterRef("pk"))
    return TilePair.objects.filter(Exists(several), area=area)


def next_comparable(area: Area, *, after: int = -1, unvoted_by: Any = None) -> int | None:
    """The number of the next tile with several texts; with `unvoted_by`, one that this person has not compared yet."""
    tiles = comparable(area).filter(index__gt=after)
    if unvoted_by is not None:
        tiles = tiles.filter(~Exists(CaptionVote.objects.filter(tile=OuterRef("pk"), by=unvoted_by)))
    return tiles.order_by("index").values_list("index", flat=True).first()


def tile_compared(area: Area, index: int) -> TilePair:
    """A tile by its number. Raises NotFound."""
    tile = TilePair.objects.filter(area=area, index=index).first()
    if tile is None:
        raise NotFound(f"{area.name} has no tile_{index}. Start at its first one.")
    tile.area = area
    return tile


@dataclass(frozen=True)
class Standing:
    """How a captioner does in an area. Words and confidence are means of its newest texts."""

    captioner: str
    wins: int
    votes: int
    words: float
    confidence: float | None

    @property
    def share(self) -> float:
        return self.wins / self.votes if self.votes else 0.0


def standings(area: Area) -> list[Standing]:
    """The captioners of an area, the one that wins most often first; by the newest MOST_VOTES votes."""
    wins: Counter[str] = Counter()
    took_part: Counter[str] = Counter()
    votes = CaptionVote.objects.filter(area=area).order_by("-id").values_list("winner", "rivals")[:MOST_VOTES]
    for winner, rivals in votes:
        took_part.update(rivals.keys())
        wins[winner] += 1
    found = [_standing(area, name, wins[name], took_part[name]) for name in captioners_of(area)]
    return sorted(found, key=lambda one: (-one.share, one.captioner))


def captioners_of(area: Area) -> list[str]:
    """Who proposed anything in an area. One look into the index a captioner: there may be millions of proposals."""
    names: list[str] = []
    rows = Proposal.objects.filter(area=area).order_by("captioner").values_list("captioner", flat=True)
    while (name := rows.filter(captioner__gt=names[-1] if names else "").first()) is not None:
        names.append(name)
    return names


def _standing(area: Area, name: str, wins: int, votes: int) -> Standing:
    newest = Proposal.objects.filter(area=area, captioner=name).order_by("-id")
    rows = list(newest.values_list("text", "confidence")[:SAMPLE])
    sure = [confidence for _text, confidence in rows if confidence is not None]
    words = fmean(len(text.split()) for text, _confidence in rows) if rows else 0.0
    return Standing(name, wins, votes, words, fmean(sure) if sure else None)
