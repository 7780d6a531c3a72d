"""What a model says is text wherever it is shown, over all pages of captions and of releases."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from captions.models import Caption, Finding, Proposal
from captions.services import caption_adopt, caption_rectify
from portal.exports.models import Release
from portal.exports.services import release_create
from tests.support.factories import make_area, make_tile
from tests.support.releases import archive_path, work
from tiles.models import TilePair
from tiles.review.services import tile_approve

pytestmark = pytest.mark.django_db

EVIL = '<img src=x onerror="alert(1)"></textarea><script>alert(2)</script>{{ 7 }}'
COMPONENTS = {"terms": [EVIL[:40]], "category": EVIL, "weather": ""}
TILE = "/areas/testland/tiles/0/"
PAGES = (
    *("/captions/", "/captions/?q=hills", "/captions/?finding=sea", "/areas/testland/captions/0/"),
    *("/captions/many/?do=replace&find=hills&replace=x", "/areas/testland/captions/rectify/?state=read"),
    *("/captions/recaption/?area=testland", "/areas/testland/captions/write/", "/areas/testland/captions/progress/"),
    *("/areas/testland/captions/compare/", "/areas/testland/captions/compare/?blind=1"),
    *("/areas/testland/gallery/", "/areas/testland/review/", f"{TILE}3d/", "/areas/testland/captions/settings/"),
    *("/releases/first/", "/releases/second/", "/releases/first/diff/second/?kind=changed", "/"),
)


@pytest.fixture
def tile(data_folder: Path, person: Any) -> TilePair:
    """Approved, with a model's evil caption, another model's evil proposal."""
    tile = make_tile(make_area("testland"), 0)
    for captioner, words in (("glm", "hills"), ("llava", "woods")):
        Proposal.objects.create(
            tile=tile,
            area=tile.area,
            captioner=captioner,
            text=f"{EVIL} {words}",
            components=COMPONENTS,
            provenance={"model": EVIL},
            client_id=uuid4(),
        )
    caption_adopt(tile=tile, proposal=Proposal.objects.get(captioner="glm"))
    seen = {"seen": tile.layer_versions(), "seen_version": tile.version}
    tile_approve(tile_id=tile.pk, **seen, by=person("curator"), client_id=uuid4())
    return tile


def test_a_models_text_is_escaped_on_every_page(tile: TilePair, signed_in: Any, person: Any) -> None:
    cara = person("curator")
    work(release_create(name="first", area_slugs=["testland"], by=cara, background=False))
    caption_rectify(tile_id=tile.pk, text=f"{EVIL} hills, anew", base_version=1, by=cara, client_id=uuid4())
    work(release_create(name="second", area_slugs=["testland"], by=cara, background=False))
    words = {"words": EVIL[:20], "start": 0, "message": f"says {EVIL}"}
    Finding.objects.create(caption=Caption.objects.get(), area=tile.area, code="sea", severity=1, **words)
    client, shown = signed_in("curator"), set()
    for address in PAGES:
        answer = client.get(address)
        page = answer.content.decode()
        assert answer.status_code == 200, address
        assert "<img src=x" not in page, address
        assert "<script>alert" not in page, address
        if "&lt;img src=x" in page or "\\u003Cimg src=x" in page:
            shown.add(address)
    # Where words of captions are to be seen, they are seen: the pages above do not leave them out.
    assert {
        "/captions/",
        "/captions/?q=hills",
        "/captions/?finding=sea",
        "/releases/first/diff/second/?kind=changed",
    } <= shown
    assert {"/areas/testland/captions/compare/", "/areas/testland/captions/rectify/?state=read"} <= shown

    for release in Release.objects.all():
        for file in archive_path(release.name).parent.rglob("*.zip"):
            with zipfile.ZipFile(file) as archive:
                pages = [name for name in archive.namelist() if name.lower().endswith((".md", ".html"))]
                assert pages
                assert all("<script" not in archive.read(name).decode() for name in pages)
