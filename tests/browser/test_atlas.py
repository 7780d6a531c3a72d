"""The atlas in a real browser: colours in their places, pointing, dragging, keys, changes that come by themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.factories import LAT, LON
from tests.support.review import sign_in
from tests.support.site import Site, Template

pytestmark = pytest.mark.browser

SIDE = 0.02
"""Degrees of a tile of these areas; they lie in rows of four, from north to south."""
MAKE = f"""
from tests.support.factories import make_area, make_failed_tile, make_tile
from tiles.models import TilePair
def footprint(index):
    west, north = {LON} + index % 4 * {SIDE}, {LAT} - index // 4 * {SIDE}
    east, south = west + {SIDE}, north - {SIDE}
    ring = [[west, north], [west, south], [east, south], [east, north], [west, north]]
    return dict(lon=west, lat=north, footprint=ring)
for attempt in (1, 2):
    for name in ("look", "steer", "split"):
        area = make_area(f"{{name}}-{{attempt}}")
        for index in range(11):
            make_tile(area, index, score=index / 10, **footprint(index))
        make_failed_tile(area, 11)
        TilePair.objects.filter(area=area, index=11).update(**footprint(11))
"""
DECIDE = """
from uuid import uuid4
from portal.accounts.models import User
from tiles.models import TilePair
from tiles.review.services import tile_approve
tile = TilePair.objects.get(area__slug={slug!r}, index={index})
seen = dict(seen=tile.layer_versions(), seen_version=tile.version)
tile_approve(tile_id=tile.pk, by=User.objects.get(username="reviewer"), client_id=uuid4(), **seen)
"""
RELEASE = """
from django.utils import timezone
from portal.exports.models import Release, ReleaseEntry
from tiles.models import Area, ReviewDecision, TilePair
area = Area.objects.get(slug={slug!r})
asked = {{"split": {{"way": "files"}}}}
ready = dict(state="ready", asked=asked, sha256="0" * 64, size=1, ready_at=timezone.now())
release = Release.objects.create(name=area.slug, **ready)
release.areas.add(area)
for position, (index, split) in enumerate({splits!r}.items()):
    tile = TilePair.objects.get(area=area, index=index)
    decision = ReviewDecision.objects.filter(tile=tile).get()
    ReleaseEntry.objects.create(
        release=release, position=position, tile=tile, layers={{}}, decision=decision, split=split
    )
