"""Making releases."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from tiles.core.errors import BadInput, Conflict, NotFound
from tiles.core.files import require_free
from tiles.core.paths import data_folder, release_folder
from tiles.core.permissions import MAKE_RELEASES, require
from tiles.core.words import hidden_character
from tiles.jobs.services import job_cancel, job_resume, job_start
from tiles.models import Area, Job

from .archive import Sealed
from .freeze import Taken, area_facts, entries_freeze
from .layouts import Layout, layout_of, options_of
from .models import Release
from .selection import REASONS

KIND = "release"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
RESERVED = ("new",)
NOTES_LENGTH = 10_000
ENTRY_OVERHEAD = 4_000
"""Bytes a tile costs besides its layers: headers, checksums, its line in the manifest."""


def release_create(
    *,
    name: str,
    area_slugs: Sequence[str],
    layout: str = "rs3dbench",
    options: Mapping[str, int] | None = None,
    notes: str = "",
    by: Any = None,
    client_id: UUID | None = None,
    background: bool = True,
) -> Release:
    """Freeze what is approved now in some areas, and start the job that writes it. by None is the command line.

    options: of the layout, by name. Repeating a client_id returns the first release. Raises NotAllowed, BadInput
    (name, areas, layout, options, nothing to take), Conflict (the name is taken), DiskFull.
    """
    if by is not None:
        require(by, MAKE_RELEASES)
    chosen_layout = layout_of(layout)
    chosen = dict(options or {})
    options_of(chosen_layout, chosen)
    areas = areas_chosen(area_slugs)
    _check_words(name, notes)
    try:
        with transaction.atomic():
            release = Release(name=name, layout=layout, notes=notes.strip(), created_by=by, client_id=client_id)
            release.options = chosen
            _insert(release)
            release.areas.set(areas)
            taken = entries_freeze(release=release, areas=areas, layout=chosen_layout)
            _describe(release, areas, taken, chosen_layout)
            require_room(release)
            release.job = _job_start(release, by=by, background=background)
            release.save()
    except Conflict:
        made = Release.objects.filter(client_id=client_id, name=name).first() if client_id else None
        if made is None:
            raise
        return made
    return release


def release_retry(*, release_id: int, by: Any, background: bool = True) -> Release:
    """Write a failed release again, with what it froze then. Raises NotAllowed, NotFound, Conflict, DiskFull."""
    if by is not None:
        require(by, MAKE_RELEASES)
    with transaction.atomic():
        release = _locked(release_id)
        if release.state != Release.State.FAILED:
            raise Conflict(f"{release.name} has not failed: there is nothing to try again.")
        require_room(release)
        release.state, release.error = Release.State.BUILDING, ""
        release.job = _job_start(release, by=by, background=background)
        release.save(update_fields=["state", "error", "job"])
    return release


def release_delete(*, release_id: int, by: Any) -> None:
    """Remove a failed release, so that its name is free; a ready one stays. Raises NotAllowed, NotFound, Conflict."""
    require(by, MAKE_RELEASES)
    with transaction.atomic():
        release = _locked(release_id)
        if release.state != Release.State.FAILED:
            raise Conflict(f"{release.name} has not failed: only a failed release can be removed.")
        folder = release_folder(release.name)
        release.delete()
        transaction.on_commit(lambda: shutil.rmtree(folder, ignore_errors=True))


def release_cancel(*, release_id: int, by: Any) -> None:
    """Stop writing a release; it is failed then. Raises NotAllowed, NotFound, Conflict when it is over."""
    if by is not None:
        require(by, MAKE_RELEASES)
    job_cancel(job_id=_job_id(release_id), by=by)


def release_resume(*, release_id: int, by: Any) -> None:
    """Go on with a release that paused because the disk was full. Raises NotAllowed, NotFound, Conflict."""
    if by is not None:
        require(by, MAKE_RELEASES)
    job_resume(job_id=_job_id(release_id), by=by)


def release_finish(*, release: Release, job: Job, sealed: Sealed) -> bool:
    """Say that a release is whole. Inside the lease's fence. False when nobody waits for it any more."""
    waiting = Release.objects.filter(pk=release.pk, job=job, state=Release.State.BUILDING)
    ready = {"state": Release.State.READY, "sha256": sealed.sha256, "size": sealed.size}
    return bool(waiting.update(ready_at=timezone.now(), error="", **ready))


