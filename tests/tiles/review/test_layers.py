"""Layer files over HTTP: who may, which bytes, how long they may be kept, and that no path comes in."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from tests.support.factories import colours_of, grid_of, heights_of, make_area, make_failed_tile, make_tile
from tiles.core.files import write_whole
from tiles.core.paths import layer_path
from tiles.models import TilePair
from tiles.raster.colour import colour_depth, lut
from tiles.raster.depth import depth_to_uint8
from tiles.raster.encode import encode_geotiff, read_layer_bytes
from tiles.raster.stretch import stretch_rgb
from tiles.review.layers import delivered

pytestmark = pytest.mark.django_db


@pytest.fixture
def tile(data_folder: Path) -> TilePair:
    return make_tile(make_area(), 3, void=True)


def fetch(client: Client, layer: str, **query: Any) -> Any:
    return client.get(f"/areas/testland/tiles/3/{layer}", query)


def content(answer: Any) -> bytes:
    return b"".join(answer) if answer.streaming else answer.content


def test_png_is_the_file_and_may_be_kept_for_ever(tile: TilePair, signed_in: Any) -> None:
    answer = fetch(signed_in("viewer"), "png", v=1)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/png"
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    pixels = np.asarray(Image.open(io.BytesIO(content(answer))))
    assert (pixels == colours_of(3)).all()


def test_dem255_is_a_png_with_the_voids_transparent(tile: TilePair, signed_in: Any) -> None:
    answer = fetch(signed_in("viewer"), "dem255", v="1.1")
    assert answer["Content-Type"] == "image/png"
    picture = Image.open(io.BytesIO(content(answer)))
    assert picture.mode == "LA"
    grey, alpha = np.moveaxis(np.asarray(picture), -1, 0)
    void = np.zeros((64, 64), bool)
    void[:16, :16] = True
    assert (alpha == np.where(void, 0, 255)).all()
    assert (grey == depth_to_uint8(heights_of(3), void)).all()


def test_heights_for_lists_are_every_other_pixel_of_dem255(data_folder: Path, signed_in: Any) -> None:
    make_tile(make_area("large", tile_size=256), 3, void=True)
    client, pictures = signed_in("viewer"), []
    for layer in ("dem255", "heights"):
        answer = client.get(f"/areas/large/tiles/3/{layer}?v=1.1")
        assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
        pictures.append(np.asarray(Image.open(io.BytesIO(content(answer)))))
    assert (pictures[1] == pictures[0][::2, ::2]).all()


def unpacked(body: bytes) -> tuple[dict[str, Any], np.ndarray]:
    """The header, and the heights as (H, W), as tiles/raster/packed.py describes them."""
    length = int.from_bytes(body[:4], "little")
    header = json.loads(body[4 : 4 + length])
    kind = np.dtype({"int16": "<i2", "float32": "<f4"}[header["type"]])
    steps = np.frombuffer(body, np.uint8, offset=4 + length).reshape(kind.itemsize, -1)
    values = np.ascontiguousarray(np.cumsum(steps, axis=1, dtype=np.uint8).T).view(kind)
    return header, values.reshape(header["height"], header["width"])


def test_heights_come_as_they_are(tile: TilePair, signed_in: Any) -> None:
    answer = fetch(signed_in("viewer"), "elevation", v="1.1")
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    assert "Accept-Encoding" in answer["Vary"]
    header, heights = unpacked(answer.content)
    assert (header["dx"], header["dy"], header["north_up"]) == (pytest.approx(30), pytest.approx(30), True)
    expected = heights_of(3)
    expected[:16, :16] = np.nan
    np.testing.assert_array_equal(heights, expected)


def test_whole_metres_are_sent_as_such_and_small(data_folder: Path, signed_in: Any) -> None:
    whole = np.rint(heights_of(3, 256))
    make_tile(make_area("large", tile_size=256), 3, heights=whole)
    client = signed_in("viewer")
    answer = client.get("/areas/large/tiles/3/elevation?v=1", headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert len(answer.content) < whole.size
    header, heights = unpacked(gzip.decompress(answer.content))
    assert header["type"] == "int16"
    assert (heights == whole).all()


def test_rgb_without_stretch_is_only_normalised(tile: TilePair, signed_in: Any) -> None:
    client = signed_in("viewer")
    for kind in ("per_channel", "joint"):
        TilePair.objects.filter(pk=tile.pk).update(parameters={"normalisation": kind})
        assert fetch(client, "raw", v="1")["Location"].endswith(f"raw?v=1.{kind}")
        answer = fetch(client, "raw", v=f"1.{kind}")
        expected = stretch_rgb(colours_of(3).astype(np.uint16) * 40, normalisation=kind, percent=0).image
        assert (np.asarray(Image.open(io.BytesIO(answer.content))) == expected).all()


def test_rgb_that_was_dropped_is_not_offered(tile: TilePair, signed_in: Any) -> None:
    tile.layers.pop("rgb")
    tile.save()
    assert fetch(signed_in("viewer"), "raw", v="1").status_code == 404
    assert "raw" not in delivered(tile)
    assert {"png", "dem255", "elevation"} < set(delivered(tile))


@pytest.mark.parametrize("name", ["nir", "sar"])
def test_other_bands_are_stretched_to_grey(tile: TilePair, signed_in: Any, name: str) -> None:
    band = np.linspace(-30, 5, 64 * 64, dtype=np.float32).reshape(1, 64, 64)
    band[0, 0, :9] = np.nan
    write_whole(layer_path("testland", name, 3), encode_geotiff(band, grid_of(3)), "test")
    tile.layers[name] = {"v": 2, "sha256": "0" * 64}
    tile.save()
    answer = fetch(signed_in("viewer"), name, v="2")
    grey, alpha = np.moveaxis(np.asarray(Image.open(io.BytesIO(answer.content))), -1, 0)
    assert (alpha == np.where(np.isfinite(band[0]), 255, 0)).all()
    assert (grey[0, 9], grey[-1, -1]) == (0, 255)
    assert (np.diff(grey.ravel()[9:].astype(int)) >= 0).all()


@pytest.mark.parametrize(("layer", "table"), [("colour", "Spectral"), ("colour-inferno", "inferno")])
def test_colour_depth_maps_are_made_of_the_heights(tile: TilePair, signed_in: Any, layer: str, table: str) -> None:
    answer = fetch(signed_in("viewer"), layer, v="1.1")
    assert answer["Content-Type"] == "image/png"
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    void = np.zeros((64, 64), bool)
    void[:16, :16] = True
    pixels = np.asarray(Image.open(io.BytesIO(content(answer))))
    assert (pixels == colour_depth(heights_of(3), void, table)).all()
    assert not pixels[void].any()
    lowest = np.unravel_index(np.where(void, np.inf, heights_of(3)).argmin(), void.shape)
    assert (pixels[lowest] == lut(table)[-1]).all(), "low heights at the high end"


def test_a_flat_tile_has_no_colours(tile: TilePair, signed_in: Any) -> None:
    client = signed_in("viewer")
    assert "colour" in client.get("/api/v1/areas/testland/tiles/3/").json()["urls"]
    tile.dem_min = tile.dem_max = 7.0
    tile.save()
    urls = client.get("/api/v1/areas/testland/tiles/3/").json()["urls"]
    assert ("dem.tif" in urls, "colour" in urls) == (True, False)
    assert fetch(client, "colour", v="1.1").status_code == 404


@pytest.mark.parametrize(("layer", "band"), [("dem.tif", "dem"), ("rgb.tif", "rgb"), ("dem255.tif", "dem255")])
def test_rasters_are_downloads(tile: TilePair, signed_in: Any, layer: str, band: str) -> None:
    answer = fetch(signed_in("viewer"), layer, v=1)
    assert answer["Content-Disposition"] == f'attachment; filename="testland_tile_3_{layer}"'
    body = content(answer)
    assert body == layer_path("testland", band, 3).read_bytes()
    assert read_layer_bytes(body).grid


@pytest.mark.parametrize("query", [{}, {"v": "0"}, {"v": "2"}, {"v": "x"}])
def test_another_version_leads_to_the_current_one(tile: TilePair, signed_in: Any, query: Any) -> None:
    answer = fetch(signed_in("viewer"), "png", **query)
    assert answer.status_code == 302
    assert answer["Location"] == "/areas/testland/tiles/3/png?v=1"
    assert "immutable" not in answer["Cache-Control"]


def test_unchanged_is_not_sent_again(tile: TilePair, signed_in: Any) -> None:
    client = signed_in("viewer")
    for layer, version in (("png", "1"), ("dem255", "1.1"), ("colour", "1.1")):
        tag = fetch(client, layer, v=version)["ETag"]
        again = client.get(f"/areas/testland/tiles/3/{layer}", {"v": version}, headers={"If-None-Match": tag})
        assert again.status_code == 304
        assert again["ETag"] == tag
        assert "immutable" in again["Cache-Control"]


def test_signed_out_gets_no_pixel(tile: TilePair, client: Client) -> None:
    page = fetch(client, "png", v=1)
    assert page.status_code == 302
    assert "sign-in" in page["Location"]
    script = client.get("/areas/testland/tiles/3/png", {"v": 1}, headers={"X-Requested-With": "fetch"})
    assert script.status_code == 401


def test_needs_the_permission(tile: TilePair, person: Any, client: Client) -> None:
    nobody = person("viewer")
    nobody.groups.clear()
    client.force_login(nobody, backend="django.contrib.auth.backends.ModelBackend")
    assert fetch(client, "png", v=1).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/areas/testland/tiles/3/sar.tif?v=1",
        "/areas/testland/tiles/3/secret-key",
        "/areas/testland/tiles/3/..%2f..%2fsecret-key",
        "/areas/testland/tiles/3/../../../../secret-key",
        "/areas/..%2f..%2f/tiles/3/png",
        "/areas/testland/tiles/4/png",
        "/areas/testland/tiles/-3/png",
        "/areas/nowhere/tiles/3/png",
    ],
)
def test_what_is_not_there(tile: TilePair, signed_in: Any, data_folder: Path, path: str) -> None:
    (data_folder / "secret-key").write_text("secret")
    answer = signed_in("viewer").get(path, headers={"X-Requested-With": "fetch"})
    assert answer.status_code == 404


def test_a_failed_tile_has_no_layers(tile: TilePair, signed_in: Any) -> None:
    make_failed_tile(tile.area, 4)
    assert signed_in("viewer").get("/areas/testland/tiles/4/png?v=1").status_code == 404


@pytest.mark.parametrize("damaged", ["dem255", "void"])
def test_a_missing_or_damaged_file_is_said(tile: TilePair, signed_in: Any, damaged: str) -> None:
    client = signed_in("viewer")
    layer_path("testland", "png", 3).unlink()
    layer_path("testland", damaged, 3).write_bytes(b"not a raster")
    for layer, version in (("png", "1"), ("dem255", "1.1")):
        answer = client.get(f"/areas/testland/tiles/3/{layer}", {"v": version}, headers={"X-Requested-With": "fetch"})
        assert answer.status_code == 404
        assert "Build the area again" in answer.json()["message"]
        assert "immutable" not in answer.get("Cache-Control", "")


def test_nginx_sends_the_file(tile: TilePair, signed_in: Any, settings: Any) -> None:
    settings.DEMETER_ACCEL = "/protected/"
    answer = fetch(signed_in("viewer"), "png", v=1)
    assert answer["X-Accel-Redirect"] == "/protected/areas/testland/png/0/tile_3.png"
    assert content(answer) == b""
    assert fetch(signed_in("viewer"), "dem255", v="1.1")["Content-Type"] == "image/png"
