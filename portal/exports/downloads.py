"""The log of downloads: what was begun, by whom, when. No addresses are kept, hashed or not: nobody needs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from tiles.core.paging import Page, keyset_page

from .models import Release, ReleaseDownload, ReleaseLink

PAGE_SIZE = 50


@dataclass(frozen=True)
class Taker:
    """Who downloads: somebody signed in, whoever has a link, or, when neither, somebody of the public."""

    by: Any = None
    link: ReleaseLink | None = None


def download_note(*, release: Release, file: str, taker: Taker) -> None:
    """Note that the download of an archive begins. Parts from further on go on with one that was noted."""
    with transaction.atomic():
        ReleaseDownload.objects.create(release=release, file=file, by=taker.by, link=taker.link, at=timezone.now())
        Release.objects.filter(pk=release.pk).update(downloads=F("downloads") + 1)


def member_note(*, release: Release, taker: Taker) -> None:
    """Count a single file of a release. One row a day and taker: somebody may ask for hundreds of thousands."""
    now = timezone.now()
    today = {"release": release, "file": "", "by": taker.by, "link": taker.link}
    with transaction.atomic():
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        last = ReleaseDownload.objects.filter(**today, at__gte=midnight).values_list("pk", flat=True).first()
        if last is None:
            ReleaseDownload.objects.create(**today, at=now)
        else:
            ReleaseDownload.objects.filter(pk=last).update(files=F("files") + 1)


def downloads_page(release: Release, *, after: str = "", before: str = "") -> Page[ReleaseDownload]:
    """A page of the log of one release, the newest first, each with who it was."""
    rows = release.download_log.select_related("by", "link__made_by")
    return keyset_page(rows, order=("-id",), size=PAGE_SIZE, after=after, before=before)