"""
PENDING, APPROVED, FAILED = (154, 154, 154), (31, 138, 91), (90, 42, 110)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, site_template: Template) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("atlas"), site_template) as made:
        made.shell(MAKE)
        made.start_web()
        yield made


@pytest.fixture
def atlas(site: Site, chromium: Browser, attempt: int) -> Iterator[Callable[[str], Page]]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})

    def open_atlas(name: str) -> Page:
        page = context.new_page()
        sign_in(page, site, "reviewer")
        page.goto(f"{site.url}/areas/{name}-{attempt}/atlas/")
        return settled(page)

    yield open_atlas
    context.close()


def settled(page: Page) -> Page:
    expect(page.locator("#atlas")).to_have_attribute("data-ready", "true")
    return page


def place(page: Page, index: int) -> tuple[float, float]:
    """Where the middle of a tile is drawn, in pixels of the map. The plane's origin is tile 0's north-west corner."""
    return page.evaluate(
        """([lon, lat, degrees]) => {
            const [x, y, scale] = document.getElementById("atlas").dataset.view.split(" ").map(Number);
            const east = lon * 111320 * Math.cos(degrees * Math.PI / 180);
            return [east * scale - x, -lat * 111320 * scale - y];
        }""",
        [(index % 4 + 0.5) * SIDE, -(index // 4 + 0.5) * SIDE, LAT],
    )


def colour(page: Page, index: int) -> tuple[int, ...]:
    """The colour in the middle of a tile."""
    script = """([x, y]) => [...document.querySelector("#atlas-map canvas").getContext("2d")
        .getImageData(Math.round(x), Math.round(y), 1, 1).data.slice(0, 3)]"""
    return tuple(page.evaluate(script, place(page, index)))


def point(page: Page, index: int) -> tuple[float, float]:
    box: Any = page.locator("#atlas-map").bounding_box()
    x, y = place(page, index)
    return box["x"] + x, box["y"] + y


def only_colours(page: Page, by: str) -> None:
    page.get_by_label("Colour by").select_option(by)
    page.get_by_label("Pictures").fill("100")
    settled(page)


def test_colours_stand_where_the_tiles_lie(atlas: Callable[[str], Page], site: Site, attempt: int) -> None:
    page = atlas("look")
    only_colours(page, "state")
    assert [colour(page, index) for index in (0, 5, 10, 11)] == [PENDING, PENDING, PENDING, FAILED]
    expect(page.locator("[data-part=legend]")).to_have_text("pending 11failed 1")
    site.shell(DECIDE.format(slug=f"look-{attempt}", index=5))
    expect(page.locator("[data-part=legend]")).to_contain_text("approved 1")
    settled(page)
    assert [colour(page, index) for index in (4, 5, 6)] == [PENDING, APPROVED, PENDING]
    page.get_by_text("Tiles by state, as a table").click()
    expect(page.get_by_role("row", name=re.compile("approved 1 "))).to_be_visible()
    only_colours(page, "score")
    low, high = colour(page, 0), colour(page, 10)
    assert low[2] > low[0], "violet: the low end of Spectral"
    assert high[0] > high[2], "red: the high end"
    page.get_by_label("Colour by").select_option("")
    settled(page)
    seen = {colour(page, index) for index in range(11)}
    assert len(seen) > 6, "every tile has a picture of its own"


def test_coloured_by_the_splits_of_a_release(atlas: Callable[[str], Page], site: Site, attempt: int) -> None:
    """Chosen by keys; who knows of no release with splits is offered none."""
    slug, splits = f"split-{attempt}", {0: "train", 1: "train", 5: "val", 10: "test"}
    page = atlas("split")
    choice = page.get_by_label("Colour by")
    expect(choice.get_by_role("option", name="split of")).to_have_count(0)
    for index in splits:
        site.shell(DECIDE.format(slug=slug, index=index))
    site.shell(RELEASE.format(slug=slug, splits=splits))
    page.reload()
    page.get_by_label("Pictures").fill("100")
    choice.focus()
    page.keyboard.type("split of")
    legend = page.locator("[data-part=legend]")
    expect(legend).to_have_text("not in the release 8training 2validation 1test 1")
    settled(page)
    train, val, test, other = (0, 114, 178), (240, 228, 66), (224, 123, 57), (140, 140, 140)
    assert [colour(page, index) for index in (0, 1, 5, 10, 2, 11)] == [train, train, val, test, other, other]
    page.mouse.move(*point(page, 5))
    expect(page.locator("[data-part=tile]")).to_contain_text("tile_5")
    expect(page.locator("[data-part=tile]")).to_contain_text("validation")


def test_pointing_dragging_and_keys(atlas: Callable[[str], Page], attempt: int) -> None:
    page = atlas("steer")
    page.mouse.move(*point(page, 6))
    expect(page.locator("[data-part=tile]")).to_contain_text("tile_6")
    expect(page.locator("[data-part=tile]")).to_contain_text("score 0.6")

    page.mouse.down()
    page.mouse.move(*point(page, 1), steps=3)
    page.mouse.up()
    expect(page.locator("[data-part=selected-count]")).to_have_text("4 tiles selected")
    expect(page.locator("[data-part=selected-list]")).to_have_text("1–2, 5–6")
    href = f"/areas/steer-{attempt}/review/?state=&tile=1"
    expect(page.get_by_role("link", name="Review from the first")).to_have_attribute("href", href)

    page.locator("#atlas-map").focus()
    before = page.locator("#atlas").get_attribute("data-view") or ""
    page.keyboard.press("ArrowRight")
    expect(page.locator("#atlas")).not_to_have_attribute("data-view", before)
    page.keyboard.press("0")
    expect(page.locator("#atlas")).to_have_attribute("data-view", before)
    page.keyboard.press("Escape")
    expect(page.locator("#atlas")).to_have_attribute("data-selected", "0")
    page.keyboard.press("+")
    larger = "was => Number(document.getElementById('atlas').dataset.view.split(' ')[2]) > was * 1.4"
    page.wait_for_function(larger, arg=float(before.split()[2]))
    page.keyboard.press("-")
    expect(page.locator("#atlas")).to_have_attribute("data-view", before)
    page.keyboard.press("ArrowDown")
    expect(page.locator("#atlas")).not_to_have_attribute("data-view", before)
    middle = page.locator("#atlas-focused")
    expect(middle).to_have_text(re.compile(r"Open tile_\d+, in the middle"))
    name = re.search(r"tile_(\d+)", middle.text_content() or "")
    assert name
    page.keyboard.press("Space")
    expect(page.locator("[data-part=selected-list]")).to_have_text(name[1])
    page.keyboard.press("Tab")
    expect(middle).to_be_focused()
    page.locator("#atlas-map").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/review/?state=&tile={name[1]}")

    page.go_back()
    settled(page)
    page.mouse.click(*point(page, 3))
    page.wait_for_url("**/review/?state=&tile=3")
