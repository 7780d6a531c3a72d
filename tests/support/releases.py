"""Working releases in the test's own process."""

from __future__ import annotations

from portal.exports.models import Release
from tiles.jobs.runner import run_here
from tiles.models import Job


def work(release: Release) -> Release:
    """Work the open job of a release until it is over."""
    release.refresh_from_db()
    assert release.job_id is not None
    run_here(release.job_id, lambda _job: None)
    release.refresh_from_db()
    return release


def job_of(release: Release) -> Job:
    return Job.objects.get(pk=release.job_id)
