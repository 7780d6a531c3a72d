"""What becomes of tiles that are flat, blank, in feet, holed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from django.dispatch import receiver

from tests.support.factories import counters, recount
from tiles.core.paths import layer_path
from tiles.core.signals import area_built, tiles_built
from tiles.models import Area, TilePair

from .conftest import Build, Inputs, colours, hills, write_raster

SIZE = 32


def stored(tile: TilePair, layer: str) -> tuple[np.ndarray, dict[str, object]]:
    with rasterio.open(layer_path(tile.area.slug, layer, tile.index)) as dataset:
        return dataset.read(), dict(dataset.profile)


def strip(tmp_path: Path, *parts: np.ndarray, **profile: object) -> Path:
    """One file with these SIZE x SIZE windows beneath each other, so that they are tiles 0, 1, 2 ..."""
    return write_raster(tmp_path / "strip.tif", np.concatenate(parts), **profile)  # type: ignore[arg-type]


@pytest.fixture
def picture(tmp_path: Path) -> str:
    return f"raster:{write_raster(tmp_path / 'picture.tif', colours(200, 60))}"


def test_flat_tiles_are_rejected_by_rule(build: Build, tmp_path: Path, picture: str) -> None:
    flat = np.full((SIZE, SIZE), 120, np.int16)
    few = (np.arange(SIZE * SIZE).reshape(SIZE, SIZE) % 15).astype(np.int16)
    enough = (np.arange(SIZE * SIZE).reshape(SIZE, SIZE) % 16).astype(np.int16)
    area = build(dems=[strip(tmp_path, flat, few, enough)], imagery=picture, tile_size=SIZE)
    tiles = list(area.tiles.order_by("index"))
    assert [(tile.build_state, tile.review_state, tile.reason) for tile in tiles] == [
        ("built", "rejected", "flat"),
        ("built", "rejected", "flat"),
        ("built", "pending", ""),
    ]
    assert [tile.flags for tile in tiles] == [["flat"], ["few_heights"], []]
    assert not stored(tiles[0], "dem255")[0].any()
    decision = tiles[1].decisions.get()
    assert (decision.verb, decision.by, decision.to_reason) == ("reject", None, "flat")
    assert "15 different heights" in decision.note
    assert decision.layers_seen == tiles[1].layer_versions()
    assert decision.tile_version == tiles[1].version
    assert counters(area) == recount(area)
    assert counters(area)["rejected:flat"] == 2


def test_blank_and_constant_imagery(build: Build, tmp_path: Path) -> None:
    """Black fails; a constant band is 0 and flagged."""
    picture = colours(SIZE * 3, SIZE)
    picture[:, SIZE : 2 * SIZE] = 0
    picture[1, 2 * SIZE :] = 777
    imagery = write_raster(tmp_path / "picture.tif", picture)
    dem = write_raster(tmp_path / "dem.tif", hills(SIZE * 3, SIZE))
    area = build(dems=[dem], imagery=f"raster:{imagery}", tile_size=SIZE)
    tiles = list(area.tiles.order_by("index"))
    assert [(tile.build_state, tile.failure) for tile in tiles] == [("built", ""), ("failed", "blank"), ("built", "")]
    assert tiles[1].layers == {}
    assert not layer_path("land", "png", 1).exists(), "no blank picture stands in for it"
    assert tiles[2].flags == ["constant_band"]
    assert not stored(tiles[2], "png")[0][1].any()
    build()
    assert area.tiles.get(index=1).failure == "blank"
    assert area.jobs.first().total == 0, "blank imagery stays blank: it is not tried again"


@pytest.mark.parametrize(("unit", "metres"), [("ft", 0.3048), ("us-ft", 1200 / 3937), ("m", 1.0)])
def test_heights_in_feet_become_metres(build: Build, tmp_path: Path, picture: str, unit: str, metres: float) -> None:
    feet = hills(SIZE, SIZE)
    area = build(dems=[strip(tmp_path, feet)], imagery=picture, tile_size=SIZE, height_unit=unit)
    tile = area.tiles.get()
    heights, profile = stored(tile, "dem")
    assert profile["dtype"] == ("int16" if unit == "m" else "float32")
    np.testing.assert_allclose(heights[0], feet * metres, rtol=1e-6)
    assert tile.dem_max == pytest.approx(feet.max() * metres, rel=1e-6)
    assert tile.parameters["unit_factor"] == metres


@pytest.mark.parametrize("dtype", ["int16", "uint16", "float32", "uint8"])
@pytest.mark.parametrize("nodata", [None, 99])
def test_a_void_is_marked_in_the_heights_and_in_a_mask(
    build: Build, tmp_path: Path, picture: str, dtype: str, nodata: int | None
) -> None:
    """Even when the file marks voids by a mask only, and when its nodata value is also a height elsewhere."""
    heights = (np.arange(SIZE * SIZE).reshape(SIZE, SIZE) % 200 + 20).astype(dtype)
    hole = np.zeros((SIZE, SIZE), bool)
    hole[3:5, 7:17] = True
    heights[hole] = nodata or 0
    dem = strip(tmp_path, heights, nodata=nodata)
    if nodata is None:
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(dem, "r+") as dataset:
            dataset.write_mask(~hole)
    else:
        hole = heights == nodata
    area = build(dems=[dem], imagery=picture, tile_size=SIZE, void_limit=10)
    tile = area.tiles.get()
    found, profile = stored(tile, "dem")
    marked = np.isnan(found[0]) if profile["nodata"] != profile["nodata"] else found[0] == profile["nodata"]
    np.testing.assert_array_equal(marked, hole)
    np.testing.assert_array_equal(found[0][~hole], heights[~hole])
    np.testing.assert_array_equal(stored(tile, "void")[0][0] == 255, hole)
    assert (tile.dem_min, tile.dem_max) == (heights[~hole].min(), heights[~hole].max())
    assert not stored(tile, "dem255")[0][0][hole].any()
    assert stored(tile, "png")[0].any(axis=0)[hole].any(), "the picture is there, whatever the heights"


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_missing_imagery_is_marked_by_a_value_no_pixel_has(build: Build, tmp_path: Path, dtype: str) -> None:
    """8-bit imagery that uses all 256 values needs a wider type to leave one free."""
    every = np.stack([np.random.default_rng(seed).permutation(SIZE * SIZE) % 256 for seed in range(3)])
    picture = every.reshape(3, SIZE, SIZE).astype(dtype)[:, :, :31]
    imagery = write_raster(tmp_path / "picture.tif", picture)
    area = build(
        dems=[strip(tmp_path, hills(SIZE, SIZE))], imagery=f"raster:{imagery}", tile_size=SIZE, uncovered_limit=5
    )
    tile = area.tiles.get()
    found, profile = stored(tile, "rgb")
    nodata = profile["nodata"]
    marked = np.isnan(found) if dtype == "float32" else found == nodata
    assert marked[:, :, 31].all()
    assert not marked[:, :, :31].any()
    np.testing.assert_array_equal(found[:, :, :31], picture)
    assert profile["dtype"] == {"uint8": "int16"}.get(dtype, dtype)
    assert tile.uncovered_share == pytest.approx(1 / 32)
    assert not stored(tile, "png")[0][:, :, 31].any()


def test_a_tile_without_any_height_fails_even_at_a_limit_of_100(build: Build, tmp_path: Path, picture: str) -> None:
    nothing = np.full((SIZE, SIZE), -9999, np.int16)
    dem = strip(tmp_path, hills(SIZE, SIZE), nothing, nodata=-9999)
    area = build(dems=[dem], imagery=picture, tile_size=SIZE, void_limit=100)
    assert list(area.tiles.order_by("index").values_list("failure", flat=True)) == ["", "void"]


@pytest.mark.django_db(transaction=True)
def test_upper_floors_hear_of_every_built_tile_once_it_is_there(build: Build, inputs: Inputs) -> None:
    heard: list[int] = []
    finished: list[int] = []

    @receiver(tiles_built)
    def on_tiles(tile_ids: list[int], **_signal: object) -> None:
        for tile in TilePair.objects.filter(pk__in=tile_ids):
            assert tile.build_state == "built"
            assert all(layer_path("land", layer, tile.index).is_file() for layer in tile.layers)
        heard.extend(tile_ids)

    @receiver(area_built)
    def on_area(area_id: int, **_signal: object) -> None:
        finished.append(area_id)

    area = build(dems=[inputs.dems], imagery=inputs.raster, tile_size=SIZE)
    assert sorted(heard) == sorted(area.tiles.values_list("id", flat=True))
    assert finished == [area.pk]


@pytest.mark.django_db(transaction=True)
def test_a_receiver_that_fails_does_not_stop_the_build(build: Build, inputs: Inputs) -> None:
    @receiver(tiles_built)
    def broken(**_signal: object) -> None:
        raise RuntimeError("by the test")

    area = build(dems=[inputs.dems], imagery=inputs.raster, tile_size=SIZE)
    assert area.tiles.filter(build_state="built").count() == 10


def test_what_an_area_says_of_itself(build: Build, inputs: Inputs) -> None:
    area = build(
        dems=[inputs.dems],
        imagery=inputs.raster,
        tile_size=SIZE,
        name="The land",
        licence="CC0",
        vertical_datum="EGM96",
        surface="dtm",
        synthetic=True,
    )
    assert (area.name, area.licence, area.vertical_datum, area.surface) == ("The land", "CC0", "EGM96", "dtm")
    assert area.height_unit == Area.HeightUnit.UNKNOWN
    assert (area.dem_gsd, area.imagery_gsd) == (30.0, 30.0), "the files' own, where nobody says otherwise"
    assert area.synthetic
    for file in area.dem_files.all():
        assert len(file.footprint) > 4
        assert len(file.sha256) == 64
