"""Claims: captions that stand before one person are handed out to nobody else.

They are taken a page of the queue at a time, renewed by whoever holds them while they work, given back on leaving,
and run out by themselves. Saving ends one without a write: a claim holds for one version of its caption.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from captions.models import Caption, CaptionClaim
from tiles.core.errors import BadInput
from tiles.core.permissions import RECTIFY_CAPTIONS, require
from tiles.models import Area

MOST_HELD = 500
"""Captions that one page may hold: those it has loaded ahead, and those whose changes wait to be sent."""


class Held(NamedTuple):
    """What a page holds: until when, and the claims of others on captions that it asked for in vain."""

    until: datetime
    lost: list[CaptionClaim]


def claims_in_force(*, area: Area) -> QuerySet[CaptionClaim]:
    """The claims on captions of an area that hold just now, with `by` and the tile loaded."""
    claims = CaptionClaim.objects.filter(area=area, until__gt=timezone.now(), caption__version=F("version"))
    return claims.select_related("by", "caption__tile")


@contextmanager
def claiming(*, area: Area) -> Iterator[None]:
    """A transaction in which nobody else claims captions of the area, so that what is read as free stays free."""
    with transaction.atomic():
        Area.objects.select_for_update(no_key=True).only("pk").get(pk=area.pk)
        CaptionClaim.objects.filter(area=area, until__lte=timezone.now()).delete()
        yield


def captions_claim(*, area: Area, captions: Sequence[Caption], by: Any, page: UUID) -> datetime:
    """Claim captions for a page of a person, inside `claiming`; says until when. None of them is anybody else's."""
    until = timezone.now() + timedelta(seconds=settings.DEMETER_CLAIM_SECONDS)
    claims = [
        CaptionClaim(caption=caption, area=area, by=by, page=page, version=caption.version, until=until)
        for caption in sorted(captions, key=lambda caption: caption.pk)  # one order, so that writers cannot deadlock
    ]
    CaptionClaim.objects.bulk_create(
        claims, update_conflicts=True, unique_fields=["caption"], update_fields=["by", "page", "version", "until"]
    )
    return until


def claims_hold(*, area: Area, numbers: Sequence[int], by: Any, page: UUID) -> Held:
    """Renew what a page holds: just the captions of these tiles from now on, as far as they are nobody else's.

    Raises NotAllowed, BadInput for too many.
    """
    require(by, RECTIFY_CAPTIONS)
    if len(numbers) > MOST_HELD:
        raise BadInput(f"A page holds at most {MOST_HELD} captions.")
    with claiming(area=area):
        wanted = list(Caption.objects.filter(area=area, tile__index__in=list(numbers)).only("pk", "version"))
        others = list(claims_in_force(area=area).exclude(by=by).filter(caption__in=wanted))
        taken = {claim.caption_id for claim in others}
        free = [caption for caption in wanted if caption.pk not in taken]
        until = captions_claim(area=area, captions=free, by=by, page=page)
        CaptionClaim.objects.filter(area=area, by=by, page=page).exclude(caption__in=free).delete()
    return Held(until, sorted(others, key=lambda claim: claim.caption.tile.index))


def claims_release(*, area: Area, by: Any, page: UUID) -> int:
    """Give back all that a page holds; returns how many captions came free. Raises NotAllowed."""
    require(by, RECTIFY_CAPTIONS)
    with claiming(area=area):
        held = claims_in_force(area=area).filter(by=by, page=page).count()
        CaptionClaim.objects.filter(area=area, by=by, page=page).delete()
    return held


def claims_shown(*, area: Area) -> list[dict[str, Any]]:
    """Who has captions of the area before them: by person the name, the numbers of the tiles, and until when."""
    by_person: dict[int, dict[str, Any]] = {}
    for claim in claims_in_force(area=area).order_by("by__username", "caption__tile__index"):
        entry = by_person.setdefault(claim.by_id, {"by": claim.by.shown_name, "tiles": [], "until": claim.until})
        entry["tiles"].append(claim.caption.tile.index)
        entry["until"] = max(entry["until"], claim.until)
    return list(by_person.values())
