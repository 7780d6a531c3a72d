"""What is read of blind rounds: what is next, and how people agree with themselves and with others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef

from tiles.core.permissions import BUILD_AREA
from tiles.models import Area, BlindAnswer, BlindRound, BlindTile
from tiles.models.choices import ReviewState

from .agreement import PeopleAgreement, agreement_of_judged
from .blind import standing_answers
from .present import tile_payload

Verb = BlindAnswer.Verb
ROUNDS_SHOWN = 20
PAGE_SIZE = 24
VERB_OF = {
    ReviewState.APPROVED: Verb.APPROVE,
    ReviewState.REJECTED: Verb.REJECT,
    ReviewState.UNSURE: Verb.UNSURE,
}
HIDDEN = ("state", "reason", "version")
"""Of a tile, what would tell the earlier decision."""


@dataclass(frozen=True)
class Reviewer:
    """One person's part in a round. with_self: against their own earlier decisions; with_others: against others'."""

    person: Any
    answered: int
    size: int
    with_self: PeopleAgreement
    with_others: PeopleAgreement

    @property
    def done(self) -> bool:
        return self.answered == self.size


@dataclass(frozen=True)
class RoundResult:
    """known: (verdict in words, number) of what stood. among: between the round's reviewers. rebuilt: answers about
    pixels that were not those of the earlier decision, left out of all comparisons."""

    size: int
    known: list[tuple[str, int]]
    reviewers: list[Reviewer]
    among: PeopleAgreement
    rebuilt: int


def rounds_listed(*, area: Area, by: Any) -> list[BlindRound]:
    """The last rounds of an area: all of them for a curator, else those that were put before this person."""
    rounds = BlindRound.objects.filter(area=area).select_related("started_by").prefetch_related("reviewers")
    if not by.has_perm(BUILD_AREA):
        rounds = rounds.filter(pk__in=BlindRound.reviewers.through.objects.filter(user=by).values("blindround"))
    return list(rounds.order_by("-id")[:ROUNDS_SHOWN])


def answered_by(*, blind_round: BlindRound, by: Any) -> int:
    """How many of a round's tiles this person has judged. A round is small."""
    return _answered(blind_round, by).count()


def tiles_to_answer(*, blind_round: BlindRound, by: Any, after: int | None = None, size: int = PAGE_SIZE) -> list[Any]:
    """The next tiles of a round that this person has not judged, without what was decided about them."""
    left = BlindTile.objects.filter(round=blind_round).exclude(pk__in=_answered(blind_round, by).values("blind_tile"))
    if after is not None:
        left = left.filter(index__gt=after)
    rows = left.select_related("tile__dem_file").order_by("index")[:size]
    return [_hidden(tile_payload(row.tile, blind_round.area.slug)) for row in rows]


def round_result(*, blind_round: BlindRound) -> RoundResult:
    """Who agrees with whom. Reads all answers: a round is small."""
    tiles = {tile.pk: tile for tile in BlindTile.objects.filter(round=blind_round)}
    answers = BlindAnswer.objects.filter(blind_tile__round=blind_round).order_by("id")
    standing = standing_answers(answers)
    same_pixels = [answer for answer in standing.values() if answer.layers_seen == tiles[answer.blind_tile_id].layers]
    people = blind_round.reviewers.order_by("username")
    by_tile: dict[int, list[tuple[str, str]]] = {}
    for answer in same_pixels:
        by_tile.setdefault(answer.blind_tile_id, []).append((answer.verb, answer.reason))
    states = [tile.state for tile in tiles.values()]
    return RoundResult(
        size=len(tiles),
        known=[(state.label, states.count(state)) for state in VERB_OF if state in states],
        reviewers=[
            _reviewer(person, tiles, [one for one in standing.values() if one.by_id == person.pk], same_pixels)
            for person in people
        ],
        among=agreement_of_judged([said for said in by_tile.values() if len(said) > 1]),
        rebuilt=len(standing) - len(same_pixels),
    )


def _reviewer(
    person: Any, tiles: dict[int, BlindTile], own: Sequence[BlindAnswer], same_pixels: Iterable[BlindAnswer]
) -> Reviewer:
    compared = [answer for answer in same_pixels if answer.by_id == person.pk]
    mine = [answer for answer in compared if tiles[answer.blind_tile_id].decided_by_id == person.pk]
    others = [answer for answer in compared if tiles[answer.blind_tile_id].decided_by_id != person.pk]
    return Reviewer(person, len(own), len(tiles), _against(tiles, mine), _against(tiles, others))


def _against(tiles: dict[int, BlindTile], answers: Iterable[BlindAnswer]) -> PeopleAgreement:
    """Answers against what stood."""
    judged = []
    for answer in answers:
        known = tiles[answer.blind_tile_id]
        judged.append([(str(VERB_OF[ReviewState(known.state)]), known.reason), (answer.verb, answer.reason)])
    return agreement_of_judged(judged)


def _answered(blind_round: BlindRound, by: Any) -> Any:
    """Standing answers of a person."""
    undo = BlindAnswer.objects.filter(undoes=OuterRef("pk"))
    answers = BlindAnswer.objects.filter(blind_tile__round=blind_round, by=by).exclude(verb=Verb.UNDO)
    newer = BlindAnswer.objects.filter(
        ~Exists(BlindAnswer.objects.filter(undoes=OuterRef("pk"))),
        blind_tile=OuterRef("blind_tile"),
        by=by,
        pk__gt=OuterRef("pk"),
    ).exclude(verb=Verb.UNDO)
    return answers.filter(~Exists(undo), ~Exists(newer))


def _hidden(payload: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if name not in HIDDEN}
