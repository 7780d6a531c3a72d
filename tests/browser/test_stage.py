"""The pictures of a pair under real keys and a real mouse: scale, cross-hair, profile, overlays."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.factories import SIZE, colours_of, grid_of
from tests.support.review import ReviewPages, pixels, step_to
from tests.support.site import Site, Template
from tiles.raster.grid import Grid

pytestmark = [pytest.mark.browser, pytest.mark.slow]

GEOGRAPHIC = Grid("EPSG:4326", (0.001, 0.0, 179.97, 0.0, -0.002, -12.5), SIZE, SIZE)
LOW, HIGH = 100.0, 355.0
DX, DY = 30.0, 30.0

MAKE = f"""
import numpy as np
from tests.support.factories import make_area, make_tile
area = make_area("probe")
step = np.full(({SIZE}, {SIZE}), {LOW}, np.float32)
step[:, 40:] = {HIGH}
make_tile(area, 0, heights=step)
make_tile(area, 1, grid={GEOGRAPHIC.to_dict()!r}, void=True)
"""


@pytest.fixture(scope="module")
def probe_site(tmp_path_factory: pytest.TempPathFactory, site_template: Template) -> Iterator[Site]:
    """An area `probe`: tile 0 has a step in its heights at column 40, tile 1 lies on the antimeridian."""
    with Site(tmp_path_factory.mktemp("probe"), site_template) as made:
        made.shell(MAKE)
        made.start_web()
        yield made


@pytest.fixture
def probe(probe_site: Site, chromium: Browser) -> Iterator[Callable[..., Page]]:
    pages = ReviewPages(probe_site, chromium, "probe")
    yield lambda **options: pages.open("viewer", **options)
    pages.close()


class TestScale:
    def test_the_wheel_keeps_the_pixel_under_the_pointer(self, probe: Callable[..., Page]) -> None:
        page = probe()
        hover(page, "png", 21, 43)
        for _ in range(3):
            before = scale_of(page)
            page.mouse.wheel(0, -100)
            expect(page.locator("[data-part=zoom]")).not_to_have_text(before)
            for layer in ("png", "colour"):
                expect(output(page, layer)).to_contain_text("21, 43: ")
        page.keyboard.press("f")
        expect(page.locator("#stage.zoomed")).to_have_count(0)
        assert pixels(page, "png", (21, 43)) == [tuple(colours_of(0)[43, 21])]

    @pytest.mark.parametrize("ratio", [1, 1.5])
    def test_every_pixel_is_one_flat_block(self, probe: Callable[..., Page], ratio: float) -> None:
        """As it is on the screen, device pixel by device pixel, in both panes and after a drag."""
        page = probe(device_scale_factor=ratio)
        zoom_to(page, "1600 %")
        box = frame(page, "png")
        page.mouse.move(box["x"] + 200, box["y"] + 200)
        page.mouse.down()
        page.mouse.move(box["x"] + 163, box["y"] + 171, steps=3)
        page.mouse.up()
        page.mouse.move(2, 2)
        for layer in ("png", "colour"):
            seen = canvas(page, layer)
            edges = np.flatnonzero((seen[:, 1:] != seen[:, :-1]).any(axis=(0, 2)))
            if layer == "png":
                assert len(edges) > 10
                assert set(np.diff(edges)) == {16}
        rows = np.flatnonzero((canvas(page, "png")[1:] != canvas(page, "png")[:-1]).any(axis=(1, 2)))
        assert set(np.diff(rows)) == {16}

    def test_the_scale_stays_from_tile_to_tile(self, probe: Callable[..., Page]) -> None:
        page = probe()
        zoom_to(page, "1600 %")
        before = canvas(page, "png").shape
        page.keyboard.press("ArrowRight")
        step_to(page, 1)
        expect(page.locator("[data-part=zoom]")).to_have_text("1600 %")
        assert canvas(page, "png").shape == before
        page.keyboard.press("0")
        expect(page.locator("[data-part=zoom]")).to_have_text("100 %")


class TestCrosshair:
    def test_w_a_s_d_by_place_in_all_panes(self, probe: Callable[..., Page]) -> None:
        page = probe()
        hover(page, "colour", 10, 20)
        expect(output(page, "png")).to_contain_text("10, 20: ")
        for character, code in (("z", "KeyW"), ("q", "KeyA"), ("d", "KeyD"), ("d", "KeyD"), ("d", "KeyD")):
            send(page, character, code)  # as a French keyboard has them
        send(page, "s", "KeyS")
        send(page, "s", "KeyS")
        red, green, blue = colours_of(0)[21, 12]
        expect(output(page, "png")).to_have_text(f"12, 21: RGB {red}, {green}, {blue}")
        expect(output(page, "colour")).to_contain_text("12, 21: ")
        assert loupe_centre(page, "png") == (red, green, blue)
        for path in page.locator(".marks .over:first-of-type").all():
            assert path.get_attribute("d")

    def test_the_arrows_are_its_own_while_it_is_pinned(self, probe: Callable[..., Page]) -> None:
        page = probe()
        hover(page, "png", 30, 30)
        page.keyboard.press("p")
        expect(page.get_by_role("button", name="Pin", exact=True)).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowUp")
        expect(output(page, "colour")).to_contain_text("31, 29: ")
        page.mouse.move(2, 2)
        expect(output(page, "png")).to_contain_text("31, 29: ")
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Pin", exact=True)).to_have_attribute("aria-pressed", "false")
        page.keyboard.press("ArrowRight")
        step_to(page, 1)

    @pytest.mark.parametrize(("tile", "grid"), [(0, grid_of(0)), (1, GEOGRAPHIC)])
    def test_longitude_and_latitude(self, probe: Callable[..., Page], tile: int, grid: Grid) -> None:
        """Of the four corner pixels, to a hundredth of a pixel."""
        page = probe(query=f"?tile={tile}&state=")
        step_to(page, tile)
        for col, row in ((0, 0), (SIZE - 1, 0), (0, SIZE - 1), (SIZE - 1, SIZE - 1)):
            hover(page, "png", col, row)
            expect(output(page, "png")).to_contain_text(f"{col}, {row}: ")
            words = page.locator("[data-layer=png] [data-part=place]").inner_text()
            lat, lon = degrees(words)
            want_lon, want_lat = grid.window(col, row, 1, 1).centre_lonlat()
            assert lon == pytest.approx((want_lon + 180) % 360 - 180, abs=2e-6)
            assert lat == pytest.approx(want_lat, abs=2e-6)


class TestProfile:
    def test_length_and_heights_in_metres(self, probe: Callable[..., Page]) -> None:
        page = probe()
        page.keyboard.press("h")
        panel = page.get_by_role("region", name="Height profile")
        expect(panel).to_be_visible()
        drag(page, "png", (10, 20), (50, 50))
        length = math.hypot(40 * DX, 30 * DY)
        slope = math.degrees(math.atan((HIGH - LOW) / length))
        expect(panel).to_contain_text(f"length {length:,.1f} m")
        expect(panel).to_contain_text(f"lowest {LOW:,.1f} m, highest {HIGH:,.1f} m")
        expect(panel).to_contain_text(f"mean slope {slope:.1f}°")
        page.get_by_role("slider", name="Along the line").focus()
        page.keyboard.press("Home")
        expect(output(page, "colour")).to_have_text(f"10, 20: {LOW:,.1f} m")
        page.keyboard.press("End")
        expect(output(page, "colour")).to_have_text(f"50, 50: {HIGH:,.1f} m")
        page.keyboard.press("h")
        expect(panel).to_be_hidden()

    def test_by_keys_with_a_gap_where_heights_are_void(self, probe: Callable[..., Page]) -> None:
        page = probe(query="?tile=1&state=")
        step_to(page, 1)
        page.keyboard.press("p")
        page.keyboard.press("h")
        for _ in range(3):
            page.keyboard.press("w")
        page.keyboard.press("p")
        expect(page.locator("[data-part=profile-words]")).to_contain_text("length ")
        drag(page, "colour", (4, 40), (40, 4))
        expect(page.locator("#profile .heights")).to_have_attribute("d", re.compile(r"^M[^M]+$"))
        drag(page, "colour", (2, 24), (24, 2))
        expect(page.locator("#profile .heights")).to_have_attribute("d", re.compile(r"^M[^M]+M[^M]+$"))
        page.keyboard.press("Escape")
        expect(page.locator("#profile")).to_be_hidden()
        page.keyboard.press("Escape")
        page.keyboard.press("ArrowLeft")
        step_to(page, 0)


class TestOverlay:
    def test_half_and_half_is_the_mean(self, probe: Callable[..., Page]) -> None:
        page = probe()
        page.keyboard.press("o")
        expect(page.get_by_role("group", name="Overlay")).to_be_visible()
        places = [(5, 9), (50, 31)]
        mean = (np.array(pixels(page, "png", *places)) + np.array(pixels(page, "colour", *places))) / 2
        assert np.abs(np.array(pixels(page, "overlay", *places)) - mean).max() <= 1

    def test_a_swipe_has_one_on_each_side(self, probe: Callable[..., Page]) -> None:
        page = probe()
        mode(page, "swipe")
        assert pixels(page, "overlay", (5, 9)) == pixels(page, "colour", (5, 9))
        assert pixels(page, "overlay", (60, 9)) == pixels(page, "png", (60, 9))
        for _ in range(10):
            page.keyboard.press(",")
        expect(page.get_by_role("slider", name="Place of the edge")).to_have_attribute("aria-valuetext", "0 %")
        assert pixels(page, "overlay", (5, 9)) == pixels(page, "png", (5, 9))

    def test_edges_lie_on_the_step(self, probe: Callable[..., Page]) -> None:
        page = probe()
        mode(page, "edges")
        row = np.array(pixels(page, "overlay", *((col, 30) for col in range(SIZE))))
        below = np.array(pixels(page, "png", *((col, 30) for col in range(SIZE))))
        assert list(np.flatnonzero((row != below).any(axis=1))) == [39, 40]

    def test_nothing_blinks_for_who_wants_no_motion(self, probe: Callable[..., Page]) -> None:
        page = probe(reduced_motion="reduce")
        mode(page, "blink")
        expect(page.get_by_label("Changes")).to_be_disabled()
        assert pixels(page, "overlay", (5, 9)) == pixels(page, "colour", (5, 9))
        page.keyboard.press(".")
        page.wait_for_function(
            """(want) => {
                const context = document.querySelector("[data-layer=overlay] canvas.picture").getContext("2d");
                return context.getImageData(5, 9, 1, 1).data.slice(0, 3).join() === want;
            }""",
            arg=",".join(map(str, pixels(page, "png", (5, 9))[0])),
        )


def output(page: Page, layer: str) -> Any:
    return page.locator(f"[data-layer={layer}] output")


def frame(page: Page, layer: str) -> Any:
    return page.locator(f"[data-layer={layer}] .frame").bounding_box()


def at(page: Page, layer: str, col: int, row: int) -> tuple[float, float]:
    """Where a pixel of a fitted pane is on the page."""
    box = frame(page, layer)
    return box["x"] + box["width"] * (col + 0.5) / SIZE, box["y"] + box["height"] * (row + 0.5) / SIZE


def hover(page: Page, layer: str, col: int, row: int) -> None:
    page.mouse.move(*at(page, layer, col, row))


def drag(page: Page, layer: str, start: tuple[int, int], end: tuple[int, int]) -> None:
    page.mouse.move(*at(page, layer, *start))
    page.mouse.down()
    page.mouse.move(*at(page, layer, *end), steps=4)
    page.mouse.up()


def scale_of(page: Page) -> str:
    return page.locator("[data-part=zoom]").inner_text()


def zoom_to(page: Page, words: str) -> None:
    """Nearer and nearer by key until the scale is this one."""
    while scale_of(page) != words:
        before = scale_of(page)
        page.keyboard.press("+")
        expect(page.locator("[data-part=zoom]")).not_to_have_text(before)


def mode(page: Page, name: str) -> None:
    """Press the overlay's key until it is in this mode."""
    shown = page.locator("[data-action=overlay] [data-part=mode]")
    while shown.inner_text() != name:
        before = shown.inner_text()
        page.keyboard.press("o")
        expect(shown).not_to_have_text(before)


