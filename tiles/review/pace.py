"""How much people decide, how fast, and how often they think again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.utils import timezone

from tiles.models import Area, ReviewDecision
from tiles.models.choices import REASON_BY_CODE

from .selectors import DAY_LIMIT

Verb = ReviewDecision.Verb
DAYS = 14
PAUSE = timedelta(minutes=5)
"""Who has not decided for so long was doing something else."""


@dataclass(frozen=True)
class Entry:
    """One entry of the log, as the pace takes it."""

    verb: str
    reason: str
    at: datetime
    action: UUID


@dataclass
class Pace:
    """One person's work in an area. seconds: the median between two decisions; active_hours: without pauses; None where
    there are too few. by_day: every day of the span, the last one last. Undone decisions count: they were work too."""

    name: str
    decisions: int = 0
    in_bulk: int = 0
    undos: int = 0
    active_hours: float = 0.0
    an_hour: float | None = None
    seconds: float | None = None
    by_day: list[tuple[date, int]] = field(default_factory=list)
    reasons: list[tuple[str, int]] = field(default_factory=list)

    @property
    def active_minutes(self) -> int:
        return round(60 * self.active_hours)

    @property
    def undo_share(self) -> float | None:
        return self.undos / self.decisions if self.decisions else None

    @property
    def a_day(self) -> float | None:
        """Of the days on which anything was decided."""
        days = [number for _day, number in self.by_day if number]
        return sum(days) / len(days) if days else None


@dataclass(frozen=True)
class PaceReport:
    """people: who decides most first. since: nothing older was read; capped: not even all of the span."""

    people: list[Pace]
    since: datetime
    capped: bool


def pace_report(*, area: Area, by: Any = None, now: datetime | None = None) -> PaceReport:
    """The last DAYS days in an area, of one person or of everybody.

    Reads the newest DAY_LIMIT entries of the log, of all areas, and no further.
    """
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    since = midnight - timedelta(days=DAYS - 1)
    log = ReviewDecision.objects.filter(by=by) if by else ReviewDecision.objects.filter(by__isnull=False)
    rows = log.order_by("-id").values_list("by_id", "verb", "to_reason", "at", "action", "tile__area_id")[:DAY_LIMIT]
    entries: dict[int, list[Entry]] = {}
    read, oldest = 0, since
    for person, verb, reason, at, action, area_id in rows.iterator(500):
        if at < since:
            break
        read, oldest = read + 1, at
        if area_id == area.pk and person is not None:
            entries.setdefault(person, []).append(Entry(verb, reason, at, action))
    names = {person.pk: person.shown_name for person in get_user_model().objects.filter(pk__in=entries)}
    days = [since.date() + timedelta(days=day) for day in range(DAYS)]
    people = [_pace(names[person], found[::-1], days) for person, found in entries.items()]
    capped = read == DAY_LIMIT
    return PaceReport(sorted(people, key=lambda one: (-one.decisions, one.name)), oldest if capped else since, capped)


def _pace(name: str, entries: Sequence[Entry], days: Sequence[date]) -> Pace:
    """entries: oldest first."""
    decided = [entry for entry in entries if entry.verb != Verb.UNDO]
    in_action = Counter(entry.action for entry in decided)
    singly = [entry for entry in decided if in_action[entry.action] == 1]
    by_day = Counter(timezone.localtime(entry.at).date() for entry in decided)
    reasons = Counter(entry.reason for entry in decided if entry.verb == Verb.REJECT)
    gaps = list(_gaps(singly))
    hours = sum(gaps) / 3600
    return Pace(
        name=name,
        decisions=len(decided),
        in_bulk=len(decided) - len(singly),
        undos=len(entries) - len(decided),
        active_hours=hours,
        an_hour=len(gaps) / hours if hours else None,
        seconds=median(gaps) if gaps else None,
        by_day=[(day, by_day[day]) for day in days],
        reasons=[
            (REASON_BY_CODE[code].label if code in REASON_BY_CODE else code, number)
            for code, number in reasons.most_common()
        ],
    )


def _gaps(entries: Iterable[Entry]) -> Iterable[float]:
    """Seconds between two decisions that follow each other without a pause."""
    before: datetime | None = None
    for entry in entries:
        if before is not None and entry.at - before <= PAUSE:
            yield (entry.at - before).total_seconds()
        before = entry.at
