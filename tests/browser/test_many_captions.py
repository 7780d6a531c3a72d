"""Changing many captions in a real browser: by keyboard from the list to the preview, the change and its undo."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.review import sign_in
from tests.support.site import Site, Template

pytestmark = pytest.mark.browser

MAKE = """
from captions.services import caption_write_machine
from tests.support.factories import make_area, make_tile
for attempt in (1, 2):
    area = make_area(f"testland-{attempt}")
    for index in range(2):
        caption_write_machine(tile_id=make_tile(area, index).pk)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, site_template: Template) -> Iterator[Site]:
    """Two captions in an area of each attempt."""
    with Site(tmp_path_factory.mktemp("many"), site_template) as made:
        made.shell(MAKE)
        made.start_web()
        yield made


def test_words_are_replaced_and_put_back_by_keyboard(site: Site, chromium: Browser, attempt: int) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    press = page.keyboard.press
    sign_in(page, site, "annotator")
    page.goto(f"{site.url}/captions/?area=testland-{attempt}")
    bar, words = page.locator("#caption-bar"), page.locator("#caption-list .caption-words")
    expect(bar).to_have_attribute("data-started", "true")
    before = words.all_inner_texts()
    assert len(before) == 2
    assert all(text.endswith(".") for text in before)

    page.locator("#caption-list input").first.focus()
    press("Space")
    press("Shift+ArrowDown")
    expect(bar.locator("[data-part=chosen]")).to_have_text("2 selected")
    press("r")
    expect(page.get_by_label("Find", exact=True)).to_be_focused()
    page.keyboard.type(".")
    press("Tab")
    page.keyboard.type("!")
    press("Enter")

    many, says = page.locator("#many"), page.locator("[data-part=says]")
    boxes = page.locator(".change-list input")
    expect(many).to_have_attribute("data-started", "true")
    expect(page.locator("[data-part=count]")).to_have_text("2 captions change")
    expect(page.locator(".change-list li").first.locator("ins")).to_have_text(["!"])
    expect(boxes.first).to_be_focused()
    press("ArrowDown")
    expect(boxes.nth(1)).to_be_focused()
    press("Space")
    expect(page.locator("[data-part=shown]")).to_have_text("2 shown, 1 left out")
    press("c")
    expect(says).to_have_text("1 caption changed.")
    expect(boxes).to_have_count(1)
    press("u")
    expect(says).to_have_text("1 caption put back.")
    expect(boxes).to_have_count(2)
    page.goto(f"{site.url}/captions/?area=testland-{attempt}")
    expect(bar).to_have_attribute("data-started", "true")
    assert sorted(words.all_inner_texts()) == sorted(before)
    expect(page.locator("#caption-list")).to_contain_text("rules, restored by annotator")
    context.close()
