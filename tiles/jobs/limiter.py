"""One limit for all workers of a service whose quota is the project's: slots and a rate, leased from the database.

The sum of all live leases never exceeds the limit, of requests at once as of starts a second. A process that dies
keeps what it had until its lease expires, by when every request it sent is over; one that has nothing to do gives its
slots back. Between leases nothing but memory is looked at.

When a request arrives at the server nobody here can know: some time between its leaving and its answer. So it counts
as a start of every moment from its leaving to a second after its answer. Then no second of the server's has more
starts than the rate, however slow the way, and at a latency of L seconds rate / (1 + L) are begun a second at most.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections import deque
from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Count, Sum
from django.utils import timezone

from tiles.models import QuotaLease, ServiceQuota

from .leases import worker_name

EARTHENGINE = "earthengine"
# How long one request may take at the very most, and how much longer than that a lease lasts.
REQUEST_SECONDS = 270.0
SPARE_SECONDS = 60.0
ASK_SECONDS = 0.5
# How often a process that has its part looks whether it is the only one, and may have the others' too.
LOOK_SECONDS = 1.0
# A rate is one of any second, as the server sees it.
RATE_SECONDS = 1.0


class DatabaseLimiter:
    """What this process holds of a quota; satisfies tiles.imagery.Limiter.

    slots, per_second: the limits of all processes together. request_seconds: what every request ends within.
    most: slots of one process (all). A free slot may go to somebody else, so one half of what is free is taken at a
    time. While nobody else has or wants any it may have all, and gives back what is above `most` when somebody does: as
    its requests end, and no other begins in their place.
    share: of the starts a second that is a process's when it has `most` slots; it may have more slots than it needs.
    """

    def __init__(
        self,
        service: str,
        *,
        slots: int,
        per_second: int,
        request_seconds: float = REQUEST_SECONDS,
        spare_seconds: float = SPARE_SECONDS,
        most: int | None = None,
        share: float = 1.0,
    ) -> None:
        self._service = service
        self._limits = max(1, slots), max(1, per_second)
        self._request_seconds = request_seconds
        self._lease_seconds = request_seconds + spare_seconds
        self._most = self._limits[0] if most is None else max(1, most)
        self._rate_share = share
        self._lock = threading.Lock()
        # What may be used, and what is leased: more, while what others want is not free yet.
        self._slots = 0
        self._per_second = 0
        self._leased = 0, 0
        self._until = -math.inf
        self._flying = 0
        self._ended: deque[float] = deque()
        self._row = 0
        self._asked_at = -math.inf

    def begin(self) -> bool:
        """Whether a request may leave now, by what is leased: it must be over before the lease is."""
        with self._lock:
            now = time.monotonic()
            if self._flying >= self._slots or self._started(now) >= self._per_second:
                return False
            if self._until - now < self._request_seconds:
                return False
            self._flying += 1
            return True

    def end(self) -> None:
        with self._lock:
            self._flying -= 1
            self._ended.append(time.monotonic())

    def _started(self, now: float) -> int:
        """Requests that may have come to the server within the last second."""
        while self._ended and now - self._ended[0] > RATE_SECONDS:
            self._ended.popleft()
        return self._flying + len(self._ended)

    def refill(self, wanted: int) -> None:
        """Lease more where more is wanted, renew what runs out, give back what others want.

        Asks the database twice a second at most.
        """
        now = time.monotonic()
        if now - self._asked_at < self._patience(wanted, now):
            return
        self._asked_at = now
        self._lease(wanted)

    def _patience(self, wanted: int, now: float) -> float:
        """Seconds from one look into the database to the next."""
        with self._lock:
            if self._slots > self._most or self._leased != (self._slots, self._per_second):
                return ASK_SECONDS  # somebody may want what is theirs
            lacking = wanted > self._slots - self._flying
            aging = self._until - now < (self._request_seconds + self._lease_seconds) / 2
            if wanted and (aging or (lacking and self._slots < self._most)):
                return ASK_SECONDS
            return LOOK_SECONDS if lacking and self._slots < self._limits[0] else math.inf

    def rest(self) -> None:
        """Give back what no request is using. When the database does not take it, the lease expires by itself."""
        with self._lock:
            self._slots = flying = self._flying
            self._per_second = started = self._started(time.monotonic())
            self._leased = flying, started
        self._asked_at = -math.inf
        if not self._row:
            return
        with suppress(DatabaseError), transaction.atomic():
            mine = QuotaLease.objects.select_for_update().filter(pk=self._row)
            mine.update(slots=flying, per_second=started)
            if not flying:
                mine.update(expires_at=timezone.now() + timedelta(seconds=RATE_SECONDS))
                with self._lock:
                    self._until = -math.inf

    def _lease(self, wanted: int) -> None:
        ServiceQuota.objects.get_or_create(service=self._service)
        # Taken before the database's time, so that we think the lease over before anybody else does.
        now = time.monotonic()
        with transaction.atomic():
            quota = ServiceQuota.objects.select_for_update().get(service=self._service)
            live = quota.leases.filter(expires_at__gt=timezone.now())
            quota.leases.exclude(pk__in=live.values("pk")).delete()
            others = live.exclude(pk=self._row).aggregate(
                number=Count("pk"), slots=Sum("slots"), per_second=Sum("per_second")
            )
            free = self._limits[0] - (others["slots"] or 0), self._limits[1] - (others["per_second"] or 0)
            # Not at once: the others may be about to begin.
            alone = not others["number"] and self._slots >= self._most
            slots, per_second = self._share(wanted, *free, most=self._limits[0] if alone else self._most)
            leased = self._restrained(slots, per_second)
            held = {
                "slots": leased[0],
                "per_second": leased[1],
                "expires_at": timezone.now() + timedelta(seconds=self._lease_seconds),
            }
            row = self._row
            if not quota.leases.filter(pk=row, owner=worker_name()).update(**held):
                row = quota.leases.create(owner=worker_name(), **held).pk
        with self._lock:
            self._row, self._leased = row, leased
            self._slots, self._per_second, self._until = slots, per_second, now + self._lease_seconds

    def _share(self, wanted: int, free_slots: int, free_rate: int, *, most: int) -> tuple[int, int]:
        """Slots and starts a second that this process may use, out of what the others leave."""
        with self._lock:
            mine = self._slots if self._until > time.monotonic() else self._flying
            need = self._flying + wanted
        free = max(0, free_slots - mine)
        more = mine + (free if most > self._most else math.ceil(free / 2))
        slots = min(max(mine, min(need, more)), most)
        return slots, max(0, min(free_rate, math.ceil(self._limits[1] * self._rate_share * slots / self._most)))

    def _restrained(self, slots: int, per_second: int) -> tuple[int, int]:
        """Use no more than this from now on, before the others hear of it; returns what that leaves leased.

        What flies, and what may have been started lately, still counts.
        """
        with self._lock:
            self._slots, self._per_second = min(self._slots, slots), min(self._per_second, per_second)
            return max(slots, self._flying), max(per_second, self._started(time.monotonic()))


_limiters: dict[tuple[int, str, int, int, int], DatabaseLimiter] = {}


def earthengine_limiter() -> DatabaseLimiter:
    """The limiter of Earth Engine in this process, with the limits of the settings.

    No worker of a machine takes more than its part while another has or wants any, so that none has to wait for long.
    """
    slots, per_second = settings.EARTHENGINE_MAX_CONCURRENT, settings.EARTHENGINE_MAX_PER_SECOND
    share = 1 / max(1, settings.DEMETER_WORKERS)
    most = math.ceil(slots * share)
    key = os.getpid(), EARTHENGINE, slots, per_second, most
    if key not in _limiters:
        _limiters[key] = DatabaseLimiter(EARTHENGINE, slots=slots, per_second=per_second, most=most, share=share)
    return _limiters[key]
