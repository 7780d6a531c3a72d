"""Releases in a real browser: choose, see what is taken, start, watch, download, and what is said when it fails."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.site import Site, Template, password_of

pytestmark = pytest.mark.browser

DESKTOP, PHONE = (1440, 900), (390, 844)
MAKE = """
from uuid import uuid4
import numpy as np
from captions.services import caption_write_machine
from portal.accounts.models import User
from tests.support.factories import SIZE, make_area, make_tile
from tiles.review.services import tile_approve
reviewer = User.objects.get(username="reviewer")
def approved(tile):
    caption_write_machine(tile_id=tile.pk)
    tile.refresh_from_db()
    seen = tile.layer_versions()
    tile_approve(tile_id=tile.pk, seen=seen, seen_version=tile.version, by=reviewer, client_id=uuid4())
area = make_area("coast", name="The Coast", licence="CC BY 4.0", attribution="The surveyors")
for index in range(6):
    approved(make_tile(area, index))
approved(make_tile(area, 6, heights=np.full((SIZE, SIZE), 3, np.float32)))
approved(make_tile(make_area("made-up", name="Made Up", synthetic=True), 0))
make_area("barren", name="Barren")
"""
START = """
from portal.exports.services import release_create
release_create(name={name!r}, area_slugs={slugs!r})
"""
MISLAY = """
from tiles.core.paths import layer_path
path = layer_path("coast", "dem", 2)
path.rename(path.with_suffix(".aside"))
"""
FIND = """
from tiles.core.paths import layer_path
path = layer_path("coast", "dem", 2)
if path.with_suffix(".aside").exists():
    path.with_suffix(".aside").rename(path)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, site_template: Template) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("releases"), site_template) as made:
        made.shell(MAKE)
        made.start_web()
        made.start_worker()
        yield made


@pytest.fixture
def visit(site: Site, chromium: Browser) -> Iterator[Callable[..., Page]]:
    """`visit("curator")`: the list of releases in a browser of that person's own."""
    contexts: list[BrowserContext] = []

    def open_page(role: str, size: tuple[int, int] = DESKTOP, **options: Any) -> Page:
        context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{site.url}/sign-in/?next=/releases/")
        page.get_by_label("Username").fill(role)
        page.get_by_label("Password").fill(password_of(role))
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Releases")
        return page

    yield open_page
    for context in contexts:
        context.close()


def assert_accessible(page: Page) -> None:
    found = Axe().run(page)["violations"]
    assert [f"{one['id']}: {[node['html'] for node in one['nodes']]}" for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"


def tab_to(page: Page, name: str, role: str = "button") -> None:
    """By keys alone, as far as it takes."""
    target = page.get_by_role(role, name=name).first  # type: ignore[arg-type]
    for _ in range(60):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} cannot be reached by Tab")


def test_before_the_first_release(visit: Callable[..., Page]) -> None:
    page = visit("curator")
    expect(page.get_by_role("heading", name="No releases yet")).to_be_visible()
    expect(page.get_by_role("link", name="Make a release").first).to_be_visible()
    assert_accessible(page)


def test_splitting_and_seeing_it_before(site: Site, visit: Callable[..., Page], attempt: int) -> None:
    page = visit("curator")
    page.goto(f"{site.url}/releases/new/?area=coast")
    preview = page.locator("#preview")
    expect(preview).to_contain_text("6 tiles, about")
    expect(page.get_by_label("Width of a block, km")).to_be_hidden()
    page.get_by_label("How").select_option("random")
    expect(page.get_by_label("Training, %")).to_be_visible()
    expect(preview).to_contain_text("5 train, 0 val, 1 test")
    page.get_by_label("Validation, %").fill("30")
    page.get_by_label("Training, %").fill("50")
    page.get_by_label("Test, %").fill("20")
    page.get_by_label("Seed").focus()
    expect(preview).to_contain_text("3 train, 2 val, 1 test")
    assert_accessible(page)
    page.get_by_text("Which of their tiles").click()
    page.get_by_label("List of tiles").fill("coast/0\ncoast/2\ncoast/4\ncoast/99")
    page.get_by_label("Seed").focus()
    expect(preview).to_contain_text("3 tiles, about")
    expect(preview).to_contain_text("1 in the list, but not approved now")
    name = f"split-{attempt}"
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Make the release").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.get_by_role("heading", name="Landforms")).to_be_visible()
    expect(page.get_by_text("at random, seed 0, 50 % train, 30 % val, 20 % test")).to_be_visible()
    assert_accessible(page)


