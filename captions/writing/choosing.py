"""Which tiles a captioning goes to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict

from tiles.models import Area, TilePair
from tiles.models.choices import BuildState

from ..changes import Among
from ..models import Caption, Proposal, Reading
from ..search.engines import Scope
from ..search.selectors import captions_matching
from .options import TRIAL_TILES, Captioning

WORDS_AT_ONCE = 1000
UNTOUCHED = Q(author__isnull=True, state=Reading.UNREAD)
"""Captions that a captioner may write anew: no person wrote, restored or accepted them."""


def tiles_wanted(area: Area, asked: Captioning) -> QuerySet[TilePair]:
    """Built tiles to be described, in their order. Where people's texts stand a caption is not even asked for."""
    tiles = TilePair.objects.filter(area=area, build_state=BuildState.BUILT).order_by("index")
    if asked.make_captions:
        # Not an `exclude`: a tile without any caption is wanted too.
        tiles = tiles.filter(Q(caption__isnull=True) | Q(caption__author__isnull=True, caption__state=Reading.UNREAD))
    if asked.only_missing:
        tiles = tiles.filter(~Exists(Proposal.objects.filter(tile=OuterRef("pk"), captioner=asked.captioner)))
    return tiles


def tiles_chosen(area: Area, asked: Captioning, *, at: datetime) -> tuple[list[int], int]:
    """The ids of the tiles of one run, and how many it would be without a limit.

    at: when the run was asked for. A selection is what it was then: captions saved since are no part of it.
    """
    tiles = tiles_wanted(area, asked)
    if asked.among:
        ids = tiles_selected(tiles, area=area, among=Among.of(QueryDict(asked.among)), at=at)
    else:
        ids = list(tiles.values_list("pk", flat=True))
    if asked.trial:
        return spread(ids, asked.limit or TRIAL_TILES), len(ids)
    return (ids[: asked.limit] if asked.limit else ids), len(ids)


def tiles_selected(tiles: QuerySet[TilePair], *, area: Area, among: Among, at: datetime) -> list[int]:
    """The ids of those tiles whose captions were selected and not saved since, in their order. Raises BadInput."""
    found: list[tuple[int, int]] = []
    for captions in captions_selected(area=area, among=among):
        standing = captions.filter(updated_at__lte=at).order_by()
        found += tiles.filter(caption__in=standing).values_list("index", "pk")
    return [key for _index, key in sorted(found)]


def captions_selected(*, area: Area, among: Among) -> Iterator[QuerySet[Caption]]:
    """The captions of one area that a selection holds; in parts where words are looked for. Raises BadInput."""
    if among.only:
        yield Caption.objects.filter(area=area, pk__in=among.only)
        return
    chosen = among.chosen
    rows = chosen.narrowed().filter(area=area)
    if not chosen.words:
        yield rows
        return
    scope, below = Scope(area.pk, chosen.scope.origin, chosen.scope.state), 0
    while keys := captions_matching(text=chosen.words, scope=scope, below=below, most=WORDS_AT_ONCE):
        yield rows.filter(pk__in=keys)
        below = keys[-1]


def spread(ids: list[int], number: int) -> list[int]:
    """So many of them, from all over the list."""
    if len(ids) <= number:
        return ids
    step = len(ids) / number
    return [ids[int(step * (place + 0.5))] for place in range(number)]
