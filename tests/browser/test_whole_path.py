"""The whole path, as people walk it: build from a page, review by keyboard, rectify, release, download, check."""

from __future__ import annotations

import hashlib
import io
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from portal.demo.scene import make_scene
from tests.support.review import settled, sign_in, stage
from tests.support.site import Site, Template

pytestmark = pytest.mark.browser

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, site_template: Template) -> Iterator[Site]:
    """A site with sources to build from, its web server and its worker."""
    with Site(tmp_path_factory.mktemp("path"), site_template) as made:
        make_scene(made.sources, tiles=5, tile_size=64, files=(1, 1))
        made.start_web()
        made.start_worker()
        yield made


@pytest.mark.parametrize(("name", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_from_files_to_a_checked_download(
    site: Site, chromium: Browser, tmp_path: Path, name: str, size: dict[str, int], attempt: int
) -> None:
    context = chromium.new_context(viewport=size, has_touch=name == "phone", is_mobile=name == "phone")  # type: ignore[arg-type]
    page = context.new_page()
    sign_in(page, site, "curator")
    slug, release = f"coast-{attempt}-{name}", f"release-{attempt}-{name}"
    build(page, site, slug)
    approved = review(page, site, slug, by_finger=name == "phone")
    text = rectify(page, site, slug, approved[0])
    make_release(page, site, slug, release, len(approved))
    archive = download_in_two_parts(page, context, site, release)
    check(archive, tmp_path, release, slug, approved, text)
    context.close()


def build(page: Page, site: Site, slug: str) -> None:
    """From the form, with keys only, to the end of the job."""
    page.goto(f"{site.url}/areas/new/")
    page.get_by_label("Name", exact=True).press_sequentially(slug)
    for field, folder in (("dems", "dem"), ("imagery", "imagery")):
        question = page.locator("fieldset", has=page.locator(f"legend:has-text('Which {_WORDS[field]}')"))
        question.locator("summary", has_text=f"{folder}/").press("Enter")
        question.get_by_label(f"The whole folder {folder}/").press("Space")
    for label, value in (("Tile size (pixels)", "64"), ("Void limit (%)", "5"), ("Near infrared band", "4")):
        field = page.get_by_label(label)
        field.press("ControlOrMeta+a")
        field.press_sequentially(value)
    page.get_by_role("button", name="Build", exact=True).press("Enter")
    page.wait_for_url("**/jobs/*/")
    expect(page.locator(".state.done").first).to_be_visible(timeout=120_000)


_WORDS = {"dems": "elevation models", "imagery": "imagery"}


def review(page: Page, site: Site, slug: str, *, by_finger: bool) -> list[int]:
    """Decide ten tiles: eight approved, one rejected for clouds, one unsure. Returns the approved numbers."""
    page.goto(f"{site.url}/areas/{slug}/review/")
    approved = []
    for number in range(10):
        expect(stage(page)).to_have_attribute("data-ready", "true")
        index = stage(page).get_attribute("data-tile")
        assert index is not None
        verdict = {3: "2", 7: "3"}.get(number, "1")
        if by_finger:
            page.get_by_role("button", name={"1": "Approve", "2": "Reject", "3": "Unsure"}[verdict]).tap()
            if verdict == "2":
                page.get_by_role("dialog").get_by_role("button", name="Cloud or haze").tap()
        else:
            page.keyboard.press(verdict)
            if verdict == "2":
                page.keyboard.press("c")
        if verdict == "1":
            approved.append(int(index))
        expect(stage(page)).not_to_have_attribute("data-tile", index)
    settled(page)
    return approved


def rectify(page: Page, site: Site, slug: str, index: int) -> str:
    """Replace the rules' sentence of a tile by one of a person."""
    page.goto(f"{site.url}/areas/{slug}/captions/{index}/")
    editor = page.get_by_role("textbox", name="Caption")
    expect(editor).not_to_have_value("")
    page.keyboard.press("e")
    expect(editor).to_be_focused()
    expect(editor).to_be_editable()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("A bay, written by hand & <kept>.")
    page.keyboard.press("ControlOrMeta+Enter")
    expect(page.get_by_text("Version 2").first).to_be_visible()
    return "A bay, written by hand & <kept>."


def make_release(page: Page, site: Site, slug: str, release: str, count: int) -> None:
    page.goto(f"{site.url}/releases/new/")
    page.get_by_role("checkbox", name=slug).press("Space")
    expect(page.locator("#preview")).to_contain_text(str(count))
    page.get_by_label(f"Licence of {slug}").press_sequentially("CC0")
    page.get_by_label(f"Attribution of {slug}").press_sequentially("The testers")
    page.get_by_label("Name").press_sequentially(release)
    page.get_by_role("button", name="Make the release").press("Enter")
    page.wait_for_url(f"**/releases/{release}/")
    expect(page.get_by_role("link", name="Download")).to_be_visible(timeout=120_000)
    expect(page.locator("dl.facts").first).to_contain_text(str(count))


def download_in_two_parts(page: Page, context: BrowserContext, site: Site, release: str) -> bytes:
    """As `curl -C -` does after a cut: the first half, then the rest if the file is still the same."""
    address = page.get_by_role("link", name="Download").get_attribute("href")
    cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in context.cookies())
    first = fetch(f"{site.url}{address}", {"Cookie": cookies, "Range": "bytes=0-9999"})
    assert first.status == 206
    begun = first.read()
    rest = fetch(
        f"{site.url}{address}",
        {"Cookie": cookies, "Range": f"bytes={len(begun)}-", "If-Range": first.headers["ETag"]},
    )
    assert rest.status == 206
    whole = begun + rest.read()
    assert hashlib.sha256(whole).hexdigest() == page.locator("#sha256").inner_text()
    return whole


def fetch(address: str, headers: dict[str, str]) -> urllib.request.addinfourl:
    return urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=30)  # type: ignore[no-any-return]


def check(archive: bytes, folder: Path, release: str, slug: str, approved: list[int], text: str) -> None:
    """Unpack, and hold every file against SHA256SUMS and the approved set."""
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        assert packed.testzip() is None
        packed.extractall(folder)
    root = folder / release
    lines = (root / "SHA256SUMS").read_text().splitlines()
    for line in lines:
        digest, name = line.split("  ", 1)
        assert hashlib.sha256((root / name).read_bytes()).hexdigest() == digest, name
    listed = {line.split("  ", 1)[1] for line in lines}
    assert listed == {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()} - {"SHA256SUMS"}
    pictures = sorted(int(path.stem.removeprefix("tile_")) for path in (root / slug / "png-stretched-unique").iterdir())
    assert pictures == sorted(approved)
    assert (root / f"TextPrompt-{slug}" / f"tile_{approved[0]}.txt").read_text().strip() == text
