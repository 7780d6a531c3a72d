"""How smoothly the atlas pans: 50,000 tiles, rows only, with sheets of made-up pictures, in headless Chromium.

A script inside the page drags the map by a few pixels before every frame, to and fro, and counts the different
views that were drawn. There is no other work in the page, and the server only sends what the map asks for.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

from tests.bench.report import show
from tests.support.browser import launch_options
from tests.support.review import sign_in
from tests.support.site import Site, Template

TILES, ACROSS = 50_000, 250
SECONDS = 6

MAKE = f"""
import io, json, time
import numpy as np
from PIL import Image
from tests.support.factories import make_area
from tiles.atlas.services import atlas_refresh
from tiles.atlas.sheets import SIDE, SIZES, sheet_path
from tiles.core.files import write_whole
from tiles.models import Area, AreaCounter, AtlasBlock, TilePair
area = make_area("wide")
def tile(index):
    west, north = 10 + index % {ACROSS} * 0.02, 50 - index // {ACROSS} * 0.015
    east, south = west + 0.02, north - 0.015
    ring = [[west, north], [west, south], [east, south], [east, north], [west, north]]
    layers = {{"preview": {{"v": 1, "sha256": str(index), "bytes": 1}}}}
    state = ["pending", "approved", "unsure"][index // 3 % 3]
    return TilePair(area=area, index=index, build_state="built", review_state=state, score=index % 97 / 97,
                    landform="hill", relief=float(index % 500), layers=layers, footprint=ring, lon=west, lat=north)
TilePair.objects.bulk_create((tile(index) for index in range({TILES})), batch_size=1000)
AreaCounter.objects.add(area.pk, {{"built": {TILES}}})
start = time.monotonic()
atlas_refresh(area=area)
made = time.monotonic() - start
noise = np.random.default_rng(1)
for block in AtlasBlock.objects.all():
    for size in SIZES:
        base = noise.integers(40, 200, (SIDE, SIDE, 3), np.uint8)
        stream = io.BytesIO()
        Image.fromarray(base).resize((SIDE * size, SIDE * size), Image.Resampling.BICUBIC).save(stream, "JPEG")
        write_whole(sheet_path(area.slug, block.number, size, block.pictures), stream.getvalue(), "bench")
print(json.dumps(made))
"""
PAN = """
([seconds, pixels]) => new Promise((resolve) => {
    const map = document.getElementById("atlas-map");
    const box = map.getBoundingClientRect();
    const middle = { x: box.left + box.width / 2, y: box.top + box.height / 2 };
    const at = { clientX: middle.x, clientY: middle.y };
    const send = (type) => map.dispatchEvent(new PointerEvent(type, { pointerId: 1, button: 0, bubbles: true, ...at }));
    map.setPointerCapture = () => {};
    send("pointerdown");
    const marks = [], views = new Set();
    let over = 0;
    const step = (now) => {
        marks.push(now);
        views.add(document.getElementById("atlas").dataset.view);
        over += !document.getElementById("atlas-focused").hidden;
        if (now - marks[0] > seconds * 1000) {
            send("pointerup");
            const gaps = marks.slice(1).map((mark, number) => mark - marks[number]).sort((one, other) => one - other);
            const late = gaps[Math.floor(gaps.length * 0.95)];
            resolve({ over: over / marks.length, rate: views.size / (now - marks[0]) * 1000, late });
            return;
        }
        const turn = marks.length / 40;
        at.clientX = middle.x + 40 * pixels * Math.sin(turn);
        at.clientY = middle.y + 20 * pixels * Math.sin(2 * turn);
        send("pointermove");
        requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
})
"""


def settled(page: Page) -> None:
    expect(page.locator("#atlas")).to_have_attribute("data-ready", "true", timeout=120_000)


def panned(page: Page, presses: int, pixels: int, what: str) -> tuple[str, str]:
    """Start from the whole area, press `+` so often, and go to and fro by so many pixels a frame."""
    area = page.locator("#atlas-map")
    for key in ["0", *["+"] * presses]:
        area.press(key)
    settled(page)
    found: Any = page.evaluate(PAN, [SECONDS, pixels])
    fast = f"{found['rate']:.1f} views a second; 95 % of frames within {found['late']:.0f} ms"
    return what, f"{fast}; {found['over']:.0%} of them over tiles"


def measure(site: Site, made: float) -> list[tuple[str, str]]:
    rows = [("array of all tiles made from their rows", f"{made:.1f} s, once")]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())  # type: ignore[arg-type]
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        sign_in(page, site, "reviewer")
        address = f"{site.url}/areas/wide/atlas/"
        start = time.monotonic()
        answer = page.request.get(f"{address}tiles")
        seconds, size = time.monotonic() - start, len(answer.body())
        rows.append(("array of all tiles fetched", f"{seconds:.2f} s, {size / 1e6:.1f} MB, packed when a browser asks"))
        page.goto(address)
        page.get_by_label("moves").check()
        settled(page)
        rows.append(panned(page, 0, 5, f"{TILES:,} tiles, all on the screen, coloured by state"))
        for presses, pixels, larger in ((2, 10, 2), (4, 20, 4), (8, 20, 16)):
            rows.append(panned(page, presses, pixels, f"{larger} times as large"))
        browser.close()
    return rows


def main() -> None:
    os.environ.setdefault("SECRET_KEY", "only-for-benches")
    with tempfile.TemporaryDirectory(prefix="demeter-bench-") as name:
        folder = Path(name)
        (folder / "template").mkdir()
        template = Template(folder / "template")
        with Site(folder / "site", template) as site:
            made = site.shell(MAKE)
            site.start_web()
            show(
                f"Atlas of {TILES:,} tiles, panned for {SECONDS} s, 1440 x 900; aim: 30 views a second",
                measure(site, made),
            )
        template.close()


if __name__ == "__main__":
    main()
