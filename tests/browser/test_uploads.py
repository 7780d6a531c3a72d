"""Uploading on the build page: the network goes away, the page is left, and the build uses what came."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.test_build import assert_tidy
from tests.support.review import sign_in
from tests.support.site import Site, Template
from tests.tiles.build.conftest import colours, hills, write_raster

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def upload_site(tmp_path_factory: pytest.TempPathFactory, site_template: Template) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("uploads"), site_template) as made:
        write_raster(made.sources / "picture.tif", colours(360, 360), pixel=100.0)
        made.start_web()
        made.start_worker()
        yield made


class Cut:
    """A network that takes the first chunks and then none, until it is mended."""

    def __init__(self, page: Page, after: int) -> None:
        self.left: int | None = after
        page.route("**/api/v1/uploads/*/", self._handle)

    def _handle(self, route: Route) -> None:
        if self.left == 0:
            route.abort("internetdisconnected")
            return
        if self.left and route.request.method == "PATCH":
            self.left -= 1
        route.continue_()

    def mend(self) -> None:
        self.left = None


def test_an_upload_survives_the_network_and_a_reload_and_is_built_from(
    upload_site: Site, chromium: Browser, tmp_path: Path, attempt: int
) -> None:
    name = f"highland{attempt}.tif"
    heights = np.pad(hills(64, 64), (0, 936), mode="edge").astype(np.float32)
    dem = write_raster(tmp_path / "sent" / name, heights)
    other = write_raster(tmp_path / "other" / name, heights + 1)
    assert dem.stat().st_size == other.stat().st_size > 3_000_000
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    page.on("dialog", lambda dialog: dialog.accept())
    sign_in(page, upload_site, "curator")
    cut = Cut(page, after=1)
    page.goto(f"{upload_site.url}/areas/new/")
    page.wait_for_selector("#uploads[data-ready]")
    page.get_by_label("Upload from this computer").set_input_files(dem)
    row = page.get_by_role("list", name="Uploads").get_by_role("listitem")
    expect(row).to_contain_text("There is no connection to the server.")
    expect(row).to_contain_text("It goes on by itself.")
    assert_tidy(page)

    page.reload()
    page.wait_for_selector("#uploads[data-ready]")
    expect(row).to_contain_text("262 kB of 4.0 MB are here. Choose the same file again to go on.")
    cut.mend()
    page.get_by_label("Upload from this computer").set_input_files(other)
    expect(row).to_contain_text("but other content")
    cut.left = 2
    page.get_by_label("Upload from this computer").set_input_files(dem)
    expect(row).to_contain_text("There is no connection to the server.")
    expect(row.get_by_role("button", name="Try now")).to_be_visible()
    cut.mend()
    expect(page.get_by_role("checkbox", name=name)).to_be_checked(timeout=60_000)
    expect(page.get_by_text(f"{name} is accepted, and chosen for the build.")).to_be_visible()
    assert (upload_site.data / "uploads" / "dems" / name).read_bytes() == dem.read_bytes()

    page.get_by_label("Name", exact=True).fill(f"Highland {attempt}")
    page.get_by_role("group", name="2. Which imagery?").get_by_label("picture.tif").check()
    page.get_by_label("Tile size").fill("500")
    page.get_by_role("button", name="Build", exact=True).click()
    page.wait_for_url("**/jobs/*/")
    expect(page.locator(".state.done").first).to_be_visible(timeout=60_000)
    page.context.close()


def test_what_is_refused_and_what_a_person_does(upload_site: Site, chromium: Browser, tmp_path: Path) -> None:
    page = chromium.new_page()
    sign_in(page, upload_site, "admin")
    page.goto(f"{upload_site.url}/areas/new/")
    page.wait_for_selector("#uploads[data-ready]")
    chooser = page.get_by_label("Upload from this computer")
    rows = page.get_by_role("list", name="Uploads").get_by_role("listitem")
    false = tmp_path / "false.tif"
    false.write_text("no raster at all")
    good = write_raster(tmp_path / "Höhe 1.tif", hills(64, 64))
    chooser.set_input_files([false, good])
    expect(rows.filter(has_text="false.tif")).to_contain_text("false.tif is not a GeoTIFF, whatever its name says.")
    expect(rows.filter(has_text="Höhe 1.tif")).to_contain_text("Give it another name.")
    assert_tidy(page)
    rows.get_by_role("button", name="Upload as Hohe_1.tif").click()
    expect(page.get_by_role("checkbox", name="Hohe_1.tif")).to_be_checked(timeout=60_000)
    rows.get_by_role("button", name="Remove from this list").click()
    expect(rows).to_have_count(0)

    cut = Cut(page, after=0)
    chooser.set_input_files(write_raster(tmp_path / "long.tif", hills(64, 64)))
    expect(rows).to_contain_text("It goes on by itself.")
    rows.get_by_role("button", name="Pause").click()
    expect(rows).to_contain_text("paused")
    cut.mend()
    rows.get_by_role("button", name="Cancel").click()
    expect(rows).to_contain_text("cancelled")
    parts = upload_site.data / "uploads" / "parts"
    assert [path for path in parts.rglob("*") if path.is_file()] == []
    page.context.close()