def test_a_release_by_keyboard(site: Site, visit: Callable[..., Page], attempt: int) -> None:
    name = f"coast-{attempt}"
    page = visit("curator")
    tab_to(page, "Make a release", "link")
    page.keyboard.press("Enter")
    preview = page.locator("#preview")
    expect(preview).to_contain_text("Choose areas to see")
    expect(page.get_by_label("Barren")).to_be_disabled()
    tab_to(page, "The Coast", "checkbox")
    page.keyboard.press("Space")
    expect(preview).to_contain_text("6 tiles, about")
    expect(preview).to_contain_text("1 flat: all heights are equal")
    tab_to(page, "Made Up", "checkbox")
    page.keyboard.press("Space")
    expect(preview).to_contain_text("7 tiles, about")
    expect(preview).to_contain_text("Made Up is synthetic")
    assert_accessible(page)
    page.keyboard.press("Space")
    expect(preview).to_contain_text("6 tiles, about")
    tab_to(page, "Name", "textbox")
    page.keyboard.type("Coast 1")
    tab_to(page, "Make the release")
    page.keyboard.press("Enter")
    expect(page.locator(".errorlist")).to_contain_text("cannot be the name of a release")
    expect(page.get_by_role("checkbox", name="The Coast")).to_be_checked()
    assert_accessible(page)
    page.get_by_role("textbox", name="Name", exact=True).press("Control+a")
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.locator("#progress")).to_contain_text("Ready since", timeout=120_000)
    download = page.get_by_role("link", name="Download")
    expect(download).to_be_visible()
    assert_accessible(page)
    with page.expect_download() as downloading:
        tab_to(page, "Download", "link")
        page.keyboard.press("Enter")
    content = downloading.value.path().read_bytes()
    assert page.locator("#sha256").inner_text() == hashlib.sha256(content).hexdigest()
    page.goto(f"{site.url}/releases/")
    expect(page.get_by_role("row", name=name)).to_contain_text("Ready")
    assert_accessible(page)


def test_going_back_shows_what_the_ticks_that_are_kept_would_take(visit: Callable[..., Page]) -> None:
    page = visit("curator")
    page.get_by_role("link", name=re.compile("Make a")).click()
    page.get_by_role("checkbox", name="The Coast").check()
    expect(page.locator("#preview")).to_contain_text("6 tiles, about")
    expect(page.get_by_label("Colour depth maps")).to_be_visible()
    page.get_by_label("Layout").select_option("mmm-rs")
    expect(page.get_by_label("Colour depth maps")).to_be_hidden()
    page.get_by_label("Quality of the JPEG pictures").fill("80")
    page.get_by_label("Quality of the JPEG pictures").press("Tab")
    expect(page.locator("#preview")).to_contain_text("Quality of the JPEG pictures: 80")
    page.get_by_role("link", name="Jobs").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")
    page.go_back()
    expect(page.get_by_role("checkbox", name="The Coast")).to_be_checked()
    expect(page.get_by_label("Quality of the JPEG pictures")).to_be_visible()
    expect(page.locator("#preview")).to_contain_text("Quality of the JPEG pictures: 80")


def test_copying(site: Site, visit: Callable[..., Page], attempt: int) -> None:
    name = f"copied-{attempt}"
    make(site, name, "coast")
    page = visit("viewer", permissions=["clipboard-read", "clipboard-write"])
    page.clock.install(time=datetime(2026, 1, 1, tzinfo=UTC))
    page.goto(f"{site.url}/releases/{name}/")
    page.clock.pause_at(datetime(2026, 1, 2, tzinfo=UTC))  # "Copied" stands for a moment only
    for button, source in (("Copy the checksum", "#sha256"), ("Copy the lines: In Python", "#loader")):
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == page.locator(source).evaluate("element => element.textContent.trim()")
        page.clock.run_for(5_000)
        expect(page.get_by_role("button", name="Copied")).to_have_count(0)


