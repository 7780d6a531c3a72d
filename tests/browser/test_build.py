"""The build page in a browser: choosing folder by folder, what is wrong beside its question, and building on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.support.review import sign_in
from tests.support.site import Site, Template
from tests.tiles.build.conftest import colours, hills, write_raster

pytestmark = pytest.mark.browser
LONG = "a_very_long_name_of_a_file_that_somebody_gave_it_without_thinking_of_phones_2021-07-31_v2.tif"


@pytest.fixture(scope="module")
def build_site(tmp_path_factory: pytest.TempPathFactory, site_template: Template) -> Iterator[Site]:
    services = {
        "DEMETER_STAC_HOSTS": "stac.example.org",
        **{"EARTHENGINE_CREDENTIALS": "anonymous", "EARTHENGINE_PROJECT": "demeter-test"},
        "EARTHENGINE_URL": "http://127.0.0.1:9",
    }
    with Site(tmp_path_factory.mktemp("build"), site_template, environment=services) as made:
        write_raster(made.sources / "land" / "dem" / "part1.tif", hills(70, 70))
        write_raster(made.sources / "land" / "dem" / LONG, hills(40, 40), north=4_000_000.0 - 70 * 30)
        write_raster(made.sources / "land" / "picture.tif", colours(120, 80))
        made.start_web()
        made.start_worker()
        yield made


def test_a_curator_chooses_corrects_and_builds_on(build_site: Site, chromium: Browser, attempt: int) -> None:
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    sign_in(page, build_site, "curator")
    page.goto(f"{build_site.url}/areas/new/")
    page.get_by_label("Name", exact=True).fill(f"Land {attempt}")
    dems = page.get_by_role("group", name="1. Which elevation models?")
    dems.get_by_text("land/").click()
    dems.get_by_text("dem/").click()
    dems.get_by_label(LONG).check()
    dems.get_by_label("part1.tif").check()
    dems.get_by_label(LONG).uncheck()
    page.get_by_role("button", name="Build", exact=True).click()
    expect(page.get_by_text("Choose the folder or file that holds the imagery.")).to_be_visible()
    assert_tidy(page)

    expect(dems.get_by_label("part1.tif")).to_be_checked()
    expect(dems.get_by_label(LONG)).not_to_be_checked()
    imagery = page.get_by_role("group", name="2. Which imagery?")
    imagery.get_by_text("land/").click()
    imagery.get_by_label("picture.tif").check()
    page.get_by_role("button", name="Build", exact=True).click()
    expect(page.get_by_text("No tile of 512 x 512 fits")).to_be_visible()
    assert_tidy(page)

    preview = page.get_by_role("region", name="Preview")
    page.get_by_label("Tile size").fill("32")
    page.get_by_label("Tile size").press("Tab")
    expect(preview.get_by_text("4 tiles of 32 × 32 pixels from 1 file")).to_be_visible()
    expect(preview.get_by_role("img", name="Windows over part1.tif")).to_be_visible()
    page.get_by_role("button", name="Preview").click()
    expect(preview.get_by_text("3 tiles of this plan were really made, in memory")).to_be_visible()
    assert_tidy(page)

    page.get_by_role("button", name="Build", exact=True).click()
    page.wait_for_url("**/jobs/*/")
    expect(page.locator(".state.done").first).to_be_visible(timeout=120_000)

    page.goto(f"{build_site.url}/areas/land-{attempt}/build/")
    page.get_by_text("land/").click()
    page.get_by_text("dem/").click()
    page.get_by_label(LONG).check()
    expect(preview.get_by_role("img", name=f"Windows over {LONG}")).to_be_visible()
    expect(preview.get_by_text("1 tile of 32 × 32 pixels from 1 file")).to_be_visible()
    page.get_by_label("Stretch (%)").fill("5")
    page.get_by_label("Stretch (%)").press("Tab")
    after = page.get_by_role("img", name="with the stretch chosen above")
    expect(after).to_be_visible()
    expect(after).to_have_js_property("naturalWidth", 32)
    expect(page.get_by_text("Released versions keep their bytes.")).to_be_visible()
    assert_tidy(page)
    page.get_by_label("Stretch (%)").fill("1")
    page.get_by_label("Stretch (%)").press("Tab")
    expect(after).to_have_count(0)
    page.get_by_role("button", name="Go on building").click()
    page.wait_for_url("**/jobs/*/")
    expect(page.locator(".state.done").first).to_be_visible(timeout=120_000)
    page.goto(f"{build_site.url}/areas/land-{attempt}/")
    expect(page.get_by_text("5 pending")).to_be_visible()
    page.context.close()


def test_each_source_of_imagery_shows_its_own_questions(build_site: Site, chromium: Browser) -> None:
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    sign_in(page, build_site, "curator")
    page.goto(f"{build_site.url}/areas/new/")
    imagery = page.get_by_role("group", name="2. Which imagery?")
    expect(imagery.get_by_text("land/")).to_be_visible()
    expect(imagery.get_by_label("Address of the STAC API")).to_be_hidden()
    imagery.get_by_label("Files on disk").focus()
    page.keyboard.press("ArrowRight")
    expect(imagery.get_by_label("A STAC catalogue")).to_be_checked()
    expect(imagery.get_by_label("Address of the STAC API")).to_be_visible()
    expect(imagery.get_by_text("land/")).to_be_hidden()
    assert_tidy(page)
    page.keyboard.press("ArrowRight")
    engine = page.locator("#earthengine")
    expect(engine.get_by_label("Near infrared")).to_have_value("B8")
    engine.get_by_label("Cloud limit").fill("35")
    engine.get_by_label("Preset").select_option("published")
    expect(engine.get_by_label("Cloud mask")).to_have_value("qa60")
    expect(engine.get_by_label("Near infrared")).to_have_value("")
    expect(engine.get_by_label("Cloud limit")).to_have_value("35")
    assert_tidy(page)
    engine.get_by_label("Collection").fill("LANDSAT/LC09/C02/T1_L2")
    engine.get_by_label("Collection").press("Tab")
    expect(engine.get_by_label("Red, green, blue")).to_have_value("SR_B4,SR_B3,SR_B2")
    page.context.close()


def assert_tidy(page: Page) -> None:
    """axe finds nothing, and a phone need not scroll sideways."""
    violations = Axe().run(page)["violations"]
    assert [(found["id"], [node["target"] for node in found["nodes"]]) for found in violations] == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
