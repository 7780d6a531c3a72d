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
expect.set_options(timeout=60_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a browser test that failed run once more.

    Chromium on a loaded machine now and then crashes or is starved, which says nothing about the product. A test that
    only passes the second time is listed in the summary (-rR): that is a race to be mended, not to be lived with.
    """
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture
def attempt(request: pytest.FixtureRequest) -> int:
    """1, or 2 when this test is run again: keeps apart what its two runs make on a site that both use."""
    return getattr(request.node, "execution_count", 1)


@pytest.fixture(scope="module")
def launch() -> Iterator[Callable[[], Browser]]:
    """The module's headless Chromium; another one when the last has crashed."""
    with sync_playwright() as playwright:
        launched: list[Browser] = []

        def living() -> Browser:
            if not launched or not launched[-1].is_connected():
                launched.append(playwright.chromium.launch(**launch_options()))  # type: ignore[arg-type]
            return launched[-1]

        yield living
        for browser in launched:
            browser.close()


@pytest.fixture
def chromium(launch: Callable[[], Browser]) -> Browser:
    """A headless Chromium; tests make contexts of their own in it."""
    return launch()


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
