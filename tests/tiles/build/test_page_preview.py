"""What a build would make, before it starts: the counts are the build's own, and nothing is written."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tiles.build import door, plan
from tiles.build.griding import GridOptions
from tiles.build.preview import VOID, build_preview
from tiles.models import Area, Job, SkippedWindow
from tiles.views.sheets import figure_of

from .conftest import Build, Inputs, files_below, hills, write_raster
from .test_page import ANSWERS
from .test_page_imagery import filled

pytestmark = pytest.mark.django_db
SIZE = 32


@pytest.fixture
def coast(inputs: Inputs) -> Path:
    """4 x 3 whole windows and edges: two of sea, one with a lone rock in the sea, one with voids."""
    heights = hills(3 * SIZE + 6, 4 * SIZE + 9)
    heights[:SIZE, : 3 * SIZE] = 0
    heights[7, 2 * SIZE + 13] = 4
    heights[SIZE : SIZE + 5, SIZE : SIZE + 8] = -9999
    return write_raster(inputs.folder / "coast.tif", heights, nodata=-9999)


@pytest.fixture
def preview(
    inputs: Inputs, coast: Path, data_folder: Path, settings: Any, signed_in: Callable[[str], Client]
) -> Callable[..., str]:
    settings.DEMETER_SOURCES = [inputs.folder]
    client = signed_in("curator")

    def ask(*, url: str = "area-preview", **answers: Any) -> str:
        answer = client.post(reverse(url), {**ANSWERS, "name": "", "dems": ["0/dem"], **answers})
        assert answer.status_code == 200
        return re.sub(r"\s+", " ", unescape(answer.content.decode()))

    return ask


def test_the_counts_and_numbers_are_those_of_the_build(inputs: Inputs, coast: Path, build: Build) -> None:
    dems = [inputs.dems, coast]
    seen = build_preview(dems=dems, tile_size=SIZE, void_limit=0)
    area = build(dems=dems, imagery=inputs.raster, tile_size=SIZE)
    assert not seen.about
    skipped = Counter(SkippedWindow.objects.values_list("reason", flat=True))
    assert seen.counts == {"tiles": area.tiles.count(), VOID: 1, **skipped}
    assert seen.counts["sea"] == 2
    numbered = {
        (sheet.sheet.files[0].name, window.col, window.row): window.number
        for sheet in seen.sheets
        for window in sheet.windows
        if window.number is not None
    }
    rows = area.tiles.values_list("dem_file__name", "window_col", "window_row", "index")
    assert numbered == {tuple(place): index for *place, index in rows}
    doomed = {number for sheet in seen.sheets for number in sheet.doomed}
    assert doomed == set(area.tiles.filter(failure="void").values_list("index", flat=True))


@pytest.mark.parametrize(
    "grid",
    [
        GridOptions(mosaic=True, start_index=100),
        GridOptions(stride=20, limit=5),
        GridOptions(gsd=45.0),
        GridOptions(grid="imagery"),
        GridOptions(resize=40),
    ],
    ids=str,
)
def test_on_every_grid_too(inputs: Inputs, coast: Path, build: Build, grid: GridOptions) -> None:
    (inputs.dems / "coast.tif").write_bytes(coast.read_bytes())
    imagery = door.imagery_checked(inputs.raster)
    seen = build_preview(dems=[inputs.dems], tile_size=SIZE, void_limit=0, grid=grid, imagery=imagery)
    area = build(dems=[inputs.dems], imagery=inputs.raster, tile_size=SIZE, grid=grid)
    skipped = Counter(SkippedWindow.objects.values_list("reason", flat=True))
    assert {reason: number for reason, number in seen.counts.items() if number and reason != VOID} == {
        "tiles": area.tiles.count(),
        **skipped,
    }
    assert all(figure_of(sheet).lines for sheet in seen.drawn)


def test_an_area_of_interest_is_uploaded(preview: Callable[..., str], inputs: Inputs, data_folder: Path) -> None:
    west, _south, _east, north = plan.dem_inspect(inputs.dems / "part2.tif").grid.bounds_lonlat()  # type: ignore[union-attr]
    corner = [[west, north], [west, north - 0.001], [west + 0.001, north - 0.001], [west + 0.001, north], [west, north]]
    polygon = json.dumps({"type": "Polygon", "coordinates": [corner]})

    def upload(text: str) -> dict[str, Any]:
        return {"grid-aoi": SimpleUploadedFile("here.geojson", text.encode())}

    said = preview(**upload(polygon))
    assert "<strong>1 tile</strong>" in said
    assert "9 outside the area of interest" in said
    assert "Area of interest: This is not JSON" in preview(**upload("{"))
    assert "Area of interest: The area of interest must be a GeoJSON Polygon" in preview(**upload("{}"))
    assert "larger than 2 MB" in preview(**upload(" " * (2 * 2**20 + 1)))
    page = preview(url="area-build", name="Corner", imagery="0/picture.tif", do="build", **{**upload("{")})
    assert "This is not JSON" in page[page.index("3. Which grid?") : page.index("4. Which limits?")]


def test_a_large_file_is_looked_at_through_samples_and_still_counted_right(tmp_path: Path) -> None:
    heights = np.zeros((1500, 1700), np.int16)
    heights[300, 900] = 7
    heights[700:, :] = hills(800, 1700)
    path = write_raster(tmp_path / "large.tif", heights)
    seen = build_preview(dems=[path], tile_size=100, void_limit=0)
    assert seen.sheets[0].looks
    assert seen.sheets[0].looks[0].overlook.step > 1
    assert (seen.about, seen.tiles, seen.counts["sea"]) == (False, 8 * 17 + 1, 7 * 17 - 1)


def test_without_time_it_says_about(tmp_path: Path) -> None:
    for number in range(3):
        write_raster(tmp_path / f"part{number}.tif", hills(70, 70), north=4_000_000.0 - number * 2100)
    seen = build_preview(dems=[tmp_path], tile_size=SIZE, void_limit=0, seconds=0)
    assert (seen.about, seen.files, seen.unseen) == (True, 3, 2)
    assert seen.tiles == 4


def test_the_page_draws_the_plan_and_measures_real_tiles(preview: Callable[..., str], data_folder: Path) -> None:
    before = files_below(data_folder)
    live = preview(dems=["0/dem", "0/coast.tif"])
    assert "<strong>20 tiles</strong> of 32 × 32 pixels from 3 files" in live
    assert "2 all sea" in live
    assert "1 likely to fail: void heights over the limit" in live
    assert live.count("<figure") == live.count("data:image/png;base64,") == 3
    assert ">19</text>" in live
    assert "press Preview" in live
    measured = preview(imagery="0/picture.tif", do="preview")
    assert "Measured: 3 tiles of this plan were really made, in memory." in measured
    assert re.search(r"about [\d.]+.(KB|MB)", measured)
    assert files_below(data_folder) == before
    assert not Area.objects.exists()
    assert not Job.objects.exists()


def test_of_the_network_nothing_is_asked(preview: Callable[..., str], settings: Any) -> None:
    settings.EARTHENGINE_CREDENTIALS, settings.EARTHENGINE_PROJECT = "anonymous", "demeter-test"
    settings.EARTHENGINE_URL = "http://127.0.0.1:9"
    said = preview(source="earthengine", do="preview", **filled())
    assert "and the time that the imagery takes" in said
    assert "nothing was asked of the network" in said


def test_a_grid_finer_than_what_is_put_on_it_is_said_beside_the_counts(
    preview: Callable[..., str], inputs: Inputs, settings: Any
) -> None:
    coarse = write_raster(inputs.folder / "coarse.tif", np.full((3, 30, 60), 900, np.uint16), pixel=90)
    assert "times finer" not in preview(imagery="0/picture.tif")
    said = preview(imagery=f"0/{coarse.name}")
    assert "The grid of 30 m is 3 times finer than the imagery (90 m): it shows no more detail" in said
    assert "<strong>10 tiles</strong>" in said
    refused = {"imagery": f"0/{coarse.name}", "imagery_gsd": "150"}
    assert "5 times finer than the imagery (150 m): most of its pixels are made up. The build refuses" in preview(
        **refused
    )
    assert "You allowed it" in preview(**refused, **{"grid-allow_upsampling": "on"})
    assert "2.5 times finer than the heights (75 m)" in preview(dem_gsd="75")
    assert "7.5 times finer than the heights (30 m)" in preview(**{"grid-gsd": "4"})
    settings.EARTHENGINE_CREDENTIALS, settings.EARTHENGINE_PROJECT = "anonymous", "demeter-test"
    assert "2.5 times finer than the imagery (10 m)" in preview(
        source="earthengine", dem_gsd="4", **{"grid-gsd": "4"}, **filled()
    )


def test_wrong_imagery_does_not_hide_the_windows(preview: Callable[..., str]) -> None:
    said = preview(imagery="0/dem")
    assert "Which imagery?" in said
    assert "<strong>10 tiles</strong>" in said


def test_without_a_script_the_whole_page_comes_with_the_preview(preview: Callable[..., str]) -> None:
    page = preview(url="area-build", imagery="0/picture.tif", do="preview")
    assert "really made" in page
    assert "Nothing was started" not in page
    assert "This field is required" not in page, "the name may still be open"
    assert re.search(r'value="0/dem"[^>]*checked', page)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"dems": []}, "Choose elevation models"),
        ({"tile_size": 8}, "Tile size (pixels): Ensure this value is greater than or equal to 16"),
        ({"tile_size": 128}, "No tile of 128 x 128 fits"),
        ({"dems": ["0/../secret.tif"]}, "may be chosen"),
        ({"dems": ["0/picture.tif"]}, "an elevation model has one"),
        ({"do": "preview"}, "Which imagery? Choose the folder or file"),
        ({"do": "preview", "imagery": "0/dem"}, "1 band"),
        ({"do": "preview", "imagery": "0/small.tif"}, "have no imagery"),
        ({"do": "preview", "imagery": "0/away.tif"}, "do not overlap anywhere"),
    ],
)
def test_what_is_wrong_is_said_in_words(
    preview: Callable[..., str], inputs: Inputs, change: dict[str, Any], says: str
) -> None:
    pixels = np.full((3, 8, 8), 900, np.uint16)
    write_raster(inputs.folder / "small.tif", pixels)
    write_raster(inputs.folder / "away.tif", pixels, west=100_000.0)
    assert says in preview(**change)
