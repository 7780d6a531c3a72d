"""Layouts of plain files, read with Pillow, rasterio, pyarrow and pystac."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pystac
import pytest
import rasterio
from PIL import Image
from pystac.validation.stac_validator import JsonSchemaSTACValidator

from portal.exports.layouts.stac import ML_AOI, PROJECTION, RASTER
from tests.support.factories import SIZE, colours_of, grid_of, heights_of, make_area, make_tile
from tests.support.releases import archive_path
from tiles.raster.colour_map import colour_map
from tiles.raster.grid import Grid

from .conftest import manifest

pytestmark = pytest.mark.django_db

Unpacked = Callable[..., Path]
Load = Callable[[Path, str], list[str]]


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_rs3dbench_lists_and_colours(unpacked: Unpacked, splits: None, load: Load) -> None:
    folder = unpacked("rs3dbench", colour_maps=1)
    for region, expected in (
        ("coast", (["tile_0", "tile_3"], ["tile_1"], ["tile_2"])),
        ("con_", (["tile_0"], ["tile_1"], [])),
    ):
        assert tuple(lines(folder / region / f"{split}.txt") for split in ("train", "val", "test")) == expected
    assert (folder / "TextPrompt-con_/tile_0.txt").read_text() == "=SUM(A1)\nA field.\n"
    colours = (folder / "coast/DEM_color-unique/tile_2_color.png").read_bytes()
    dem, void = (folder / f"coast/{kind}-unique/tile_2.{end}" for kind, end in (("DEM", "tif"), ("void", "png")))
    assert colours == colour_map(dem.read_bytes(), void.read_bytes())
    assert len(load(folder, "print(rgb.shape, depth.shape, repr(text))")) == 6


def test_rs3dbench_without_splits_has_no_lists(unpacked: Unpacked) -> None:
    assert {path.parent.name for path in unpacked("rs3dbench").glob("*/*.txt")} == {
        "TextPrompt-coast",
        "TextPrompt-con_",
    }


def test_d3rsmde_folds_are_disjoint_and_on_their_side(unpacked: Unpacked, splits: None, load: Load) -> None:
    folder = unpacked("d3rsmde")
    region = folder / "ImageToDEM-coast"
    folds = [lines(region / f"{split}.txt") for split in ("train", "val", "test")]
    assert folds == [["0", "3"], ["1"], ["2"]]
    for side, numbers in (("singleRGBNormalization", "013"), ("singleRGBNormalizationTest", "2")):
        for kind, end in (("png-stretched-unique", "png"), ("DEM_255-unique", "tif")):
            assert {path.name for path in (region / side / kind).iterdir()} == {f"tile_{n}.{end}" for n in numbers}
    depth = np.asarray(Image.open(region / "singleRGBNormalization/DEM_255-unique/tile_3.tif"))
    assert (depth.dtype, depth.min(), depth.max()) == (np.uint8, 0, 255)
    assert len(load(folder, "print(region.name, split, number, rgb.shape, depth.shape)")) == 6
    assert "90" in (folder / "README.md").read_text().split("## Load it")[0]


def test_marigold_lists_pairs(unpacked: Unpacked, splits: None, load: Load) -> None:
    folder = unpacked("marigold")
    region = folder / "ImageToDEM-coast"
    pictures, depths = "singleRGBNormalizationTest/png-stretched-unique", "singleRGBNormalizationTest/DEM_255-unique"
    assert lines(region / "test.txt") == [f"{pictures}/tile_2.png {depths}/tile_2.tif"]
    shown = load(folder, "print(split, picture, text)")
    assert len(shown) == 6
    assert any(line.endswith("tile_0.png =SUM(A1);A field.") for line in shown)
    assert np.array_equal(np.asarray(Image.open(region / pictures / "tile_2.png")), colours_of(2))


def test_mmm_rs_zips(unpacked: Unpacked, splits: None, load: Load) -> None:
    folder = unpacked("mmm-rs", jpeg_quality=80)
    assert {path.name for path in folder.glob("*.zip")} == {"coast.zip", "con_.zip", "weather.zip"}
    with zipfile.ZipFile(folder / "con_.zip") as dataset:
        entries = json.loads(dataset.read("MMM-RS_con.json"))
        assert set(dataset.namelist()) == {"MMM-RS_con.json", *(entry["image"] for entry in entries)}
        nir = np.asarray(Image.open(io.BytesIO(dataset.read("con_dataset/NIR_jpg/tile_0.jpg"))), dtype=int)
        rgb = Image.open(io.BytesIO(dataset.read("con_dataset/RGB_jpg/tile_0.jpg")))
    assert [(entry["modality"], entry["image"]) for entry in entries] == [
        ("rgb", "con_dataset/RGB_jpg/tile_0.jpg"),
        ("nir", "con_dataset/NIR_jpg/tile_0.jpg"),
    ]
    assert entries[0]["gsd_level"] == "Low precision resolution"
    assert (entries[0]["spatial_resolution"], entries[0]["satellite"], entries[0]["weather"]) == (
        10,
        "Sentinel-2",
        None,
    )
    assert (rgb.format, rgb.mode, rgb.size) == ("JPEG", "RGB", (SIZE, SIZE))
    assert (nir[0, 0] < 5, nir[-1, -1] > 250) == (True, True)  # a ramp, stretched
    with zipfile.ZipFile(folder / "weather.zip") as weather:
        assert set(weather.namelist()) == {"MMM-RS_fog_cleaned.json", "fog/con_tile_1.jpg"}
        (entry,) = json.loads(weather.read("MMM-RS_fog_cleaned.json"))
    assert (entry["weather"], entry["dataset"], entry["gsd_level"]) == ("fog", "con", "Ultra-low precision resolution")
    assert len(load(folder, "print(picture.size, repr(prompt))")) == 4 + 2 + 1


def test_huggingface_folder(unpacked: Unpacked, splits: None) -> None:
    folder = unpacked("huggingface")
    rows = [json.loads(line) for line in lines(folder / "train/metadata.jsonl")]
    assert [row["file_name"] for row in rows] == ["coast/tile_0.png", "coast/tile_3.png", "con_/tile_0.png"]
    for row in rows:
        assert (folder / "train" / row["depth_file_name"]).is_file()
        with rasterio.open(folder / row["heights"]) as heights:
            assert np.array_equal(heights.read(1), heights_of(row["index"]))
    (tested,) = (json.loads(line) for line in lines(folder / "test/metadata.jsonl"))
    assert (folder / tested["void"]).is_file()
    assert "path: val/**" in (folder / "README.md").read_text().split("---")[1]


def test_parquet_keeps_types_and_texts(unpacked: Unpacked, load: Load) -> None:
    folder = unpacked("parquet")
    table = pq.read_table(folder / "metadata.parquet")
    assert table.schema.field("dem_min").type == pa.float64()
    assert table.schema.field("index").type == pa.int64()
    first = table.to_pylist()[4]
    assert (first["caption"], first["category"], first["split"]) == ("=SUM(A1)\nA field.", "=1+1", None)
    assert len(load(folder, "print(relief)")) == 6


def test_csv_loads(unpacked: Unpacked, load: Load) -> None:
    reliefs = [float(line) for line in load(unpacked("csv"), "print(relief)")]
    assert len(reliefs) == 6
    assert min(reliefs) > 0


def fields(prefix: str, extension: str, known: dict[str, Any], where: str) -> dict[str, Any]:
    """A schema of an extension: that it is declared, that what has its prefix is one of its fields, and that somewhere
    there is one."""
    other = {f"^(?!{prefix}:)": {}}
    allowed = {"type": "object", "properties": known, "patternProperties": other, "additionalProperties": False}
    bands = {"properties": {"bands": {"items": allowed}}}
    some = {"anyOf": [{"required": [name]} for name in known]}
    in_bands = {"required": ["bands"], "properties": {"bands": {"contains": some}}}
    in_an_asset = {"not": {"additionalProperties": {"not": in_bands}}}
    place = (
        {"properties": {"properties": {"allOf": [allowed, some]}}}
        if where == "properties"
        else {"properties": {"assets": {"allOf": [{"additionalProperties": bands}, in_an_asset]}}}
    )
    declared = {"properties": {"stac_extensions": {"contains": {"const": extension}}}, "required": ["stac_extensions"]}
    return {"$schema": "http://json-schema.org/draft-07/schema#", "$id": extension, "allOf": [declared, place]}


SCHEMAS = {
    PROJECTION: fields(
        "proj",
        PROJECTION,
        {
            "proj:code": {"type": ["string", "null"], "pattern": "^EPSG:[0-9]+$"},
            "proj:wkt2": {"type": "string"},
            "proj:shape": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
            "proj:transform": {"type": "array", "items": {"type": "number"}, "minItems": 6, "maxItems": 9},
        },
        "properties",
    ),
    RASTER: fields(
        "raster",
        RASTER,
        {"raster:sampling": {"enum": ["area", "point"]}, "raster:spatial_resolution": {"type": "number"}},
        "bands",
    ),
    ML_AOI: fields("ml-aoi", ML_AOI, {"ml-aoi:split": {"enum": ["train", "test", "validate"]}}, "properties"),
}
"""What the extensions' published schemas ask of the fields used here."""


