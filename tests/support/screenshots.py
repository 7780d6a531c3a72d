"""Pictures of a running site: `python -m tests.support.screenshots URL --password PASSWORD [--all] [--out FOLDER]`.

Without `--all` it makes the few that the documentation shows; with it, every page at desktop and phone width, dark
and light, to be looked at.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.browser import launch_options

AREA = "demo-coast"
RELEASE = "demo-1"
"""To be made and published first: a demo has none by itself."""
PAGES = {
    "areas": "/",
    "area": f"/areas/{AREA}/",
    "atlas": f"/areas/{AREA}/atlas/",
    "area-settings": f"/areas/{AREA}/settings/",
    "area-people": f"/areas/{AREA}/people/",
    "area-new": "/areas/new/",
    "uploads": "/areas/new/uploads/",
    "area-build": f"/areas/{AREA}/build/",
    "gallery": f"/areas/{AREA}/gallery/?order=score",
    "agreement": f"/areas/{AREA}/agreement/",
    "pace": f"/areas/{AREA}/pace/",
    "blind-rounds": f"/areas/{AREA}/blind/",
    "review-start": "/review/",
    "review": f"/areas/{AREA}/review/?tile=24&state=",
    "terrain": f"/areas/{AREA}/tiles/24/3d/",
    "captions": "/captions/",
    "caption": f"/areas/{AREA}/captions/12/",
    "rectify": f"/areas/{AREA}/captions/rectify/",
    "captions-many": f"/captions/many/?area={AREA}&do=replace&find=hills&replace=ridges",
    "captions-recaption": f"/captions/recaption/?area={AREA}&origin=rules",
    "captions-progress": f"/areas/{AREA}/captions/progress/",
    "caption-settings": f"/areas/{AREA}/captions/settings/",
    "captions-write": f"/areas/{AREA}/captions/write/",
    "captions-import": f"/areas/{AREA}/captions/import/",
    "captions-compare": f"/areas/{AREA}/captions/compare/",
    "releases": "/releases/",
    "release-new": "/releases/new/",
    "release": f"/releases/{RELEASE}/",
    "release-files": f"/releases/{RELEASE}/files/",
    "release-downloads": f"/releases/{RELEASE}/downloads/",
    "release-publish": f"/releases/{RELEASE}/publish/",
    "release-public": f"/public/{RELEASE}/",
    "jobs": "/jobs/",
    "job": "/jobs/1/",
    "account": "/account/",
    "help": "/help/",
}
DOCUMENTED = ("review", "area", "caption")
WIDE, NARROW = (1440, 900), (390, 844)


def sign_in(page: Page, url: str, user: str, password: str) -> None:
    page.goto(f"{url}/sign-in/")
    page.fill("input[name=username]", user)
    page.fill("input[name=password]", password)
    page.click("button[type=submit]")
    page.wait_for_selector("header.header")


def shoot(browser: Browser, options: argparse.Namespace, size: tuple[int, int], scheme: str, names: list[str]) -> None:
    """Take one picture a page at one size and colour scheme."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.on("console", lambda line: print(scheme, size, line.type, line.text) if line.type == "error" else None)
    sign_in(page, options.url, options.user, options.password)
    for name in names:
        address = PAGES.get(name, name)
        page.goto(options.url + address)
        page.wait_for_load_state("networkidle")
        label = name.strip("/").replace("/", "_")
        suffix = "" if not options.all else f"-{size[0]}-{scheme}"
        path = options.out / f"{label}{suffix}.{'png' if options.all else 'jpg'}"
        page.screenshot(path=str(path), full_page=options.full, **({} if options.all else {"quality": 82}))
    context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--user", default="demo")
    parser.add_argument("--password", required=True)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--full", action="store_true", help="the whole height of each page")
    parser.add_argument("--pages", nargs="+", default=[], help="names above, or paths")
    options = parser.parse_args()
    options.url = options.url.rstrip("/")
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())  # type: ignore[arg-type]
        if options.all:
            for size in (WIDE, NARROW):
                for scheme in ("dark", "light"):
                    shoot(browser, options, size, scheme, options.pages or list(PAGES))
        else:
            shoot(browser, options, WIDE, "dark", options.pages or list(DOCUMENTED))
        browser.close()


if __name__ == "__main__":
    main()
