"""The grid options of a build, on real rasters: whose pixels tiles lie on, which windows there are, what is refused."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from django.core.management import CommandError, call_command
from rasterio.warp import transform

from tests.support.factories import counters, recount
from tiles.build.griding import GridOptions, grid_of
from tiles.build.services import BuildOptions, area_build_start
from tiles.build.sheets import grid_plan
from tiles.core.errors import BadInput, Conflict
from tiles.core.paths import layer_path
from tiles.imagery import imagery_survey
from tiles.models import Area, DemFile, JobEvent, SkippedWindow, TilePair
from tiles.raster.grid import Grid

from .conftest import NORTH, PIXEL, WEST, Build, Inputs, write_raster

pytestmark = pytest.mark.django_db


def read(tile: TilePair, layer: str) -> tuple[np.ndarray, Grid]:
    """(B, H, W) pixels of a stored layer, and its grid."""
    with rasterio.open(layer_path(tile.area.slug, layer, tile.index)) as dataset:
        return dataset.read(), Grid.of(dataset)


def windows(area: Area) -> list[tuple[int, int, int]]:
    return list(area.tiles.order_by("index").values_list("index", "window_col", "window_row"))


def bilinear(heights: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Heights at pixel coordinates x (W,) and y (H,), edge pixels repeated, NaN where any of the four is NaN."""
    padded = np.pad(heights, 1, mode="edge")
    col, row = x + 0.5, y + 0.5
    left, top = np.floor(col).astype(int), np.floor(row).astype(int)
    dx, dy = (col - left)[None, :], (row - top)[:, None]
    above = padded[top][:, left] * (1 - dx) + padded[top][:, left + 1] * dx
    below = padded[top + 1][:, left] * (1 - dx) + padded[top + 1][:, left + 1] * dx
    found: np.ndarray = above * (1 - dy) + below * dy
    return found


@pytest.fixture
def taiwan(build: Build, sample_data: Path) -> Area:
    folder = sample_data / "drone_taiwan"
    return build(
        "taiwan",
        dems=[folder / "dsm_0p8m.tif"],
        imagery=f"raster:{folder / 'ortho_rgb_0p4m.tif'}",
        tile_size=200,
        grid=GridOptions(grid="imagery", stride=300),
        void_limit=40,
        uncovered_limit=60,
    )


def test_imagery_gives_its_own_pixels_and_heights_between_those_of_the_model(taiwan: Area, sample_data: Path) -> None:
    folder = sample_data / "drone_taiwan"
    with rasterio.open(folder / "dsm_0p8m.tif") as dataset:
        model = dataset.read(1)
    with rasterio.open(folder / "ortho_rgb_0p4m.tif") as dataset:
        ortho, lattice = dataset.read(), Grid.of(dataset)
    fine = bilinear(model, (np.arange(976) + 0.5) / 2, (np.arange(890) + 0.5) / 2)
    assert [place[1:] for place in windows(taiwan)] == [(col, row) for col in (0, 300, 600) for row in (0, 300, 600)]
    assert SkippedWindow.objects.filter(dem_file__area=taiwan, reason="partial").count() == 4 * 3 - 3 * 3
    voids = 0
    for tile in taiwan.tiles.all():
        rows, cols = slice(tile.window_row, tile.window_row + 200), slice(tile.window_col, tile.window_col + 200)
        void = np.isnan(fine[rows, cols])
        assert tile.void_share == pytest.approx(void.mean()), "a pixel that touches a void is void"
        if tile.build_state != "built":
            continue
        voids += void.any()
        rgb, grid = read(tile, "rgb")
        heights, also = read(tile, "dem")
        assert grid.matches(lattice.window(tile.window_col, tile.window_row, 200, 200))
        assert grid.matches(also)
        seen = (ortho[:, rows, cols] != 0).any(axis=0)
        np.testing.assert_array_equal(rgb[:, seen], ortho[:, rows, cols][:, seen])
        np.testing.assert_allclose(heights[0][~void], fine[rows, cols][~void], atol=1e-4)
        assert np.isnan(heights[0][void]).all()
        assert heights.dtype == np.float32
        assert ("void" in tile.layers) == void.any()
        assert tile.parameters["heights"] == {
            "files": ["dsm_0p8m.tif"],
            "resampling": "bilinear",
            "crs": "EPSG:32651",
            "pixel": pytest.approx([0.8, 0.8]),
            "pixels_of_the_files": [0.5, 0.5],
        }
        assert "upsampled" not in tile.flags, "twice as fine is not more than twice"
    assert voids
    assert taiwan.tiles.filter(build_state="built").count() > 3
    assert counters(taiwan) == recount(taiwan)


