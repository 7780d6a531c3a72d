"""axe finds nothing on any page, dark and light, wide and narrow; and no page scrolls sideways."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.support.review import sign_in
from tests.support.site import Site, Template

pytestmark = pytest.mark.browser

WORLD = """
import json
from uuid import uuid4
from captions.services import caption_rectify, caption_write_machine
from portal.accounts.models import User
from portal.exports.downloads import Taker, download_note
from portal.exports.links import link_make
from portal.exports.publishing import release_publish
from portal.exports.services import release_create
from tests.support.factories import make_area, make_failed_tile, make_tile
from tests.support.releases import work
from tiles.review.blind import blind_answer, blind_round_start
from tiles.review.marks import Mark, comment_add, tiles_mark
from tiles.review.services import tile_approve, tile_reject
by = User.objects.get(username="admin")
area = make_area("testland", synthetic=True, description="Made for a test.")
for index in range(6):
    tile = make_tile(area, index, void=index == 3)
    caption_write_machine(tile_id=tile.pk)
    seen = dict(tile_id=tile.pk, seen=tile.layer_versions(), seen_version=tile.version, by=by)
    if index < 3:
        tile_approve(client_id=uuid4(), **seen)
    if index == 3:
        tile_reject(client_id=uuid4(), reason="cloud", **seen)
make_failed_tile(area, 6)
make_area("empty")
caption_rectify(tile_id=area.tiles.first().pk, text="A hill by hand.", base_version=1, by=by, client_id=uuid4())
release = work(release_create(name="small-1", area_slugs=["testland"], by=by, background=False))
release_publish(release_id=release.pk, by=by)
link_make(release_id=release.pk, by=by)
download_note(release=release, file="small-1.zip", taker=Taker())
bob = User.objects.get(username="reviewer")
first = area.tiles.get(index=0)
again = dict(tile_id=first.pk, seen=first.layer_versions(), seen_version=first.version)
tile_reject(client_id=uuid4(), reason="cloud", by=bob, **again)
whose = Mark("assign", str(by.pk))
for mark in (Mark("tag", "coast"), whose):
    tiles_mark(area=area, tile_ids=[area.tiles.get(index=4).pk], mark=mark, by=by, action=uuid4())
comment_add(tile_id=area.tiles.get(index=4).pk, text="Snow.", by=bob, client_id=uuid4())
blind = dict(area=area, size=3, seed=1, reviewers=[by.pk, bob.pk], by=by, client_id=uuid4())
known = blind_round_start(**blind).tiles.first()
blind_answer(round_id=1, index=known.index, verb="approve", seen=known.layers, by=by, client_id=uuid4())
print(json.dumps(release.job_id))
"""
PAGES = (
    *("/", "/review/", "/help/", "/account/"),
    *(
        "/areas/new/",
        "/areas/new/uploads/",
        "/areas/testland/",
        "/areas/empty/",
        "/areas/testland/settings/",
        "/areas/testland/build/",
    ),
    *("/areas/testland/review/", "/areas/empty/review/", "/areas/testland/review/?state=rejected"),
    *("/areas/testland/tiles/0/3d/", "/areas/testland/people/", "/areas/empty/people/"),
    *("/areas/testland/gallery/?state=rejected&order=-score", "/areas/testland/gallery/?failure=void"),
    *("/areas/testland/gallery/", "/areas/empty/gallery/", "/areas/testland/gallery/?score_from=0.9"),
    *("/areas/testland/atlas/", "/areas/empty/atlas/"),
    *("/areas/testland/agreement/", "/areas/empty/agreement/", "/areas/testland/pace/", "/areas/empty/pace/"),
    *("/areas/testland/blind/", "/areas/empty/blind/", "/areas/testland/blind/1/", "/areas/testland/blind/1/judge/"),
    *("/captions/", "/areas/testland/captions/0/", "/captions/?area=empty"),
    *("/areas/testland/captions/rectify/", "/areas/empty/captions/rectify/"),
    *("/captions/many/?area=testland&do=replace&find=hill&replace=ridge", "/captions/many/?do=add_term&term="),
    *("/captions/recaption/?area=testland&origin=rules", "/captions/recaption/?origin=rules"),
    *("/areas/testland/captions/write/", "/areas/testland/captions/import/"),
    *("/areas/testland/captions/progress/", "/areas/empty/captions/progress/"),
    *("/releases/", "/releases/new/", "/releases/small-1/", "/releases/small-1/diff/small-1/"),
    *("/releases/small-1/files/", "/releases/small-1/files/?folder=testland/", "/releases/small-1/downloads/"),
    *("/releases/small-1/publish/", "/releases/small-1/remove-archive/", "/public/small-1/"),
    *("/jobs/", "/jobs/{job}/", "/no-such-page/"),
)
SIZES = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, site_template: Template) -> Iterator[tuple[Site, int]]:
    with Site(tmp_path_factory.mktemp("axe"), site_template) as made:
        job = made.shell(WORLD)
        made.start_web()
        yield made, job


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("size", ["narrow", "wide"])
def test_every_page(world: tuple[Site, int], chromium: Browser, scheme: str, size: str) -> None:
    site, job = world
    context = chromium.new_context(viewport=SIZES[size], color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(f"{page.url}: {error}"))
    page.goto(f"{site.url}/sign-in/")
    wrong = {"/sign-in/": problems(page)}
    sign_in(page, site, "admin")
    for address in PAGES:
        page.goto(site.url + address.format(job=job))
        expect(page.get_by_role("heading", level=1).first).to_be_visible()
        page.wait_for_load_state("networkidle")
        wrong[address] = problems(page)
    context.close()
    assert {address: found for address, found in wrong.items() if found} == {}
    assert errors == []


def problems(page: object) -> list[str]:
    found = [
        f"{violation['id']}: {node['target']} {node['failureSummary'][:200]}"
        for violation in Axe().run(page)["violations"]
        for node in violation["nodes"]
    ]
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")  # type: ignore[attr-defined]
    if wider > 0:
        found.append(f"scrolls sideways by {wider} px")
    return found
