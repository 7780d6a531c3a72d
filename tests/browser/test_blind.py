"""A blind round from its start by a curator to what comes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.review import settled, states, step_to
from tests.support.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_blind_round(review: Callable[..., Page], review_site: Site, review_area: str) -> None:
    reviewer, area = review("reviewer"), f"{review_site.url}/areas/{review_area}"
    for index, key in enumerate("1121"):
        reviewer.keyboard.press(key)
        if key == "2":
            expect(reviewer.get_by_role("dialog", name="Reject: why?")).to_be_visible()
            reviewer.keyboard.press("c")
        step_to(reviewer, index + 1)
    settled(reviewer)
    before = states(reviewer)

    curator = review("curator")
    curator.goto(f"{area}/blind/")
    curator.get_by_label("Tiles", exact=True).fill("4")
    curator.get_by_label("reviewer", exact=True).check()
    curator.get_by_role("button", name="Start").click()
    expect(curator.get_by_role("list", name="Messages")).to_contain_text("put before reviewer.")

    page = reviewer
    page.goto(f"{area}/blind/")
    page.get_by_role("link", name="Judge").click()
    expect(page.locator("#blind")).to_have_attribute("data-started", "true")
    step_to(page, 0)
    expect(page.locator("[data-part=answered]")).to_have_text("0")
    page.keyboard.press("1")
    step_to(page, 1)
    page.keyboard.press("3")
    step_to(page, 2)
    page.keyboard.press("u")
    step_to(page, 1)
    expect(page.locator("[data-part=answered]")).to_have_text("1")
    page.keyboard.press("1")
    step_to(page, 2)
    page.reload()
    step_to(page, 2)
    page.keyboard.press("2")
    expect(page.get_by_role("dialog", name="Reject: why?")).to_be_visible()
    page.keyboard.press("s")
    step_to(page, 3)
    page.keyboard.press("1")
    page.get_by_role("link", name="See how you agree").click()
    own = page.get_by_role("table", name="With their own earlier decisions")
    expect(own.get_by_role("row", name="Approve")).to_contain_text("100 %")
    expect(own.get_by_role("row", name="Shadow")).to_contain_text("0 %")
    page.goto(f"{area}/review/?state=")
    expect(page.locator("#review")).to_have_attribute("data-started", "true")
    assert states(page) == before, "nothing of it touched a tile"