def test_stac_is_valid_and_opens(unpacked: Unpacked, splits: None, load: Load) -> None:
    folder = unpacked("stac")
    validator = JsonSchemaSTACValidator()
    validator.schema_cache |= SCHEMAS
    catalogue = pystac.Catalog.from_file(str(folder / "catalog.json"))
    items = list(catalogue.get_items(recursive=True))
    assert len(items) == 6
    for stands in (catalogue, *catalogue.get_children(), *items):
        assert stands.validate(validator)
    assert set(validator.schema_cache) <= set(JsonSchemaSTACValidator().schema_cache) | set(SCHEMAS)
    by_id = {item.id: item for item in items}
    assert {name: item.properties["ml-aoi:split"] for name, item in by_id.items()}["coast_tile_1"] == "validate"
    composite = by_id["con_tile_0"].common_metadata
    assert (composite.start_datetime.isoformat(), composite.end_datetime.isoformat()) == (
        "2021-01-01T00:00:00+00:00",
        "2023-12-31T23:59:59+00:00",
    )
    assert by_id["coast_tile_0"].properties["demeter:datetime_of"] == "release"
    west, south, east, north = catalogue.get_child("coast").extent.spatial.bboxes[0]
    for item in catalogue.get_child("coast").get_items():
        assert west <= item.bbox[0] < item.bbox[2] <= east
        assert south <= item.bbox[1] < item.bbox[3] <= north
    assert len(load(folder, "print(rgb.shape, metres.mean(), repr(text))")) == 6


