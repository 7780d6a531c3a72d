"""The keys of the pages: named once, listed, chosen by each person; far steps, the way back, and undo of anything."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.review import decisions, settled, stage, states, step_to
from tests.support.site import Site

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
SAVED = re.compile(r"/api/v1/preferences/|/preferences/")


def dialog(page: Page) -> Any:
    return page.get_by_role("dialog", name="Keys")


def change(page: Page, words: str) -> None:
    dialog(page).get_by_role("button", name=re.compile(f"^{re.escape(words)}")).click()


def says(page: Page) -> Any:
    return dialog(page).locator("[data-part=keys-says]")


def send(page: Page, key: str, code: str) -> None:
    """A key of a keyboard with another layout."""
    page.evaluate(
        """([key, code]) => (document.activeElement ?? document).dispatchEvent(
            new KeyboardEvent("keydown", {key, code, bubbles: true, cancelable: true}))""",
        [key, code],
    )


def test_each_person_chooses_keys(review: Open) -> None:
    """Another key, one that is taken, one that cannot be had; kept over reloads, printed on the button; and reset."""
    page = review("curator")
    page.keyboard.press("?")
    expect(dialog(page)).to_be_visible()
    change(page, "Approve, and on")
    page.keyboard.press("Enter")
    expect(says(page)).to_contain_text("That key cannot be had")
    page.keyboard.press("x")
    expect(says(page)).to_have_text("“Approve, and on to the next” is x now.")
    change(page, "Unsure")
    page.keyboard.press("u")
    expect(says(page)).to_contain_text("u is “Undo your last decision or action and go back to its tile")
    with page.expect_response(SAVED) as saved:
        page.keyboard.press("Enter")  # swap
    assert saved.value.ok
    expect(says(page)).to_contain_text("has its key.")
    page.keyboard.press("Escape")
    expect(dialog(page)).to_be_hidden()
    page.reload()
    step_to(page, 0)
    expect(page.get_by_role("button", name="Approve").locator("kbd")).to_have_text("x")
    page.keyboard.press("1")
    page.keyboard.press("x")
    step_to(page, 1)
    page.keyboard.press("u")
    step_to(page, 2)
    page.keyboard.press("3")
    step_to(page, 1)
    settled(page)
    assert [entry[:2] for entry in decisions(page)] == [(0, "approve"), (1, "unsure"), (1, "undo")]
    page.keyboard.press("?")
    dialog(page).get_by_role("button", name="Reset the key of: Approve").click()
    expect(page.get_by_role("button", name="Approve", exact=False).first.locator("kbd")).to_have_text("1")
    with page.expect_response(SAVED):
        dialog(page).get_by_role("button", name="Reset all").click()
    page.keyboard.press("?")
    expect(dialog(page)).to_be_hidden()
    page.keyboard.press("u")
    step_to(page, 0)


def test_one_description_for_buttons_list_and_keys(review: Open) -> None:
    """Every button with a key is listed, and no key stands for two of them."""
    page = review("reviewer")
    page.keyboard.press("?")
    expect(dialog(page)).to_be_visible()
    named = page.locator("#review [data-action][data-keys]").evaluate_all(
        "(buttons) => [...new Set(buttons.map((button) => button.dataset.action))]"
    )
    listed = (
        dialog(page)
        .locator("[data-change]")
        .evaluate_all("(buttons) => buttons.map((button) => button.dataset.change)")
    )
    assert sorted(listed) == sorted(named)
    keys = page.locator("#review [data-action][data-keys]").evaluate_all(
        "(buttons) => Object.entries(Object.fromEntries(buttons.map((b) => [b.dataset.action, b.dataset.keys])))"
        ".flatMap(([, keys]) => keys.split(' '))"
    )
    assert len(keys) == len(set(keys))
    for row in dialog(page).locator("tr:has([data-change])").all():
        assert "no key" not in row.inner_text()


def test_places_and_characters_on_other_keyboards(review: Open) -> None:
    """A digit's key counts where it lies, also with a French keyboard; with NumLock off the pad is no digit."""
    page = review("reviewer")
    send(page, "ArrowRight", "Numpad6")
    step_to(page, 1)
    send(page, "&", "Digit1")
    step_to(page, 2)
    send(page, "U", "KeyF")
    step_to(page, 1)
    page.keyboard.press("?")
    change(page, "Approve, and on")
    send(page, "é", "Digit2")
    expect(says(page)).to_contain_text("2 is “Reject: then one key for the reason” already.")
    change(page, "Approve, and on")
    send(page, "Dead", "BracketLeft")
    expect(says(page)).to_contain_text("That key cannot be had")
    page.keyboard.press("Escape")
    expect(says(page)).to_contain_text("stays.")
    expect(dialog(page)).to_be_visible()