def send(page: Page, key: str, code: str) -> None:
    page.evaluate(
        "([key, code]) => document.dispatchEvent(new KeyboardEvent('keydown', {key, code, bubbles: true}))", [key, code]
    )


def canvas(page: Page, layer: str) -> np.ndarray:
    """What a pane's canvas holds, (H, W, 3) uint8."""
    width, height, values = page.evaluate(
        """(layer) => {
            const canvas = document.querySelector(`[data-layer=${layer}] canvas.picture`);
            const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let text = "";
            for (let from = 0; from < data.length; from += 4) {
                text += String.fromCharCode(data[from], data[from + 1], data[from + 2]);
            }
            return [canvas.width, canvas.height, btoa(text)];
        }""",
        layer,
    )
    return np.frombuffer(base64.b64decode(values), np.uint8).reshape(height, width, 3)


def loupe_centre(page: Page, layer: str) -> tuple[int, ...]:
    found = page.evaluate(
        """(layer) => {
            const loupe = document.querySelector(`[data-layer=${layer}] .loupe`);
            return [...loupe.getContext("2d").getImageData(84, 84, 1, 1).data.slice(0, 3)];
        }""",
        layer,
    )
    return tuple(found)


def degrees(words: str) -> tuple[float, float]:
    """Latitude and longitude as numbers, from `36.1° N 15.0° E`."""
    lat, north, lon, east = words.replace("°", "").split()
    return float(lat) * (1 if north == "N" else -1), float(lon) * (1 if east == "E" else -1)
