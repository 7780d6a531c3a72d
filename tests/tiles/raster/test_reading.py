"""Opening rasters: the right ones open, and each kind of wrong one says what is wrong."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS

from tiles.raster.errors import DriverNotAllowed, MissingCrs, NotARaster, RasterError, Unreadable
from tiles.raster.grid import Grid
from tiles.raster.reading import inspect, list_rasters, natural_key, open_raster, verify

Write = Callable[..., Path]
NOISE = np.random.default_rng(7).integers(0, 255, (3, 64, 64)).astype(np.uint8)
ESRI_WGS84 = (
    'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)
HERE = Grid("EPSG:4326", (0.001, 0, 10, 0, -0.001, 50), 64, 64)


def cut(path: Path, share: float) -> Path:
    os.truncate(path, int(path.stat().st_size * share))
    return path


def test_inspect_tells_what_the_file_says(write_raster: Write) -> None:
    path = write_raster("a.tif", np.ones((3, 4, 6), np.uint8), nodata=0, photometric="RGB")
    info = inspect(path)
    assert info.grid == Grid("EPSG:4326", (0.001, 0, 10, 0, -0.001, 50), 6, 4)
    assert (info.name, info.driver, info.count, info.dtype, info.nodata) == ("a.tif", "GTiff", 3, "uint8", 0)
    assert info.colours == ("red", "green", "blue")
    assert info.file_size == path.stat().st_size


@pytest.mark.parametrize("name", ["a.tif", "a.jp2", "a.png", "a.jpg"])
@pytest.mark.parametrize("share", [0.4, 0.97])
def test_truncated_file_is_found_by_verify(write_raster: Write, name: str, share: float) -> None:
    driver = {".tif": "GTiff", ".jp2": "JP2OpenJPEG", ".png": "PNG", ".jpg": "JPEG"}[name[1:]]
    options = {"REVERSIBLE": "YES", "QUALITY": "100"} if driver == "JP2OpenJPEG" else {}
    path = write_raster(name, NOISE, driver=driver, **options)
    verify(path)
    with pytest.raises(Unreadable, match="damaged or cut short"):
        verify(cut(path, share))


def test_verify_reads_beyond_the_first_blocks(write_raster: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tiles.raster.reading.VERIFY_BYTES", 1)
    path = write_raster("a.tif", NOISE, compress="deflate", blockysize=8)
    data = bytearray(path.read_bytes())
    with rasterio.open(path) as dataset:
        offset = int(dataset.get_tag_item("BLOCK_OFFSET_0_7", "TIFF", bidx=1))
    data[offset : offset + 40] = bytes(40)
    path.write_bytes(data)
    with pytest.raises(Unreadable):
        verify(path)


def test_damage_met_while_reading_is_unreadable_too(write_raster: Write) -> None:
    path = cut(write_raster("a.tif", NOISE), 0.9)
    with pytest.raises(Unreadable, match=r"^a\.tif is damaged"), open_raster(path) as dataset:
        dataset.read()


def test_errors_of_the_caller_pass_through(write_raster: Write) -> None:
    with pytest.raises(ZeroDivisionError), open_raster(write_raster("a.tif", NOISE)):
        _ = 1 / 0


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"just words", NotARaster),
        (b"", Unreadable),
        (b"II*\0garbage", Unreadable),
        (b'<VRTDataset rasterXSize="1" rasterYSize="1"/>', DriverNotAllowed),
        (b"  <GDAL_WMS><Service name='TMS'/></GDAL_WMS>", DriverNotAllowed),
        (b"\x89HDF\r\n\x1a\n", DriverNotAllowed),
    ],
)
def test_what_only_calls_itself_tif(tmp_path: Path, content: bytes, error: type[RasterError]) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    with pytest.raises(error) as caught:
        inspect(path)
    assert str(caught.value).startswith("a.tif ")
    assert str(tmp_path) not in str(caught.value)


def test_working_vrt_is_not_followed(write_raster: Write, tmp_path: Path) -> None:
    write_raster("secret.tif", NOISE[0])
    vrt = tmp_path / "a.tif"
    vrt.write_text(
        '<VRTDataset rasterXSize="64" rasterYSize="64"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
        '<SourceFilename relativeToVRT="1">secret.tif</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>'
    )
    with rasterio.open(vrt) as dataset:
        assert dataset.driver == "VRT"
    with pytest.raises(DriverNotAllowed):
        inspect(vrt, need_crs=False)


def test_files_beside_a_tif_are_not_opened(write_raster: Write, tmp_path: Path) -> None:
    write_raster("secret.tif", NOISE[0])
    path = write_raster("a.tif", NOISE[0])
    band = (
        '<VRTDataset rasterXSize="32" rasterYSize="32"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
        '<SourceFilename relativeToVRT="1">secret.tif</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>'
    )
    for suffix in (".ovr", ".msk"):
        Path(f"{path}{suffix}").write_text(band)
    with rasterio.open(path) as dataset:
        assert dataset.overviews(1) == [2]
    with open_raster(path) as dataset:
        assert dataset.overviews(1) == []
        assert dataset.mask_flag_enums == ([rasterio.enums.MaskFlags.all_valid],)
    assert not Path(f"{path}.aux.xml").exists()


def test_tif_that_names_an_overview_elsewhere_is_refused(write_raster: Write) -> None:
    path = write_raster("a.tif", NOISE[0])
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(ns="OVERVIEWS", OVERVIEW_FILE="elsewhere.tif")
    with pytest.raises(DriverNotAllowed, match="another file"):
        inspect(path)


@pytest.mark.parametrize("name", ["/vsicurl/http://host/a.tif", "/vsizip/a.zip/a.tif", "http://host/a.tif", "s3://b/a"])
def test_addresses_are_refused(name: str) -> None:
    with pytest.raises(NotARaster, match="file on this machine"):
        inspect(Path(name))


def test_only_regular_files_open(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.tif"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe):
        with pytest.raises(NotARaster, match="not a regular file"):
            inspect(path)
    with pytest.raises(Unreadable, match=r"none\.tif does not exist"):
        inspect(tmp_path / "none.tif")


def test_file_that_may_not_be_read(write_raster: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_raster("a.tif", NOISE)
    monkeypatch.setattr("os.access", lambda *args, **kwargs: False)
    with pytest.raises(Unreadable, match="may not be read"):
        inspect(path)


def test_missing_crs_and_missing_position_are_told_apart(write_raster: Write) -> None:
    with pytest.raises(MissingCrs, match="no coordinate system"):
        inspect(write_raster("a.tif", NOISE, crs=None))
    with pytest.raises(MissingCrs, match="no position"):
        inspect(write_raster("b.tif", NOISE, transform=None))
    assert inspect(write_raster("c.tif", NOISE, crs=None), need_crs=False).grid is None


@pytest.mark.parametrize(("name", "world"), [("a.png", "a.pgw"), ("a.jpg", "a.wld"), ("a.tif", "a.tfw")])
def test_world_file_and_prj_place_a_picture(write_raster: Write, tmp_path: Path, name: str, world: str) -> None:
    driver = {"png": "PNG", "jpg": "JPEG", "tif": "GTiff"}[name[2:]]
    path = write_raster(name, NOISE, driver=driver, crs=None, transform=None)
    with pytest.raises(MissingCrs):
        inspect(path)
    # A world file gives the centre of the first pixel.
    (tmp_path / world).write_text("0.001\n0\n0\n-0.001\n10.0005\n49.9995\n")
    with pytest.raises(MissingCrs):
        inspect(path)
    (tmp_path / "a.prj").write_text(ESRI_WGS84)
    info = verify(path)
    assert info.grid is not None
    assert info.grid.crs == "EPSG:4326"
    assert info.grid.matches(HERE)
    assert info.name == name


def test_aux_xml_places_a_picture_and_does_nothing_else(write_raster: Write, tmp_path: Path) -> None:
    path = write_raster("a.png", NOISE, driver="PNG")
    aux = tmp_path / "a.png.aux.xml"
    evil = '<Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">secret.tif</MDI></Metadata></PAMDataset>'
    aux.write_text(aux.read_text().replace("</PAMDataset>", evil))
    with open_raster(path) as dataset:
        assert Grid.of(dataset) == HERE
        assert dataset.tags(ns="OVERVIEWS") == {}
        np.testing.assert_array_equal(dataset.read(), NOISE)


def test_staging_leaves_nothing_behind(write_raster: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_raster("a.png", NOISE, driver="PNG")
    staging = tmp_path / "staging"
    staging.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(staging))
    with open_raster(path):
        assert len(list(staging.iterdir())) == 1
    assert list(staging.iterdir()) == []
    assert path.exists()


def test_ascii_grid_with_prj(write_raster: Write, tmp_path: Path) -> None:
    path = tmp_path / "a.asc"
    path.write_text(
        "ncols 3\nnrows 2\nxllcorner 10\nyllcorner 49\ncellsize 0.5\nNODATA_value -9999\n1 2 3\n4 -9999 6\n"
    )
    with pytest.raises(MissingCrs):
        inspect(path)
    (tmp_path / "a.prj").write_text(ESRI_WGS84)
    info = verify(path)
    assert (info.driver, info.nodata) == ("AAIGrid", -9999)
    assert info.grid == Grid("EPSG:4326", (0.5, 0, 10, 0, -0.5, 50), 3, 2)
    path.write_text(path.read_text()[:-8])
    with pytest.raises(Unreadable):
        verify(path)


def test_srtm_hgt(tmp_path: Path) -> None:
    path = tmp_path / "S33W071.hgt"
    heights = (np.arange(1201 * 1201) % 3000).astype(">i2").reshape(1201, 1201)
    path.write_bytes(heights.tobytes())
    info = verify(path)
    assert (info.driver, info.nodata) == ("SRTMHGT", -32768)
    assert info.grid is not None
    assert info.grid.crs == "EPSG:4326"
    assert info.grid.centre_lonlat() == pytest.approx((-70.5, -32.5))
    with open_raster(path) as dataset:
        assert dataset.read(1)[5, 7] == heights[5, 7]
    with pytest.raises(Unreadable):
        verify(cut(path, 0.5))


def test_utm_prj_in_esri_dialect_is_recognised_exactly(write_raster: Write, tmp_path: Path) -> None:
    path = write_raster("a.tif", NOISE, crs=None)
    (tmp_path / "a.prj").write_text(CRS.from_epsg(32612).to_wkt(version="WKT1_ESRI"))
    (tmp_path / "a.tfw").write_text("30\n0\n0\n-30\n300015\n4149985\n")
    info = inspect(path)
    assert info.grid is not None
    assert info.grid.crs == "EPSG:32612"
    assert info.grid.affine == (30, 0, 300_000, 0, -30, 4_150_000)


def test_folder_is_listed_in_natural_order_without_strays(tmp_path: Path) -> None:
    for name in ["tile_10.tif", "tile_2.TIF", "Tile_1.hgt", ".hidden.tif", "~x.tif", "a.tmp.tif", "b.tif.part"]:
        (tmp_path / name).touch()
    for name in ["notes.txt", "tile_2.tfw", "tile_2.TIF.aux.xml", "tile_2.tif.ovr"]:
        (tmp_path / name).touch()
    (tmp_path / "folder.tif").mkdir()
    assert [path.name for path in list_rasters(tmp_path)] == ["Tile_1.hgt", "tile_2.TIF", "tile_10.tif"]
    assert list_rasters(tmp_path / "tile_10.tif") == [tmp_path / "tile_10.tif"]


def test_listing_nothing_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotARaster, match="holds no raster"):
        list_rasters(tmp_path)
    with pytest.raises(Unreadable, match="does not exist"):
        list_rasters(tmp_path / "none")
    (tmp_path / "a.txt").touch()
    with pytest.raises(NotARaster, match="not named like a raster"):
        list_rasters(tmp_path / "a.txt")

    def forbidden(self: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", forbidden)
    with pytest.raises(Unreadable, match="cannot be listed: Permission denied"):
        list_rasters(tmp_path)


def test_natural_order_is_total() -> None:
    names = ["a1", "A1", "a01", "a10", "a2", "10", "2", "b"]
    ordered = sorted((Path(name) for name in names), key=natural_key)
    assert [path.name for path in ordered] == ["2", "10", "A1", "a01", "a1", "a2", "a10", "b"]
    ordered.reverse()
    assert [path.name for path in sorted(ordered, key=natural_key)][-1] == "b"
    assert len({natural_key(path) for path in ordered}) == len(names)


def test_every_real_sample_is_whole(samples: Path, tmp_path: Path) -> None:
    files = sorted(samples.glob("*/*.tif"))
    assert len(files) >= 15
    for path in files:
        grid = verify(path).grid
        assert grid is not None
        assert Grid.from_dict(grid.to_dict()) == grid
    copy = Path(shutil.copy(samples / "zion" / "zion_srtm_3arcsec.tif", tmp_path))
    with pytest.raises(Unreadable):
        verify(cut(copy, 0.8))
