"""What a release's page and README show of it: tiles, figures, statistics, what came before, and how to load it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from captions.models import Caption, Finding
from portal.exports.models import Release
from portal.exports.numbers import Tally, distributions
from portal.exports.showing import CELLS, line_of
from portal.exports.wanted import Split, Wanted
from tests.support.factories import SIZE, colours_of, heights_of, make_area, make_tile, write_layers
from tests.support.releases import archive_path
from tiles.core.paths import layer_path
from tiles.models import Area, TilePair

from .test_pages import asked, text_of

pytestmark = pytest.mark.django_db

Coast = tuple[Area, list[TilePair]]
Released = Callable[..., Release]
SignedIn = Callable[[str], Client]
LISTED = Wanted(split=Split(way="files", lists={"train": "coast/0\ncoast/1", "test": "coast/2\ncoast/3"}))


def file_of(release: Release, path: str) -> str:
    with zipfile.ZipFile(archive_path(release.name)) as archive:
        return archive.read(f"{release.name}/{path}").decode()


def test_previews_are_of_what_the_release_holds(coast: Coast, released: Released, signed_in: SignedIn) -> None:
    area, tiles = coast
    released("v1", "coast")
    client = signed_in("viewer")
    frozen = layer_path("coast", "preview", 1).read_bytes()
    assert client.get("/releases/v1/tiles/1/preview").content == frozen
    assert client.get("/releases/v1/").content.decode().count("/preview") == 4
    tile = TilePair.objects.get(pk=tiles[1].pk)
    tile.layers = write_layers(area, 1, heights_of(1), 255 - colours_of(1), np.zeros((SIZE, SIZE), bool), version=2)
    tile.save()
    page = client.get("/releases/v1/")
    assert page.content.decode().count("/preview") == 3
    assert "Stretched anew since this release was made" in text_of(page)
    assert "A hill above the sea, number 1." in text_of(page)
    answer = client.get("/releases/v1/tiles/1/preview", headers={"accept": "application/json"})
    assert (answer.status_code, "made anew" in answer.json()["message"]) == (404, True)
    assert client.get("/releases/v1/tiles/99/preview").status_code == 404


def test_the_gallery_is_paged(coast: Coast, approve: Any, released: Released, signed_in: SignedIn) -> None:
    area, _tiles = coast
    for index in range(10, 10 + CELLS):
        approve(make_tile(area, index))
    released("v1", "coast")
    client = signed_in("viewer")
    first = client.get("/releases/v1/").content.decode()
    further = re.search(r'href="\?after=([^"#]+)#tiles"', first)
    assert further
    second = client.get("/releases/v1/", {"after": further[1]}).content.decode()
    shown = [re.findall(r"/tiles/(\d+)/preview", page) for page in (first, second)]
    assert [len(page) for page in shown] == [CELLS, 4]
    assert sorted(map(int, shown[0] + shown[1])) == list(range(CELLS + 4))


@pytest.mark.parametrize("wanted", [Wanted(), LISTED])
def test_a_readme_has_maps_and_charts_with_their_numbers(
    wanted: Wanted, coast: Coast, released: Released, signed_in: SignedIn
) -> None:
    _area, tiles = coast
    corners = [(15.0, 40.0), (15.0, 39.9), (15.1, 39.9), (15.1, 40.0), (15.0, 40.0)]
    for place, tile in enumerate(tiles):
        ring = [[lon + place / 10, lat] for lon, lat in corners]
        TilePair.objects.filter(pk=tile.pk).update(footprint=ring, landform="plain" if place < 1 else "hill")
    release = released("v1", "coast", wanted=wanted)
    readme = file_of(release, "README.md")
    figures = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", readme)
    assert {"figures/map-coast.svg", "figures/heights.svg", "figures/landforms.svg", "figures/texts.svg"} <= {
        path for _alt, path in figures
    }
    for alt, path in figures:
        drawn = ElementTree.fromstring(file_of(release, path))  # noqa: S314 our own file
        assert drawn.findtext("{http://www.w3.org/2000/svg}title") == alt
    assert file_of(release, "figures/map-coast.svg").count("<polygon") == 4
    if wanted is LISTED:
        assert "| landform | Training | Test |\n| --- | ---: | ---: |\n| plains | 1 (50.0 %) | 0 (0.0 %) |" in readme
    else:
        assert "| landform | Tiles |\n| --- | ---: |\n| plains | 1 (25.0 %) |\n| hills | 3 (75.0 %) |" in readme
    page = text_of(signed_in("viewer").get("/releases/v1/"))
    assert "hills 3 (75.0 %)" in page
    assert "no text 1 (25.0 %)" in page


def test_a_readme_names_its_limits(coast: Coast, approve: Any, released: Released) -> None:
    other = make_area("other", vertical_datum="EGM2008", surface="dsm", synthetic=True)
    approve(make_tile(other, 0))
    approve(make_tile(other, 1, heights=np.full((SIZE, SIZE), 3, np.float32)))
    text = file_of(released("v1", "coast", "other"), "README.md").split("## Known limits")[1].split("## Licence")[0]
    for limit in (
        "256 levels whatever the relief",
        "No split is given",
        "Near-duplicates were not looked for",
        "other is synthetic",
        "different vertical datums are mixed: EGM2008 in other; EGM96 in coast",
        "Surface and terrain models are mixed",
        "1 tile has pixels without a height",
        "2 tiles have no text",
        "less than three pixels off each other",
        "Left out although approved: 1 flat",
    ):
        assert limit in " ".join(text.split()), limit


def test_many_tiles_are_drawn_one_in_so_many() -> None:
    ring = [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]]
    tally = Tally(5000)
    for number in range(5000):
        record = {"area": "a", "split": None, "footprint": ring, "dem_min": 0.0, "dem_max": float(number)}
        tally.add({**record, "modality": "rgb", "satellite": f"sat-{number % 20}", "cloud_share": number / 5000})
    assert (tally.step, len(tally.outlines["a"])) == (3, 1667)
    found = {one.name: one for one in distributions(tally.numbers())}
    assert [line.number for line in found["satellites"].lines] == [250] * 12 + [2000]
    assert found["satellites"].lines[-1].label == "others"
    assert all(line.number == pytest.approx(500, abs=1) for line in found["clear"].lines)
    assert sum(line.number for line in found["heights"].lines) == 5000


def test_what_changed_since_the_releases_before(
    coast: Coast, approve: Any, caption: Any, released: Released, signed_in: SignedIn
) -> None:
    _area, tiles = coast
    first = released("coast-1", "coast", notes="All that was there.")
    approve(make_tile(make_area("far"), 0))
    caption(tiles[1], "Another text.", base=1)
    second = released("coast-v2-0", "coast", "far", notes="With the far one.")
    same_area = released("autumn", "coast")
    elsewhere = released("far-1", "far")
    assert [line_of(one) for one in (second, same_area, elsewhere)] == [[first], [first], []]
    client = signed_in("viewer")
    told = text_of(client.get(f"/releases/{second.name}/changelog/"))
    assert "Since coast-1 (1.0.0): 1 added , 0 removed , 1 changed ." in told
    assert "With the far one." in told
    assert "No release before it" in text_of(client.get("/releases/far-1/changelog/"))
    assert "/releases/coast-v2-0/changelog/" in client.get("/releases/coast-v2-0/").content.decode()


def test_snippets_can_be_copied(coast: Coast, released: Released, signed_in: SignedIn) -> None:
    released("v1", "coast")
    page = signed_in("viewer").get("/releases/v1/").content.decode()
    for name, line in (("loader", "import json"), ("torch", "torch.utils.data.DataLoader(Pairs")):
        assert f'data-copy="{name}"' in page
        assert line in page.split(f'<code id="{name}">')[1].split("</code>")[0]
    released("v2", "coast", layout="csv")
    assert 'data-copy="torch"' not in signed_in("viewer").get("/releases/v2/").content.decode()


def test_options_of_the_layout_in_the_form(coast: Coast, signed_in: SignedIn) -> None:
    client = signed_in("curator")
    page = client.get("/releases/new/").content.decode()
    assert 'name="mmm-rs.jpeg_quality"' in page
    form = asked(layout="mmm-rs") | {"mmm-rs.jpeg_quality": "70", "webdataset.shard_megabytes": "9"}
    assert "Quality of the JPEG pictures: 70" in text_of(client.post("/releases/new/preview/", form))
    form["mmm-rs.jpeg_quality"] = "7"
    assert "greater than or equal to 50" in text_of(client.post("/releases/new/preview/", form))
    form["mmm-rs.jpeg_quality"] = "70"
    assert client.post("/releases/new/", form).status_code == 302
    assert Release.objects.get().options == {"jpeg_quality": 70}
    assert "Quality of the JPEG pictures: 70" in text_of(client.get("/releases/v1/"))
    coloured = asked(name="v2") | {"rs3dbench.colour_maps": "on"}
    assert client.post("/releases/new/", coloured).status_code == 302
    assert Release.objects.get(name="v2").options == {"colour_maps": 1}
    body = {"areas": ["coast"], "layout": "mmm-rs", "options": {"jpeg_quality": 60}}
    dry = client.post("/api/v1/releases/dry-run/", body, "application/json").json()
    assert dry["options"] == {"jpeg_quality": 60}


def test_open_findings_are_told_before(coast: Coast, reviewer: Any, signed_in: SignedIn) -> None:
    area, tiles = coast
    Finding.objects.all().delete()
    told = {
        tile: Finding.objects.create(
            caption=Caption.objects.get(tile=tile), area=area, code="sea", message="There is no sea.", severity=0.5
        )
        for tile in tiles[:2]
    }
    client = signed_in("curator")
    assert "2 tiles have texts with open findings." in text_of(client.get("/releases/new/?area=coast"))
    Finding.objects.filter(pk=told[tiles[0]].pk).update(dismissed_by=reviewer, dismissed_at=timezone.now())
    dry = client.post("/api/v1/releases/dry-run/", {"areas": ["coast"]}, "application/json").json()
    assert {problem["code"] for problem in dry["problems"]} == {"no_caption", "findings"}
    Finding.objects.all().delete()
    dry = client.post("/api/v1/releases/dry-run/", {"areas": ["coast"]}, "application/json").json()
    assert {problem["code"] for problem in dry["problems"]} == {"no_caption"}
