"""How far an area's captions are, who reads them at what pace, and how good the captioners' words were.

What it costs is bounded: states are counted to a limit through their indexes, and of the logs only the newest entries
are read, LOG_LIMIT of each and PERIOD back, whatever area they are of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import mean, median
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.utils import timezone

from tiles.models import Area

from .models import Caption, CaptionReading, CaptionRevision, Reading

COUNT_LIMIT = 10_000
LOG_LIMIT = 10_000
PERIOD = timedelta(days=30)
PAUSE = timedelta(minutes=5)
"""A longer time between two entries of a person is a pause, and no work."""
READ = (CaptionReading.Verb.ACCEPT, CaptionReading.Verb.CONFIRM)


@dataclass(frozen=True)
class Count:
    """How many captions stand so. capped: there are more."""

    name: str
    label: str
    number: int
    capped: bool


@dataclass
class Pace:
    """One person's work on an area's captions. at: when each caption was read or edited, in order."""

    name: str = ""
    read: int = 0
    edited: int = 0
    in_bulk: int = 0
    at: list[datetime] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.read + self.edited

    @property
    def days(self) -> dict[date, int]:
        """Captions a day, days without work left out."""
        days: dict[date, int] = defaultdict(int)
        for at in self.at:
            days[timezone.localtime(at).date()] += 1
        return dict(days)

    @property
    def a_day(self) -> float:
        """Captions a day with work."""
        return self.total / len(self.days) if self.at else 0

    @property
    def seconds(self) -> float | None:
        """Median seconds from one caption to the next without a pause; None while that is unknown."""
        return median(gaps) if (gaps := self._gaps()) else None

    @property
    def an_hour(self) -> float | None:
        """Captions an hour of work, pauses left out."""
        gaps = self._gaps()
        return 3600 * len(gaps) / spent if (spent := sum(gaps)) else None

    def _gaps(self) -> list[float]:
        """Seconds between captions that were worked on one after the other."""
        pairs = zip(self.at, self.at[1:], strict=False)
        return [(later - earlier).total_seconds() for earlier, later in pairs if later - earlier <= PAUSE]


@dataclass
class Accuracy:
    """What people did with a captioner's words. words: how many each edit changed."""

    captioner: str
    accepted: int = 0
    words: list[int] = field(default_factory=list)

    @property
    def judged(self) -> int:
        return self.accepted + len(self.words)

    @property
    def percent_accepted(self) -> float:
        return 100 * self.accepted / self.judged

    @property
    def mean_words(self) -> float | None:
        """Words changed in an edit."""
        return mean(self.words) if self.words else None

    @property
    def median_words(self) -> float | None:
        return median(self.words) if self.words else None


@dataclass(frozen=True)
class Work:
    """What the logs say of an area. since: how far back they were read; whole: PERIOD, and not only LOG_LIMIT."""

    people: list[Pace]
    captioners: list[Accuracy]
    since: datetime
    whole: bool


def states_counted(*, area: Area) -> list[Count]:
    """Captions of an area by how far people have come, and the flagged ones; each counted to COUNT_LIMIT."""
    captions = Caption.objects.filter(area=area).order_by()
    states = [_count(state.value, str(state.label), captions.filter(state=state)) for state in Reading]
    return [*states, _count("flagged", "Flagged", captions.filter(flagged=True))]


def work_done(*, area: Area, by: Any | None = None, now: datetime | None = None) -> Work:
    """Who read and edited captions of an area lately, and how the captioners' words fared. by: only this person's."""
    since = (now or timezone.now()) - PERIOD
    logs = [_readings(by, since), _revisions(by, since)]
    cuts = [cut for _entries, cut in logs if cut]
    # Beyond where one log was cut, the other would tell half of what was done.
    since = max([since, *cuts])
    here = [entry for entries, _cut in logs for entry in entries if entry.area == area.pk and entry.at >= since]
    here.sort(key=lambda entry: entry.at)
    return Work(_people(here), _captioners(here), since, whole=not cuts)


