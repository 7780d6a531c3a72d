"""Notes on tiles by keyboard: a comment, a flag, a tag in review; tags and assignment of many in the gallery."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.review import step_to
from tests.support.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_notes_by_keyboard(review: Callable[..., Page], review_site: Site, review_area: str) -> None:
    page = review("reviewer")
    press = page.keyboard.press
    marks = page.locator("#marks")
    press("b")
    expect(page.get_by_role("button", name="Flag for later")).to_have_attribute("aria-pressed", "true")
    press("n")
    expect(page.get_by_label("For everybody who sees this tile")).to_be_focused()
    page.keyboard.type("Snow <b>here</b>, 1 u")
    press("Control+Enter")
    expect(marks.get_by_role("list", name="Comments")).to_contain_text("Snow <b>here</b>, 1 u")
    expect(page.get_by_role("dialog")).to_have_count(0)
    press("k")
    expect(page.get_by_label("Another tag")).to_be_focused()
    page.keyboard.type("Coast")
    press("Enter")
    expect(page.get_by_role("button", name="Take off coast")).to_be_visible()
    page.keyboard.type("steep")
    press("Enter")
    page.get_by_role("button", name="Take off steep").press("Enter")
    expect(page.get_by_role("button", name="Take off steep")).to_have_count(0)
    press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(marks.get_by_role("list", name="Tags")).to_have_text("coast")
    press("ArrowRight")
    step_to(page, 1)
    expect(marks.get_by_role("list", name="Tags")).to_be_empty()
    expect(page.get_by_role("button", name="Flag for later")).to_have_attribute("aria-pressed", "false")
    page.goto(f"{review_site.url}/areas/{review_area}/review/?state=&flagged=mine&tag=coast")
    step_to(page, 0)
    expect(page.locator("#filter")).to_contain_text("For later: Flagged by me")
    press("ArrowRight")
    expect(page.get_by_role("heading", name="This is the last tile of the filter")).to_be_visible()


def test_many_at_once(review: Callable[..., Page], review_site: Site, review_area: str) -> None:
    page = review("reviewer")
    press = page.keyboard.press
    says = page.locator("[data-part=says]")
    page.goto(f"{review_site.url}/areas/{review_area}/gallery/?order=random&seed=7")
    expect(page.locator("#gallery")).to_have_attribute("data-started", "true")
    expect(page.get_by_label("Seed")).to_have_value("7")
    page.locator(".cell").first.focus()
    press(" ")
    press("Shift+ArrowRight")
    expect(page.locator("[data-part=chosen]")).to_have_text("2 selected")
    press("t")
    expect(page.get_by_role("dialog", name="Tag them").get_by_label("Tag", exact=True)).to_be_focused()
    page.keyboard.type("Coast")
    press("Enter")
    expect(says).to_have_text("2 tiles tagged Coast.")
    expect(page.locator(".cell .tag")).to_have_text(["coast", "coast"])
    press("m")
    expect(page.locator("[data-part=chosen]")).to_have_text("All that match")
    press("p")
    expect(page.get_by_role("combobox", name="To", exact=True)).to_be_focused()
    page.get_by_role("button", name="Assign", exact=True).press("Enter")
    sure = page.get_by_role("dialog", name="All that match")
    expect(sure).to_contain_text("30 tiles will be assigned to reviewer.")
    press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    press("Escape")
    expect(page.locator("[data-part=chosen]")).to_have_text("None selected")
    page.locator(".cell").first.click()
    press("p")
    page.get_by_role("button", name="Assign", exact=True).press("Enter")
    expect(says).to_have_text("1 tile assigned to reviewer.")
    press("u")
    expect(says).to_have_text("1 tile undone.")
    press("u")
    expect(says).to_have_text("2 tiles undone.")
    expect(page.locator(".cell .tag")).to_have_count(0)
