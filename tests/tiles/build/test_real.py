"""The whole job on real input: zion, drone_taiwan, srtm3_vancouver."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image

from tests.support.factories import counters, recount
from tiles.build.griding import GridOptions
from tiles.core.paths import layer_path
from tiles.models import Area, SkippedWindow, TilePair
from tiles.raster.grid import Grid
from tiles.raster.terrain import hillshade

from .conftest import Build, write_raster


def read(tile: TilePair, layer: str) -> tuple[np.ndarray, Any]:
    """(B, H, W) pixels of a stored layer and its profile."""
    with rasterio.open(layer_path(tile.area.slug, layer, tile.index)) as dataset:
        return dataset.read(), {**dataset.profile, "grid": Grid.of(dataset) if dataset.crs else None}


def naive_png(rgb: np.ndarray) -> np.ndarray:
    """The published stretch, as its formulas stand: per channel min-max to uint8, then joint percentiles 1 and 99."""
    image = np.zeros(rgb.shape, np.uint8)
    for channel in range(3):
        values = rgb[..., channel].astype(np.float64)
        image[..., channel] = ((values - values.min()) / (values.max() - values.min()) * 255).astype(np.uint8)
    low, high = np.percentile(image, 1), np.percentile(image, 99)
    return ((np.clip(image, low, high) - low) / (high - low) * 255).astype(np.uint8)


def naive_dem255(dem: np.ndarray) -> np.ndarray:
    heights = dem.astype(np.float64)
    return np.floor((heights - heights.min()) / (heights.max() - heights.min()) * 255).astype(np.uint8)


@pytest.fixture
def zion(build: Build, sample_data: Path) -> Area:
    folder = sample_data / "zion"
    return build(
        "zion",
        dems=[folder / "zion_srtm_3arcsec.tif"],
        imagery=f"raster:{folder / 'zion_landsat8_rgbn_30m.tif'}",
        nir=4,
        tile_size=128,
        satellite="Landsat 8",
        name="Zion",
    )


def test_zion_builds_what_is_covered(zion: Area) -> None:
    tiles = list(zion.tiles.order_by("index"))
    assert [(tile.window_col, tile.window_row) for tile in tiles] == [
        (col, row) for col in (0, 128, 256) for row in (0, 128, 256)
    ]
    assert [(tile.build_state, tile.failure) for tile in tiles] == [("failed", "not_covered")] * 3 + [("built", "")] * 6
    assert [round(100 * tile.uncovered_share, 1) for tile in tiles] == [0.3, 2.8, 5.8, 0, 0, 0, 0, 0, 0]
    assert "2.8 % of the tile have no imagery; the limit is 0 %." in tiles[1].failure_detail
    assert SkippedWindow.objects.filter(dem_file__area=zion, reason="partial").count() == 7
    assert (
        counters(zion)
        == recount(zion)
        == {"built": 6, "failed": 3, "failed:not_covered": 3}
        | {name: number for name, number in counters(zion).items() if name in ("pending", "captioned")}
    )


def test_zion_rows_tell_what_the_files_hold(zion: Area, sample_data: Path) -> None:
    tile = zion.tiles.get(index=4)
    assert set(tile.layers) == {"png", "preview", "rgb", "nir", "dem", "dem255"}
    for layer, entry in tile.layers.items():
        content = layer_path("zion", layer, 4).read_bytes()
        assert entry["v"] == 1
        assert entry["bytes"] == len(content)
    with rasterio.open(sample_data / "zion" / "zion_srtm_3arcsec.tif") as dataset:
        window = dataset.read(1)[128:256, 128:256]
        grid = Grid.of(dataset).window(128, 128, 128, 128)
    for layer in ("rgb", "nir", "dem", "dem255"):
        assert read(tile, layer)[1]["grid"].matches(grid), layer
    heights, profile = read(tile, "dem")
    np.testing.assert_array_equal(heights[0], window)
    assert profile["dtype"] == tile.layers["dem"]["dtype"] == "uint16"
    assert (tile.dem_min, tile.dem_max) == (window.min(), window.max())
    assert (tile.layers["dem"]["min"], tile.layers["dem"]["max"]) == (window.min(), window.max())
    assert tile.distinct_heights == min(np.unique(window).size, 1024)
    assert tile.satellite == "Landsat 8"
    assert (round(tile.native_gsd), round(tile.gsd)) == (30, 83)
    assert 10 < tile.slope < 20
    assert (tile.lon, tile.lat) == pytest.approx((-113.08, 37.35), abs=0.05)
    assert set(tile.measures) >= {"brightness", "greenness", "ndvi", "landform_shares", "dem_mean"}
    assert tile.imagery["files"] == ["zion_landsat8_rgbn_30m.tif"]
    assert "/" not in str(tile.imagery), "no path of this machine"


def test_zion_pixels_equal_the_published_formulas(zion: Area) -> None:
    for tile in zion.tiles.filter(build_state="built"):
        rgb = np.moveaxis(read(tile, "rgb")[0], 0, 2)
        assert rgb.dtype == np.uint16, "the source's own integers"
        np.testing.assert_array_equal(np.moveaxis(read(tile, "png")[0], 0, 2), naive_png(rgb))
        dem255, profile = read(tile, "dem255")
        np.testing.assert_array_equal(dem255[0], naive_dem255(read(tile, "dem")[0][0]))
        assert (dem255.min(), dem255.max(), profile["count"], profile["dtype"]) == (0, 255, 1, "uint8")
        picture = Image.open(io.BytesIO(layer_path("zion", "dem255", tile.index).read_bytes()))
        assert (picture.mode, picture.size) == ("L", (128, 128)), "as Pillow reads it"


def test_zion_is_aligned_on_its_pixels(zion: Area) -> None:
    """Hill shade and near infrared agree best where nothing is shifted."""
    reach = 4
    pairs = []
    for tile in zion.tiles.filter(build_state="built"):
        dx, dy = Grid.from_dict(tile.grid).pixel_size_m()
        shade = hillshade(read(tile, "dem")[0][0].astype(np.float32), dx, dy, azimuth=140, altitude=55)
        pairs.append((shade, read(tile, "nir")[0][0].astype(np.float32)))

    def agreement(down: int, right: int) -> float:
        """Mean correlation over the tiles, the near infrared shifted."""
        inner = slice(reach, -reach)
        found = []
        for shade, nir in pairs:
            moved = np.roll(nir, (down, right), (0, 1))[inner, inner]
            found.append(np.corrcoef(shade[inner, inner].ravel(), moved.ravel())[0, 1])
        return float(np.mean(found))

    shifts = [(down, right) for down in range(-reach, reach + 1) for right in range(-reach, reach + 1)]
    agreements = {shift: agreement(*shift) for shift in shifts}
    assert max(agreements, key=lambda shift: agreements[shift]) == (0, 0)
    assert agreements[0, 0] > 0.4


def test_a_higher_limit_marks_what_is_missing(zion: Area, build: Build) -> None:
    before = dict(zion.tiles.values_list("index", "layers"))
    build("zion", uncovered_limit=3)
    tiles = {tile.index: tile for tile in zion.tiles.all()}
    assert [tiles[index].build_state for index in (0, 1, 2)] == ["built", "built", "failed"]
    assert {index: tiles[index].layers for index in range(3, 9)} == {index: before[index] for index in range(3, 9)}
    rgb, profile = read(tiles[1], "rgb")
    missing = (rgb == profile["nodata"]).all(axis=0)
    assert missing.mean() == pytest.approx(tiles[1].uncovered_share) == pytest.approx(0.0277, abs=1e-3)
    assert not read(tiles[1], "png")[0][:, missing].any(), "no pixel is invented"
    assert counters(zion) == recount(zion)


def test_drone_taiwan(build: Build, sample_data: Path) -> None:
    """Ragged edges on both sides, NaN heights, imagery twice as fine."""
    folder = sample_data / "drone_taiwan"
    area = build(
        "taiwan",
        dems=[folder / "dsm_0p8m.tif"],
        imagery=f"raster:{folder / 'ortho_rgb_0p4m.tif'}",
        tile_size=64,
        surface="dsm",
    )
    with rasterio.open(folder / "dsm_0p8m.tif") as dataset:
        heights = dataset.read(1)
    with rasterio.open(folder / "ortho_rgb_0p4m.tif") as dataset:
        fine = (dataset.read() != 0).any(axis=0)
    seen = fine.reshape(445, 2, 488, 2)
    tiles = list(area.tiles.order_by("index"))
    assert len(tiles) == (488 // 64) * (445 // 64)
    for tile in tiles:
        rows, cols = slice(tile.window_row, tile.window_row + 64), slice(tile.window_col, tile.window_col + 64)
        void = np.isnan(heights[rows, cols]).mean()
        whole, any_seen = seen[rows, :, cols].all(axis=(1, 3)), seen[rows, :, cols].any(axis=(1, 3))
        if void:
            assert (tile.failure, tile.void_share) == ("void", pytest.approx(void))
        elif not any_seen.all():
            assert tile.failure == "not_covered"
        elif whole.all():
            assert tile.build_state == "built", tile.failure_detail
    built = area.tiles.filter(build_state="built")
    assert built.count() > 10
    assert counters(area) == recount(area)
    assert (area.dem_gsd, area.imagery_gsd) == (0.8, 0.4)
    tile = built.first()
    assert tile is not None
    assert read(tile, "dem")[1]["dtype"] == "float32"
    np.testing.assert_array_equal(read(tile, "dem255")[0][0], _floor_float32(read(tile, "dem")[0][0]))


def _floor_float32(dem: np.ndarray) -> np.ndarray:
    return ((dem - dem.min()) / (dem.max() - dem.min()) * 255).astype(np.uint8)


SIZE = 200


@pytest.fixture
def vancouver(build: Build, sample_data: Path, tmp_path: Path) -> Area:
    """The two adjacent files with a picture painted for them."""
    row, col = np.mgrid[0:160, 0:260]
    painted = np.stack([row % 97 + 20, col % 89 + 30, (row + col) % 83 + 40]).astype(np.uint8)
    place = {"pixel": 0.01, "west": -124.2, "north": 50.2, "crs": "EPSG:4326"}
    picture = write_raster(tmp_path / "painted.tif", painted, **place)
    return build(
        "vancouver",
        dems=[sample_data / "srtm3_vancouver"],
        imagery=f"raster:{picture}",
        tile_size=SIZE,
        grid=GridOptions(allow_upsampling=True),
    )


def expected_windows(sample_data: Path) -> list[tuple[str, int, int, str, float]]:
    """(file, col, row, "" or why it takes no number, void share), worked out from whole arrays: files in natural
    order, N49W123 before N49W124, each column by column."""
    windows = []
    for name in ("N49W123.tif", "N49W124.tif"):
        with rasterio.open(sample_data / "srtm3_vancouver" / name) as dataset:
            heights = dataset.read(1)
        for col in range(0, 1201, SIZE):
            for row in range(0, 1201, SIZE):
                part = heights[row : row + SIZE, col : col + SIZE]
                if part.shape != (SIZE, SIZE):
                    windows.append((name, col, row, "partial", 0.0))
                elif not part.any():
                    windows.append((name, col, row, "sea", 0.0))
                else:
                    windows.append((name, col, row, "", float((part == -32767).mean())))
    return windows


def test_vancouver_is_cut_and_numbered_as_published(vancouver: Area, sample_data: Path) -> None:
    expected = expected_windows(sample_data)
    numbered = [window for window in expected if not window[3]]
    tiles = vancouver.tiles.order_by("index").values_list("index", "dem_file__name", "window_col", "window_row")
    assert list(tiles) == [(index, *window[:3]) for index, window in enumerate(numbered)]
    skipped = SkippedWindow.objects.filter(dem_file__area=vancouver)
    rows = skipped.values_list("dem_file__name", "col", "row", "reason")
    assert sorted(rows) == sorted(window[:4] for window in expected if window[3])
    assert {reason for *_place, reason in rows} == {"sea", "partial"}


def test_vancouver_voids_at_zero_and_ten_percent(vancouver: Area, build: Build, sample_data: Path) -> None:
    shares = [window[4] for window in expected_windows(sample_data) if not window[3]]
    assert {"none" if not share else "some" if share <= 0.1 else "many" for share in shares} == {"none", "some", "many"}
    before = {tile.index: tile for tile in vancouver.tiles.all()}
    for index, share in enumerate(shares):
        assert (before[index].build_state, before[index].failure) == (("failed", "void") if share else ("built", ""))
        assert before[index].void_share == pytest.approx(share)

    build("vancouver", void_limit=10)
    after = {tile.index: tile for tile in vancouver.tiles.all()}
    places = ("index", "dem_file_id", "window_col", "window_row")
    assert [[getattr(tile, name) for name in places] for tile in after.values()] == [
        [getattr(tile, name) for name in places] for tile in before.values()
    ], "changing a limit renumbers nothing"
    for index, share in enumerate(shares):
        assert after[index].build_state == ("built" if share <= 0.1 else "failed")
        if not share:
            assert after[index].layers == before[index].layers
    assert counters(vancouver) == recount(vancouver)

    holed = next(after[index] for index, share in enumerate(shares) if 0 < share <= 0.1)
    heights, profile = read(holed, "dem")
    void = read(holed, "void")[0][0] == 255
    np.testing.assert_array_equal(void, heights[0] == profile["nodata"])
    assert profile["nodata"] == -32767
    assert void.mean() == pytest.approx(holed.void_share)
    dem255 = read(holed, "dem255")[0][0]
    assert not dem255[void].any()
    land = heights[0][~void].astype(np.float64)
    expected = np.floor((land - land.min()) / (land.max() - land.min()) * 255)
    np.testing.assert_array_equal(dem255[~void], expected.astype(np.uint8))
    assert "void" not in next(after[index] for index, share in enumerate(shares) if not share).layers
