"""The gallery in a real browser: selecting and deciding by keyboard and mouse, filtering, undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.site import Site

pytestmark = pytest.mark.browser


def chosen(page: Page) -> list[int]:
    return [
        int(number)
        for number in page.locator(".cell[aria-selected=true]").evaluate_all(
            "all => all.map((each) => each.dataset.index)"
        )
    ]


def state(page: Page, index: int) -> Any:
    return page.locator(f".cell[data-index='{index}'] [data-part=state]")


def says(page: Page) -> Any:
    return page.locator("[data-part=says]")


def started(page: Page) -> None:
    expect(page.locator("#gallery")).to_have_attribute("data-started", "true")


@pytest.fixture
def gallery(review: Callable[..., Page], review_site: Site, review_area: str) -> Page:
    """The gallery of an area of this test's own, seen by a reviewer."""
    page = review("reviewer")
    page.goto(f"{review_site.url}/areas/{review_area}/gallery/?slope_from=1")
    started(page)
    expect(page.locator("[data-part=count]")).to_have_text("30 tiles")
    return page


def test_a_reviewer_works_through_it_by_keyboard(gallery: Page) -> None:
    page = gallery
    press = page.keyboard.press
    page.locator(".cell").first.focus()
    press("ArrowRight")
    press(" ")
    press("Shift+ArrowRight")
    press("Shift+ArrowRight")
    assert chosen(page) == [1, 2, 3]
    expect(page.locator("[data-part=chosen]")).to_have_text("3 selected")
    press("1")
    expect(says(page)).to_have_text("3 tiles approved.")
    expect(state(page, 3)).to_have_text("approved")
    expect(page.locator(".cell[data-index='3']")).to_be_focused()
    press(" ")
    press("ArrowRight")
    press(" ")
    press("2")
    expect(page.get_by_role("dialog", name="Reject: why?")).to_be_visible()
    press("c")
    expect(says(page)).to_have_text("2 tiles rejected.")
    expect(state(page, 4)).to_have_text("rejected: cloud")
    press("u")
    expect(says(page)).to_have_text("2 tiles undone.")
    expect(state(page, 3)).to_have_text("approved")
    press("u")
    expect(says(page)).to_have_text("3 tiles undone.")
    expect(state(page, 3)).to_have_text("pending")
    press("m")
    expect(page.locator("[data-part=chosen]")).to_have_text("All that match")
    press("1")
    expect(page.get_by_role("dialog", name="All that match")).to_contain_text("30 tiles will be approved.")
    press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(state(page, 4)).to_have_text("pending")
    press("Enter")
    expect(page.locator("#stage")).to_have_attribute("data-tile", "4")
    page.go_back()
    started(page)
    expect(page).to_have_url(page.url.split("?")[0] + "?slope_from=1")


def test_by_mouse_and_with_a_page_that_is_old(
    gallery: Page, review: Callable[..., Page], review_site: Site, review_area: str
) -> None:
    """A band, a range by Shift; what a colleague decided meanwhile is left alone and said."""
    page = gallery
    cells = page.locator(".cell")
    cells.nth(2).click()
    cells.nth(4).click(modifiers=["Shift"])
    assert chosen(page) == [2, 3, 4]
    first, second = cells.nth(0).bounding_box(), cells.nth(1).bounding_box()
    assert first
    assert second
    page.mouse.move(first["x"] + 20, first["y"] + 20)
    page.mouse.down()
    page.mouse.move(first["x"] + 60, first["y"] + 40)
    page.mouse.move(second["x"] + 40, second["y"] + 40)
    page.mouse.up()
    assert chosen(page) == [0, 1]
    colleague = review("curator")
    colleague.keyboard.press("1")
    expect(colleague.locator("#stage")).to_have_attribute("data-tile", "1")
    expect(colleague.locator("#review")).to_have_attribute("data-unsent", "0")
    page.keyboard.press("2")
    expect(page.get_by_role("dialog", name="Reject: why?")).to_be_visible()
    page.keyboard.press("s")
    expect(says(page)).to_have_text("1 tile rejected. 1 left as it is: changed meanwhile by somebody else.")
    expect(state(page, 0)).to_have_text("approved")
    expect(state(page, 1)).to_have_text("rejected: shadow")
    page.get_by_label("State").select_option("rejected")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".cell")).to_have_count(1)
    expect(page).to_have_url(f"{review_site.url}/areas/{review_area}/gallery/?state=rejected&slope_from=1")
    page.get_by_role("link", name="State: Rejected").click()
    expect(page.locator(".cell")).to_have_count(30)
    page.go_back()
    expect(page.locator(".cell")).to_have_count(1)
    page.locator(".cell").click()
    page.keyboard.press("0")
    expect(says(page)).to_have_text("1 tile back to pending.")
    expect(page.get_by_role("heading", name="No tile matches")).to_be_visible()
    page.keyboard.press("u")
    expect(says(page)).to_have_text("1 tile undone.")
    expect(page.locator(".cell")).to_have_count(1)
    page.get_by_label("Keep this filter and order as").fill("Shadows")
    page.get_by_role("button", name="Keep", exact=True).click()
    page.get_by_role("link", name="Shadows").click()
    expect(page.locator(".cell")).to_have_count(1)
