"""What the browser tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.browser import launch_options
from tests.support.review import AREAS, ReviewPages
from tests.support.review import review_site as open_review_site
from tests.support.site import Site, Template

# How long to wait for what must come: a busy machine with two cores is slow, and nobody measures here.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless Chromium; tests make contexts of their own in it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())  # type: ignore[arg-type]
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def review_site(tmp_path_factory: pytest.TempPathFactory, site_template: Template) -> Iterator[Site]:
    """One site for all tests of the review page; each has an area of its own."""
    yield from open_review_site(tmp_path_factory.mktemp("review"), site_template)


@pytest.fixture(scope="session")
def review_areas() -> Iterator[str]:
    return iter([f"area-{number}" for number in range(AREAS)])


@pytest.fixture
def review_area(review_areas: Iterator[str]) -> str:
    """An area that no other test has touched."""
    return next(review_areas)


@pytest.fixture
def review(review_site: Site, chromium: Browser, review_area: str) -> Iterator[Callable[..., Page]]:
    """`review("reviewer")`: the review page of this test's area in a browser of that person's own."""
    pages = ReviewPages(review_site, chromium, review_area)
    yield pages.open
    pages.close()
