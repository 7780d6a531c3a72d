"""Writing a release: the job's work, which can die at any point and be done again."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tiles.core.errors import ApplicationError
from tiles.core.files import remove_temporary
from tiles.core.paths import layer_path, release_folder
from tiles.jobs.leases import Lease, LeaseLost, Stopped
from tiles.models import Job, JobChunk

from .archive import ArchiveSink, NotAsFrozen, Sealed, Written, archive_path
from .layouts import FileOfLayer, FrozenTile, Layout, layout_of
from .manifest import MANIFEST, manifest_line, tile_record
from .models import Release, ReleaseEntry
from .readme import readme_text
from .services import KIND, release_fail, release_finish, require_room

BATCH = 500
COUNT_EVERY = 0.5
"""Seconds between two entries of the progress in the job's row."""
README = "README.md"


class ReleaseJob:
    """Writes the archive of one release. Nothing is kept of a try that dies: the next one gives the same bytes."""

    name = KIND

    def run(self, lease: Lease) -> None:
        release = Release.objects.filter(
            pk=lease.payload["release"], job=lease.job, state=Release.State.BUILDING
        ).first()
        if release is None:  # a worker died between landing the archive and closing the chunk
            return
        require_room(release)
        with lease.fence():
            lease.expect(total=release.tile_count)
        with ArchiveSink(archive_path(release.name), root=release.name, owner=lease.owner, on_block=lease.beat) as sink:
            archive_write(release, sink, _Steps(lease))
            _land(release, sink, sink.seal(), lease)

    def discard(self, chunk: JobChunk) -> None:
        remove_temporary(release_folder(chunk.payload["name"]), owner=f"{chunk.pk}-*")

    def give_up(self, chunk: JobChunk, message: str) -> bool:
        """The release learns of it in `ended`: its job has only this chunk."""
        return False

    def ended(self, job: Job) -> None:
        if job.state != Job.State.DONE:
            release_fail(job=job, message=job.error or "It was cancelled.")


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


def archive_write(release: Release, sink: ArchiveSink, steps: _Steps) -> None:
    """Put everything into the archive but its checksums. Raises ApplicationError for a tile that changed since."""
    layout = layout_of(release.layout)
    areas = {area["slug"]: area for area in release.contents}
    sink.add(README, readme_text(release, layout).encode())
    manifest = sink.spool()
    for entry in entries_in_order(release):
        files = _tile_write(sink, layout, entry)
        manifest.write(manifest_line(tile_record(entry, area=areas[entry.tile.area.slug], files=files)))
        steps.step()
    sink.add(MANIFEST, manifest)
    steps.flush()


def entries_in_order(release: Release) -> Iterator[ReleaseEntry]:
    """The entries with all that the manifest says of them, read in batches, so that memory stays flat."""
    entries = release.entries.select_related(
        "tile__area", "tile__dem_file", "decision__by", "caption_revision__author"
    ).order_by("position")
    last = -1
    while batch := list(entries.filter(position__gt=last)[:BATCH]):
        yield from batch
        last = batch[-1].position


def _tile_write(sink: ArchiveSink, layout: Layout, entry: ReleaseEntry) -> list[tuple[str, Written]]:
    tile, revision = entry.tile, entry.caption_revision
    frozen = FrozenTile(
        area=tile.area.slug,
        index=tile.index,
        layers=frozenset(entry.layers),
        caption=revision.text if revision else None,
    )
    files: list[tuple[str, Written]] = []
    for file in layout.files(frozen):
        if isinstance(file, FileOfLayer):
            files.append((file.layer, _layer_write(sink, entry, file)))
        else:
            files.append((file.role, sink.add(file.path, file.text.encode())))
    return files


def _layer_write(sink: ArchiveSink, entry: ReleaseEntry, file: FileOfLayer) -> Written:
    area, tile = entry.tile.area.slug, entry.tile
    try:
        return sink.add_file(
            file.path, layer_path(area, file.layer, tile.index), sha256=entry.layers[file.layer]["sha256"]
        )
    except NotAsFrozen as error:
        raise ApplicationError(
            f"{area} {tile.name}: the file of its layer {file.layer} is not the one that was approved. "
            "Nothing was written. Remove this release and make it again.",
            code="tile_changed",
        ) from error


def _land(release: Release, sink: ArchiveSink, sealed: Sealed, lease: Lease) -> None:
    """The archive takes its name in the transaction that says it is ready, while the lease is ours."""
    with lease.fence():
        if not release_finish(release=release, job=lease.job, sealed=sealed):
            raise Stopped
        try:
            sink.land()
        except FileNotFoundError as error:  # the sweeper took us for dead and cleaned up
            raise LeaseLost from error
