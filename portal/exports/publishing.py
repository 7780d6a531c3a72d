"""Releases that need no sign-in: made so, and back, by explicit choice."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from tiles.core.errors import Conflict, NotFound
from tiles.core.permissions import MAKE_RELEASES, require

from .members import require_archive
from .models import Release, ReleaseEvent

NAMED = (
    "{name} says people's names in its manifest, so it cannot be made public. Make a release with pseudonyms, "
    "and publish that one."
)


def release_publish(*, release_id: int, by: Any) -> Release:
    """Let everybody see and download a release. Raises NotAllowed, NotFound, Gone, Conflict when it says names."""
    require(by, MAKE_RELEASES)
    with transaction.atomic():
        release = _locked(release_id)
        require_archive(release)
        if release.named:
            raise Conflict(NAMED.format(name=release.name), code="named")
        if release.public_since is None:
            release.public_since = timezone.now()
            release.save(update_fields=["public_since"])
            ReleaseEvent.objects.create(release=release, verb=ReleaseEvent.Verb.PUBLISH, by=by)
    return release


def release_unpublish(*, release_id: int, by: Any) -> Release:
    """Make a release private again. What was downloaded stays where it is. Raises NotAllowed, NotFound."""
    require(by, MAKE_RELEASES)
    with transaction.atomic():
        release = _locked(release_id)
        if release.public_since is not None:
            release.public_since = None
            release.save(update_fields=["public_since"])
            ReleaseEvent.objects.create(release=release, verb=ReleaseEvent.Verb.UNPUBLISH, by=by)
    return release


def release_public(name: str) -> Release:
    """A public release. Raises NotFound, with the same words whether it is private or not there."""
    release = Release.objects.filter(name=name, public_since__isnull=False).first()
    if release is None:
        raise NotFound("There is no public release at this address. It may have been made private or renamed.")
    return release


def _locked(release_id: int) -> Release:
    release = Release.objects.select_for_update().filter(pk=release_id).first()
    if release is None:
        raise NotFound("There is no such release. Look at the list of releases.")
    return release
