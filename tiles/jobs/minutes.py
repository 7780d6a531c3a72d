"""A quota of requests and tokens a minute, over all workers: every request is entered before it is sent.

For services whose answers take a second or more, so that two writes a request cost nothing beside it. Nobody has to
give anything back: what a dead process sent is in the sum like all the rest, for a minute.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Count, Sum
from django.utils import timezone

from tiles.models import QuotaEntry, ServiceQuota

WINDOW = timedelta(minutes=1)


class MinuteQuota:
    """requests, tokens: the most of any minute, of all processes together; 0 is no limit."""

    def __init__(self, service: str, *, requests: int = 0, tokens: int = 0) -> None:
        self._service = service
        self._requests, self._tokens = requests, tokens

    def enter(self, tokens: int) -> int | None:
        """Enter a request that will take about so many tokens; its number, or None while it has to wait.

        A request larger than the whole limit goes when nothing else is in the minute: it would wait for ever.
        """
        if not self._requests and not self._tokens:
            return 0
        ServiceQuota.objects.get_or_create(service=self._service)
        with transaction.atomic():
            quota = ServiceQuota.objects.select_for_update().get(service=self._service)
            now = timezone.now()
            quota.entries.filter(at__lt=now - WINDOW).delete()
            used = quota.entries.aggregate(number=Count("id"), tokens=Sum("tokens"))
            if self._requests and used["number"] >= self._requests:
                return None
            if self._tokens and used["number"] and (used["tokens"] or 0) + tokens > self._tokens:
                return None
            return quota.entries.create(at=now, tokens=tokens).pk

    def settle(self, entry: int, tokens: int) -> None:
        """Say what a request that was entered took after all."""
        if entry:
            QuotaEntry.objects.filter(pk=entry).update(tokens=tokens)
