"""Going on with an area from its page: what would be made is counted, drawn and measured first; nothing is written."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from tiles.build.drop import area_rgb_drop
from tiles.build.restretch import area_restretch
from tiles.core.paths import layer_path
from tiles.jobs.runner import run_here
from tiles.models import Area, Job
from tiles.review.services import tile_approve

from .conftest import NORTH, PIXEL, WEST, Build, Inputs, colours, files_below, hills, write_raster

pytestmark = pytest.mark.django_db
SIZE = 32
STANDING = {"void_limit": 0, "uncovered_limit": 0, "normalisation": "per_channel", "percent": 1}


@pytest.fixture
def land(inputs: Inputs, build: Build, settings: Any) -> Area:
    """Ten windows: one with 4 % of voids, two without imagery in places, seven built."""
    settings.DEMETER_SOURCES = [inputs.folder]
    heights = hills(70, 100)
    heights[:5, :8] = -9999
    write_raster(inputs.dems / "part2.tif", heights, nodata=-9999)
    picture = colours(80, 180)
    picture[:, 60:64, 100:] = 0
    write_raster(inputs.imagery, picture, west=WEST - 150, north=NORTH + 150, nodata=0)
    return build(dems=[inputs.dems], imagery=inputs.raster, tile_size=SIZE)


Ask = Callable[..., str]


@pytest.fixture
def preview(land: Area, signed_in: Callable[[str], Client]) -> Ask:
    client = signed_in("curator")

    def ask(path: str = "build/preview/", **answers: Any) -> str:
        answer = client.post(f"/areas/land/{path}", {**STANDING, **answers})
        assert answer.status_code == 200
        return re.sub(r"\s+", " ", unescape(answer.content.decode()))

    return ask


def test_the_counts_are_those_of_the_build(preview: Ask, land: Area, inputs: Inputs, data_folder: Path) -> None:
    failed = dict.fromkeys(land.tiles.filter(build_state="failed").values_list("failure", flat=True))
    assert set(failed) == {"void", "not_covered"}
    before = files_below(data_folder)
    assert "There is nothing to make" in preview()
    assert "There is nothing to make" in preview(void_limit=3)
    raised = preview(void_limit=5, uncovered_limit=100)
    number = land.tiles.filter(failure="not_covered").count()
    assert f"<strong>{number + 1} tiles</strong> that the area has would be made" in raised
    assert "1 failed for void heights, and meet the limit now" in raised
    assert f"{number} failed for missing imagery, and meet the limit now" in raised
    assert "<strong>10 tiles</strong> of 32 × 32 pixels from 2 files" in raised
    assert "likely to fail" not in raised
    assert "1 likely to fail: void heights over the limit" in preview()
    measured = preview(void_limit=5, uncovered_limit=100, do="preview", **{"grid-limit": 2})
    assert "at most 2 of all by this build" in measured
    assert "were really made, in memory" in measured
    built = land.tiles.filter(build_state="built").count()
    assert f"{built} built, and made again from the source" in preview(remake="on")
    assert files_below(data_folder) == before
    assert Job.objects.count() == 1


def test_new_elevation_models_are_numbered_behind(preview: Ask, inputs: Inputs, land: Area) -> None:
    write_raster(inputs.folder / "more.tif", hills(40, 70, seed=9), north=NORTH - 80 * PIXEL)
    said = preview(dems=["0/more.tif"], do="preview")
    assert "<strong>2 tiles</strong> of 32 × 32 pixels from 1 file" in said
    assert ">10</text>" in said
    assert ">11</text>" in said
    assert "Of the tiles that the area has none would be made again" in said
    known = preview(dems=["0/dem"])
    assert "There is nothing to make" not in known
    assert "<strong>10 tiles</strong>" in known
    fine = write_raster(inputs.folder / "fine.tif", hills(40, 40), pixel=6.0)
    refused = preview(dems=[f"0/{fine.name}"])
    assert "5 times finer than the imagery (30 m): most of its pixels are made up. The build refuses" in refused
    assert "You allowed it" in preview(dems=[f"0/{fine.name}"], **{"grid-allow_upsampling": "on"})
    assert "may be chosen" in preview(dems=["0/../secret.tif"])
    assert "Void limit (%): Ensure" in preview(void_limit=101)


def test_a_build_from_the_page_takes_its_limit(land: Area, inputs: Inputs, signed_in: Callable[[str], Client]) -> None:
    client = signed_in("curator")
    answer = client.post("/areas/land/build/", {**STANDING, "uncovered_limit": 100, "grid-limit": 1})
    job = Job.objects.latest("id")
    assert answer["Location"] == f"/jobs/{job.pk}/"
    assert run_here(job.pk, lambda _job: None).done == 1
    page = client.post("/areas/land/build/", {**STANDING, "void_limit": 40, "grid-limit": 0}).content.decode()
    assert "at least one tile" in page[page.index('id="id_grid-limit_error"') :]
    assert 'value="40"' in page, "what was typed stays"


def test_another_stretch_is_seen_on_one_tile_first(
    preview: Ask, land: Area, person: Callable[..., Any], signed_in: Callable[[str], Client], data_folder: Path
) -> None:
    tile = land.tiles.filter(build_state="built").order_by("index")[1]
    tile_approve(
        tile_id=tile.pk,
        seen=tile.layer_versions(),
        seen_version=tile.version,
        by=person("curator"),
        client_id=uuid4(),
    )
    before = files_below(data_folder)
    assert "Change the stretch" in preview("build/picture/")
    said = preview("build/picture/", percent=5, tile=tile.index)
    assert "Up to <strong>1 decided tile</strong> (1 approved, 0 rejected, 0 unsure)" in said
    assert "Released versions keep their bytes." in said
    was, becomes = re.findall(r'<img src="([^"]+)"', said)
    assert was == f"/areas/land/tiles/{tile.index}/png?v=1"
    assert "very same pixels" not in said
    client = signed_in("curator")
    shown = client.get(becomes)
    assert (shown["Content-Type"], shown["Cache-Control"]) == ("image/png", "private, no-store")
    assert "up to <strong>" in preview(percent=5), "the other preview says that no tile is cut"
    assert "There is no tile_999" in preview("build/picture/", percent=5, tile=999)
    assert files_below(data_folder) == before
    run_here(area_restretch(slug="land", percent=5, background=False).pk, lambda _job: None)
    made = np.asarray(Image.open(layer_path("land", "png", tile.index)))
    assert (np.asarray(Image.open(io.BytesIO(shown.content))) == made).all(), "the pixels that came out"


def test_wrong_stretches_and_tiles_have_no_picture(land: Area, signed_in: Callable[[str], Client]) -> None:
    client = signed_in("curator")
    address = f"/areas/land/build/picture/{land.tiles.filter(build_state='built').first().index}"  # type: ignore[union-attr]
    assert client.get(f"{address}?normalisation=joint&percent=99").status_code == 400
    assert client.get(address).status_code == 400
    assert client.get("/areas/land/build/picture/999?normalisation=joint&percent=1").status_code == 404
    assert signed_in("reviewer").get(f"{address}?normalisation=joint&percent=1").status_code == 403


def test_without_stored_imagery_and_without_a_script(land: Area, preview: Ask, person: Callable[..., Any]) -> None:
    page = preview("build/", do="preview", percent=5)
    assert "Nothing was started" not in page
    assert page.count("<img src=") == 2
    assert "The stretch is all that changes" in page
    run_here(area_rgb_drop(area_id=land.pk, by=person("curator"), background=False).pk, lambda _job: None)
    page = preview("build/", do="preview", percent=5)
    assert "was dropped" in page
    assert "picture-preview" not in page
