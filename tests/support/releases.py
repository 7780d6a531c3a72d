"""Working releases in the test's own process."""

from __future__ import annotations

from pathlib import Path

from portal.exports.models import Release
from tiles.core.paths import release_folder
from tiles.jobs.runner import run_here
from tiles.models import Job

BESIDE = ["croissant.json", "manifest.jsonl", "release.json"]
"""What lies beside the archive of every release."""


def archive_path(name: str) -> Path:
    """Where an archive of one file lies."""
    return release_folder(name) / f"{name}.zip"


def left_in(folder: Path) -> list[str]:
    """The names in a folder, in their order; none when it is not there."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def work(release: Release) -> Release:
    """Work the open job of a release until it is over."""
    release.refresh_from_db()
    assert release.job_id is not None
    run_here(release.job_id, lambda _job: None)
    release.refresh_from_db()
    return release


def job_of(release: Release) -> Job:
    return Job.objects.get(pk=release.job_id)
