"""A static STAC 1.1 catalogue: the tiles as cloud-optimised GeoTIFFs, found by place and time.

https://github.com/radiantearth/stac-spec, with the extensions projection 2.0, raster 2.0 and, for splits, ml-aoi.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import shapely
from shapely.affinity import translate

from tiles.raster.encode import read_layer_bytes
from tiles.raster.grid import Grid

from ..citing import spdx
from .base import VAL, AboutRelease, FrozenTile, Option, Package
from .derive import cog

VERSION = "1.1.0"
PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
RASTER = "https://stac-extensions.github.io/raster/v2.0.0/schema.json"
ML_AOI = "https://stac-extensions.github.io/ml-aoi/v0.1.0/schema.json"
ROOT = "catalog.json"
COG_TYPE = "image/tiff; application=geotiff; profile=cloud-optimized"
LAYERS = {"png": "image", "dem": "heights", "void": "void"}
TITLES = {"png": "Picture, stretched tile by tile", "dem": "Heights", "void": "Where there is no height (not 0)"}
BANDS = {"png": ("red", "green", "blue"), "dem": ("height",), "void": ("void",)}


class Stac:
    """`catalog.json`, a collection an area `<area>/collection.json`, an item a tile `<area>/tile_N.json` with
    `tile_N_image.tif`, `tile_N_heights.tif` and, where heights are missing, `tile_N_void.tif`."""

    name = "stac"
    label = "STAC catalogue of cloud-optimised GeoTIFFs"
    required: tuple[str, ...] = ("png", "dem")
    optional: tuple[str, ...] = ("void",)
    options: tuple[Option, ...] = ()
    needs = "pystac and rasterio"
    disk = 1.3
    folder = "exports/layouts/stac"

    def write(self, tiles: Iterable[FrozenTile], about: AboutRelease, package: Package) -> None:
        contents = {area["slug"]: area for area in about.contents}
        done: list[_Collection] = []
        for tile in tiles:
            if not done or done[-1].area["slug"] != tile.area:
                if done:
                    done[-1].write(about, package)
                done.append(_Collection(contents[tile.area], tile.folder, package.spool()))
            done[-1].add(_item(tile, contents[tile.area], about, package))
        if done:
            done[-1].write(about, package)
        package.file(ROOT, _json(_catalogue(about, done)))


@dataclass
class _Collection:
    """An area; its links to items grow on the disk. bbox: west, south, east, north."""

    area: Mapping[str, Any]
    folder: str
    links: BinaryIO
    bbox: list[float] = field(default_factory=lambda: [math.inf, math.inf, -math.inf, -math.inf])
    dates: set[str] = field(default_factory=set)

    def add(self, item: dict[str, Any]) -> None:
        west, south, east, north = item["bbox"]
        if west > east:  # across the antimeridian
            west, east = -180.0, 180.0
        least, most = self.bbox[:2], self.bbox[2:]
        self.bbox = [min(least[0], west), min(least[1], south), max(most[0], east), max(most[1], north)]
        of_item = item["properties"]
        dates = [of_item[name] for name in ("start_datetime", "end_datetime", "datetime") if of_item.get(name)]
        self.dates = {min(self.dates | set(dates)), max(self.dates | set(dates))}
        link = {"rel": "item", "href": f"./{item['properties']['title']}.json", "type": "application/geo+json"}
        self.links.write(b"," + json.dumps(link).encode())

    def write(self, about: AboutRelease, package: Package) -> None:
        """Put in the collection. Its links come last, so that they need not be in memory."""
        licence = spdx(self.area["licence"]) or "other"
        links = [
            {"rel": "root", "href": f"../{ROOT}", "type": "application/json"},
            {"rel": "parent", "href": f"../{ROOT}", "type": "application/json"},
            {"rel": "license", "href": "../LICENSE", "type": "text/plain"},
        ]
        collection = {
            "type": "Collection",
            "stac_version": VERSION,
            "id": self.area["slug"],
            "title": self.area["name"],
            "description": self.area["description"] or f"Tiles of {self.area['name']}.",
            "license": licence,
            "providers": [{"name": self.area["attribution"], "roles": ["licensor"]}]
            if self.area["attribution"]
            else [],
            "extent": {
                "spatial": {"bbox": [self.bbox]},
                "temporal": {"interval": [[min(self.dates), max(self.dates)]]},
            },
            **({"version": about.version} if about.version else {}),
            "links": links,
        }
        head = json.dumps(collection, ensure_ascii=False)
        with self.links, package.spool() as whole:
            whole.write(head.removesuffix("]}").encode())
            self.links.seek(0)
            while block := self.links.read(1 << 20):
                whole.write(block)
            whole.write(b"]}\n")
            package.file(f"{self.folder}/collection.json", whole)


def _catalogue(about: AboutRelease, collections: list[_Collection]) -> dict[str, Any]:
    children = [
        {"rel": "child", "href": f"./{done.folder}/collection.json", "type": "application/json"} for done in collections
    ]
    return {
        "type": "Catalog",
        "stac_version": VERSION,
        "id": about.name,
        "description": about.notes or f"Pairs of satellite image and elevation: {about.name}.",
        "links": [{"rel": "root", "href": f"./{ROOT}", "type": "application/json"}, *children],
    }


def _item(tile: FrozenTile, area: Mapping[str, Any], about: AboutRelease, package: Package) -> dict[str, Any]:
    """Put in a tile's files and its item; returns the item."""
    grid = Grid.from_dict(tile.record["grid"])
    assets = {LAYERS[layer]: _asset(tile, layer, grid, area, package) for layer in LAYERS if layer in tile.layers}
    geometry, bbox = _place(grid)
    item = {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": [PROJECTION, RASTER, *([ML_AOI] if tile.split else [])],
        "id": tile.key,
        "collection": tile.area,
        "geometry": geometry,
        "bbox": bbox,
        "properties": _properties(tile, grid, area, about),
        "links": [
            {"rel": "root", "href": f"../{ROOT}", "type": "application/json"},
            {"rel": "parent", "href": "./collection.json", "type": "application/json"},
            {"rel": "collection", "href": "./collection.json", "type": "application/json"},
        ],
        "assets": assets,
    }
    package.file(f"{tile.folder}/{tile.name}.json", _json(item), tile=tile, role="item")
    return item


