"""Blind rounds: known tiles judged again by people who do not see what was decided. Tiles and log stay as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from tiles.core.errors import BadInput, Conflict, NotAllowed, NotFound, Stale
from tiles.core.permissions import BUILD_AREA, REVIEW_TILES, require
from tiles.models import Area, BlindAnswer, BlindRound, BlindTile, TilePair
from tiles.models.choices import ReviewState

from .checks import (
    DECIDED_SINCE,
    NOT_ARRIVED,
    NOT_YOURS,
    OTHER_ENTRY,
    PIXELS_CHANGED,
    UNDO_OF_UNDO,
    UNDONE_ALREADY,
    decision_words_check,
)
from .selectors import queue
from .shuffle import Shuffle

Verb = BlindAnswer.Verb
MOST_TILES = 500
MOST_REVIEWERS = 20
STRATA = (ReviewState.APPROVED, ReviewState.REJECTED, ReviewState.UNSURE)
STATE_AFTER = {
    Verb.APPROVE: ReviewState.APPROVED,
    Verb.REJECT: ReviewState.REJECTED,
    Verb.UNSURE: ReviewState.UNSURE,
}
NO_ROUND = "There is no such blind round. Choose one from the list."
NOT_IN_ROUND = "This blind round was not put before you."


def blind_round_start(
    *, area: Area, size: int, seed: int, reviewers: Iterable[int], by: Any, client_id: UUID
) -> BlindRound:
    """Choose decided tiles by a seed, as many of each verdict as there are, and put them before some people.

    A verdict with fewer tiles leaves its places to the others. Repeating a client_id returns the first round. Raises
    NotAllowed, BadInput for a wrong size, seed or person, Conflict when nothing is decided.
    """
    require(by, BUILD_AREA)
    earlier = BlindRound.objects.filter(client_id=client_id).first()
    if earlier:
        return earlier
    if not 1 <= size <= MOST_TILES:
        raise BadInput(f"A blind round holds 1 to {MOST_TILES} tiles.", field="size")
    if not 0 <= seed < 2**31:
        raise BadInput("A seed is a whole number from 0 to 2147483647.", field="seed")
    people = _reviewers(set(reviewers))
    tiles = _chosen(area, size, seed)
    if not tiles:
        raise Conflict(f"Nothing of {area.name} is decided by people yet, so there is nothing to judge again.")
    with transaction.atomic():
        made = BlindRound.objects.create(area=area, seed=seed, started_by=by, client_id=client_id)
        made.reviewers.set(people)
        BlindTile.objects.bulk_create(_known(made, tile) for tile in tiles)
    return made


def blind_answer(
    *,
    round_id: int,
    index: int,
    verb: str,
    by: Any,
    client_id: UUID,
    seen: Mapping[str, int],
    reason: str = "",
    note: str = "",
) -> BlindAnswer:
    """Judge a tile of a round. Repeating a client_id returns the first answer.

    Raises NotAllowed, NotFound, BadInput for a wrong reason, Stale when the tile was rebuilt since it was seen.
    """
    found = _tile_of(round_id, index, by)
    if verb not in STATE_AFTER:
        raise BadInput(f"Tiles cannot be judged with {verb!r}.")
    decision_words_check(area=found.round.area, verb=verb, reason=reason, note=note)
    now = found.tile.layer_versions()
    if any(seen.get(name) != version for name, version in now.items()):
        current = {"state": ReviewState.PENDING, "reason": "", "version": 0, "layers": now, "by": "", "at": None}
        raise Stale(PIXELS_CHANGED, cause="layers", current=current)
    entry = BlindAnswer(blind_tile=found, by=by, verb=verb, reason=reason, note=note.strip(), client_id=client_id)
    entry.layers_seen = dict(seen)
    return _append(entry)


def blind_undo(*, round_id: int, index: int, undoes: UUID, by: Any, client_id: UUID) -> BlindAnswer:
    """Take back the newest of one's own standing answers about a tile. Raises as `decision_undo`."""
    found = _tile_of(round_id, index, by)
    earlier = BlindAnswer.objects.filter(client_id=client_id).first()
    answer = BlindAnswer.objects.filter(client_id=undoes, blind_tile=found).first()
    if answer is None:
        raise NotFound(NOT_ARRIVED, code="nothing_to_undo")
    entry = BlindAnswer(blind_tile=found, by=by, verb=Verb.UNDO, client_id=client_id, undoes=answer)
    if earlier is None:
        _check_undo(answer, by)
    return _append(entry)


