"""Writing a release: the job's work, which can die at any point and be done again."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from typing import Any

from tiles.core.files import remove_temporary
from tiles.core.paths import release_folder
from tiles.jobs.leases import Lease, LeaseLost, Stopped
from tiles.models import Job, JobChunk

from .about import about_release, frozen_tiles
from .archive import ArchiveSink, KeptDiffers, Sealed, work_folder, work_remove
from .keeping import Whole, archives_drop_copies, archives_keep
from .models import Release
from .services import KIND, release_fail, release_finish, require_room
from .writing import archive_sink, archive_write

COUNT_EVERY = 0.5
"""Seconds between two entries of the progress in the job's row."""


class ReleaseJob:
    """Writes the archive of one release. Of a try that dies the finished shards are kept: the next one goes on."""

    name = KIND

    def run(self, lease: Lease) -> None:
        release = Release.objects.filter(
            pk=lease.payload["release"], job=lease.job, state=Release.State.BUILDING
        ).first()
        if release is None:  # a worker died between landing the archive and closing the chunk
            return
        require_room(release)
        while not _written(release, lease):
            pass

    def discard(self, chunk: JobChunk) -> None:
        remove_temporary(work_folder(release_folder(chunk.payload["name"])), owner=f"{chunk.pk}-*")

    def give_up(self, chunk: JobChunk, message: str) -> bool:
        """The release learns of it in `ended`: its job has only this chunk."""
        return False

    def ended(self, job: Job) -> None:
        """A release that will not be leaves nothing; one that is, its archive and what is beside it."""
        folder = release_folder(job.parameters["name"])
        if job.state != Job.State.DONE and release_fail(job=job, message=job.error or "It was cancelled."):
            shutil.rmtree(folder, ignore_errors=True)
        else:
            work_remove(folder)
            for release in job.releases.filter(state=Release.State.READY):
                archives_drop_copies(release)


def _written(release: Release, lease: Lease) -> bool:
    """Write and land the archive. False when shards of an earlier try were other ones and had to go: begin again."""
    about, folder = about_release(release), release_folder(release.name)

    @contextlib.contextmanager
    def fence() -> Iterator[None]:
        with lease.fence():
            try:
                yield
            except FileNotFoundError as error:  # the sweeper took us for dead and cleaned up
                raise LeaseLost from error

    with lease.fence():
        lease.expect(total=release.tile_count)
    steps = _Steps(lease)
    try:
        with archive_sink(about, folder, owner=lease.owner, on_block=lease.beat, fence=fence) as sink:
            sealed, numbers = archive_write(about, frozen_tiles(release), sink, on_tile=steps.step)
            steps.flush()
            archives_keep(release, _whole(sink, sealed), lease.beat)
            with fence():
                _land(release, sink, sealed, numbers, lease)
    except KeptDiffers:
        return False
    return True


def _whole(sink: ArchiveSink, sealed: Sealed) -> list[Whole]:
    files = zip(sink.shards, sealed.files, strict=True)
    return [Whole(shard.path, file.name, file.sha256) for shard, file in files]


class _Steps:
    """Counts tiles into the job's row, not more often than anybody can see."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._pending = 0
        self._last = time.monotonic()

    def step(self) -> None:
        self._pending += 1
        self._lease.beat()
        if time.monotonic() - self._last >= COUNT_EVERY:
            self.flush()

    def flush(self) -> None:
        with self._lease.held() as job:
            if job.state not in Job.WORKABLE:
                raise Stopped
            self._lease.count(done=self._pending)
        self._pending = 0
        self._last = time.monotonic()


def _land(release: Release, sink: ArchiveSink, sealed: Sealed, numbers: dict[str, Any], lease: Lease) -> None:
    """The archive takes its names in the transaction that says it is ready, while the lease is ours."""
    if not release_finish(release=release, job=lease.job, sealed=sealed, statistics=numbers):
        raise Stopped
    sink.land()
