"""Reading uploads."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from tiles.core.errors import NotFound
from tiles.models import DemUpload

from .parts import part_tail

State = DemUpload.State
SHOWN = 100
REFUSED_FOR = timedelta(days=1)
TAIL_BYTES = 256 * 1024


@dataclass(frozen=True)
class Tail:
    """The last bytes that were received, so that a page can tell whether it was given the same file again."""

    start: int
    end: int
    crc32: str


def uploads_of(by: Any) -> QuerySet[DemUpload]:
    """What a person has on its way, and what of theirs was refused lately; newest first."""
    lately = Q(state=State.REFUSED, finished_at__gt=timezone.now() - REFUSED_FOR)
    mine = DemUpload.objects.filter(Q(state__in=DemUpload.OPEN) | lately, owner=by)
    return mine.select_related("owner").order_by("-id")[:SHOWN]


def upload_by_uuid(upload: UUID) -> DemUpload:
    """Raises NotFound."""
    found = DemUpload.objects.select_related("owner").filter(uuid=upload).first()
    if found is None:
        raise NotFound("There is no such upload. Begin again with the file.")
    return found


def upload_tail(upload: DemUpload) -> Tail | None:
    """None where nothing was received yet, or nothing is expected any more."""
    if upload.state != State.RECEIVING or not upload.received:
        return None
    start, content = part_tail(upload, TAIL_BYTES)
    return Tail(start, start + len(content), f"{zlib.crc32(content):08x}")


def name_holder(name: str) -> DemUpload | None:
    """The upload, accepted or on its way, that a name belongs to, whatever its case."""
    held = DemUpload.objects.filter(name__iexact=name, state__in=(*DemUpload.OPEN, State.ACCEPTED))
    return held.select_related("owner").order_by("id").first()
