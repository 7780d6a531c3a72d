"""Keeping the files of a release where archives are kept, and taking them away again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tiles.core.paths import release_folder

from .models import Release
from .stores import LocalStore, archive_store, store_at, store_chosen


@dataclass(frozen=True)
class Whole:
    """A whole file of an archive. path: where it lies now, whatever it is called there."""

    path: Path
    name: str
    sha256: str


def archives_keep(release: Release, files: Iterable[Whole], beat: Callable[[], None]) -> None:
    """Send the files of a release to the store for archives, and note on its row which that is.

    To be called when they are whole and before the row says ready, outside of any transaction; can be repeated, and
    does not send again what the store has. Does nothing where archives stay in the data folder. beat() is called all
    the while and may raise. Raises Suspended when the store is away: the job pauses then.
    """
    place = store_chosen()
    store = store_at(place)
    for file in files:
        store.put(release.name, file.name, file.path, sha256=file.sha256, beat=beat)
    Release.objects.filter(pk=release.pk).update(store=place)
    release.store = place


def archives_drop_copies(release: Release) -> None:
    """Remove the files of a ready release from the data folder, where a store has them. Can be repeated."""
    if not release.store:
        return
    local = LocalStore()
    for file in release.files.all():
        local.delete(release.name, file.name)


def archives_delete(release: Release) -> None:
    """Remove the files of a release for good, and the list of what was in them. Can be repeated. Raises Suspended."""
    stores = {archive_store(release), LocalStore()} if release.store else {LocalStore()}
    for file in release.files.all():
        for store in stores:
            store.delete(release.name, file.name)
    members_path(release.name).unlink(missing_ok=True)


def members_path(name: str) -> Path:
    """`<data>/releases/<name>/.members.sqlite3`: what is in the archive; can be made again from it."""
    return release_folder(name) / ".members.sqlite3"
