"""The layers of the viewer: shaded as the server would, chosen and ordered by keyboard, one tile or two a screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.support.factories import SIZE, colours_of, heights_of
from tests.support.review import ReviewPages, decisions, expect_pixel, pixels, settled, stage, step_to
from tests.support.site import Site, Template
from tiles.raster.colour import lut
from tiles.raster.grid import Grid
from tiles.raster.terrain import hillshade, slope_degrees

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
GRID = Grid("EPSG:4326", (0.001, 0.0, 10.0, 0.0, -0.001, 60.032), SIZE, SIZE)
STEEP = 12 * heights_of(0)
VOID = (4, 5)

MAKE = f"""
import numpy as np
from tests.support.factories import heights_of, grid_of, make_area, make_tile
from tiles.core.files import write_whole
from tiles.core.paths import layer_path
from tiles.raster.encode import encode_geotiff
area = make_area("layers")
steep = 12 * heights_of(0)
steep[{VOID[1]}, {VOID[0]}] = np.nan
facts = {{"dem_min": float(np.nanmin(steep)), "dem_max": 2 * float(np.nanmax(steep)), "relief": 1.0}}
make_tile(area, 0, heights=steep, grid={GRID.to_dict()!r}, **facts)
for index in range(1, 8):
    tile = make_tile(area, index)
