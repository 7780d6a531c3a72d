"""How many people it takes to settle a tile, and what a verdict makes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction

from tiles.core.errors import BadInput
from tiles.core.permissions import BUILD_AREA, require
from tiles.models import Area, QueueEntry, ReviewDecision, TilePair
from tiles.models.choices import WAITING_STATES, Policy, ReviewState

Verb = ReviewDecision.Verb
Round = Mapping[int, str]
"""The verdicts that wait for somebody else's: person id -> verb, in the order in which they were first given."""

STATE_AFTER = {
    Verb.APPROVE: ReviewState.APPROVED,
    Verb.REJECT: ReviewState.REJECTED,
    Verb.UNSURE: ReviewState.UNSURE,
    Verb.RESET: ReviewState.PENDING,
}
POLICY_FIELDS = ("policy", "second_look_percent", "second_look_seed")


class Standing(NamedTuple):
    """What a tile stands at, and whose verdicts wait: nobody's, the first person's, or those of two who disagree."""

    state: str
    first_by: int | None = None
    second_by: int | None = None


@transaction.atomic
def policy_set(*, area_id: int, policy: str, percent: int, seed: int, by: Any) -> Area:
    """Change how tiles of an area are settled from now on; what is decided already stays as it is.

    percent, seed: of the sample, used by Policy.SAMPLED alone. Setting what stands already adds no entry to the log.
    Raises NotAllowed, BadInput.
    """
    require(by, BUILD_AREA)
    area = Area.objects.select_for_update().get(pk=area_id)
    before = {name: getattr(area, name) for name in POLICY_FIELDS}
    after = dict(zip(POLICY_FIELDS, (policy, percent, seed), strict=True))
    if before == after:
        return area
    for name, value in after.items():
        setattr(area, name, value)
    try:
        area.clean_fields(exclude=[field.name for field in Area._meta.fields if field.name not in POLICY_FIELDS])
    except ValidationError as error:
        raise BadInput(" ".join(error.messages)) from error
    area.save(update_fields=POLICY_FIELDS)
    detail = {"before": before, "after": after}
    QueueEntry.objects.create(area=area, what=QueueEntry.What.POLICY, detail=detail, by=by)
    return area


def in_sample(*, slug: str, index: int, percent: int, seed: int) -> bool:
    """Whether a tile is among the `percent` of an area's tiles that get a second look.

    The same answer for the same arguments, on every machine; a greater percentage adds tiles and drops none.
    """
    digest = hashlib.blake2b(f"{seed}/{slug}/{index}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") * 100 < percent * 2**64


def needs_second(area: Area, index: int) -> bool:
    """Whether it takes two people to settle the area's tile of this number, by the policy as it stands now."""
    if area.policy == Policy.SAMPLED:
        percent, seed = area.second_look_percent, area.second_look_seed
        return in_sample(slug=area.slug, index=index, percent=percent, seed=seed)
    return bool(area.policy == Policy.TWO)


def verdict_weigh(*, state: str, waiting: Round, verb: str, by: int, two: bool) -> Standing:
    """What a verdict makes of a tile.

    state: what the tile stands at; waiting: the verdicts that wait there; two: whether it takes two people. A verdict
    against a settled tile opens a new round. One's own verdict is replaced, never confirmed, by one's next.
    """
    after = STATE_AFTER[Verb(verb)]
    if not two or verb == Verb.RESET:
        return Standing(after)
    if state not in WAITING_STATES:
        return Standing(after) if verb == Verb.UNSURE or after == state else Standing(ReviewState.SECOND, by)
    if len(waiting) > 1 and by not in waiting:
        return Standing(after)
    verdicts = {**waiting, by: verb}
    if len(verdicts) == 1:
        return Standing(after) if verb == Verb.UNSURE else Standing(ReviewState.SECOND, by)
    if len(set(verdicts.values())) == 1:
        return Standing(after)
    return Standing(ReviewState.DISPUTED, *verdicts)


def rounds_waiting(tile_ids: Iterable[int], *, without: Iterable[int] = ()) -> dict[int, dict[int, str]]:
    """tile id -> the verdicts that wait for somebody else's, by the log; without: entries that are being undone.

    Reads the standing entries of these tiles. A round goes back to the entry that found its tile not waiting.
    """
    standing = ReviewDecision.objects.filter(tile_id__in=list(tile_ids), undone_by__isnull=True)
    standing = standing.exclude(verb=Verb.UNDO).exclude(pk__in=list(without))
    newest_first: dict[int, list[tuple[int, str]]] = {}
    closed: set[int] = set()
    for tile_id, by, verb, from_state in standing.order_by("-id").values_list("tile_id", "by", "verb", "from_state"):
        if tile_id in closed:
            continue
        newest_first.setdefault(tile_id, []).append((by, verb))
        if from_state not in WAITING_STATES:
            closed.add(tile_id)
    # Whoever gave a verdict twice keeps their place, and the later verdict.
    return {tile_id: dict(reversed(entries)) for tile_id, entries in newest_first.items()}


def standing_again(state: str, waiting: Round) -> Standing:
    """What an undo puts a tile back to."""
    return Standing(state, *waiting) if state in WAITING_STATES else Standing(state)


def voted_by(tile: TilePair, person_id: int | None) -> bool:
    """Whether the tile waits for somebody else because this person gave a verdict."""
    return person_id is not None and person_id in (tile.first_by_id, tile.second_by_id)
