"""The job that reads an upload through before anything may be cut from it: inspect, read, accept."""

from __future__ import annotations

import rasterio
from django.db import IntegrityError, transaction
from django.utils import timezone

from tiles.core.checksum import sha256_of
from tiles.core.paths import upload_path
from tiles.jobs.leases import Lease
from tiles.models import DemUpload, Job, JobChunk, JobEvent
from tiles.raster.errors import RasterError
from tiles.raster.reading import SAFE_ENV
from tiles.raster.strangers import stranger_inspect, stranger_read

from .names import file_of
from .parts import part_drop, part_land, part_of
from .services import KIND

State = DemUpload.State
INSPECT, READ, ACCEPT = range(3)
# A chunk is a few seconds of decoding.
BYTES_A_CHUNK = 256 * 2**20
CACHE_BYTES = 32 * 2**20


class UploadCheckKind:
    """Checks one upload. What is wrong with the file is an answer, not a failure: the job ends as done."""

    name = KIND

    def run(self, lease: Lease) -> None:
        upload = lease.job.dem_uploads.filter(state=State.CHECKING).first()
        if upload is None:  # settled before: refused by another piece, or a worker died before closing this one
            return
        try:
            with rasterio.Env(**SAFE_ENV, GDAL_CACHEMAX=CACHE_BYTES):
                STEPS[lease.payload["do"]](lease, upload)
        except RasterError as error:
            _refuse(lease, upload, str(error))

    def discard(self, chunk: JobChunk) -> None:
        """Nothing to do: no temporary files are written."""

    def give_up(self, chunk: JobChunk, message: str) -> bool:
        """The upload learns of it in `ended`."""
        return False

    def ended(self, job: Job) -> None:
        """Close an upload that the check left open, and remove the file of one that was not accepted."""
        for upload in job.dem_uploads.exclude(state=State.ACCEPTED):
            if upload.state == State.CHECKING:
                cancelled = job.state == Job.State.CANCELLED
                upload.state = State.CANCELLED if cancelled else State.REFUSED
                upload.problem = "Its check was cancelled." if cancelled else f"It could not be checked. {job.error}"
                upload.finished_at = timezone.now()
                upload.save(update_fields=["state", "problem", "finished_at"])
            _drop_on_commit(upload)


def _drop_on_commit(upload: DemUpload) -> None:
    transaction.on_commit(lambda: part_drop(upload), robust=True)


def _inspect(lease: Lease, upload: DemUpload) -> None:
    """What the file says of itself, and its checksum; then hand out its rows."""
    path = part_of(upload)
    if not path.is_file() or path.stat().st_size != upload.size:
        _refuse(lease, upload, f"What was received of {upload.name} is gone from the disk. Send it again.")
        return
    stranger = stranger_inspect(path)
    sha256 = sha256_of(path, lease.beat)
    if upload.sha256_asked and sha256 != upload.sha256_asked:
        _refuse(lease, upload, f"{upload.name} came out other than it was sent: its sha256 is {sha256}. Send it again.")
        return
    rows = max(BYTES_A_CHUNK // (stranger.row_bytes * stranger.step), 1) * stranger.step
    pieces = [
        {"do": "read", "from": first, "to": min(first + rows, stranger.height), "step": stranger.step}
        for first in range(0, stranger.height, rows)
    ]
    with lease.fence():
        DemUpload.objects.filter(pk=upload.pk).update(sha256=sha256)
        if lease.job.chunks.filter(stage=READ).exists():
            return  # an earlier attempt came so far
        lease.expect(total=len(pieces))
        lease.add_chunks(pieces, stage=READ)
        lease.add_chunks([{"do": "accept"}], stage=ACCEPT)


def _read(lease: Lease, upload: DemUpload) -> None:
    piece = lease.payload
    stranger_read(part_of(upload), piece["from"], piece["to"], piece["step"], lease.beat)
    with lease.fence():
        lease.count(done=1)


def _accept(lease: Lease, upload: DemUpload) -> None:
    """Let the file take its place in the transaction that says so.

    The row goes first: the database lets one accepted upload have a name, so no other file is ever replaced. A worker
    that died between the two leaves the file in its place; the next one knows it by its checksum.
    """
    path = upload_path(upload.name)
    moved = not part_of(upload).is_file()
    if moved and not (path.is_file() and sha256_of(path, lease.beat) == upload.sha256):
        _refuse(lease, upload, f"What was received of {upload.name} is gone from the disk. Send it again.")
        return
    if not moved and file_of(upload.name):
        _refuse(lease, upload, _taken(upload))
        return
    try:
        with lease.fence():
            mine = DemUpload.objects.filter(pk=upload.pk, state=State.CHECKING)
            if not mine.update(state=State.ACCEPTED, finished_at=timezone.now()):
                return  # settled meanwhile
            if not moved:
                part_land(upload, path)
            lease.log(f"Accepted. sha256 {upload.sha256}")
    except IntegrityError:
        _refuse(lease, upload, _taken(upload))
        return
    part_drop(upload)


def _refuse(lease: Lease, upload: DemUpload, problem: str) -> None:
    with lease.fence():
        mine = DemUpload.objects.filter(pk=upload.pk, state=State.CHECKING)
        if mine.update(state=State.REFUSED, problem=problem, finished_at=timezone.now()):
            lease.log(f"Refused. {problem}", JobEvent.Level.WARNING)
    part_drop(upload)


def _taken(upload: DemUpload) -> str:
    return f"Another file took the name {upload.name} meanwhile. Send this one under another name."


STEPS = {"inspect": _inspect, "read": _read, "accept": _accept}
