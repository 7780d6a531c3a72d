"""Which tiles a captioning goes to."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from tiles.models import Area, TilePair
from tiles.models.choices import BuildState

from ..models import Proposal, Reading
from .options import TRIAL_TILES, Captioning


def tiles_wanted(area: Area, asked: Captioning) -> QuerySet[TilePair]:
    """Built tiles to be described, in their order. Where people's texts stand a caption is not even asked for."""
    tiles = TilePair.objects.filter(area=area, build_state=BuildState.BUILT).order_by("index")
    if asked.make_captions and not asked.trial:
        # Not an `exclude`: a tile without any caption is wanted too.
        tiles = tiles.filter(Q(caption__isnull=True) | Q(caption__author__isnull=True, caption__state=Reading.UNREAD))
    if asked.only_missing:
        tiles = tiles.filter(~Exists(Proposal.objects.filter(tile=OuterRef("pk"), captioner=asked.captioner)))
    return tiles


def tiles_chosen(area: Area, asked: Captioning) -> list[int]:
    """The ids of the tiles of one run."""
    ids = list(tiles_wanted(area, asked).values_list("pk", flat=True))
    if asked.trial:
        return spread(ids, asked.limit or TRIAL_TILES)
    return ids[: asked.limit] if asked.limit else ids


def spread(ids: list[int], number: int) -> list[int]:
    """So many of them, from all over the list."""
    if len(ids) <= number:
        return ids
    step = len(ids) / number
    return [ids[int(step * (place + 0.5))] for place in range(number)]
