"""Making releases."""

from __future__ import annotations

import re
import shutil
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

from .archive import Sealed, archive_path
from .freeze import area_facts, entries_freeze
from .layouts import Layout, layout_of, options_of
from .models import Release, ReleaseFile
from .planning import Plan, Taken, release_plan
from .reporting import report_of
from .selection import REASONS
from .wanted import Terms, Wanted, terms_check, terms_missing, wanted_check

KIND = "release"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
RESERVED = ("new", "dry-run")
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
    wanted: Wanted | None = None,
    terms: Terms | None = None,
    by: Any = None,
    client_id: UUID | None = None,
    background: bool = True,
) -> Release:
    """Freeze what is approved now in some areas, and start the job that writes it. by None is the command line.

    Repeating a client_id returns the first release. Raises NotAllowed, BadInput (name, areas, layout, a filter, list
    or split that makes no sense, terms that are missing, nothing to take), Conflict (the name is taken), DiskFull.
    """
    if by is not None:
        require(by, MAKE_RELEASES)
    chosen_layout = layout_of(layout)
    chosen = dict(options or {})
    options_of(chosen_layout, chosen)
    areas = areas_chosen(area_slugs)
    _check_words(name, notes)
    wanted, terms = wanted or Wanted(), terms_check(terms or Terms())
    wanted_check(wanted)
    release = Release(name=name, layout=layout, notes=notes.strip(), created_by=by, client_id=client_id)
    release.version, release.doi, release.authors = terms.version, terms.doi, list(terms.authors)
    release.asked = wanted.record()
    release.options = chosen
    try:
        _check_free(release)
        # Not in the transaction: many tiles take a while, and nobody else could write meanwhile.
        plan = release_plan(areas=areas, layout=chosen_layout, wanted=wanted, by=by)
        _describe(release, plan, terms, chosen_layout)
        require_room(release)
        with transaction.atomic():
            _insert(release)
            release.areas.set(areas)
            entries_freeze(release=release, plan=plan)
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
    if not waiting.update(ready_at=timezone.now(), error="", **ready):
        return False
    release.files.all().delete()  # of a try that landed its archive and died
    name = archive_path(release.name).name
    ReleaseFile.objects.create(release=release, position=0, name=name, size=sealed.size, sha256=sealed.sha256)
    return True


def release_fail(*, job: Job, message: str) -> None:
    """Say why a release will not be. Inside the transaction that ends its job."""
    Release.objects.filter(job=job, state=Release.State.BUILDING).update(state=Release.State.FAILED, error=message)


def areas_chosen(slugs: Sequence[str]) -> list[Area]:
    """The areas, each once, by slug. Raises BadInput when there is none, or one is not there."""
    wanted = sorted({slug.replace("\0", "") for slug in slugs})  # PostgreSQL stumbles over a NUL
    if not wanted:
        raise BadInput("Choose at least one area.", code="no_area")
    areas = list(Area.objects.filter(slug__in=wanted).order_by("slug"))
    missing = sorted(set(wanted) - {area.slug for area in areas})
    if missing:
        raise BadInput(f"There is no area {', '.join(missing)}. Look at the list of areas.", code="unknown_area")
    return areas


def planned_size(plan: Plan, layout: Layout) -> int:
    """Bytes on the disk while the archive is written, about."""
    return int(sum(picked.size for picked in plan.kept) * layout.disk) + ENTRY_OVERHEAD * len(plan.kept)


def require_room(release: Release) -> None:
    """Raise DiskFull unless the archive will fit and DEMETER_MIN_FREE stays free."""
    require_room_for(release.planned_size)


def require_room_for(size: int) -> None:
    """Raise DiskFull unless an archive of so many bytes will fit and DEMETER_MIN_FREE stays free."""
    require_free(data_folder(), size + settings.DEMETER_MIN_FREE)


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


def _check_free(release: Release) -> None:
    """Raise Conflict when the name is taken, before any work is done."""
    if Release.objects.filter(name=release.name).exists():
        raise _taken(release.name)


def _insert(release: Release) -> None:
    try:
        with transaction.atomic():
            release.save(force_insert=True)
    except IntegrityError as error:
        raise _taken(release.name) from error


def _taken(name: str) -> Conflict:
    return Conflict(
        f"There is already a release {name!r}, and releases do not change. Choose another name.", code="name_taken"
    )


def _describe(release: Release, plan: Plan, terms: Terms, layout: Layout) -> None:
    release.left_out = plan.reasons()
    release.tile_count = len(plan.kept)
    if not release.tile_count:
        raise BadInput(_nothing_to_take(plan), code="nothing_approved")
    release.planned_size = planned_size(plan, layout)
    taken = plan.taken()
    release.contents = [_contents(area, taken[area.pk], terms) for area in plan.areas]
    lacking = [
        f"{area['slug']} has no {missing}"
        for area in release.contents
        if area["tiles"] and (missing := terms_missing(area["licence"], area["attribution"]))
    ]
    if lacking:
        raise BadInput(
            f"A release says whose data it is, but {'; '.join(lacking)}. Give it here, or in the area's settings.",
            code="terms_missing",
        )
    release.report = report_of(plan)


def _contents(area: Area, taken: Taken, terms: Terms) -> dict[str, Any]:
    return area_facts(area, terms) | {
        "tiles": taken.tiles,
        "with_void": taken.with_void,
        "without_caption": taken.without_caption,
        "bytes": taken.size,
        "grey_level_up_to": taken.coarsest,
        "splits": dict(sorted(taken.splits.items())),
        "left_out": dict(sorted(taken.left_out.items())),
    }


def _nothing_to_take(plan: Plan) -> str:
    names = ", ".join(area.slug for area in plan.areas)
    left_out = plan.reasons()
    if not left_out and plan.wanted.query:
        return f"No approved tile of {names} matches the filter. Choose a wider one."
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
