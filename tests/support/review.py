"""Driving the review page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from playwright.sync_api import Browser, BrowserContext, Page, expect

from .site import Site, Template, password_of

TILES = 30
AREAS = 64

MAKE = f"""
import os
import shutil
from captions.services import caption_write_machine
from tests.support.factories import make_area, make_tile
from tiles.core.paths import area_folder
from tiles.models import AreaCounter, TilePair

def copy(number):
    # Making every file of every area would take a minute.
    area = make_area(f"area-{{number}}")
    shutil.copytree(area_folder("area-0"), area_folder(area.slug), copy_function=os.link)
    tiles = list(TilePair.objects.filter(area__slug="area-0").order_by("index"))
    for tile in tiles:
        tile.pk, tile.area, tile.dem_file = None, area, area.dem_files.get()
    TilePair.objects.bulk_create(tiles)
    AreaCounter.objects.add(area.pk, {{"built": len(tiles), "pending": len(tiles)}})
    for tile in TilePair.objects.filter(area=area, index__lt=2):
        caption_write_machine(tile_id=tile.pk)

first = make_area("area-0")
for index in range({TILES}):
    make_tile(first, index, void=index == 4)
for number in range(1, {AREAS}):
    copy(number)
for attempt in (1, 2):
    tiny = make_area(f"tiny-{{attempt}}")
    for index in range(3):
        make_tile(tiny, index)
make_area("empty")
"""


def review_site(folder: Path, template: Template) -> Iterator[Site]:
    """A site with areas `area-0`, `area-1` ... of the same TILES tiles, `tiny-1` and `tiny-2` with three,
    and `empty`."""
    with Site(folder, template) as made:
        made.shell(MAKE)
        made.start_web()
        yield made


class ReviewPages:
    """Review pages of one area, each in a browser of its own."""

    _sessions: ClassVar[dict[tuple[str, str], Any]] = {}

    def __init__(self, site: Site, chromium: Browser, area: str) -> None:
        self.site = site
        self.area = area
        self._chromium = chromium
        self._contexts: list[BrowserContext] = []

    def open(
        self,
        who: str,
        *,
        area: str = "",
        query: str = "",
        hold: str = "",
        ready: bool = True,
        context: BrowserContext | None = None,
        clock: bool = False,
        **options: Any,
    ) -> Page:
        """The review page as `who` sees it. hold: requests like this are never answered. context: share a browser.
        clock: the page's time is the test's, which lets it run as usual until it says otherwise."""
        if context is None:
            options.setdefault("viewport", {"width": 1440, "height": 900})
            context = self._chromium.new_context(storage_state=self._session(who), **options)
            self._contexts.append(context)
            self._forget(context)
        page = context.new_page()
        if clock:
            page.clock.install()
        if hold:
            page.route(hold, lambda _route: None)
        page.goto(f"{self.site.url}/areas/{area or self.area}/review/{query}")
        if ready:
            expect(page.locator("#review")).to_have_attribute("data-started", "true")
        if ready and not query and not hold:
            expect(stage(page)).to_have_attribute("data-ready", "true")
        return page

    def _forget(self, context: BrowserContext) -> None:
        """Show the layers that everybody begins with: another test of this person may have chosen others."""
        token = next(cookie["value"] for cookie in context.cookies() if cookie["name"] == "csrftoken")
        answer = context.request.patch(
            f"{self.site.url}/api/v1/me/preferences/", data={"viewer": None}, headers={"X-CSRFToken": token}
        )
        assert answer.ok

    def _session(self, who: str) -> Any:
        """Cookies of somebody who has signed in; once for all tests of a site."""
        if (self.site.url, who) not in self._sessions:
            context = self._chromium.new_context()
            sign_in(context.new_page(), self.site, who)
            self._sessions[self.site.url, who] = context.storage_state()
            context.close()
        return self._sessions[self.site.url, who]

    def close(self) -> None:
        for context in self._contexts:
            context.close()


def sign_in(page: Page, site: Site, who: str) -> None:
    page.goto(f"{site.url}/sign-in/")
    if page.get_by_label("Username").count() == 0:
        return  # this browser is signed in already
    page.get_by_label("Username").fill(who)
    page.get_by_label("Password").fill(password_of(who))
    page.keyboard.press("Enter")
    expect(page.get_by_role("banner")).to_be_visible()


def stage(page: Page) -> Any:
    return page.locator("#stage")


def step_to(page: Page, index: int) -> None:
    """Wait until this tile stands on the page with all its pixels."""
    expect(stage(page)).to_have_attribute("data-tile", str(index))
    expect(stage(page)).to_have_attribute("data-ready", "true")


def unsent(page: Page, count: int) -> None:
    expect(page.locator("#review")).to_have_attribute("data-unsent", str(count))


def settled(page: Page) -> None:
    """Wait until everything that was decided is on the server, as long as it takes while there is less and less.

    Keys pressed by a machine are faster than a busy server. Right after a key nothing may be decided yet: wait first
    for what the key changes, the next tile for instance.
    """
    review = page.locator("#review")
    while (left := review.get_attribute("data-unsent")) != "0":
        expect(review).not_to_have_attribute("data-unsent", str(left))


def pixels(page: Page, layer: str, *places: tuple[int, int]) -> list[tuple[int, int, int]]:
    """The colours that stand on the page at these columns and rows of a picture."""
    found = page.evaluate(
        """([layer, places]) => {
            const context = document.querySelector(`[data-layer=${layer}] canvas.picture`).getContext("2d");
            return places.map(([col, row]) => [...context.getImageData(col, row, 1, 1).data.slice(0, 3)]);
        }""",
        [layer, [list(place) for place in places]],
    )
    return [tuple(colour) for colour in found]


def expect_pixel(page: Page, layer: str, place: tuple[int, int], colour: tuple[int, int, int]) -> None:
    """Wait until a picture has this colour at this column and row."""
    page.wait_for_function(
        """([layer, [col, row], colour]) => {
            const context = document.querySelector(`[data-layer=${layer}] canvas.picture`).getContext("2d");
            return [...context.getImageData(col, row, 1, 1).data.slice(0, 3)].join() === colour.join();
        }""",
        arg=[layer, list(place), list(colour)],
        timeout=60_000,
    )


def decisions(page: Page) -> list[tuple[int, str, str, str]]:
    """What this page's person decided in this area as the server has it, oldest first: number, verb, reason, note."""
    address = page.evaluate("JSON.parse(document.getElementById('review-page').textContent).urls.decisions")
    answer = page.request.get(f"{page.url.split('/areas/')[0]}{address}?mine=1")
    assert answer.ok
    items = reversed(answer.json()["items"])
    return [(item["index"], item["verb"], item["to_reason"], item["note"]) for item in items]


def states(page: Page) -> list[str]:
    """The states of the tiles of this page's area as the server has them, in the order of their numbers."""
    address = page.evaluate("JSON.parse(document.getElementById('review-page').textContent).urls.tiles")
    answer = page.request.get(f"{page.url.split('/areas/')[0]}{address}?limit=100")
    assert answer.ok
    return [item["state"] for item in answer.json()["items"]]
