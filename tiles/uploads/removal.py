"""Accepted uploads: which there are, what uses them, and removing one that nothing does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from tiles.core.errors import Conflict
from tiles.core.files import readable, sync_folder
from tiles.core.paths import upload_path
from tiles.core.permissions import BUILD_AREA, require
from tiles.models import Area, DemFile, DemUpload, Job

from .selectors import upload_by_uuid

State = DemUpload.State


class InUse(Conflict):
    """An area is cut from the file, or a job is about to; `extra["areas"]` are their short names."""

    code = "in_use"


@dataclass(frozen=True)
class Use:
    """An area that needs an upload. job: the open one on it, None when there is none."""

    slug: str
    name: str
    job: int | None


def uploads_accepted() -> QuerySet[DemUpload]:
    """What was accepted and is still there, newest first."""
    return DemUpload.objects.filter(state=State.ACCEPTED).select_related("owner").order_by("-id")


def uploads_uses(uploads: Iterable[DemUpload]) -> dict[int, list[Use]]:
    """The areas that need each of these accepted uploads, by its id; in as many queries however many there are."""
    places = {upload_path(upload.name).resolve(): upload.pk for upload in uploads}
    areas: dict[int, dict[int, Area]] = {key: {} for key in places.values()}
    for area, path in _inputs({path.name for path in places}):
        if (key := places.get(Path(path).resolve())) is not None:
            areas[key][area.pk] = area
    found = {area.pk for by_id in areas.values() for area in by_id.values()}
    jobs = dict(Job.objects.filter(area__in=found, state__in=Job.OPEN).order_by("-id").values_list("area", "id"))
    return {
        key: [Use(area.slug, area.name, jobs.get(area.pk)) for area in sorted(by_id.values(), key=lambda one: one.name)]
        for key, by_id in areas.items()
    }


def _inputs(names: set[str]) -> Iterator[tuple[Area, str]]:
    """Areas, with the paths of elevation models of these names that they are cut from, or were told to be cut from."""
    for file in DemFile.objects.filter(name__in=names).select_related("area"):
        yield file.area, file.path
    at_work = Job.objects.filter(state__in=Job.OPEN, area__isnull=False).values("area")
    begun = Area.objects.filter(Q(pk__in=at_work) | Q(dem_files=None))
    for area in begun.only("slug", "name", "recipe"):
        for path in area.recipe.get("dems", []):
            if Path(path).name in names:
                yield area, path


def upload_remove(*, uuid: UUID, by: Any) -> DemUpload:
    """Remove an accepted upload for good; its name is free again. Repeating it changes nothing.

    Raises NotAllowed; NotFound; InUse while an area is cut from it or is to be; Conflict for one that is not accepted;
    ApplicationError when the disk does not let it be removed.
    """
    require(by, BUILD_AREA)
    with transaction.atomic():
        upload = DemUpload.objects.select_for_update().get(pk=upload_by_uuid(uuid).pk)
        if upload.state == State.REMOVED:
            return upload
        if upload.state != State.ACCEPTED:
            raise Conflict(f"{upload.name} is {upload.get_state_display().lower()}: only an accepted one is removed.")
        _require_unused(upload)
        upload.state = State.REMOVED
        upload.problem = f"Removed by {by.shown_name}."
        upload.save(update_fields=["state", "problem"])
        # Before the row says so: were it the other way round, a file could be left that no row knows.
        path = upload_path(upload.name)
        try:
            path.unlink(missing_ok=True)
            sync_folder(path.parent)
        except OSError as error:
            raise readable(error, path) from error
    return upload


def _require_unused(upload: DemUpload) -> None:
    uses = uploads_uses([upload])[upload.pk]
    if not uses:
        return
    shown = ", ".join(f"{use.name} (job {use.job} is open)" if use.job else use.name for use in uses)
    raise InUse(
        f"{upload.name} stays: {'an area is' if len(uses) == 1 else 'areas are'} cut from it, {shown}. "
        "Without it they could not be built on.",
        areas=[use.slug for use in uses],
    )
