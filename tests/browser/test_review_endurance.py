"""What stays true over a long day of reviewing: no key waits for the network, memory does not grow, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, Request, Route, expect

from tests.support.review import ReviewPages, decisions, settled, stage, step_to, unsent
from tests.support.site import Site, Template

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Open = Callable[..., Page]
TILES = 620
WARM, LONG = 60, 500
MOST_GROWTH = 30 * 2**20

MAKE = f"""
from tests.support.factories import lengthen, make_area, make_tile
for attempt in (1, 2):
    area = make_area(f"long-{{attempt}}", tile_size=512)
    for index in range(8):
        make_tile(area, index)
    lengthen(area, {TILES})
"""
LOG = """
import json
from tiles.models import ReviewDecision
entries = ReviewDecision.objects.filter(tile__area__slug={area!r}).order_by("id")
print(json.dumps([list(entry) for entry in entries.values_list("tile__index", "verb")]))
"""


@pytest.fixture(scope="module")
def long_site(tmp_path_factory: pytest.TempPathFactory, site_template: Template) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("long"), site_template) as made:
        made.shell(MAKE)
        made.start_web()
        yield made


@pytest.fixture
def long_review(long_site: Site, chromium: Browser, attempt: int) -> Iterator[Page]:
    pages = ReviewPages(long_site, chromium, f"long-{attempt}")
    yield pages.open("reviewer")
    pages.close()


def shown(page: Page) -> list[bytes]:
    """What stands on the screen where each layer is drawn, as pictures of the screen."""
    return [figure.screenshot() for figure in page.locator("#stage figure:visible canvas.picture").all()]


class Held:
    """Every request of a page waits from now on, until `release`."""

    def __init__(self, page: Page) -> None:
        self.waiting: list[Route] = []
        self._open = False
        page.route("**/*", lambda route: self._take(route))

    def _take(self, route: Route) -> None:
        if self._open:
            route.continue_()
        else:
            self.waiting.append(route)

    def release(self) -> None:
        self._open = True
        while self.waiting:
            self.waiting.pop(0).continue_()


def test_no_request_lies_on_the_way_of_a_key(review: Open) -> None:
    """With every request held back, keys bring new pictures and decisions all the same: they were here before."""
    page = review("reviewer")
    expect(stage(page)).to_have_attribute("data-ahead", "10")
    settled(page)
    held = Held(page)
    answered: list[Request] = []
    page.on("requestfinished", lambda request: answered.append(request))
    seen = [shown(page)]
    for index, key in enumerate(["1", "ArrowRight", "3", "1", "ArrowRight", "1"], start=1):
        page.keyboard.press(key)
        step_to(page, index)
        seen.append(shown(page))
    assert len(seen[0]) >= 2, "colours and heights"
    for pictures in zip(*seen, strict=True):
        assert len(set(pictures)) == len(seen), "each tile brought its own"
    page.keyboard.press("u")
    step_to(page, 5)
    unsent(page, 5)
    assert answered == [], "no request came through meanwhile"
    assert held.waiting, "the decisions were about to be sent"
    held.release()
    settled(page)
    verbs = [(0, "approve"), (2, "unsure"), (3, "approve"), (5, "approve"), (5, "undo")]
    assert [entry[:2] for entry in decisions(page)] == verbs


def memory(page: Page, devtools: CDPSession) -> int:
    """Bytes that the page holds after a collection: scripts' objects and what hangs on them outside of the heap."""
    devtools.send("HeapProfiler.collectGarbage")
    usage: dict[str, Any] = devtools.send("Runtime.getHeapUsage")
    return int(usage["usedSize"] + usage.get("embedderHeapUsedSize", 0) + usage.get("backingStorageSize", 0))


def decide(page: Page, first: int, count: int) -> list[tuple[int, str]]:
    """So many verdicts from tile `first` on, as fast as the pictures come; what the log must say of them."""
    pressed = []
    for index in range(first, first + count):
        key, verb = ("1", "approve") if index % 5 else ("3", "unsure")
        page.keyboard.press(key)
        pressed.append((index, verb))
        step_to(page, index + 1)
    return pressed


def test_500_decisions_do_not_grow_the_page(long_review: Page, long_site: Site, attempt: int) -> None:
    """The first tiles fill the caches; what comes after takes the place of what was."""
    page = long_review
    devtools = page.context.new_cdp_session(page)
    pressed = decide(page, 0, WARM)
    settled(page)
    expect(stage(page)).to_have_attribute("data-ahead", "10")
    before = memory(page, devtools)
    pressed += decide(page, WARM, LONG)
    settled(page)
    expect(stage(page)).to_have_attribute("data-ahead", "10")
    after = memory(page, devtools)
    assert after - before <= MOST_GROWTH, f"grew by {(after - before) / 2**20:.1f} MB"
    log = long_site.shell(LOG.format(area=f"long-{attempt}"))
    assert [tuple(entry) for entry in log] == pressed


def test_a_minute_offline_loses_and_doubles_nothing(review: Open, review_site: Site, review_area: str) -> None:
    """By a clock of the test's own: decisions before, during and after a cut, with an answer lost in it."""
    page = review("reviewer", clock=True)
    expect(stage(page)).to_have_attribute("data-ahead", "10")
    lost: list[str] = []

    def lose(route: Route) -> None:
        route.fetch()  # the server has it, the page never hears
        lost.append(route.request.post_data or "")
        route.abort()

    page.keyboard.press("1")
    step_to(page, 1)
    unsent(page, 0)
    page.route("**/decisions/", lose, times=1)
    page.keyboard.press("3")
    step_to(page, 2)
    expect(page.locator("[data-part=status]")).to_contain_text("retrying")
    assert len(lost) == 1
    page.context.set_offline(True)
    for index, key in enumerate("1312", start=2):
        page.keyboard.press(key)
        if key == "2":
            expect(page.get_by_role("dialog", name="Reject: why?")).to_be_visible()
            page.keyboard.press("c")
        step_to(page, index + 1)
        page.clock.run_for(15_000)
    unsent(page, 5)
    page.keyboard.press("u")
    step_to(page, 5)
    unsent(page, 6)
    page.context.set_offline(False)
    page.keyboard.press("1")
    step_to(page, 6)
    for _ in range(10):
        page.clock.run_for(15_000)
    settled(page)
    log = review_site.shell(LOG.format(area=review_area))
    assert [tuple(entry) for entry in log] == [
        *((0, "approve"), (1, "unsure"), (2, "approve"), (3, "unsure"), (4, "approve")),
        *((5, "reject"), (5, "undo"), (5, "approve")),
    ]