def _properties(tile: FrozenTile, grid: Grid, area: Mapping[str, Any], about: AboutRelease) -> dict[str, Any]:
    code = {"proj:code": grid.crs} if grid.crs.startswith("EPSG:") else {"proj:code": None, "proj:wkt2": grid.crs}
    properties = {
        "title": tile.name,
        **_when(tile, area, about),
        **code,
        "proj:shape": [grid.height, grid.width],
        "proj:transform": [*grid.affine, 0.0, 0.0, 1.0],
        "gsd": tile.record.get("gsd"),
        "description": tile.text,
        "demeter:prompt": tile.prompt,
        "demeter:vertical_datum": area["vertical_datum"],
        "demeter:surface": area["surface"],
        "demeter:synthetic": area["synthetic"],
    }
    if tile.split:
        properties["ml-aoi:split"] = "validate" if tile.split == VAL else tile.split
    return {name: value for name, value in properties.items() if value not in ("", None) or name == "datetime"}


def _when(tile: FrozenTile, area: Mapping[str, Any], about: AboutRelease) -> dict[str, Any]:
    """When the imagery was taken: of a composite first and last day. Where nobody knows, the release's own time."""
    imagery = tile.record.get("imagery") or {}
    first = imagery.get("from") or imagery.get("start") or area["imagery_from"]
    last = imagery.get("to") or imagery.get("end") or area["imagery_to"] or first
    if not first:
        return {"datetime": about.created, "demeter:datetime_of": "release"}
    return {"datetime": None, "start_datetime": _instant(first, "00:00:00"), "end_datetime": _instant(last, "23:59:59")}


def _instant(day: str, time: str) -> str:
    return f"{day[:10]}T{time}Z"


def _asset(tile: FrozenTile, layer: str, grid: Grid, area: Mapping[str, Any], package: Package) -> dict[str, Any]:
    decoded = read_layer_bytes(package.read(tile, layer))
    unit = "metre" if layer == "dem" else ""
    facts = {"AREA": tile.area, "TILE": tile.name, "LICENCE": area["licence"], "ATTRIBUTION": area["attribution"]}
    if layer == "dem":
        facts |= {"VERTICAL_DATUM": area["vertical_datum"], "SURFACE": area["surface"]}
    content = cog(decoded.array, grid, nodata=decoded.nodata, names=BANDS[layer], unit=unit, tags=facts)
    path = f"{tile.name}_{LAYERS[layer]}.tif"
    package.file(f"{tile.folder}/{path}", content, tile=tile, role=LAYERS[layer])
    band: dict[str, Any] = {"data_type": str(decoded.array.dtype)}
    if decoded.nodata is not None:
        band["nodata"] = decoded.nodata if math.isfinite(decoded.nodata) else str(decoded.nodata)
    if layer == "dem":
        heights = {"minimum": tile.record["dem_min"], "maximum": tile.record["dem_max"]}
        band |= {"unit": "m", "statistics": heights, "raster:sampling": "area"}
    band |= {"raster:spatial_resolution": tile.record["gsd"]} if tile.record.get("gsd") else {}
    return {
        "href": f"./{path}",
        "type": COG_TYPE,
        "title": TITLES[layer],
        "roles": ["data-mask"] if layer == "void" else ["data"],
        "bands": [{"name": name, **band} for name in BANDS[layer]],
    }


def _place(grid: Grid) -> tuple[dict[str, Any], list[float]]:
    """Outline and bounds, RFC 7946. Across the antimeridian the outline is in two parts, and west is above east."""
    outline = shapely.Polygon(grid.footprint())
    parts = [
        translate(shapely.intersection(outline, shapely.box(west, -90, west + 360, 90)), xoff=-180 - west)
        for west in (-540, -180, 180)
    ]
    there = [part for part in parts if part.area > 0]
    if len(there) == 1:
        return shapely.geometry.mapping(there[0]), list(there[0].bounds)
    east_side, west_side = sorted(there, key=lambda part: float(part.bounds[0]))
    bounds = (west_side.bounds[0], outline.bounds[1], east_side.bounds[2], outline.bounds[3])
    return shapely.geometry.mapping(shapely.MultiPolygon(there)), list(bounds)


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode() + b"\n"
