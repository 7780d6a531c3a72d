"""Fixtures with real processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .earthengine import PROJECT, StandIn
from .site import Site, Template


@pytest.fixture(scope="session")
def site_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    """A migrated database that sites copy."""
    template = Template(tmp_path_factory.mktemp("site-template"))
    yield template
    template.close()


@pytest.fixture
def site(tmp_path: Path, site_template: Template) -> Iterator[Site]:
    """A Demeter of this test's own; nothing runs until the test starts it."""
    with Site(tmp_path / "site", site_template) as made:
        yield made


@pytest.fixture
def earthengine(settings: Any) -> Iterator[StandIn]:
    """A stand-in for Earth Engine, and settings that lead to it."""
    with StandIn().running() as stand_in:
        settings.EARTHENGINE_CREDENTIALS = "anonymous"
        settings.EARTHENGINE_PROJECT = PROJECT
        settings.EARTHENGINE_URL = stand_in.url
        yield stand_in
