"""The 3D page's data over HTTP: heights and colours as they are, small enough, and where north is."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client

from tests.support.factories import colours_of, grid_of, heights_of, make_area, make_failed_tile, make_tile
from tiles.core.paths import layer_path

pytestmark = pytest.mark.django_db


def fetch(client: Client, size: int, **headers: str) -> Any:
    return client.get(f"/areas/testland/tiles/3/terrain/{size}", follow=True, headers=headers)


def parsed(body: bytes) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """Header, (h, w) heights in metres with NaN where there are none, (h, w, 3) colours."""
    length = int.from_bytes(body[:4], "little")
    header = json.loads(body[4 : 4 + length])
    shape, count = (header["height"], header["width"]), header["height"] * header["width"]
    steps = np.frombuffer(body, "<i2", count, 4 + length).reshape(shape)
    heights = np.where(steps == header["void"], np.nan, header["offset"] + header["scale"] * steps.astype(float))
    return header, heights, np.frombuffer(body, np.uint8, 3 * count, 4 + length + 2 * count).reshape(*shape, 3)


def test_a_small_tile_comes_pixel_by_pixel(data_folder: Path, signed_in: Any) -> None:
    make_tile(make_area(), 3, void=True)
    header, heights, colours = parsed(fetch(signed_in("viewer"), 128).content)
    assert (colours == colours_of(3)).all()
    assert np.isnan(heights[:16, :16]).all()
    assert np.isfinite(heights[16:]).all()
    assert np.nanmax(np.abs(heights - heights_of(3))) <= header["scale"] / 2 + 1e-3
    assert (header["dx"], header["dy"]) == pytest.approx((30, 30))


def test_a_large_tile_comes_as_means(data_folder: Path, signed_in: Any) -> None:
    make_tile(make_area(tile_size=256), 3)
    header, heights, colours = parsed(fetch(signed_in("viewer"), 128).content)
    assert heights.shape == (128, 128)
    assert header["dx"] == pytest.approx(60)
    means = heights_of(3, 256).reshape(128, 2, 128, 2).mean((1, 3))
    assert np.abs(heights - means).max() <= header["scale"] + 1e-2
    expected = colours_of(3, 256).reshape(128, 2, 128, 2, 3).mean((1, 3))
    assert np.abs(colours - expected).max() <= 1


def test_metres_on_degrees_take_the_latitude(data_folder: Path, signed_in: Any) -> None:
    grid = {"crs": "EPSG:4326", "affine": [0.001, 0, 10, 0, -0.001, 60.032], "width": 64, "height": 64}
    make_tile(make_area(), 3, grid=grid)
    header, *_ = parsed(fetch(signed_in("viewer"), 128).content)
    assert header["dy"] == pytest.approx(111.32)
    assert header["dx"] == pytest.approx(55.66, rel=1e-3)


def test_rows_that_run_north_are_turned(data_folder: Path, signed_in: Any) -> None:
    grid = grid_of(3).to_dict()
    grid["affine"][4] = 30.0
    make_tile(make_area(), 3, grid=grid)
    _, _, colours = parsed(fetch(signed_in("viewer"), 128).content)
    assert (colours == colours_of(3)[::-1]).all()


def test_what_is_sent_is_small(data_folder: Path, signed_in: Any) -> None:
    rng = np.random.default_rng(4)
    rough = np.cumsum(rng.normal(0, 8, (512, 512)), axis=0).astype(np.float32)
    make_tile(make_area(tile_size=512), 3, heights=rough)
    client = signed_in("viewer")
    sizes = {}
    for size in (128, 256):
        answer = fetch(client, size, **{"Accept-Encoding": "gzip"})
        assert answer["Content-Encoding"] == "gzip"
        sizes[size] = len(answer.content)
        assert parsed(gzip.decompress(answer.content))[0]["width"] == size
    assert sizes[128] < 120_000
    assert sizes[256] < 400_000


def test_an_address_is_of_one_content_and_kept_for_ever(data_folder: Path, signed_in: Any) -> None:
    tile = make_tile(make_area(), 3)
    client = signed_in("viewer")
    first = fetch(client, 128)
    assert first.redirect_chain == [("/areas/testland/tiles/3/terrain/128?v=1.1", 302)]
    assert "immutable" in first["Cache-Control"]
    tile.layers["dem"]["v"] = 2
    tile.save()
    assert fetch(client, 128).redirect_chain == [("/areas/testland/tiles/3/terrain/128?v=2.1", 302)]


@pytest.mark.parametrize("size", [64, 1024])
def test_other_sizes_are_refused(data_folder: Path, signed_in: Any, size: int) -> None:
    make_tile(make_area(), 3)
    answer = fetch(signed_in("viewer"), size)
    assert answer.status_code == 404
    assert "128, 256, 512" in answer.content.decode()


def test_a_tile_without_heights_says_so(data_folder: Path, signed_in: Any) -> None:
    make_failed_tile(make_area(), 3)
    client = signed_in("viewer")
    assert "no heights with colours" in fetch(client, 128).content.decode()
    assert client.get("/areas/testland/tiles/3/3d/").status_code == 404


def test_a_damaged_file_says_what_to_do(data_folder: Path, signed_in: Any) -> None:
    make_tile(make_area(), 3)
    layer_path("testland", "dem", 3).write_bytes(b"II*\x00nothing")
    answer = fetch(signed_in("viewer"), 128)
    assert answer.status_code == 404
    assert "Build the area again" in answer.content.decode()