@pytest.fixture
def zion(sample_data: Path) -> dict[str, Any]:
    folder = sample_data / "zion"
    return {
        "dems": [folder / "zion_srtm_3arcsec.tif"],
        "imagery": f"raster:{folder / 'zion_landsat8_rgbn_30m.tif'}",
        "uncovered_limit": 100,
    }


def test_gsd_is_a_metric_grid_of_the_local_zone(build: Build, zion: dict[str, Any]) -> None:
    area = build("zion", tile_size=128, grid=GridOptions(gsd=90, stride=200), **zion)
    tiles = list(area.tiles.order_by("index"))
    assert tiles
    with rasterio.open(zion["dems"][0]) as dataset:
        model, known = dataset.read(1), Grid.of(dataset)
    for tile in tiles:
        grid = Grid.from_dict(tile.grid)
        assert (grid.crs, grid.affine[0], grid.affine[4]) == ("EPSG:32612", 90, -90)
        assert grid.affine[2] % 90 == grid.affine[5] % 90 == 0, "whole multiples, so that neighbours share a lattice"
        assert (tile.window_col % 200, tile.window_row % 200) == (0, 0)
        assert (tile.build_state, tile.void_share) == ("built", 0)
    middle = tiles[len(tiles) // 2]
    heights, grid = read(middle, "dem")
    assert grid.matches(Grid.from_dict(middle.grid))
    assert np.corrcoef(heights[0].ravel(), _nearest(model, known, grid).ravel())[0, 1] > 0.99
    assert counters(area) == recount(area)


def _nearest(model: np.ndarray, known: Grid, grid: Grid) -> np.ndarray:
    """Heights at the centres of a grid's pixels, by the nearest neighbour, through points."""
    cols, rows = np.meshgrid(np.arange(grid.width) + 0.5, np.arange(grid.height) + 0.5)
    xs, ys = grid.transform @ (cols.ravel(), rows.ravel())
    lons, lats = transform(grid.rio_crs, known.rio_crs, xs, ys)
    x, y = ~known.transform @ (np.array(lons), np.array(lats))
    found: np.ndarray = model[y.astype(int), x.astype(int)].reshape(cols.shape)
    return found


def test_resize_makes_one_tile_of_each_file(build: Build, zion: dict[str, Any], sample_data: Path) -> None:
    area = build("small", tile_size=128, grid=GridOptions(resize=0), **zion)
    tile = area.tiles.get()
    with rasterio.open(zion["dems"][0]) as dataset:
        model, known = dataset.read(1).astype(float), Grid.of(dataset)
    heights, grid = read(tile, "dem")
    assert (grid.width, grid.height) == (128, 128)
    assert np.allclose(Grid.from_dict(tile.grid).bounds_lonlat(), known.bounds_lonlat())
    assert heights.mean() == pytest.approx(model.mean(), abs=1), "an average over the area, not a pick"
    assert 0.97 * model.std() < heights.std() < model.std()
    assert tile.parameters["heights"]["resampling"] == "bilinear"
    assert not area.dem_files.get().skipped.exists()


def test_resize_of_windows(build: Build, zion: dict[str, Any]) -> None:
    area = build("windows", tile_size=64, grid=GridOptions(resize=200, start_index=7), **zion)
    assert windows(area) == [(7, 0, 0), (8, 0, 200), (9, 200, 0), (10, 200, 200)]
    assert {read(tile, "dem")[0].shape for tile in area.tiles.filter(build_state="built")} == {(1, 64, 64)}


PLACE = {"pixel": 1 / 1200, "west": -124.2, "north": 50.2, "crs": "EPSG:4326"}


@pytest.fixture
def vancouver(sample_data: Path, tmp_path: Path) -> dict[str, Any]:
    """Two SRTM tiles that share a column of pixels, and a coarse picture painted for them."""
    row, col = np.mgrid[0:160, 0:260]
    painted = np.stack([row % 97 + 20, col % 89 + 30, (row + col) % 83 + 40]).astype(np.uint8)
    picture = write_raster(tmp_path / "painted.tif", painted, **{**PLACE, "pixel": 0.01})
    return {
        "dems": [sample_data / "srtm3_vancouver"],
        "imagery": f"raster:{picture}",
        "imagery_gsd": 90.0,
        "void_limit": 100,
        "tile_size": 300,
    }


@pytest.fixture
def joined(sample_data: Path) -> np.ndarray:
    """Both tiles as one array, the shared column once."""
    parts = []
    for name in ("N49W124.tif", "N49W123.tif"):
        with rasterio.open(sample_data / "srtm3_vancouver" / name) as dataset:
            parts.append(dataset.read(1))
    return np.hstack([parts[0], parts[1][:, 1:]])


def test_a_mosaic_is_cut_across_its_files(build: Build, vancouver: dict[str, Any], joined: np.ndarray) -> None:
    area = build("coast", grid=GridOptions(mosaic=True, limit=3), **vancouver)
    assert joined.shape == (1201, 2401)
    expected, sea = [], []
    for col in range(0, 2400, 300):
        for row in range(0, 1200, 300):
            (expected if joined[row : row + 300, col : col + 300].any() else sea).append((col, row))
    assert [place[1:] for place in windows(area)] == expected
    assert [place[0] for place in windows(area)] == list(range(len(expected)))
    skipped = SkippedWindow.objects.filter(dem_file__area=area)
    assert sorted(skipped.filter(reason="sea").values_list("col", "row")) == sorted(sea)
    assert skipped.filter(reason="partial").count() == 9 * 5 - 8 * 4
    assert set(area.dem_files.values_list("mosaic", flat=True)) == {0}
    for tile in area.tiles.select_related("dem_file"):
        name = "N49W124.tif" if tile.window_col + 150 < 1200 else "N49W123.tif"
        assert tile.dem_file is not None
        assert tile.dem_file.name == name, "by its centre"
    for tile in area.tiles.filter(build_state="built"):
        heights, _grid = read(tile, "dem")
        part = joined[tile.window_row : tile.window_row + 300, tile.window_col : tile.window_col + 300]
        np.testing.assert_array_equal(heights[0], part)
        assert heights.dtype == np.int16
    assert counters(area) == recount(area)


def test_one_window_over_the_seam(build: Build, vancouver: dict[str, Any], joined: np.ndarray) -> None:
    area = build("seam", **vancouver | {"tile_size": 400}, grid=GridOptions(mosaic=True, stride=1000, limit=2))
    assert windows(area)[1] == (1, 1000, 0), "a gap of 600 pixels"
    tile = area.tiles.get(index=1)
    np.testing.assert_array_equal(read(tile, "dem")[0][0], joined[:400, 1000:1400])
    assert tile.parameters["heights"] == {"files": ["N49W123.tif", "N49W124.tif"], "resampling": None}


def square(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def test_only_windows_that_meet_the_area_of_interest(build: Build, vancouver: dict[str, Any]) -> None:
    feature = {"type": "Feature", "properties": {}, "geometry": square(-123.30, 49.30, -123.20, 49.31)}
    aoi = {"type": "FeatureCollection", "features": [feature]}
    area = build("bay", **vancouver, grid=GridOptions(aoi=aoi, mosaic=True))
    # Columns of 0.25 degrees from -124, rows from 50 down.
    assert windows(area) == [(0, 600, 600), (1, 900, 600)]
    assert SkippedWindow.objects.filter(dem_file__area=area, reason="aoi").count() == 8 * 4 - 2
    assert area.recipe["grid"]["aoi"]["type"] == "MultiPolygon", "the file may go: the area keeps the polygons"


def test_the_plan_alone_says_what_a_build_does(build: Build, vancouver: dict[str, Any]) -> None:
    asked = GridOptions(mosaic=True, stride=250, start_index=5, limit=1)
    options = grid_of({"grid": {"mosaic": True, "stride": 250, "start_index": 5}})
    spec = imagery_survey(vancouver["imagery"])
    dems = sorted(Path(vancouver["dems"][0]).glob("*.tif"))
    ((sheet, planned),) = grid_plan(dems, imagery=spec, tile_size=300, options=options)
    assert (sheet.grid.width, sheet.grid.height) == (2401, 1201)
    assert not Area.objects.exists()
    assert not DemFile.objects.exists()
    area = build("coast", **vancouver, grid=asked)
    assert windows(area) == [(w.number, w.col, w.row) for w in planned if w.number is not None]
    rows = SkippedWindow.objects.filter(dem_file__area=area).values_list("col", "row", "reason")
    assert sorted(rows) == sorted((w.col, w.row, w.skipped) for w in planned if w.skipped)
    unseen = next(iter(grid_plan(dems, imagery=spec, tile_size=300, options=options, look=False)))[1]
    assert {(w.col, w.row) for w in unseen if w.number is not None} >= {place[1:] for place in windows(area)}


def test_a_limit_is_for_one_build_and_changes_no_number(build: Build, inputs: Inputs) -> None:
    asked: dict[str, Any] = {"dems": [inputs.dems], "imagery": inputs.raster, "tile_size": 48}
    whole = build("whole", **asked)
    area = build("part", **asked, grid=GridOptions(limit=1))
    assert list(area.tiles.filter(build_state="built").order_by("index").values_list("index", flat=True)) == [0]
    assert "2 are left to a later build by the limit." in " ".join(
        JobEvent.objects.filter(job__area=area).values_list("message", flat=True)
    )
    area = build("part")
    assert windows(area) == windows(whole)
    assert not area.tiles.exclude(build_state="built").exists()
    # Nothing about the heights is said, for they are the file's own.
    assert "heights" not in area.tiles.get(index=0).parameters


def test_the_grid_cannot_change_and_a_rerun_numbers_the_same(build: Build, inputs: Inputs) -> None:
    asked: dict[str, Any] = {"dems": [inputs.dems], "imagery": inputs.raster, "tile_size": 48}
    area = build("land", **asked, grid=GridOptions(stride=24, start_index=100, mosaic=True))
    before = windows(area)
    assert before[0] == (100, 0, 0)
    assert before[1] == (101, 24, 0), "half a tile further"
    for changed in ({"stride": 32}, {"gsd": 30.0}, {"start_index": 0}, {"resize": 0}, {"mosaic": False}):
        (name,) = changed
        with pytest.raises(BadInput, match="Build a new area") as caught:
            area_build_start(slug="land", options=BuildOptions(grid=GridOptions(**changed)), background=False)
        assert caught.value.extra["field"] == f"grid.{name}"
    area = build("land", grid=GridOptions(stride=24), remake=True)
    assert windows(area) == before
    # Files that come later are numbered behind, and make a mosaic of their own.
    more = write_raster(inputs.folder / "more.tif", np.arange(50 * 75, dtype=np.int16).reshape(50, 75) + 1)
    area = build("land", dems=[more])
    assert windows(area)[: len(before)] == before
    assert len(windows(area)) == len(before) + 2


def test_an_open_build_of_another_limit_is_a_conflict(inputs: Inputs, data_folder: Path) -> None:
    asked: dict[str, Any] = {"dems": [inputs.dems], "imagery": inputs.raster, "background": False}
    small = BuildOptions(tile_size=32, grid=GridOptions(limit=2))
    job = area_build_start(slug="land", options=small, **asked)
    assert area_build_start(slug="land", options=small, **asked) == job
    with pytest.raises(Conflict):
        area_build_start(slug="land", options=BuildOptions(tile_size=32, grid=GridOptions(limit=3)), **asked)


def test_native_resolution_against_the_grid(build: Build, inputs: Inputs) -> None:
    asked: dict[str, Any] = {"dems": [inputs.dems], "imagery": inputs.raster, "tile_size": 64}
    quiet = build("twice", **asked, imagery_gsd=60.0)
    assert quiet.recipe["warnings"] == []
    warned = build("thrice", **asked, imagery_gsd=90.0)
    (warning,) = JobEvent.objects.filter(job__area=warned, level="warning").values_list("message", flat=True)
    assert warned.recipe["warnings"] == [warning]
    assert warning.startswith("The grid of 30 m is 3 times finer than the imagery (90 m)")
    tile = warned.tiles.get(index=0)
    assert ("upsampled" in tile.flags, tile.measures["upsampling"]) == (True, {"imagery": 3.0})
    for side in ("imagery", "dem"):
        with pytest.raises(BadInput, match="--allow-upsampling") as caught:
            build("refused", **asked, **{f"{side}_gsd": 150.0})
        assert caught.value.code == "upsampling"
    with pytest.raises(BadInput, match="5 times finer than"):
        build("refused", **asked, grid=GridOptions(gsd=6))
    assert not Area.objects.filter(slug="refused").exists()
    allowed = build("allowed", **asked, imagery_gsd=150.0, grid=GridOptions(allow_upsampling=True))
    assert allowed.tiles.get(index=0).measures["upsampling"] == {"imagery": 5.0}
    build("allowed")


RING = [[0, 0], [1, 0], [1, 1], [0, 0]]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "is not JSON"),
        ("[1, 2]", "must be a GeoJSON Polygon"),
        (json.dumps({"type": "Point", "coordinates": [0, 0]}), "must be a GeoJSON Polygon"),
        (json.dumps({"type": "FeatureCollection", "features": []}), "holds no polygon"),
        (json.dumps({"type": "Polygon", "coordinates": [RING[:3]]}), "not closed"),
        (
            json.dumps({"type": "Polygon", "coordinates": [[[x * 9e5, y] for x, y in RING]]}),
            "Save the area in EPSG:4326",
        ),
        (json.dumps({"type": "Polygon", "coordinates": [[["a", 1], *RING]]}), "not two numbers"),
        (json.dumps({"type": "Polygon", "coordinates": [RING], "crs": {"name": "EPSG:32612"}}), "another coordinate"),
        (json.dumps({"type": "Polygon", "coordinates": [RING * 6000]}), "simplify it"),
        (" " * (2 * 2**20 + 1), "larger than 2 MB"),
        (json.dumps(square(10, 10, 11, 11)), "lies elsewhere"),
    ],
)
def test_a_wrong_area_of_interest_is_one_sentence(
    inputs: Inputs, data_folder: Path, tmp_path: Path, content: str, says: str
) -> None:
    path = tmp_path / "aoi.geojson"
    path.write_text(content)
    with pytest.raises(CommandError, match=says):
        run("land", "--dem", inputs.dems, "--imagery", inputs.raster, "--tile-size", 32, "--aoi", path)
    assert not Area.objects.exists()