@dataclass(frozen=True)
class _Entry:
    """Something a person did to a caption. captioner: whose words these were. words: changed of them."""

    at: datetime
    person: int
    caption: int
    area: int
    captioner: str | None
    words: int | None = None
    action: UUID | None = None
    read: bool = True


def _count(name: str, label: str, rows: QuerySet[Caption]) -> Count:
    found = rows[: COUNT_LIMIT + 1].count()
    return Count(name, label, min(found, COUNT_LIMIT), found > COUNT_LIMIT)


def _readings(by: Any | None, since: datetime) -> tuple[list[_Entry], datetime | None]:
    """Captions that were accepted, undone ones left out. Their captioner: of the version that was read, if any."""
    version = CaptionRevision.objects.filter(caption=OuterRef("caption"), number=OuterRef("version"), author=None)
    log = CaptionReading.objects.all() if by is None else CaptionReading.objects.filter(by=by)
    lately, cut = _lately(log, since)
    rows = lately.filter(verb__in=READ, undone_by=None).annotate(captioner=Subquery(version.values("origin")[:1]))
    columns = rows.order_by().values_list("at", "by", "caption", "caption__area", "captioner")
    return [_Entry(*row) for row in columns.iterator(2000)], cut


def _revisions(by: Any | None, since: datetime) -> tuple[list[_Entry], datetime | None]:
    """Captions that were edited. Their captioner: of the last machine's version before."""
    earlier = CaptionRevision.objects.filter(caption=OuterRef("caption"), number__lt=OuterRef("number"), author=None)
    log = (
        CaptionRevision.objects.filter(author__isnull=False)
        if by is None
        else CaptionRevision.objects.filter(author=by)
    )
    lately, cut = _lately(log, since)
    rows = lately.annotate(captioner=Subquery(earlier.order_by("-number").values("origin")[:1]))
    columns = rows.order_by().values_list(
        "at", "author", "caption", "caption__area", "captioner", "words_changed", "action", Value(False)
    )
    return [_Entry(*row) for row in columns.iterator(2000)], cut


def _lately(log: QuerySet[Any], since: datetime) -> tuple[QuerySet[Any], datetime | None]:
    """The newest LOG_LIMIT entries since then, and the time of the last of them when there are more."""
    newest = log.order_by("-id").values_list("pk", "at")
    last = list(newest[LOG_LIMIT - 1 : LOG_LIMIT])
    if not last:
        return log.filter(at__gte=since), None
    ((key, at),) = last
    return log.filter(pk__gte=key, at__gte=since), at if at > since else None


def _people(entries: Iterable[_Entry]) -> list[Pace]:
    """Who did most first. entries: in the order of time."""
    paces: dict[int, Pace] = defaultdict(Pace)
    for entry in entries:
        pace = paces[entry.person]
        if entry.action:
            pace.in_bulk += 1
            continue
        pace.read += entry.read
        pace.edited += not entry.read
        pace.at.append(entry.at)
    names = {person.pk: person.shown_name for person in get_user_model().objects.filter(pk__in=list(paces))}
    for key, pace in paces.items():
        pace.name = names[key]
    return sorted(paces.values(), key=lambda pace: (-pace.total, -pace.in_bulk, pace.name))


def _captioners(entries: Iterable[_Entry]) -> list[Accuracy]:
    """A caption counts once, by what was done last. Bulk changes are left out: they tell nothing of one text."""
    last = {entry.caption: entry for entry in entries if entry.captioner and not entry.action}
    captioners: dict[str, Accuracy] = {}
    for entry in last.values():
        name = str(entry.captioner)
        accuracy = captioners.setdefault(name, Accuracy(name))
        if entry.words:
            accuracy.words.append(entry.words)
        else:
            accuracy.accepted += 1
    return sorted(captioners.values(), key=lambda accuracy: (-accuracy.judged, accuracy.captioner))