def test_stac_across_the_antimeridian(
    released: Callable[..., Any], approve: Callable[..., None], data_folder: Path, tmp_path: Path
) -> None:
    over = Grid("EPSG:4326", (0.001, 0.0, 179.97, 0.0, -0.001, 10.0), SIZE, SIZE)
    approve(make_tile(make_area("edge", licence="CC0", attribution="Nobody"), 0, grid=over.to_dict()))
    released("edge-v1", "edge", layout="stac")
    with zipfile.ZipFile(archive_path("edge-v1")) as archive:
        item = json.loads(archive.read("edge-v1/edge/tile_0.json"))
        collection = json.loads(archive.read("edge-v1/edge/collection.json"))
    assert item["geometry"]["type"] == "MultiPolygon"
    assert item["bbox"] == pytest.approx([179.97, 9.936, -179.966, 10.0])
    assert collection["extent"]["spatial"]["bbox"][0] == pytest.approx([-180, 9.936, 180, 10.0])


def test_stac_rasters_are_cogs_with_their_facts(unpacked: Unpacked) -> None:
    folder = unpacked("stac")
    with rasterio.open(folder / "coast/tile_1_heights.tif") as heights:
        assert np.array_equal(heights.read(1), heights_of(1))
        assert heights.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert (heights.crs.to_string(), tuple(heights.transform)[:6]) == ("EPSG:32633", grid_of(1).affine)
        assert heights.tags()["VERTICAL_DATUM"] == "EGM96"
        assert heights.units == ("metre",)
    with rasterio.open(folder / "coast/tile_1_image.tif") as image:
        assert np.array_equal(np.moveaxis(image.read(), 0, 2), colours_of(1))
    assert {file["role"] for file in manifest(folder)[2]["files"]} == {"image", "heights", "void", "item"}
