"""A page over a database whose disk is really full."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.disk import SmallDisk
from tests.support.review import decisions, settled, sign_in, stage, step_to, unsent
from tests.support.site import Site, Template, on_postgres

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MAKE = """
from tests.support.factories import make_area, make_tile
area = make_area("land")
for index in range(6):
    make_tile(area, index)
"""


@pytest.mark.skipif(on_postgres(), reason="its files lie on a disk of their own")
def test_a_full_disk_under_the_database_is_said_and_loses_no_decision(
    tmp_path: Path, site_template: Template, disk: SmallDisk, chromium: Browser
) -> None:
    with Site(tmp_path / "site", site_template, environment={"DEMETER_MIN_FREE": "0"}) as site:
        site.shell(MAKE)
        site.start_web()
        page = chromium.new_context().new_page()
        sign_in(page, site, "reviewer")
        page.goto(f"{site.url}/areas/land/review/")
        step_to(page, 0)
        page.keyboard.press("1")
        step_to(page, 1)
        settled(page)
        expect(stage(page)).to_have_attribute("data-ahead", "4")

        disk.fill()
        page.keyboard.press("1")
        step_to(page, 2)
        page.keyboard.press("3")
        unsent(page, 2)
        expect(page.locator("[data-part=status]")).to_contain_text("2 unsent, retrying. The disk is full")
        other = page.context.new_page()
        answer = other.goto(f"{site.url}/jobs/")
        assert answer
        assert answer.status == 507
        expect(other.get_by_role("heading", name="The disk is full")).to_be_visible()
        other.close()

        disk.make_room()
        settled(page)
        expect(page.locator("[data-part=status]")).to_have_text("All decisions are sent.")
        verbs = [entry[:2] for entry in decisions(page)]
        assert verbs == [(0, "approve"), (1, "approve"), (2, "unsure")]
