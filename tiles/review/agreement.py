"""How reviewers' decisions agree with the anomaly score, and with each other. Read from a random sample of an area's
decided tiles, all of them where they are not more than that, so that a page costs the same whatever an area holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from tiles.core.statistics import Agreement, Share, agreement_of, gain, kappa
from tiles.models import Area, ReviewDecision
from tiles.models.choices import REASON_BY_CODE, BuildState, ReviewState
from tiles.models.tile import BUCKETS

from .filters import CAUSES
from .selectors import queue, review_counts

Verb = ReviewDecision.Verb
SAMPLE = 10_000
"""Tiles that are read at most, about; so are decisions of people about them, times ENTRIES_A_TILE."""
ENTRIES_A_TILE = 4
SCORE_STEPS = 10
FIRST_PERCENTS = (1, 5, 10, 20, 50)
JUDGED_BY = 20
"""The order is judged by the rejections in so many first percent of it."""
FEWEST_DECIDED, FEWEST_REJECTED = 100, 20
VERDICTS = (Verb.APPROVE, Verb.REJECT, Verb.UNSURE)
VERDICT_WORDS = {Verb.APPROVE: "Approve", Verb.REJECT: "Reject", Verb.UNSURE: "Unsure"}


@dataclass(frozen=True)
class ScoreStep:
    """Decided tiles whose score lies from `low` to below `high` (the last one: to 1)."""

    low: float
    high: float
    rejected: Share


@dataclass(frozen=True)
class First:
    """The first `percent` of the decided tiles by score: what share of all rejections they hold, and of them it is."""

    percent: int
    recall: Share
    precision: Share


@dataclass(frozen=True)
class Cause:
    """Decided tiles of one cause of the score. reasons: (label, number) of their rejections, most first."""

    label: str
    rejected: Share
    reasons: list[tuple[str, int]]


@dataclass(frozen=True)
class ScoreAgreement:
    """decided, undecided: of the area. sampled: tiles that the rest is computed from; fewer than `decided` are a random
    sample. tone: good, doubt or none, of the sentence."""

    decided: int
    undecided: int
    sampled: int
    rejected: Share
    steps: list[ScoreStep]
    firsts: list[First]
    curve: list[tuple[float, float]]
    causes: list[Cause]
    tone: str
    sentence: str


@dataclass(frozen=True)
class ClassAgreement:
    label: str
    agreement: Agreement
    is_reason: bool = False


@dataclass(frozen=True)
class PeopleAgreement:
    """Of pairs of people who judged the same pixels. kappa: of the verdicts; None where it says nothing."""

    tiles: int
    pairs: int
    same: Share
    approved: Share
    classes: list[ClassAgreement]
    kappa: float | None


def score_agreement(*, area: Area) -> ScoreAgreement:
    """How an area's decisions of people agree with the score. Rules' decisions are left out."""
    counts = review_counts(area_id=area.pk)
    decided = counts[ReviewState.APPROVED] + counts[ReviewState.REJECTED]
    tiles = queue(area=area).filter(
        review_state__in=(ReviewState.APPROVED, ReviewState.REJECTED),
        bucket__lt=_buckets_for(decided),
        decided_by__isnull=False,
    )
    rows = list(tiles.order_by().values_list("score", "review_state", "reason", "causes")[: 2 * SAMPLE])
    scored = [(score, state == ReviewState.REJECTED) for score, state, _reason, _causes in rows]
    rejected = Share(sum(hit for _score, hit in scored), len(scored))
    firsts = [_first(scored, rejected, percent) for percent in FIRST_PERCENTS]
    tone, sentence = _judged(rejected, next(first for first in firsts if first.percent == JUDGED_BY))
    return ScoreAgreement(
        decided=decided,
        undecided=counts["built"] - decided,
        sampled=len(rows),
        rejected=rejected,
        steps=_steps(scored),
        firsts=firsts,
        curve=[(part / 20, gain(scored, part / 20) / rejected.part if rejected.part else 0.0) for part in range(21)],
        causes=_causes((state == ReviewState.REJECTED, reason, causes) for _score, state, reason, causes in rows),
        tone=tone,
        sentence=sentence,
    )


def people_agreement(*, area: Area) -> PeopleAgreement:
    """How people agree who judged the same pixels of a tile: the last standing judgement of each, every two of them."""
    counts = review_counts(area_id=area.pk)
    states = [state for state in ReviewState.values if state != ReviewState.PENDING]
    entries = ReviewDecision.objects.filter(
        tile__area=area,
        tile__build_state=BuildState.BUILT,
        tile__review_state__in=states,
        tile__bucket__lt=_buckets_for(counts["built"] - counts[ReviewState.PENDING]),
        by__isnull=False,
        verb__in=VERDICTS,
        undone_by__isnull=True,
    )
    rows = entries.order_by().values_list("id", "tile_id", "layers_seen", "by_id", "verb", "to_reason")
    said: dict[Hashable, dict[int, tuple[int, str, str]]] = {}
    for pk, tile_id, layers, person, verb, reason in rows[: ENTRIES_A_TILE * SAMPLE]:
        of_tile = said.setdefault((tile_id, *sorted(layers.items())), {})
        of_tile[person] = max(of_tile.get(person, (0, "", "")), (pk, verb, reason))
    judged = [[(verb, reason) for _pk, verb, reason in people.values()] for people in said.values()]
    return agreement_of_judged([people for people in judged if len(people) > 1])


def agreement_of_judged(judged: Sequence[Sequence[tuple[str, str]]]) -> PeopleAgreement:
    """judged: for each tile the (verb, reason) of two people or more."""
    pairs = [pair for people in judged for pair in combinations(people, 2)]
    verdicts: list[tuple[Hashable, Hashable]] = [(one[0], other[0]) for one, other in pairs]
    by_verdict, by_reason = agreement_of(verdicts), agreement_of((one[1], other[1]) for one, other in pairs)
    classes = [ClassAgreement(VERDICT_WORDS[verb], by_verdict[verb]) for verb in VERDICTS if verb in by_verdict]
    classes += [
        ClassAgreement(reason.label, by_reason[code], is_reason=True)
        for code, reason in REASON_BY_CODE.items()
        if code in by_reason
    ]
    approvals = sum((one == Verb.APPROVE) + (other == Verb.APPROVE) for one, other in verdicts)
    return PeopleAgreement(
        tiles=len(judged),
        pairs=len(pairs),
        same=Share(sum(one == other for one, other in verdicts), len(pairs)),
        approved=Share(approvals, 2 * len(pairs)),
        classes=classes,
        kappa=kappa(verdicts),
    )


def _buckets_for(tiles: int) -> int:
    """Below which bucket about SAMPLE of so many tiles lie: buckets are random, so these are a fair sample."""
    return BUCKETS if tiles <= SAMPLE else max(1, BUCKETS * SAMPLE // tiles)


def _steps(scored: Sequence[tuple[float, bool]]) -> list[ScoreStep]:
    numbers: Counter[tuple[int, bool]] = Counter()
    for score, hit in scored:
        numbers[min(int(score * SCORE_STEPS), SCORE_STEPS - 1), hit] += 1
    return [
        ScoreStep(
            step / SCORE_STEPS,
            (step + 1) / SCORE_STEPS,
            Share(numbers[step, True], numbers[step, True] + numbers[step, False]),
        )
        for step in range(SCORE_STEPS)
    ]


def _first(scored: Sequence[tuple[float, bool]], rejected: Share, percent: int) -> First:
    found = round(gain(scored, percent / 100))
    return First(percent, Share(found, rejected.part), Share(found, max(found, round(rejected.whole * percent / 100))))


def _judged(rejected: Share, first: First) -> tuple[str, str]:
    """Whether the order can be trusted: only when the whole interval says so."""
    if rejected.whole < FEWEST_DECIDED or rejected.part < FEWEST_REJECTED:
        return "none", (
            f"Whether the order can be trusted cannot be told yet: {rejected.part} of {rejected.whole} decided tiles "
            f"are rejected, and it takes {FEWEST_REJECTED} of {FEWEST_DECIDED}."
        )
    low, high = round(100 * first.recall.low), round(100 * first.recall.high)
    found = (
        f"the first {JUDGED_BY} % of the decided tiles hold {100 * (first.recall.value or 0):.0f} % of the rejections "
        f"({low} to {high} %); by chance it would be {JUDGED_BY} %."
    )
    if first.recall.low > 2 * JUDGED_BY / 100:
        return "good", f"The order can be trusted: {found}"
    if first.recall.low > JUDGED_BY / 100:
        return "doubt", f"The order helps, but do not stop early by it: {found}"
    return "doubt", f"The order cannot be trusted here: {found}"


def _causes(rows: Iterable[tuple[bool, str, Sequence[dict[str, Any]]]]) -> list[Cause]:
    """By cause, most tiles first, and tiles without any last: what is rejected there the score did not see."""
    decided: Counter[str] = Counter()
    reasons: dict[str, Counter[str]] = {}
    for rejected, reason, causes in rows:
        for code in {cause["code"] for cause in causes} or {""}:
            decided[code] += 1
            if rejected:
                reasons.setdefault(code, Counter())[reason] += 1
    found = []
    for code, number in sorted(decided.items(), key=lambda one: (not one[0], -one[1], one[0])):
        why = reasons.get(code, Counter())
        label = CAUSES.get(code, code.replace("_", " ")) if code else "no cause"
        named = [(_reason_words(name), count) for name, count in why.most_common(3)]
        found.append(Cause(label, Share(why.total(), number), named))
    return found


def _reason_words(code: str) -> str:
    return REASON_BY_CODE[code].label if code in REASON_BY_CODE else code
