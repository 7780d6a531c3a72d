"""A kind of job for these tests, in this process and in sites of real processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.jobs_app.kinds import Writing
from tests.support.site import Site, Template
from tiles.jobs.registry import register

register(Writing())


@pytest.fixture
def writing(data_folder: Path, settings: object) -> Path:
    """The data folder of a test that works jobs in this process."""
    settings.DEMETER_LEASE_SECONDS = 30  # type: ignore[attr-defined]
    return data_folder


@pytest.fixture
def job_site(tmp_path: Path, site_template: Template) -> Iterator[Site]:
    """A site whose worker knows the test's kind of job."""
    with Site(tmp_path / "site", site_template, apps=["tests.support.jobs_app.apps.JobsAppConfig"]) as site:
        yield site
