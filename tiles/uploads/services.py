"""Every write of an upload: beginning, chunk by chunk, checking, cancelling. What the check finds is in `kind`."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from tiles.core.errors import BadInput, Conflict
from tiles.core.files import require_free
from tiles.core.paths import parts_folder
from tiles.core.permissions import BUILD_AREA, require
from tiles.jobs.services import job_cancel, job_start
from tiles.models import DemUpload, Job
from tiles.raster.errors import RasterError
from tiles.raster.strangers import require_kind

from .names import require_free_name, require_name
from .parts import folder_drop, part_drop, part_locked, part_write, parts_listed
from .selectors import upload_by_uuid

State = DemUpload.State
KIND = "check_upload"
MOST_OPEN = 200
CHUNK_BYTES = 8 * 2**20
"""The most that is held in memory for one request."""


class WrongOffset(Conflict):
    """What was sent does not begin where it should; `extra["offset"]` is where that is."""

    code = "wrong_offset"


def upload_start(*, name: str, size: int, sha256: str = "", uuid: UUID | None = None, by: Any) -> DemUpload:
    """Begin an upload. Repeating a uuid returns the first.

    size: bytes of the whole file. sha256: what it must have, in hexadecimal; empty for anything.
    Raises NotAllowed; BadInput for a name, a format or a size that is not taken; NameTaken; Conflict when the person
    has too many unfinished ones, or the uuid belongs to another file; DiskFull when it would not fit.
    """
    require(by, BUILD_AREA)
    if uuid and (begun := DemUpload.objects.select_related("owner").filter(uuid=uuid).first()):
        if (begun.owner_id, begun.size) != (by.pk, size):
            raise Conflict("This upload was begun with another file. Begin again.")
        return begun
    require_name(name)
    _require_size(name, size)
    uploads_sweep()
    require_free(settings.DEMETER_DATA, settings.DEMETER_MIN_FREE + size)
    with transaction.atomic():
        require_free_name(name)
        if DemUpload.objects.filter(owner=by, state__in=DemUpload.OPEN).count() >= MOST_OPEN:
            raise Conflict(f"You have {MOST_OPEN} unfinished uploads. Finish or cancel some first.")
        upload = DemUpload(
            uuid=uuid or uuid4(), owner=by, name=name, size=size, sha256_asked=sha256.lower(), heard_at=timezone.now()
        )
        upload.full_clean(exclude=["owner"], validate_unique=False)
        upload.save()
    return upload


def upload_write(*, uuid: UUID, offset: int, content: bytes, by: Any) -> DemUpload:
    """Add a chunk; when this returns it is on the disk for good.

    offset: where in the file it begins, which must be where the last one ended: WrongOffset says where that is. Raises
    NotAllowed, NotFound, BadInput for an empty chunk, one that is too long, or one that reaches beyond the size;
    Conflict when nothing more is expected; DiskFull, by which nothing that was received is lost.
    """
    require(by, BUILD_AREA)
    upload = upload_by_uuid(uuid)
    if not 0 < len(content) <= CHUNK_BYTES:
        raise BadInput(f"Send between 1 and {CHUNK_BYTES:,} bytes at once.", code="chunk_size")
    _require_receiving(upload)
    _require_fit(upload, offset, len(content))
    require_free(settings.DEMETER_DATA, settings.DEMETER_MIN_FREE + len(content))
    with part_locked(upload) as file:
        upload = upload_by_uuid(uuid)
        _require_receiving(upload)
        _require_held(upload, os.fstat(file).st_size)
        _require_fit(upload, offset, len(content))
        part_write(file, content, offset, upload.name)
        mine = DemUpload.objects.filter(pk=upload.pk, received=offset, state=State.RECEIVING)
        if not mine.update(received=F("received") + len(content), heard_at=timezone.now()):
            raise _wrong_offset(upload_by_uuid(uuid))
    return upload_by_uuid(uuid)


def upload_finish(*, uuid: UUID, by: Any, background: bool = True) -> DemUpload:
    """All is sent: have a worker check it. Repeating it changes nothing.

    Raises NotAllowed, NotFound, WrongOffset while some is missing, Conflict when it was cancelled.
    """
    require(by, BUILD_AREA)
    with transaction.atomic():
        upload = DemUpload.objects.select_for_update().get(pk=upload_by_uuid(uuid).pk)
        if upload.state in (State.CHECKING, State.ACCEPTED, State.REFUSED):
            return upload
        _require_receiving(upload)
        if upload.received != upload.size:
            raise _wrong_offset(upload)
        upload.job = job_start(
            kind=KIND,
            title=f"Check the upload {upload.name}",
            subject=str(upload.uuid),
            chunks=[{"do": "inspect"}],
            by=by,
            background=background,
        )
        upload.state = State.CHECKING
        upload.save(update_fields=["job", "state"])
    return upload


def upload_cancel(*, uuid: UUID, by: Any) -> DemUpload:
    """Give an upload up, and remove what is there of it. Repeating it changes nothing.

    Raises NotAllowed, NotFound, and Conflict for one that is accepted: areas may have been built from it.
    """
    require(by, BUILD_AREA)
    upload = upload_by_uuid(uuid)
    if upload.state == State.ACCEPTED:
        raise Conflict(f"{upload.name} is accepted already. Remove it from the list of uploaded elevation models.")
    if upload.state == State.CHECKING and upload.job and upload.job.state in Job.OPEN:
        job_cancel(job_id=upload.job.pk, by=by)
    elif upload.state == State.RECEIVING:
        _end(upload, f"Cancelled by {by.shown_name}.")
    return upload_by_uuid(uuid)


def uploads_sweep() -> int:
    """Give up what nobody went on with for DEMETER_UPLOAD_DAYS, and remove files that belong to no open upload.

    Returns how many were given up. Any number of processes may do this at once.
    """
    folders = parts_listed()  # before the rows are read: a row is always there before its folder
    before = timezone.now() - timedelta(days=settings.DEMETER_UPLOAD_DAYS)
    stale = list(DemUpload.objects.filter(state=State.RECEIVING, heard_at__lt=before))
    for upload in stale:  # who comes back at this very moment is told so, and begins again
        _end(upload, f"Nothing came for {settings.DEMETER_UPLOAD_DAYS} days.")
    open_ones = set(DemUpload.objects.filter(uuid__in=folders, state__in=DemUpload.OPEN).values_list("uuid", flat=True))
    for uuid in set(folders) - open_ones:
        folder_drop(parts_folder() / str(uuid))
    return len(stale)


def _end(upload: DemUpload, problem: str) -> None:
    mine = DemUpload.objects.filter(pk=upload.pk, state=State.RECEIVING)
    if mine.update(state=State.CANCELLED, problem=problem, finished_at=timezone.now()):
        part_drop(upload)


def _require_size(name: str, size: int) -> None:
    if size < 1:
        raise BadInput(f"{name} is empty.", code="bad_size")
    if size > settings.DEMETER_MAX_UPLOAD:
        raise BadInput(
            f"{name} has {size:,} bytes; at most {settings.DEMETER_MAX_UPLOAD:,} are taken. Cut it into several files, "
            "or have it put into a folder of sources.",
            code="too_large",
        )
    try:
        require_kind(name, size)
    except RasterError as error:
        raise BadInput(str(error), code=error.code) from error


def _require_receiving(upload: DemUpload) -> None:
    if upload.state != State.RECEIVING:
        raise Conflict(
            f"{upload.name} is {upload.get_state_display().lower()}: nothing more is expected.",
            code="not_receiving",
            state=upload.state,
        )


def _require_fit(upload: DemUpload, offset: int, length: int) -> None:
    if offset + length > upload.size:
        raise BadInput(f"{upload.name} has {upload.size:,} bytes: this reaches beyond its end.", code="over_size")
    if offset != upload.received:
        raise _wrong_offset(upload)


def _require_held(upload: DemUpload, length: int) -> None:
    """A file that was cut or removed behind our back is asked for again from there."""
    if length < upload.received:
        DemUpload.objects.filter(pk=upload.pk, state=State.RECEIVING).update(received=length)
        raise _wrong_offset(upload_by_uuid(upload.uuid))


def _wrong_offset(upload: DemUpload) -> WrongOffset:
    return WrongOffset(
        f"{upload.received:,} of {upload.size:,} bytes are here. Go on from there.", offset=upload.received
    )
