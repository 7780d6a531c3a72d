"""A captioner tried on ten tiles, started, and compared with another one by keys, in a real browser and worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.review import sign_in
from tests.support.site import Site, Template
from tests.support.vision import SAID, VisionServer

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MAKE = """
from tests.support.factories import make_area, make_tile
area = make_area("land")
for index in range(12):
    make_tile(area, index)
"""
VOTES = """
from captions.models import CaptionVote
print(json.dumps(list(CaptionVote.objects.order_by("id").values_list("tile__index", "winner", "blind"))))
"""


@pytest.fixture
def served(tmp_path: Path, site_template: Template) -> Iterator[tuple[Site, VisionServer]]:
    with (
        VisionServer() as server,
        Site(tmp_path / "site", site_template, environment=server.environment("glm")) as site,
    ):
        site.shell(MAKE)
        site.start_web()
        site.start_worker()
        yield site, server


def test_try_start_and_compare(served: tuple[Site, VisionServer], chromium: Browser) -> None:
    site, server = served
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    sign_in(page, site, "curator")

    page.goto(f"{site.url}/areas/land/captions/write/")
    expect(page.get_by_label("Captioner", exact=True)).to_have_value("glm")
    page.get_by_role("button", name="Try ten tiles first").click()
    expect(page.locator("#trial tbody tr")).to_have_count(10)
    expect(page.locator("#trial .state")).to_have_text("done")
    expect(page.locator("#trial")).to_contain_text("All 12 tiles would take about")

    page.get_by_role("button", name="Start on all tiles").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Captions of land by glm")
    expect(page.get_by_text("12 done")).to_be_visible()
    assert len(server.asked) == 12
    page.goto(f"{site.url}/captions/?area=land&origin=glm")
    expect(page.get_by_text(SAID["description"]).first).to_be_visible()

    # Two of them anew by another captioner, by keys from the list, and taken back.
    bar = page.locator("#caption-bar")
    expect(bar).to_have_attribute("data-started", "true")
    page.locator("#caption-list input").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowDown")
    expect(bar.locator("[data-part=chosen]")).to_have_text("2 selected")
    page.keyboard.press("w")
    expect(page.get_by_role("heading", name="Write captions anew")).to_be_visible()
    expect(page.get_by_text("2 of 2 captions can be written anew")).to_be_visible()
    page.get_by_label("Captioner", exact=True).select_option("rules")
    page.get_by_role("button", name="Write all of them anew").click()
    expect(page.get_by_text("2 done")).to_be_visible()
    page.get_by_role("link", name="runs of captioners here").click()
    page.get_by_role("button", name="bring back the texts that “Captions of a selection of land by rules”").click()
    expect(page.get_by_text("2 texts are back.")).to_be_visible()

    site.manage("caption_area", "land", "--captioner", "rules", "--propose-only")
    page.goto(f"{site.url}/areas/land/captions/compare/?blind=1")
    title = page.get_by_role("heading", level=2).first
    expect(title).to_contain_text("tile_0")
    page.keyboard.press("2")
    expect(title).to_contain_text("tile_1")
    page.keyboard.press("ArrowRight")
    expect(title).to_contain_text("tile_2")
    page.keyboard.press("0")
    expect(title).to_contain_text("tile_3")
    context.close()

    first, second = site.shell(VOTES)
    assert (first[0], first[1] in ("glm", "rules"), first[2]) == (0, True, True)
    assert second == [2, "", True]
    assert errors == []