def release_fail(*, job: Job, message: str) -> None:
    """Say why a release will not be. Inside the transaction that ends its job."""
    Release.objects.filter(job=job, state=Release.State.BUILDING).update(state=Release.State.FAILED, error=message)


def areas_chosen(slugs: Sequence[str]) -> list[Area]:
    """The areas, each once, by slug. Raises BadInput when there is none, or one is not there."""
    wanted = sorted(set(slugs))
    if not wanted:
        raise BadInput("Choose at least one area.", code="no_area")
    areas = list(Area.objects.filter(slug__in=wanted).order_by("slug"))
    missing = sorted(set(wanted) - {area.slug for area in areas})
    if missing:
        raise BadInput(f"There is no area {', '.join(missing)}. Look at the list of areas.", code="unknown_area")
    return areas


def require_room(release: Release) -> None:
    """Raise DiskFull unless the archive will fit and DEMETER_MIN_FREE stays free."""
    require_free(data_folder(), release.planned_size + settings.DEMETER_MIN_FREE)


def _check_words(name: str, notes: str) -> None:
    if not NAME.fullmatch(name) or name in RESERVED:
        raise BadInput(
            f"{name!r} cannot be the name of a release: use small letters, digits and hyphens, at most 80, "
            "beginning with a letter or digit; not new.",
            code="bad_name",
        )
    if hidden := hidden_character(notes, lines=True):
        raise BadInput(f"The notes hold an invisible character ({hidden}). Type them again without.", code="bad_notes")
    if len(notes) > NOTES_LENGTH:
        raise BadInput(f"The notes are too long: keep them below {NOTES_LENGTH:,} characters.", code="notes_too_long")


def _insert(release: Release) -> None:
    try:
        with transaction.atomic():
            release.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(
            f"There is already a release {release.name!r}, and releases do not change. Choose another name.",
            code="name_taken",
        ) from error


def _describe(release: Release, areas: Sequence[Area], taken: dict[int, Taken], layout: Layout) -> None:
    left_out: Counter[str] = Counter()
    for of_area in taken.values():
        left_out.update(of_area.left_out)
    release.left_out = dict(sorted(left_out.items()))
    release.tile_count = sum(of_area.tiles for of_area in taken.values())
    if not release.tile_count:
        raise BadInput(_nothing_to_take(areas, left_out), code="nothing_approved")
    overhead = ENTRY_OVERHEAD * release.tile_count
    release.planned_size = int(sum(of_area.size for of_area in taken.values()) * layout.disk) + overhead
    release.contents = [_contents(area, taken[area.pk]) for area in areas]


def _contents(area: Area, taken: Taken) -> dict[str, Any]:
    return area_facts(area) | {
        "tiles": taken.tiles,
        "with_void": taken.with_void,
        "without_caption": taken.without_caption,
        "bytes": taken.size,
        "grey_level_up_to": taken.coarsest,
        "left_out": dict(sorted(taken.left_out.items())),
    }


def _nothing_to_take(areas: Sequence[Area], left_out: Counter[str]) -> str:
    names = ", ".join(area.slug for area in areas)
    if not left_out:
        return f"No tile of {names} is approved, so there is nothing to release. Approve some on the review page first."
    why = "; ".join(f"{number} {REASONS[reason]}" for reason, number in sorted(left_out.items()))
    return f"No approved tile of {names} can be released: {why}."


def _job_start(release: Release, *, by: Any, background: bool) -> Job:
    payload = {"release": release.pk, "name": release.name}
    job = job_start(
        kind=KIND,
        title=f"Release {release.name}",
        subject=release.name,
        chunks=[payload],
        parameters=payload,
        by=by,
        background=background,
    )
    Job.objects.filter(pk=job.pk).update(total=release.tile_count)
    return job


def _locked(release_id: int) -> Release:
    release = Release.objects.select_for_update().filter(pk=release_id).first()
    if release is None:
        raise NotFound("There is no such release. Look at the list of releases.")
    return release


def _job_id(release_id: int) -> int:
    release = Release.objects.filter(pk=release_id).exclude(job=None).first()
    if release is None or release.job_id is None:
        raise NotFound("There is no such release. Look at the list of releases.")
    return release.job_id
