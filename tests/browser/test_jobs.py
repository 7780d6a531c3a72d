"""Jobs in a browser: the list and the page move by themselves, and every button works from the keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.review import sign_in
from tests.support.site import Site, Template
from tests.tiles.build.conftest import colours, hills, write_raster

pytestmark = pytest.mark.browser

START = """
from tests.support.jobs_app.kinds import writing_start
print(writing_start(chunks=2, steps=3).pk)
"""


@pytest.fixture(scope="module")
def jobs_site(tmp_path_factory: pytest.TempPathFactory, site_template: Template) -> Iterator[Site]:
    """A site with a worker, and a build of which one tile of four is beyond the imagery."""
    apps = ["tests.support.jobs_app.apps.JobsAppConfig"]
    with Site(tmp_path_factory.mktemp("jobs"), site_template, apps=apps) as made:
        write_raster(made.sources / "dem.tif", hills(64, 64))
        holed = colours(64, 64)
        holed[:, 40:50, 40:50] = 0
        write_raster(made.sources / "picture.tif", holed, nodata=0)
        made.start_web()
        made.start_worker()
        given = ["--dem", made.sources / "dem.tif", "--imagery", f"raster:{made.sources / 'picture.tif'}"]
        made.manage("build_area", "land", *given, "--tile-size", 32)
        yield made


@pytest.fixture
def page(jobs_site: Site, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    opened = context.new_page()
    sign_in(opened, jobs_site, "curator")
    yield opened
    context.close()


def press(button: Locator) -> None:
    """Walk on from where the keyboard is until it stands on the button, and press it."""
    page = button.page
    expect(button).to_be_visible()
    for _ in range(60):
        if button.evaluate("element => element === document.activeElement"):
            page.keyboard.press("Enter")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not come to {button}")


def test_a_job_moves_by_itself_and_is_steered_by_keys(jobs_site: Site, page: Page) -> None:
    hold = jobs_site.data / "hold"
    hold.touch()
    number = jobs_site.shell(START)
    page.goto(f"{jobs_site.url}/jobs/")
    expect(row_of(page, number)).to_contain_text("Running")
    press(page.locator(f"#job-{number}"))
    expect(page.get_by_text("0 done")).to_be_visible()
    press(page.get_by_role("button", name="Pause"))
    press(page.get_by_role("button", name="Resume"))
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    hold.unlink()
    expect(page.get_by_text("6 done")).to_be_visible()
    expect(page.locator(".page-head .state")).to_have_text("Done")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)

    hold.touch()
    number = jobs_site.shell(START)
    page.goto(f"{jobs_site.url}/jobs/")
    expect(row_of(page, number)).to_contain_text("Running")
    hold.unlink()
    expect(row_of(page, number)).to_contain_text("Done")

    hold.touch()
    page.goto(f"{jobs_site.url}/jobs/{jobs_site.shell(START)}/")
    press(page.get_by_role("button", name="Cancel"))
    expect(page.locator(".page-head .state")).to_have_text("Cancelled")
    hold.unlink()


def row_of(page: Page, number: int) -> Locator:
    return page.get_by_role("row").filter(has=page.locator(f"#job-{number}"))


def test_what_failed_for_one_reason_is_tried_again_by_keys(jobs_site: Site, page: Page) -> None:
    page.goto(f"{jobs_site.url}/jobs/")
    press(page.get_by_role("link", name="Build land").last)
    failures = page.get_by_role("table", name="Failures by reason")
    expect(failures).to_contain_text("Not covered by the imagery")
    before = page.url
    press(failures.get_by_role("button", name="Try 1 again"))
    page.wait_for_url(lambda url: "/jobs/" in url and url != before)
    expect(page.locator(".page-head .state")).to_have_text("Done")
    expect(page.get_by_role("table", name="Failures by reason")).to_contain_text("Not covered by the imagery")
    page.get_by_role("link", name="Not covered by the imagery").click()
    expect(page.locator("#failures")).to_be_visible()