def run(*arguments: object) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("build_area", *map(str, arguments), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--grid", "imagery", "--gsd", 30], "exclude each other"),
        (["--resize", "--stride", 5], "--resize PIXELS"),
        (["--gsd", 0], "more than 0"),
        (["--stride", 0], "from 1 to"),
        (["--start-index", -1], "from 0 to"),
        (["--limit", 0], "1 or more"),
        (["--gsd", 300], "No tile of 32 x 32 fits"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_written(
    inputs: Inputs, data_folder: Path, options: list[object], says: str
) -> None:
    with pytest.raises(CommandError, match=says):
        run("land", "--dem", inputs.dems, "--imagery", inputs.raster, "--tile-size", 32, *options)
    assert not Area.objects.exists()


def test_imagery_without_one_lattice_is_refused(inputs: Inputs, data_folder: Path) -> None:
    half = np.full((3, 80, 90), 500, np.uint16)
    write_raster(inputs.folder / "pictures" / "a.tif", half, west=WEST - 150, north=NORTH + 150)
    write_raster(inputs.folder / "pictures" / "b.tif", half, west=WEST + 2550, north=NORTH + 150 + PIXEL / 3)
    folder = f"raster:{inputs.folder / 'pictures'}"
    with pytest.raises(CommandError, match=r"different pixel grids.*--gsd METRES"):
        run("land", "--dem", inputs.dems, "--imagery", folder, "--tile-size", 32, "--grid", "imagery")


def test_every_option_of_the_command_line(inputs: Inputs, data_folder: Path, tmp_path: Path) -> None:
    aoi = tmp_path / "aoi.geojson"
    aoi.write_text(json.dumps(square(14.9, 36.1, 15.02, 36.15)))
    inputs_given = ["--dem", inputs.dems, "--imagery", inputs.raster, "--tile-size", 32, "--imagery-gsd", 75]
    grid = ["--gsd", 30, "--mosaic", "--stride", 24, "--start-index", 3, "--aoi", aoi, "--limit", 2]
    out, err = run("land", *inputs_given, *grid, "--allow-upsampling")
    assert "2 tiles built, 0 failed" in out
    assert "outside the area of interest" in out
    assert "2.5 times finer than the imagery" in err
    area = Area.objects.get()
    kept = area.recipe["grid"]
    assert {name: kept[name] for name in kept if name != "aoi"} == {
        "grid": "dem",
        "gsd": 30.0,
        "resize": None,
        "stride": 24,
        "start_index": 3,
        "mosaic": True,
        "allow_upsampling": True,
    }
    first = area.tiles.order_by("index").first()
    assert first is not None
    assert first.index == 3