def test_links_and_the_public(site: Site, visit: Callable[..., Page], chromium: Browser, attempt: int) -> None:
    """A curator gives out a link and makes a release public; somebody without an account looks at it and takes it."""
    name = f"given-{attempt}"
    make(site, name, "coast")
    page = visit("curator")
    page.goto(f"{site.url}/releases/{name}/")
    page.get_by_role("button", name="Make a link").click()
    expect(page.locator("#wget-link")).to_contain_text(f"{site.url}/get/")
    assert_accessible(page)
    page.get_by_role("button", name="Revoke").click()
    expect(page.locator(".message.success")).to_contain_text("1 link revoked")
    expect(page.locator("#wget-link")).to_have_count(0)
    page.get_by_role("link", name="Make it public").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Make {name} public")
    page.get_by_role("button", name="Make it public").click()
    expect(page.locator(".message.success")).to_contain_text("is public now")
    context = chromium.new_context(viewport={"width": PHONE[0], "height": PHONE[1]})
    stranger = context.new_page()
    stranger.goto(f"{site.url}/public/{name}/")
    expect(stranger.get_by_role("heading", level=1)).to_have_text(name)
    assert_accessible(stranger)
    assert "reviewer" not in stranger.content()
    with stranger.expect_download() as downloading:
        stranger.get_by_role("link", name="Download").click()
    content = downloading.value.path().read_bytes()
    assert stranger.locator("#sha256").inner_text() == hashlib.sha256(content).hexdigest()
    stranger.get_by_role("link", name="Browse the files inside").click()
    stranger.get_by_role("link", name="coast/", exact=True).click()
    expect(stranger.get_by_role("link", name="DEM-unique/")).to_be_visible()
    assert_accessible(stranger)
    stranger.goto(f"{site.url}/releases/{name}/")
    expect(stranger.get_by_label("Username")).to_be_visible()
    context.close()


@pytest.fixture
def find(site: Site) -> Iterator[Callable[[], None]]:
    """A file is mislaid until `find()`, and in any case no longer than the test."""
    site.shell(MISLAY)
    yield lambda: site.shell(FIND)
    site.shell(FIND)


def test_a_release_that_fails_says_why_and_can_be_tried_again(
    site: Site, visit: Callable[..., Page], find: Callable[[], None], attempt: int
) -> None:
    page = visit("curator")
    page.goto(f"{site.url}/releases/new/?area=coast")
    page.get_by_role("textbox", name="Name", exact=True).fill(f"failing-{attempt}")
    page.get_by_role("button", name="Make the release").click()
    expect(page.locator("#progress")).to_contain_text("Failed", timeout=120_000)
    expect(page.locator(".message.error")).to_contain_text("coast tile_2: the file of its layer dem is not the one")
    expect(page.get_by_role("link", name="Download")).to_have_count(0)
    assert_accessible(page)
    find()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#progress")).to_contain_text("Ready since", timeout=120_000)


def test_on_a_phone_and_in_the_dark(site: Site, visit: Callable[..., Page], attempt: int) -> None:
    name = f"both-{attempt}"
    make(site, name, "coast", "made-up")
    page = visit("curator", PHONE, color_scheme="dark")
    assert_accessible(page)
    page.get_by_role("link", name=name).click()
    expect(page.get_by_text("This release holds synthetic data")).to_be_visible()
    assert_accessible(page)
    page.locator("#changelog").scroll_into_view_if_needed()
    expect(page.locator("#changelog")).not_to_contain_text("Comparing")
    expect(page.get_by_role("img", name="coast tile_0")).to_be_visible()
    assert_accessible(page)
    page.goto(f"{site.url}/releases/new/?area=made-up")
    expect(page.locator("#preview")).to_contain_text("1 tile, about")
    assert_accessible(page)


def make(site: Site, name: str, *slugs: str) -> None:
    site.shell(
        f"from portal.exports.services import release_create\nrelease_create(name={name!r}, area_slugs={slugs!r})"
    )
    state = f"from portal.exports.models import Release\nprint(json.dumps(Release.objects.get(name={name!r}).state))"
    site.wait_until(lambda: site.shell(state) == "ready", 120, f"{name} to be ready")
