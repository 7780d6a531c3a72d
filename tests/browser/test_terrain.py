"""Terrain in three dimensions: it is drawn, in the right colours and the right way round, and lets go of the card."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Open = Callable[..., Page]
# Software rendering on a busy machine.
SLOW = 60_000


CORNERS = {"nw": (200, 30, 30), "ne": (30, 160, 30), "sw": (40, 60, 210), "se": (220, 200, 20)}
QUARTERS = f"""
import numpy as np
from tests.support.factories import make_area, make_tile
area = make_area({{slug!r}})
colours = np.zeros((64, 64, 3), np.uint8)
colours[:32, :32], colours[:32, 32:] = {CORNERS["nw"]}, {CORNERS["ne"]}
colours[32:, :32], colours[32:, 32:] = {CORNERS["sw"]}, {CORNERS["se"]}
heights = 100 + np.add.outer(np.arange(64), np.arange(64)).astype(np.float32)
make_tile(area, 0, colours=colours, heights=heights)
"""
"""A tile of four colours, one a corner, that rises by 126 m over 1.9 km."""


def terrain(page: Page) -> Page:
    """Open the panel on the review page and wait until a terrain is drawn."""
    page.keyboard.press("t")
    expect(page.locator("#terrain-panel .terrain")).to_have_attribute("data-size", "64", timeout=SLOW)
    return page


def from_above(page: Page) -> np.ndarray:
    """What the middle of the panel shows from straight above, without axes, as (h, w, 4) uint8."""
    page.get_by_label("Axes").uncheck()
    page.get_by_role("button", name="Above").click()
    data = page.evaluate(
        """async () => {
            const box = document.querySelector("#terrain-panel [data-part=box]");
            return await Plotly.toImage(box, { format: "png", width: 500, height: 500 });
        }"""
    )
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data.split(",")[1]))).convert("RGBA"))


def decoded(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))


def quarters(seen: np.ndarray, near: float) -> dict[str, str]:
    """Which corner of the tile lies where: in the part of a picture nearest to its lower edge, and farthest from it.

    seen: (h, w, 4), clear where nothing is drawn. near: share of the drawn rows that counts as near, and as far.
    """
    rows, cols = np.nonzero(seen[:, :, 3] > 200)
    drawn = seen[rows.min() : rows.max() + 1, cols.min() : cols.max() + 1]
    band, half = int(near * drawn.shape[0]), drawn.shape[1] // 2
    parts = {
        "far left": drawn[:band, :half],
        "far right": drawn[:band, half:],
        "near left": drawn[-band:, :half],
        "near right": drawn[-band:, half:],
    }
    names, colours = list(CORNERS), np.array(list(CORNERS.values()), float)
    found = {}
    for part, pixels in parts.items():
        there = pixels[pixels[:, :, 3] > 200][:, None, :3].astype(float)
        votes = np.bincount(np.abs(there - colours).sum(axis=2).argmin(axis=1), minlength=4)
        found[part] = names[int(votes.argmax())]
    return found


def picture(page: Page) -> np.ndarray:
    """The RGB of the pair on the page, (h, w, 3)."""
    data = page.evaluate("document.querySelector('[data-layer=png] canvas.picture').toDataURL()")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data.split(",")[1]))).convert("RGB"))


def test_from_above_it_is_the_picture(review: Open) -> None:
    page = terrain(review("reviewer"))
    seen = from_above(page)
    rows, cols = np.nonzero(seen[:, :, 3])
    assert rows.size > 0.1 * seen[:, :, 3].size
    cut = Image.fromarray(seen[rows.min() : rows.max() + 1, cols.min() : cols.max() + 1, :3])
    expected = picture(page)
    got = np.asarray(cut.resize(expected.shape[1::-1], Image.Resampling.BOX)).astype(float)
    middle = np.s_[8:-8, 8:-8]
    close = {}
    for name, turned in {
        "as it is": got,
        "mirrored": got[:, ::-1],
        "upside down": got[::-1],
        "turned": got[::-1, ::-1],
    }.items():
        close[name] = np.abs(turned[middle] - expected[middle]).mean()
    assert min(close, key=lambda name: close[name]) == "as it is"
    assert close["as it is"] < 30


LOOKS = {
    "Above": ("nw", "ne", "sw", "se"),
    "South": ("nw", "ne", "sw", "se"),
    "West": ("ne", "se", "nw", "sw"),
    "North": ("se", "sw", "ne", "nw"),
    "East": ("sw", "nw", "se", "ne"),
}
"""Where one stands -> what lies far left, far right, near left, near right."""


def test_every_look_and_points_and_the_kept_picture(review: Open, review_site: Site, attempt: int) -> None:
    """Colours of the four corners, wherever one looks from: north is up, nothing is mirrored."""
    area = f"corners-{attempt}"
    review_site.shell(QUARTERS.format(slug=area))
    page = terrain(review("reviewer", area=area))
    box = page.locator("#terrain-panel [data-part=box]")
    page.get_by_label("Axes").press("Space")

    def kept() -> np.ndarray:
        with page.expect_download(timeout=SLOW) as downloading:
            page.get_by_role("button", name="Keep a picture").press("Enter")
        assert downloading.value.suggested_filename == f"{area}_tile_0_3d.png"
        return decoded(downloading.value.path().read_bytes())

    for look, corners in LOOKS.items():
        page.get_by_role("button", name=look, exact=True).press("Enter")
        seen = kept()
        assert seen.shape == (1200, 1600, 4)
        assert tuple(quarters(seen, 0.3).values()) == corners, look
    page.get_by_label("Colours").select_option("points")
    expect(box).to_have_attribute("data-drawn", "points 64 1", timeout=SLOW)
    page.get_by_role("button", name="Above", exact=True).press("Enter")
    assert tuple(quarters(kept(), 0.3).values()) == LOOKS["Above"]


def test_heights_are_true_until_they_are_exaggerated(review: Open, review_site: Site, attempt: int) -> None:
    area = f"rising-{attempt}"
    review_site.shell(QUARTERS.format(slug=area))
    page = terrain(review("reviewer", area=area))
    box = page.locator("#terrain-panel [data-part=box]")
    shape = "box => { const { x, y, z } = box._fullLayout.scene.aspectratio; return [x, y, z]; }"
    assert box.evaluate(shape) == pytest.approx([1, 1, 126 / (63 * 30)], rel=0.02)
    slider = page.get_by_label("Heights times")
    for _ in range(6):
        slider.press("ArrowRight")
    expect(box).to_have_attribute("data-drawn", "colour 64 4", timeout=SLOW)
    assert box.evaluate(shape) == pytest.approx([1, 1, 4 * 126 / (63 * 30)], rel=0.02)


def test_colours_exaggeration_and_its_own_page(review: Open) -> None:
    page = terrain(review("reviewer"))
    box = page.locator("#terrain-panel [data-part=box]")
    page.get_by_label("Heights times").press("ArrowRight")
    expect(box).to_have_attribute("data-drawn", "colour 64 1.5", timeout=SLOW)
    for mode in ("height", "shade", "points"):
        page.get_by_label("Colours").select_option(mode)
        expect(box).to_have_attribute("data-drawn", f"{mode} 64 1.5", timeout=SLOW)
    with page.expect_download(timeout=SLOW) as kept:
        page.get_by_role("button", name="Keep a picture").click()
    assert kept.value.suggested_filename.endswith("_tile_0_3d.png")
    page.get_by_role("link", name="On a page of its own").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("tile_0 in 3D")
    expect(page.locator("#terrain")).to_have_attribute("data-size", "64", timeout=SLOW)


def test_keys_rest_while_it_is_open_and_come_back(review: Open) -> None:
    page = terrain(review("reviewer"))
    page.keyboard.press("1")
    page.keyboard.press("Escape")
    expect(page.locator("#terrain-panel")).to_be_hidden()
    expect(page.locator("#stage")).to_have_attribute("data-tile", "0")
    page.keyboard.press("1")
    expect(page.locator("#stage")).to_have_attribute("data-tile", "1")


@pytest.mark.slow
def test_twenty_visits_leave_no_drawing_context_behind(review: Open) -> None:
    page = review("reviewer")
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text))
    page.evaluate(
        """() => {
            const given = HTMLCanvasElement.prototype.getContext;
            window.contexts = [];
            HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
                const context = given.call(this, kind, ...rest);
                const drawing = kind.startsWith("webgl") && context;
                if (drawing && !window.contexts.includes(context)) window.contexts.push(context);
                return context;
            };
        }"""
    )
    for _visit in range(20):
        terrain(page)
        page.keyboard.press("Escape")
        expect(page.locator("#terrain-panel .terrain")).to_have_count(0)
    made, left = page.evaluate("[contexts.length, contexts.filter((each) => !each.isContextLost()).length]")
    assert made >= 20
    assert left <= 1  # one that plotly.js keeps to find out what the card can do
    assert not [line for line in said if "Too many active WebGL contexts" in line]
