"""Removing the archives of old releases. What they held stays known: manifest, checksums and description are kept."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from tiles.core.files import written_whole
from tiles.core.paths import release_folder
from tiles.core.permissions import MAKE_RELEASES, require

from .keeping import archives_delete, archives_drop_copies
from .manifest import MANIFEST
from .members import SUMS, member_find, member_open, require_archive
from .models import Release, ReleaseEvent
from .stores import archive_store

CONTENTS = "contents.sha256"
"""The checksums of all that was inside, as they are kept beside the manifest."""
_BLOCK = 1 << 20
_KEPT = {MANIFEST: MANIFEST, CONTENTS: SUMS}
"""Name beside the archive -> path inside it."""


def release_archive_delete(*, release_id: int, by: Any) -> Release:
    """Remove the archive of a ready release for good, after its manifest and checksums were put beside it.

    by None is the command line. Raises NotAllowed, NotFound, Gone when it was removed already, Suspended when the
    store that has it is away: nothing is removed then.
    """
    if by is not None:
        require(by, MAKE_RELEASES)
    release = Release.objects.get(pk=release_id)
    require_archive(release)
    for name, path in _KEPT.items():
        _keep(release, name, path)
    store = archive_store(release)
    for file in release.files.all():
        store.exists(release.name, file.name)  # raises when it is away
    with transaction.atomic():
        locked = Release.objects.select_for_update().get(pk=release_id)
        require_archive(locked)
        locked.archive_removed_at = timezone.now()
        locked.save(update_fields=["archive_removed_at"])
        ReleaseEvent.objects.create(release=locked, verb=ReleaseEvent.Verb.REMOVE, by=by)
        transaction.on_commit(lambda: archives_delete(locked))
    return locked


def releases_prunable(*, older_than: float, keep_latest: int = 0) -> list[Release]:
    """Ready releases with an archive that is older than so many days, oldest first.

    Not the newest `keep_latest` ones, and none that is public: whoever cites it must find it.
    """
    ready = Release.objects.filter(state=Release.State.READY, archive_removed_at=None)
    spared = ready.order_by("-ready_at", "-id").values_list("pk", flat=True)[:keep_latest]
    old = ready.filter(public_since=None, ready_at__lt=timezone.now() - timedelta(days=older_than))
    return list(old.exclude(pk__in=list(spared)).order_by("ready_at", "id"))


def archives_sweep() -> None:
    """Finish what a death between a commit and the removal of files left: archives that no row knows any more."""
    for release in Release.objects.filter(archive_removed_at__isnull=False):
        archives_delete(release)
    for release in Release.objects.filter(state=Release.State.READY).exclude(store=""):
        archives_drop_copies(release)


def _keep(release: Release, name: str, path: str) -> None:
    """Put a file of the archive beside it, unless it lies there. Inside no transaction: it may be large."""
    place = release_folder(release.name) / name
    if place.exists():
        return
    member = member_find(release, path)
    archive, start = member_open(release, member)
    with archive, written_whole(place, str(os.getpid())) as file:
        archive.seek(start)
        left = member.size
        while left and (block := archive.read(min(_BLOCK, left))):
            file.write(block)
            left -= len(block)
        if left:
            raise OSError(f"{path} is cut off in the archive of {release.name}")
