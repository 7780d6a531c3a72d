"""From a key to the next pair on the screen, and the terrain in 3D: 300 tiles of 512 x 512, in headless Chromium.

Everything is timed inside the page. A key begins with the time stamp that the browser gave its event; it ends in the
first task after the frame in which the stage names the next tile as whole, which is when that frame has been drawn and
handed over. So a key that only just misses a frame pays for the next one, as a person at a screen does. Between keys
there is a third of a second: nobody judges faster. Cold means a tile far away whose pictures nobody has asked for.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Response, expect, sync_playwright

from tests.bench.report import machine, show
from tests.support.browser import launch_options
from tests.support.review import sign_in, step_to
from tests.support.site import Site, Template

TILES, SCENES = 300, 8
KEYS, COLD, TERRAINS = 200, 10, 3
PAUSE_MS = 330
TERRAIN_KB = {"128": 120, "256": 400}

MAKE = f"""
import tempfile
from pathlib import Path
import numpy as np
import rasterio
from tests.bench.inputs import generated
from tests.support.factories import lengthen, make_area, make_tile
area = make_area("wide", tile_size=512)
with tempfile.TemporaryDirectory() as name:
    made = generated(Path(name))
    with rasterio.open(made.dem) as dem, rasterio.open(made.rgb) as rgb:
        number = 0
        while number < {SCENES}:
            col, row = made.corners[number % len(made.corners)]
            window = rasterio.windows.Window(col, row, 512, 512)
            heights = dem.read(1, window=window).astype("float32") + number
            bands = np.moveaxis(rgb.read([1, 2, 3], window=window), 0, -1).astype("float32")
            low, high = np.percentile(bands, (2, 98))
            colours = np.rot90((255 * ((bands - low) / (high - low)).clip(0, 1)).astype("uint8"), number // 4)
            make_tile(area, number, heights=np.rot90(heights, number // 4).copy(), colours=colours.copy())
            number += 1
lengthen(area, {TILES})
"""
LISTEN = """
() => {
    const stage = document.getElementById("stage");
    const channel = new MessageChannel();
    let pressed = null;
    window.keyTimes = [];
    const arrived = () => {
        const { ready, tile } = stage.dataset;
        if (!pressed || ready !== "true" || !tile || tile === pressed.tile) return;
        const { at } = pressed;
        pressed = null;
        requestAnimationFrame(() => {
            channel.port1.onmessage = () => window.keyTimes.push(performance.now() - at);
            channel.port2.postMessage(null);
        });
    };
    new MutationObserver(arrived).observe(stage, { attributes: true });
    addEventListener("keydown", (event) => {
        if (event.target.matches("input") && event.key !== "Enter") return;
        pressed = { at: event.timeStamp, tile: stage.dataset.tile };
    }, true);
}
"""
DRAWN = """
(size) => new Promise((resolve) => {
    const box = document.querySelector("[data-part=box]");
    const look = () => {
        if (!box.dataset.drawn?.startsWith(`colour ${size} `)) return false;
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
        return true;
    };
    if (!look()) {
        const observer = new MutationObserver(() => look() && observer.disconnect());
        observer.observe(box, { attributes: true });
    }
})
"""


def timed(page: Page, press: Callable[[], Any]) -> float:
    """Milliseconds from the key that `press` presses last to the next pair drawn."""
    before = page.evaluate("window.keyTimes.length")
    press()
    page.wait_for_function("(before) => window.keyTimes.length > before", arg=before)
    return float(page.evaluate("window.keyTimes.at(-1)"))


def words(times: list[float]) -> str:
    cuts = statistics.quantiles(times, n=20, method="inclusive")
    return f"p50 {cuts[9]:.0f} ms, p95 {cuts[18]:.0f} ms, longest {max(times):.0f} ms; {len(times)} keys"


def opened(page: Page, site: Site, query: str = "") -> None:
    page.goto(f"{site.url}/areas/wide/review/{query}")
    expect(page.locator("#review")).to_have_attribute("data-started", "true")
    expect(page.locator("#stage")).to_have_attribute("data-ahead", "10", timeout=60_000)
    page.evaluate(LISTEN)


def keys(page: Page, site: Site) -> list[tuple[str, str]]:
    rows = []
    for key, what in (("1", "approve"), ("ArrowRight", "next")):
        opened(page, site)
        times = []
        for _ in range(KEYS // 2):
            page.wait_for_timeout(PAUSE_MS)
            times.append(timed(page, lambda key=key: page.keyboard.press(key)))  # type: ignore[misc]
        rows.append((f"{what}, to the next pair drawn", words(times)))
    cold = []
    for number in range(COLD):
        opened(page, site, "?state=&tile=0")
        index = 130 + 15 * number

        def jump(index: int = index) -> None:
            page.keyboard.press("g")
            page.keyboard.type(str(index))
            page.keyboard.press("Enter")

        cold.append(timed(page, jump))
        step_to(page, index)
    return [*rows, ("go to a tile far away, pictures cold", words(cold))]


def terrain(page: Page, site: Site) -> list[tuple[str, str]]:
    sizes: dict[str, float] = {}

    def heard(answer: Response) -> None:
        if "/terrain/" in answer.url and answer.ok:
            sizes[answer.url.rpartition("/")[2].partition("?")[0]] = int(answer.headers["content-length"]) / 1e3

    page.on("response", heard)
    times: dict[str, list[float]] = {"128": [], "256": [], "512": []}
    for number in range(TERRAINS):
        page.goto(f"{site.url}/areas/wide/tiles/{number}/3d/", wait_until="commit")
        page.wait_for_selector("[data-part=box]", state="attached")
        for size in ("128", "256"):
            times[size].append(page.evaluate(DRAWN, size))
        finest = page.get_by_role("button", name="Finest")
        expect(finest).to_be_enabled(timeout=60_000)
        asked = page.evaluate("performance.now()")
        finest.click()
        times["512"].append(page.evaluate(DRAWN, "512") - asked)
    since = {"128": "after the page was asked for", "256": "after the page was asked for", "512": "after the button"}
    return [
        (
            f"terrain of {size} x {size} in true colour",
            f"drawn {statistics.median(found) / 1e3:.1f} s {since[size]}; {sizes[size]:.0f} kB"
            + (f" (aim: below {TERRAIN_KB[size]})" if size in TERRAIN_KB else ""),
        )
        for size, found in times.items()
    ]


def main() -> None:
    os.environ.setdefault("SECRET_KEY", "only-for-benches")
    with tempfile.TemporaryDirectory(prefix="demeter-bench-") as name:
        folder = Path(name)
        (folder / "template").mkdir()
        template = Template(folder / "template")
        with Site(folder / "site", template) as site, sync_playwright() as playwright:
            site.shell(MAKE)
            site.start_web()
            browser = playwright.chromium.launch(**launch_options())  # type: ignore[arg-type]
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            sign_in(page, site, "reviewer")
            show(f"Keys on {TILES} tiles of 512 x 512, {machine()}; aim: p95 within 50 ms", keys(page, site))
            show("Terrain in 3D, drawn without a graphics card", terrain(page, site))
            browser.close()
        template.close()


if __name__ == "__main__":
    main()
