"""What was done with an area's queue lately, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model

from tiles.models import Area, QueueEntry
from tiles.models.choices import Policy

What = QueueEntry.What
RULES = (What.POLICY, What.ASSIGN, What.UNASSIGN)
CLAIMS = (What.CLAIM, What.RELEASE, What.LAPSE)


class Line(NamedTuple):
    at: datetime
    by: str
    words: str


def queue_log(*, area: Area, kinds: Iterable[str], size: int = 12) -> list[Line]:
    """The last entries of these kinds, newest first. A look-up in the index for each kind."""
    found: list[QueueEntry] = []
    for what in kinds:
        found += QueueEntry.objects.filter(area=area, what=what).select_related("by").order_by("-id")[:size]
    newest = sorted(found, key=lambda entry: -entry.pk)[:size]
    people = {entry.detail["person"] for entry in newest if "person" in entry.detail}
    names = {person.pk: str(person) for person in get_user_model().objects.filter(pk__in=people)} if people else {}
    return [Line(entry.at, str(entry.by), _words(entry, names)) for entry in newest]


def _words(entry: QueueEntry, names: Mapping[int, str]) -> str:
    detail = entry.detail
    if entry.what == What.POLICY:
        return f"changed the policy: {policy_words(**detail['after']).lower()}"
    if entry.what in (What.ASSIGN, What.UNASSIGN):
        tiles = f"tiles {detail['first']} to {detail['last']}"
        name = names.get(detail["person"], "somebody who is gone")
        return f"assigned {tiles} to {name}" if entry.what == What.ASSIGN else f"took {tiles} back from {name}"
    verb = {What.CLAIM: "was handed", What.RELEASE: "gave back", What.LAPSE: "let run out"}[What(entry.what)]
    return f"{verb} {numbers_words(detail['tiles'])}"


def policy_words(*, policy: str, second_look_percent: int, second_look_seed: int) -> str:
    """A policy as a sentence."""
    if policy == Policy.SAMPLED:
        sample = f"{second_look_percent} % of the tiles, by seed {second_look_seed},"
        return f"One reviewer settles a tile; {sample} need two"
    return str(Policy(policy).label)


def numbers_words(numbers: list[int]) -> str:
    """`tile 7`, or `24 tiles, 0 to 31`: those of a claim need not lie side by side."""
    if len(numbers) == 1:
        return f"tile {numbers[0]}"
    return f"{len(numbers)} tiles, {min(numbers)} to {max(numbers)}"


def area_policy_words(area: Area) -> str:
    return policy_words(
        policy=area.policy,
        second_look_percent=area.second_look_percent,
        second_look_seed=area.second_look_seed,
    )


def claims_words(shown: list[dict[str, Any]]) -> list[tuple[str, str, datetime]]:
    """(person, which tiles, until when) of what `claims_shown` says."""
    return [(each["by"], numbers_words(each["tiles"]), each["until"]) for each in shown]
