"""Signed links: a release, downloaded for a while by whoever has the link, without a session."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.core import signing
from django.db import transaction
from django.utils import timezone

from tiles.core.errors import BadInput, Gone, NotFound
from tiles.core.permissions import MAKE_RELEASES, VIEW_RELEASES, require

from .members import require_archive
from .models import Release, ReleaseEvent, ReleaseLink

HOURS, MOST_HOURS = 7 * 24, 30 * 24
NO_LINK = "This link is not one of ours, or was changed on its way. Copy it again, whole."


def link_make(*, release_id: int, hours: float = HOURS, by: Any) -> ReleaseLink:
    """A link to every file of a release, for so many hours. by None is the command line.

    Raises NotAllowed, NotFound, Gone, BadInput.
    """
    if by is not None:
        require(by, VIEW_RELEASES)
    if not 0 < hours <= MOST_HOURS:
        raise BadInput(f"A link holds for more than 0 and at most {MOST_HOURS} hours, which is 30 days.", field="hours")
    with transaction.atomic():
        release = Release.objects.filter(pk=release_id).first()
        if release is None:
            raise NotFound("There is no such release. Look at the list of releases.")
        require_archive(release)
        until = timezone.now() + timedelta(hours=hours)
        link = ReleaseLink.objects.create(release=release, made_by=by, expires_at=until)
        ReleaseEvent.objects.create(
            release=release,
            verb=ReleaseEvent.Verb.LINK,
            note=f"number {link.pk}, until {until:%Y-%m-%d %H:%M} UTC",
            by=by,
        )
    return link


def links_revoke(*, release_id: int, by: Any) -> int:
    """End all links to a release; of who may not make releases, their own only. Returns how many ended.

    Raises NotAllowed.
    """
    mine: dict[str, Any] = {}
    if by is not None:
        require(by, VIEW_RELEASES)
        mine = {} if by.has_perm(MAKE_RELEASES) else {"made_by": by}
    with transaction.atomic():
        ended = links_open(release_id).filter(**mine).update(revoked_at=timezone.now())
        if ended:
            verb = ReleaseEvent.Verb.REVOKE
            ReleaseEvent.objects.create(release_id=release_id, verb=verb, note=f"{ended} of them", by=by)
    return ended


def links_open(release_id: int) -> Any:
    """Links to a release that still hold."""
    return ReleaseLink.objects.filter(release_id=release_id, revoked_at=None, expires_at__gt=timezone.now())


def link_token(link: ReleaseLink) -> str:
    """What stands in the link's addresses. Says which link it is and until when it holds; signed with SECRET_KEY."""
    return _signer().sign(f"{link.pk}-{int(link.expires_at.timestamp())}")


def link_of(token: str) -> ReleaseLink:
    """The link that a token stands for, with its release. Raises NotFound, Gone when it holds no more."""
    try:
        number, _, until = _signer().unsign(token).partition("-")
    except signing.BadSignature as error:
        raise NotFound(NO_LINK) from error
    links = ReleaseLink.objects.select_related("release__created_by", "release__job", "made_by")
    link = links.filter(pk=int(number)).first()
    if link is None or int(link.expires_at.timestamp()) != int(until):
        raise NotFound(NO_LINK)
    if link.expires_at <= timezone.now():
        raise Gone(
            f"This link held until {link.expires_at:%Y-%m-%d %H:%M} UTC. Ask for a new one.", code="link_expired"
        )
    maker = link.made_by
    if link.revoked_at or (maker is not None and not maker.has_perm(VIEW_RELEASES)):
        raise Gone("This link was revoked. Ask for a new one.", code="link_revoked")
    return link


def link_names(release: Release) -> list[str]:
    """The files that a link lists: the archives, their checksums, and the description."""
    return [*release.files.values_list("name", flat=True), "SHA256SUMS", "croissant.json"]


def link_lines(addresses: Iterable[str]) -> str:
    """What `wget -i` reads."""
    return "".join(f"{address}\n" for address in addresses)


def _signer() -> signing.Signer:
    return signing.Signer(salt="portal.exports.links", sep=".")
