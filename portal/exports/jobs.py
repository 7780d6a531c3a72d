"""Writing a release: the job's work, which can die at any point and be done again."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tiles.core.files import remove_temporary, write_whole
from tiles.core.paths import release_folder
from tiles.jobs.leases import Lease, LeaseLost, Stopped
from tiles.models import Job, JobChunk

from .about import about_release
from .archive import ArchiveSink, Sealed, archive_path
from .citing import CITATION, LICENSE, citation_text, license_text
from .croissant import croissant_path, croissant_text
from .figures import Figures, figures_of
from .layouts import AboutRelease, layout_of
from .manifest import MANIFEST
from .models import Release, ReleaseEntry
from .numbers import Tally
from .package import ReleasePackage
from .readme import README, readme_text
from .services import KIND, release_fail, release_finish, require_room

BATCH = 500
COUNT_EVERY = 0.5
"""Seconds between two entries of the progress in the job's row."""


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
            about = archive_write(release, sink, _Steps(lease))
            _land(release, about, sink, sink.seal(), lease)

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


def archive_write(release: Release, sink: ArchiveSink, steps: _Steps) -> AboutRelease:
    """Put everything into the archive but its checksums. Raises ApplicationError for a tile that changed since."""
    layout = layout_of(release.layout)
    about = about_release(release, layout)
    package = ReleasePackage(release, sink, steps.step)
    layout.write(package.tiles(entries_in_order(release)), about, package)
    sink.add(MANIFEST, package.manifest)
    figures = _describe(release, package)
    for figure in figures.all:
        sink.add(figure.path, figure.text.encode())
    sink.add(README, readme_text(release, layout, about, package.splits, figures).encode())
    sink.add(LICENSE, license_text(about).encode())
    sink.add(CITATION, citation_text(about).encode())
    steps.flush()
    return about


def _describe(release: Release, package: ReleasePackage) -> Figures:
    """Count what the manifest says: into the row, for the page, and as figures, for the README."""
    tally = Tally(release.tile_count)
    package.manifest.seek(0)
    tally.add_lines(package.manifest)
    Release.objects.filter(pk=release.pk).update(statistics=tally.numbers())
    return figures_of(release.name, tally)


def entries_in_order(release: Release) -> Iterator[ReleaseEntry]:
    """The entries with all that the manifest says of them, read in batches, so that memory stays flat."""
    entries = release.entries.select_related(
        "tile__area", "tile__dem_file", "decision__by", "caption_revision__author"
    ).order_by("position")
    last = -1
    while batch := list(entries.filter(position__gt=last)[:BATCH]):
        yield from batch
        last = batch[-1].position


def _land(release: Release, about: AboutRelease, sink: ArchiveSink, sealed: Sealed, lease: Lease) -> None:
    """The archive takes its name in the transaction that says it is ready, while the lease is ours. Its description
    is there before it, so that no archive is without one."""
    with lease.fence():
        if not release_finish(release=release, job=lease.job, sealed=sealed):
            raise Stopped
        write_whole(croissant_path(release.name), croissant_text(about, sealed).encode(), lease.owner)
        try:
            sink.land()
        except FileNotFoundError as error:  # the sweeper took us for dead and cleaned up
            raise LeaseLost from error