tile = area.tiles.get(index=1)
band = np.linspace(0, 4000, {SIZE} * {SIZE}).reshape(1, {SIZE}, {SIZE}).astype(np.uint16)
write_whole(layer_path("layers", "nir", 1), encode_geotiff(band, grid_of(1)), "test")
tile.layers["nir"] = {{"v": 1, "sha256": "0" * 64}}
del tile.layers["rgb"]
tile.save()
"""
HEIGHTS = """async (path) => {
    const { gradient, hillshade, slope, unpack } = await import(path);
    const [item] = JSON.parse(document.getElementById("review-page").textContent).first.items;
    const heights = unpack(await (await fetch(item.urls.elevation)).arrayBuffer());
    const sun = { azimuth: 140, altitude: 30 };
    return { slope: [...slope(heights)], shade: [...hillshade(heights, sun)], data: [...heights.data] };
}"""


@pytest.fixture(scope="module")
def layers_site(tmp_path_factory: pytest.TempPathFactory, site_template: Template) -> Iterator[Site]:
    """An area `layers`: tile 0 is steep and lies at 60 degrees north, tile 1 has NIR and no unstretched RGB."""
    with Site(tmp_path_factory.mktemp("layers"), site_template) as made:
        made.shell(MAKE)
        made.start_web()
        yield made


@pytest.fixture
def viewer(layers_site: Site, chromium: Browser) -> Iterator[Open]:
    pages = ReviewPages(layers_site, chromium, "layers")

    yield lambda **options: pages.open("reviewer", **options)
    pages.close()


def choose(page: Page, *layers: str) -> None:
    """Show just these layers, by keyboard and mouse, in the order that the list has."""
    page.keyboard.press("v")
    dialog = page.get_by_role("dialog", name="Layers")
    for layer in layers:
        dialog.locator(f"#layer-{layer}").check()
    for layer in set(shown(page)) - set(layers):
        dialog.locator(f"#layer-{layer}").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#stage figure")).to_have_count(len(layers))
    expect(stage(page)).to_have_attribute("data-ready", "true")


def shown(page: Page) -> list[str]:
    return page.locator("#stage figure").evaluate_all("(figures) => figures.map((figure) => figure.dataset.layer)")


def test_slope_and_hill_shade_are_the_servers(viewer: Open, layers_site: Site) -> None:
    """Latitude and voids included: 0.1 degree, one grey level; and what the picture shows is just that."""
    page = viewer()
    steep = STEEP.copy()
    steep[VOID[::-1]] = np.nan
    dx, dy = GRID.pixel_size_m()
    found = page.evaluate(HEIGHTS, f"{layers_site.url}/static/js/viewer/shading.js")
    got = {name: np.array(values, float).reshape(SIZE, SIZE) for name, values in found.items()}
    np.testing.assert_array_equal(got["data"], steep.astype(np.float32))
    slope = slope_degrees(steep, dx, dy)
    np.testing.assert_allclose(got["slope"], slope, atol=0.1)
    np.testing.assert_allclose(255 * got["shade"], 255 * hillshade(steep, dx, dy, azimuth=140, altitude=30), atol=1)
    choose(page, "hillshade", "slope")
    page.keyboard.press("v")
    for name, value in (("azimuth", "140"), ("altitude", "30")):
        page.locator(f"#layer-{name}").fill(value)
    places = [(0, 0), (20, 33), (63, 63)]
    shade = np.rint(255 * hillshade(steep, dx, dy, azimuth=140, altitude=30))
    expect(page.locator("[data-layer=hillshade] [data-part=detail]")).to_have_text("sun at 140°, 30° high")
    for col, row in places:
        expect_grey(page, "hillshade", (col, row), shade[row, col])
        expect_grey(page, "slope", (col, row), min(255, 255 * slope[row, col] / 60))


def test_heights_in_colours_by_tile_and_by_area(viewer: Open) -> None:
    page = viewer()
    page.keyboard.press("ArrowRight")
    step_to(page, 1)
    heights, place = heights_of(1), (40, 30)
    share = (heights[30, 40] - heights.min()) / np.ptp(heights)
    expect_pixel(page, "colour", place, tuple(lut("Spectral", invert=True)[int(256 * share)].tolist()))
    page.keyboard.press("v")
    page.get_by_label("Colour map").select_option("magma")
    expect_pixel(page, "colour", place, tuple(lut("magma")[int(256 * share)].tolist()))
    page.get_by_label("Turned round").check()
    expect_pixel(page, "colour", place, tuple(lut("magma")[int(256 * (1 - share))].tolist()))
    page.locator("#layer-range").select_option("area")
    low, high = page.evaluate("JSON.parse(document.getElementById('review-page').textContent).heights")
    share = (heights[30, 40] - low) / (high - low)
    expect_pixel(page, "colour", place, tuple(lut("magma")[int(256 * (1 - share))].tolist()))
    expect(page.locator("[data-layer=colour] [data-part=detail]")).to_have_text(
        "magma, turned round, range of the area"
    )


def test_layers_are_chosen_ordered_and_remembered(viewer: Open) -> None:
    """By keyboard alone, and again on the next visit."""
    page = viewer()
    assert shown(page) == ["png", "colour"]
    page.keyboard.press("v")
    expect(page.get_by_label("RGB", exact=True)).to_be_focused()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.get_by_label("RGB", exact=True)).to_be_focused()
    page.keyboard.press("Tab")
    assert shown(page) == ["colour", "png"]
    page.get_by_role("checkbox", name="RGB without stretch").focus()
    page.keyboard.press("Space")
    page.get_by_role("checkbox", name="Near infrared").focus()
    with page.expect_response(lambda answer: '"nir"' in (answer.request.post_data or "")):
        page.keyboard.press("Space")
    violations(page)
    page.keyboard.press("Escape")
    assert shown(page) == ["colour", "png", "raw", "nir"]
    expect(page.locator("[data-layer=nir] .note")).to_have_text("This tile has no near infrared.")
    page.reload()
    step_to(page, 0)
    assert shown(page) == ["colour", "png", "raw", "nir"]
    raw = (colours_of(0).astype(float) - colours_of(0).min((0, 1))) / np.ptp(colours_of(0), (0, 1)) * 255
    assert pixels(page, "raw", (9, 40)) == [tuple(raw[40, 9].astype(np.uint8).tolist())]
    page.keyboard.press("ArrowRight")
    step_to(page, 1)
    expect(page.locator("[data-layer=raw] .note")).to_contain_text("is not kept")
    assert pixels(page, "nir", (0, 0), (63, 63)) == [(0, 0, 0), (255, 255, 255)]


def test_every_layer_is_ready_before_the_key(viewer: Open) -> None:
    """Offline, each key still brings the next tile in seven layers: no request lies on its way."""
    page = viewer()
    choose(page, "png", "raw", "dem", "colour", "dem255", "hillshade", "slope")
    expect(stage(page)).to_have_attribute("data-ahead", "7")
    page.context.set_offline(True)
    for index in range(2, 8):
        page.keyboard.press("ArrowRight")
        step_to(page, index - 1)
    page.context.set_offline(False)
    assert pixels(page, "png", (5, 9)) == [tuple(colours_of(6)[9, 5])]


def test_two_tiles_a_screen(viewer: Open) -> None:
    """The marked row is judged, the lower one next, then the next two come."""
    page = viewer()
    with page.expect_response("**/api/v1/me/preferences/"):
        page.keyboard.press("r")
    rows = page.locator(".stage-row")
    expect(rows).to_have_count(2)
    active = page.locator(".stage-row[data-active]")
    for index, names in enumerate(
        [("tile_0", "tile_1"), ("tile_0", "tile_1"), ("tile_2", "tile_3"), ("tile_2", "tile_3")]
    ):
        step_to(page, index)
        expect(active).to_have_attribute("data-name", f"tile_{index}")
        assert rows.evaluate_all("(rows) => rows.map((row) => row.dataset.name)") == list(names)
        page.keyboard.press("1" if index % 2 == 0 else "3")
    step_to(page, 4)
    page.keyboard.press("u")
    step_to(page, 3)
    settled(page)
    assert [entry[:2] for entry in decisions(page)] == [
        *((0, "approve"), (1, "unsure"), (2, "approve"), (3, "unsure"), (3, "undo"))
    ]
    page.reload()
    expect(rows).to_have_count(2)
    page.keyboard.press("r")
    expect(rows).to_have_count(1)


@pytest.mark.parametrize("viewport", [(1440, 900), (390, 844)])
def test_the_chooser_is_accessible_and_fits(viewer: Open, viewport: tuple[int, int]) -> None:
    page = viewer(viewport={"width": viewport[0], "height": viewport[1]})
    page.get_by_role("button", name="Layers").click()
    expect(page.get_by_role("dialog", name="Layers")).to_be_visible()
    violations(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport[0]


def expect_grey(page: Page, layer: str, place: tuple[int, int], value: float) -> None:
    """Wait until a picture is as bright as this at a column and row, to one grey level."""
    page.wait_for_function(
        """([layer, [col, row], value]) => {
            const context = document.querySelector(`[data-layer=${layer}] canvas.picture`).getContext("2d");
            const [red, green, blue] = context.getImageData(col, row, 1, 1).data;
            return red === green && green === blue && Math.abs(red - value) <= 1;
        }""",
        arg=[layer, list(place), float(value)],
        timeout=60_000,
    )


def violations(page: Page) -> None:
    found = Axe().run(page)["violations"]
    assert not found, [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