def test_far_steps_in_the_order_of_the_queue(review: Open) -> None:
    page = review("reviewer")
    for key, index in (("PageDown", 10), ("PageDown", 20), ("PageUp", 10), ("End", 29), ("Home", 0)):
        page.keyboard.press(key)
        step_to(page, index)
    page.keyboard.press("Home")
    expect(page.locator("[data-part=live]")).to_contain_text("That is the first of the queue.")
    order = page.get_by_label("Order")
    order.focus()
    page.keyboard.type("Most d")
    expect(order).to_have_value("score")
    step_to(page, 0)
    page.keyboard.press("Tab")
    page.keyboard.press("PageDown")
    step_to(page, 10)
    assert decisions(page) == []


def test_back_to_what_was_decided(review: Open) -> None:
    page = review("reviewer")
    for index, key in enumerate("131"):
        page.keyboard.press(key)
        step_to(page, index + 1)
    for index in (2, 1, 0):
        page.keyboard.press("Backspace")
        step_to(page, index)
    page.keyboard.press("Backspace")
    expect(page.locator("[data-part=notice]")).to_have_text("That is the first of your decisions here.")
    settled(page)
    page.keyboard.press("i")
    first = page.locator("[data-part=last] button").first
    expect(first).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-part=last] button").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    step_to(page, 1)
    expect(page.locator("[data-part=state]")).to_have_text("unsure")


def test_undo_of_anything_from_either_page(review: Open, review_site: Site, review_area: str) -> None:
    """A single decision, many of the gallery, and a single one again, taken back in turn from the other page."""
    page = review("reviewer")
    page.keyboard.press("1")
    step_to(page, 1)
    settled(page)
    gallery = f"{review_site.url}/areas/{review_area}/gallery/?state=pending"
    page.goto(gallery)
    expect(page.locator("#gallery")).to_have_attribute("data-started", "true")
    page.keyboard.press("a")
    page.keyboard.press("1")
    expect(page.locator("[data-part=says]")).to_have_text("29 tiles approved.")
    page.goto(f"{review_site.url}/areas/{review_area}/review/?state=approved")
    step_to(page, 0)
    page.keyboard.press("3")
    step_to(page, 1)
    page.keyboard.press("u")
    step_to(page, 0)
    settled(page)
    page.keyboard.press("u")
    question = page.get_by_role("dialog", name="Undo all of it?")
    expect(question).to_contain_text("approved 29 tiles")
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    assert states(page) == ["approved"] * 30
    page.keyboard.press("u")
    expect(question).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("[data-part=live]")).to_have_text("29 tiles undone.")
    expect(page.locator("[data-part=left]")).to_have_text("29")
    expect(stage(page)).to_have_attribute("data-tile", "29")
    assert states(page) == ["approved"] + ["pending"] * 29
    page.goto(gallery)
    expect(page.locator("#gallery")).to_have_attribute("data-started", "true")
    page.keyboard.press("u")
    expect(page.locator("[data-part=says]")).to_have_text("1 tile undone.")
    page.keyboard.press("u")
    expect(page.locator("[data-part=says]")).to_have_text("There is nothing of yours to undo here.")
    page.goto(f"{review_site.url}/areas/{review_area}/review/")
    step_to(page, 0)
    assert states(page) == ["pending"] * 30


def test_a_dialog_that_is_opened_anew_at_once_has_its_keys(review: Open) -> None:
    """On a busy machine a dialog's `close` tells of the time before only when it stands open again."""
    page = review("reviewer")
    dialog = page.get_by_role("dialog", name="Reject: why?")
    page.keyboard.press("2")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    expect(dialog).to_be_visible()
    dialog.dispatch_event("close")
    page.keyboard.press("c")
    step_to(page, 1)
    settled(page)
    assert [entry[:3] for entry in decisions(page)] == [(0, "reject", "cloud")]