def standing_answers(answers: Iterable[BlindAnswer]) -> dict[tuple[int, int], BlindAnswer]:
    """(round's tile, person), by key -> what they say of it now. answers: all about some tiles, oldest first."""
    listed = list(answers)
    undone = {answer.undoes_id for answer in listed}
    return {
        (answer.blind_tile_id, answer.by_id): answer
        for answer in listed
        if answer.verb != Verb.UNDO and answer.pk not in undone
    }


def round_of(*, area: Area, round_id: int) -> BlindRound:
    """Raises NotFound."""
    found = BlindRound.objects.select_related("area", "started_by").filter(pk=round_id, area=area).first()
    if found is None:
        raise NotFound(NO_ROUND)
    return found


def require_reviewer(*, blind_round: BlindRound, by: Any) -> None:
    """Raise NotAllowed unless the round was put before this person."""
    require(by, REVIEW_TILES)
    if not blind_round.reviewers.filter(pk=by.pk).exists():
        raise NotAllowed(NOT_IN_ROUND)


def _reviewers(keys: set[int]) -> Sequence[Any]:
    people = list(get_user_model().objects.filter(pk__in=keys, is_active=True))
    if not people or len(people) > MOST_REVIEWERS:
        raise BadInput(f"Choose 1 to {MOST_REVIEWERS} people to judge again.", field="reviewers")
    if len(people) < len(keys) or not all(person.has_perm(REVIEW_TILES) for person in people):
        raise BadInput("Choose people who may review tiles.", field="reviewers")
    return people


def _chosen(area: Area, size: int, seed: int) -> list[TilePair]:
    """In the order of their numbers. Each verdict's tiles come in the random order of the seed."""
    strata = []
    for state in STRATA:
        tiles = queue(area=area).filter(review_state=state, decided_by__isnull=False)
        strata.append(Shuffle(seed).page(tiles, after=None, before=None, start=None, size=size)[0])
    taken = [0] * len(strata)
    while sum(taken) < size:
        open_strata = [place for place, tiles in enumerate(strata) if taken[place] < len(tiles)]
        if not open_strata:
            break
        for place in open_strata[: size - sum(taken)]:
            taken[place] += 1
    chosen = [tile for tiles, number in zip(strata, taken, strict=True) for tile in tiles[:number]]
    return sorted(chosen, key=lambda tile: tile.index)


def _known(made: BlindRound, tile: TilePair) -> BlindTile:
    return BlindTile(
        round=made,
        tile=tile,
        index=tile.index,
        state=tile.review_state,
        reason=tile.reason,
        decided_by=tile.decided_by,
        layers=tile.layer_versions(),
    )


def _tile_of(round_id: int, index: int, by: Any) -> BlindTile:
    found = BlindTile.objects.select_related("round__area", "tile").filter(round=round_id, index=index).first()
    if found is None:
        raise NotFound("This tile is no part of the blind round. Reload the page.")
    require_reviewer(blind_round=found.round, by=by)
    return found


def _check_undo(answer: BlindAnswer, by: Any) -> None:
    if answer.by_id != by.pk:
        raise NotAllowed(NOT_YOURS, code="not_yours")
    if answer.verb == Verb.UNDO:
        raise Conflict(UNDO_OF_UNDO, code="undo_of_undo")
    mine = list(BlindAnswer.objects.filter(blind_tile=answer.blind_tile_id, by=by).order_by("id"))
    if any(each.undoes_id == answer.pk for each in mine):
        raise Conflict(UNDONE_ALREADY, code="undone_already")
    if standing_answers(mine).get((answer.blind_tile_id, by.pk)) != answer:
        raise Conflict(DECIDED_SINCE, code="not_the_last")


def _append(entry: BlindAnswer) -> BlindAnswer:
    """Raises Conflict when this client_id, or an undo of the same, says something else already."""
    try:
        with transaction.atomic():
            entry.save()
            return entry
    except IntegrityError as error:
        found = BlindAnswer.objects.filter(client_id=entry.client_id).first()
        same = ("blind_tile_id", "by_id", "verb", "reason", "undoes_id")
        if found is None or any(getattr(found, name) != getattr(entry, name) for name in same):
            raise Conflict(OTHER_ENTRY, code="client_id_taken") from error
        return found
