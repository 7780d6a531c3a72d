"""Imagery read from files onto a tile's grid, on real rasters and on small ones made here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.warp import transform
from rasterio.windows import Window

from tiles.core.errors import BadInput
from tiles.imagery import (
    Imagery,
    NoImagery,
    imagery_checksums,
    imagery_difference,
    imagery_reaches,
    imagery_survey,
    source_from,
)
from tiles.raster.errors import BadBands, DriverNotAllowed, MissingCrs, NotARaster, Unreadable
from tiles.raster.grid import Grid

UTM = "EPSG:32651"
CORNER = (500_000.0, 4_000_000.0)


def grid(pixel: float, size: int, *, crs: str = UTM, corner: tuple[float, float] = CORNER) -> Grid:
    return Grid(crs, (pixel, 0, corner[0], 0, -pixel, corner[1]), size, size)


def write(
    path: Path,
    bands: np.ndarray,
    *,
    pixel: float = 1.0,
    corner: tuple[float, float] = CORNER,
    crs: str | None = UTM,
    after: Callable[[Any], None] | None = None,
    **profile: Any,
) -> Path:
    """A GeoTIFF of (B, H, W) with its upper left corner at `corner`."""
    count, height, width = bands.shape
    options = {"photometric": "RGB"} if count >= 3 else {}
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(
            path,
            "w",
            driver="GTiff",
            count=count,
            height=height,
            width=width,
            dtype=bands.dtype,
            crs=crs,
            transform=Affine(pixel, 0, corner[0], 0, -pixel, corner[1]) if crs else None,
            **options | profile,
        ) as dataset,
    ):
        dataset.write(bands)
        if after:
            after(dataset)
    return path


def noise(size: int = 200, bands: int = 3, dtype: str = "uint16") -> np.ndarray:
    return np.random.default_rng(7).integers(1, 200, (bands, size, size)).astype(dtype)


def fetch(path: Path, on: Grid, **choice: Any) -> Imagery:
    with source_from(imagery_survey(f"raster:{path}", **choice)) as source:
        return source.fetch(on)


def test_on_its_own_grid_a_file_gives_its_pixels_unchanged(sample_data: Path) -> None:
    path = sample_data / "rgb_misc" / "landsat7_cir_30m_epsg3857.tif"
    with rasterio.open(path) as dataset:
        window = Window(512, 100, 300, 300)
        expected = dataset.read(window=window)
        own = Grid.of(dataset).window(512, 100, 300, 300)
    found = fetch(path, own)
    assert found.rgb.dtype == np.uint8
    # Nodata is 0, and single bands are 0 in most of its pixels: only where all three are is there nothing.
    there = (expected != 0).any(axis=0)
    assert 0 < (~there).sum() < there.sum()
    np.testing.assert_array_equal(found.valid, there)
    np.testing.assert_array_equal(np.moveaxis(found.rgb, 2, 0)[:, there], expected[:, there])


def test_what_lies_outside_the_image_is_not_valid(sample_data: Path) -> None:
    """The first column of windows of zion is partly beyond the rotated edge of the imagery: 0.3, 2.8 and 5.8 %."""
    with rasterio.open(sample_data / "zion" / "zion_srtm_3arcsec.tif") as dem:
        whole = Grid.of(dem)
    path = sample_data / "zion" / "zion_landsat8_rgbn_30m.tif"
    shares = [
        100 * (1 - fetch(path, whole.window(col, row, 128, 128), nir=4).valid.mean())
        for col in (0, 128)
        for row in (0, 128, 256)
    ]
    assert [round(share, 1) for share in shares] == [0.3, 2.8, 5.8, 0, 0, 0]


def test_another_coordinate_system_puts_every_pixel_where_it_belongs(tmp_path: Path) -> None:
    """A picture whose values are its own coordinates, read on a grid of degrees, says where each pixel came from."""
    size, pixel = 400, 10.0
    east, south = np.meshgrid((np.arange(size) + 0.5) * pixel, (np.arange(size) + 0.5) * pixel)
    path = write(tmp_path / "where.tif", np.stack([east, south, east]), pixel=pixel)
    (lon,), (lat,) = transform(UTM, "EPSG:4326", [CORNER[0] + 2000], [CORNER[1] - 1000])
    step = 8e-5  # 7 x 9 m: finer than the file both ways, where bilinear gives a plane back exactly
    found = fetch(path, Grid("EPSG:4326", (step, 0, lon, 0, -step, lat), 100, 100))
    assert found.valid.all()
    assert found.rgb.dtype == np.float32
    lons, lats = np.meshgrid(lon + (np.arange(100) + 0.5) * step, lat - (np.arange(100) + 0.5) * step)
    xs, ys = (np.array(values) for values in transform("EPSG:4326", UTM, lons.ravel(), lats.ravel()))
    # A hundredth of a source pixel is 0.1 m, along either axis.
    assert np.abs(found.rgb[..., 0].ravel() - (xs - CORNER[0])).max() < 0.15
    assert np.abs(found.rgb[..., 1].ravel() - (CORNER[1] - ys)).max() < 0.15


@pytest.mark.parametrize("factor", [2, 4, 5, 10])
def test_much_finer_imagery_is_averaged_and_not_sampled(tmp_path: Path, factor: int) -> None:
    """A checkerboard of single pixels is grey from afar; sampling it would leave stripes."""
    board = (np.indices((800, 800)).sum(axis=0) % 2 * 200).astype(np.uint8)
    path = write(tmp_path / "board.tif", np.stack([board] * 3))
    found = fetch(path, grid(factor, 800 // factor)).rgb[4:-4, 4:-4]
    assert np.abs(found.astype(int) - 100).max() <= 1


def _all_mask(dataset: Any) -> None:
    dataset.write_mask(~HOLE)


HOLE = np.zeros((200, 200), bool)
HOLE[:50, :70] = True


def with_hole(kind: str, path: Path) -> tuple[Path, np.ndarray]:
    bands = noise(dtype="float32" if "nan" in kind else "uint16")
    if kind == "nodata":
        bands[:, HOLE] = 9999
        return write(path, bands, nodata=9999), bands
    if kind.startswith("nan"):
        bands[:, HOLE] = np.nan
        return write(path, bands, nodata=np.nan if kind == "nan nodata" else None), bands
    if kind == "alpha band":
        alpha = (~HOLE).astype(np.uint16) * 65535
        return write(path, np.concatenate([bands, alpha[np.newaxis]]), alpha="yes"), bands
    return write(path, bands, after=_all_mask), bands


@pytest.mark.parametrize("kind", ["nodata", "nan nodata", "nan", "alpha band", "internal mask"])
def test_a_hole_stays_a_hole_whatever_marks_it(tmp_path: Path, kind: str) -> None:
    path, bands = with_hole(kind, tmp_path / "hole.tif")
    same = fetch(path, grid(1, 200))
    np.testing.assert_array_equal(same.valid, ~HOLE)
    np.testing.assert_array_equal(np.moveaxis(same.rgb, 2, 0)[:, ~HOLE], bands[:, ~HOLE])
    # On a grid that is shifted by a part of a pixel the edge moves by at most one pixel, and nothing bleeds out of
    # the hole: values stay within those around it.
    moved = fetch(path, grid(1.3, 100, corner=(CORNER[0] + 0.4, CORNER[1] - 0.4)))
    assert not moved.valid[:36, :51].any()
    assert moved.valid[40:, :].all()
    assert moved.rgb[moved.valid].min() >= 1
    assert moved.rgb[moved.valid].max() < 200


def test_a_file_without_nodata_ends_at_its_edge(tmp_path: Path) -> None:
    path = write(tmp_path / "plain.tif", noise())
    found = fetch(path, grid(1, 200, corner=(CORNER[0] + 150, CORNER[1] - 20)))
    assert found.valid[:180, :50].all()
    assert not found.valid[180:].any()
    assert not found.valid[:, 50:].any()
    assert found.rgb[found.valid].min() >= 1, "black from beyond the edge must not be mixed in"


def test_bands_are_taken_as_they_are_named(tmp_path: Path) -> None:
    bands = noise(bands=5)
    found = fetch(write(tmp_path / "five.tif", bands), grid(1, 200), bands=(5, 3, 2), nir=1)
    np.testing.assert_array_equal(np.moveaxis(found.rgb, 2, 0), bands[[4, 2, 1]])
    assert found.nir is not None
    np.testing.assert_array_equal(found.nir, bands[0])
    assert found.provenance["bands"] == [5, 3, 2]
    assert found.provenance["nir"] == 1


def test_in_a_mosaic_the_first_file_in_natural_order_wins(tmp_path: Path) -> None:
    folder = tmp_path / "mosaic"
    folder.mkdir()
    for name, value, east in (("part2.tif", 20, 0), ("part10.tif", 100, 60), ("part1.tif", 10, -60)):
        corner = (CORNER[0] + east, CORNER[1])
        write(folder / name, np.full((3, 100, 100), value, np.uint8), corner=corner)
    (folder / "notes.txt").write_text("no raster")
    found = fetch(folder, grid(1, 100))
    assert found.valid.all()
    np.testing.assert_array_equal(found.rgb[50, :, 0], [10] * 40 + [20] * 60)
    assert found.provenance["files"] == ["part1.tif", "part2.tif"]
    beyond = fetch(folder, grid(1, 100, corner=(CORNER[0] + 50, CORNER[1])))
    np.testing.assert_array_equal(beyond.rgb[50, :, 0], [20] * 50 + [100] * 50)


def test_many_more_files_than_may_be_open_at_once_make_one_mosaic(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(70):
        corner = (CORNER[0] + number, CORNER[1])
        write(folder / f"strip_{number}.tif", np.full((3, 70, 1), number + 1, np.uint8), corner=corner)
    with source_from(imagery_survey(f"raster:{folder}")) as source:
        for _again in range(2):
            found = source.fetch(grid(1, 70))
            np.testing.assert_array_equal(found.rgb[30, :, 2], np.arange(1, 71))


def test_scale_and_offset_are_kept_beside_the_integers(tmp_path: Path) -> None:
    def scaled(dataset: Any) -> None:
        dataset.scales, dataset.offsets = (2.75e-5,) * 3, (-0.2,) * 3

    bands = noise()
    found = fetch(write(tmp_path / "scaled.tif", bands, after=scaled), grid(1, 200))
    assert (found.scale, found.offset) == (2.75e-5, -0.2)
    np.testing.assert_array_equal(np.moveaxis(found.rgb, 2, 0), bands)


def test_bands_that_count_differently_become_physical_values(tmp_path: Path) -> None:
    def scaled(dataset: Any) -> None:
        dataset.scales, dataset.offsets = (0.5, 0.25, 2.0), (0.0, 0.0, 1.0)

    bands = noise()
    found = fetch(write(tmp_path / "mixed.tif", bands, after=scaled), grid(1, 200))
    assert found.scale is None
    assert found.rgb.dtype == np.float32
    expected = bands * np.array([0.5, 0.25, 2.0])[:, None, None] + np.array([0, 0, 1.0])[:, None, None]
    np.testing.assert_array_equal(np.moveaxis(found.rgb, 2, 0), expected.astype(np.float32))


def test_far_away_there_is_no_imagery(tmp_path: Path) -> None:
    path = write(tmp_path / "here.tif", noise())
    spec = imagery_survey(f"raster:{path}")
    far = grid(1e-4, 100, crs="EPSG:4326", corner=(-70.0, -30.0))
    assert not imagery_reaches(spec, far.bounds_lonlat())
    with source_from(spec) as source, pytest.raises(NoImagery):
        source.fetch(far)


def test_boxes_meet_across_the_antimeridian(tmp_path: Path) -> None:
    place = {"pixel": 0.01, "crs": "EPSG:4326"}
    east = write(tmp_path / "east.tif", noise(50), corner=(179.8, 10.0), **place)
    spec = imagery_survey(f"raster:{east}")
    assert imagery_reaches(spec, (-179.9, 9.0, -179.0, 11.0))
    assert not imagery_reaches(spec, (-179.0, 9.0, -178.0, 11.0))


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ({"bands": (1, 2)}, "three bands"),
        ({"bands": (0, 1, 2)}, "counted from 1"),
        ({"bands": (1, 2, 4)}, "no band 4"),
        ({"nir": 9}, "no band 9"),
        ({"nir": 0}, "counted from 1"),
    ],
)
def test_bands_that_are_not_there_are_refused(tmp_path: Path, choice: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        imagery_survey(f"raster:{write(tmp_path / 'three.tif', noise())}", **choice)


@pytest.mark.parametrize("text", ["/data/x.tif", "raster:", "ftp:x", ""])
def test_an_unknown_source_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="raster:<file or folder>"):
        imagery_survey(text)


def test_files_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", noise())
    write(tmp_path / "b.tif", noise(dtype="uint8"))
    with pytest.raises(BadInput, match=r"dtype is uint16 in a\.tif and uint8 in b\.tif"):
        imagery_survey(f"raster:{tmp_path}")


def test_unusable_files_are_refused(tmp_path: Path) -> None:
    cut = write(tmp_path / "cut.tif", noise(), compress="deflate")
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size * 2 // 3])
    with pytest.raises(Unreadable, match="cut short"):
        imagery_survey(f"raster:{cut}")
    with pytest.raises(MissingCrs):
        imagery_survey(f"raster:{write(tmp_path / 'nowhere.tif', noise(), crs=None)}")
    text = tmp_path / "text.tif"
    text.write_text("not a raster at all")
    with pytest.raises(NotARaster):
        imagery_survey(f"raster:{text}")
    with pytest.raises(BadBands, match="real"):
        imagery_survey(f"raster:{write(tmp_path / 'complex.tif', noise(8).astype('complex64'))}")
    hidden = tmp_path / "vrt.tif"
    hidden.write_text('<VRTDataset rasterXSize="1" rasterYSize="1"></VRTDataset>')
    with pytest.raises(DriverNotAllowed):
        imagery_survey(f"raster:{hidden}")
    for address in ("/vsicurl/http://127.0.0.1/x.tif", "/vsizip/x.zip/x.tif"):
        with pytest.raises((Unreadable, NotARaster)):
            imagery_survey(f"raster:{address}")


def test_a_file_that_changes_under_a_build_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path / "here.tif", noise())
    spec = imagery_survey(f"raster:{path}")
    write(path, noise(150))
    with source_from(spec) as source, pytest.raises(Unreadable, match="changed"):
        source.fetch(grid(1, 100))


def test_other_imagery_is_told_apart_by_content_and_not_by_folder(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "a.tif", noise())
    first, moved = (imagery_survey(f"raster:{tmp_path / name}") for name in ("one", "two"))
    first = imagery_checksums(first, None)
    assert imagery_difference(first, imagery_checksums(moved, None)) == ""
    assert "bands" in imagery_difference(first, imagery_survey(f"raster:{tmp_path / 'one'}", bands=(3, 2, 1)))
    bands = noise()
    bands[0, 0, 0] += 1
    write(tmp_path / "two" / "a.tif", bands)
    changed = imagery_checksums(imagery_survey(f"raster:{tmp_path / 'two'}"), first)
    assert "a.tif has changed" in imagery_difference(first, changed)
    write(tmp_path / "one" / "b.tif", noise())
    assert "b.tif was not there" in imagery_difference(first, imagery_survey(f"raster:{tmp_path / 'one'}"))
    (tmp_path / "one" / "a.tif").unlink()
    assert "missing" in imagery_difference(first, imagery_survey(f"raster:{tmp_path / 'one'}"))
