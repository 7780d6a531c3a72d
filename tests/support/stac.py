"""A stand-in for a STAC API and for the server of its files, on loopback: the real protocols, and faults on request."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import numpy as np
import rasterio
from affine import Affine
from rasterio.warp import transform_bounds

CONFORMS = [
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/item-search",
    "https://api.stacspec.org/v1.0.0/item-search#query",
    "https://api.stacspec.org/v1.0.0/ogcapi-features",
]
COLLECTION = "sentinel-2-l2a"
UTM = "EPSG:32633"
WEST, NORTH = 500_000.0, 4_000_000.0


@dataclass(frozen=True)
class Asked:
    """One request as the server heard it. sent: bytes of the body that it was answered with."""

    method: str
    path: str
    range: str
    body: Any
    sent: int


@dataclass
class Reply:
    """What is answered. location: of a redirect; cut: more is announced than is sent."""

    status: int = 200
    body: bytes = b""
    location: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


Fault = Callable[[str], Reply | None]


class StacServer:
    """A catalogue of the scenes given to `scene`, and its files. `faults` see each path first, and may answer it."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.conforms = list(CONFORMS)
        self.page = 2
        self.ranges = True
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}"

    def __enter__(self) -> Self:
        self._server.stand_in = self
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """From now on connections are refused."""
        self._server.shutdown()
        self._server.server_close()

    def scene(
        self,
        name: str,
        bands: dict[str, Any],
        *,
        day: str = "2023-06-01",
        cloud: float = 1.0,
        files: StacServer | None = None,
        crs: str = UTM,
        west: float = WEST,
        north: float = NORTH,
        scl_pixel: float = 20.0,
        said: dict[str, Any] | None = None,
        properties: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Add a scene. bands: (H, W) by asset name, 10 m pixels, "scl" of `scl_pixel`; `files`: whose server has them.

        said: the raster:bands entry of every asset.
        """
        there = files or self
        assets = {}
        box = (0.0, 0.0, 0.0, 0.0)
        for key, values in bands.items():
            values = np.asarray(values)
            pixel = scl_pixel if key.lower() == "scl" else 10.0
            path = f"/files/{name}/{key}.tif"
            there.files[path] = geotiff(values, crs=crs, west=west, north=north, pixel=pixel)
            height, width = values.shape
            box = transform_bounds(crs, "EPSG:4326", west, north - height * pixel, west + width * pixel, north)
            assets[key] = {"href": there.url + path, "type": "image/tiff; application=geotiff"}
            if said:
                assets[key]["raster:bands"] = [said]
        item = {
            "type": "Feature",
            "stac_version": "1.0.0",
            "id": name,
            "collection": COLLECTION,
            "bbox": list(box),
            "geometry": {"type": "Point", "coordinates": [box[0], box[1]]},
            "properties": {
                "datetime": f"{day}T10:00:00Z",
                "eo:cloud_cover": cloud,
                "platform": "sentinel-2a",
                "s2:processing_baseline": "03.01",
                **(properties or {}),
            },
            "assets": assets,
            "links": [],
        }
        self.items.append(item)
        return item

    def asked_for(self, part: str) -> list[Asked]:
        return [asked for asked in self.asked if part in asked.path]

    @property
    def landing(self) -> dict[str, Any]:
        return {
            "type": "Catalog",
            "stac_version": "1.0.0",
            "id": "stand-in",
            "description": "a stand-in",
            "conformsTo": self.conforms,
            "links": [
                {"rel": "self", "href": self.url},
                {"rel": "root", "href": self.url},
                {"rel": "data", "href": f"{self.url}/collections"},
                *({"rel": "search", "href": f"{self.url}/search", "method": verb} for verb in ("GET", "POST")),
            ],
        }

    @property
    def collection(self) -> dict[str, Any]:
        return {
            "type": "Collection",
            "stac_version": "1.0.0",
            "id": COLLECTION,
            "description": "a stand-in",
            "license": "proprietary",
            "extent": {
                "spatial": {"bbox": [[-180, -90, 180, 90]]},
                "temporal": {"interval": [["2015-06-27T00:00:00Z", None]]},
            },
            "links": [],
        }

    def search(self, body: dict[str, Any]) -> dict[str, Any]:
        """One page of the items that fit, and how to ask for the next one."""
        found = [item for item in self.items if _fits(item, body)]
        start = int(body.get("token", 0))
        end = start + min(self.page, int(body.get("limit", 10)))
        links = []
        if end < len(found):
            next_body = {**body, "token": str(end)}
            links = [{"rel": "next", "href": f"{self.url}/search", "method": "POST", "body": next_body}]
        return {"type": "FeatureCollection", "features": found[start:end], "links": links}


def geotiff(values: np.ndarray, *, crs: str = UTM, west: float, north: float, pixel: float) -> bytes:
    """A tiled GeoTIFF of (H, W) in memory, its directory at the front."""
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="COG",
            width=values.shape[1],
            height=values.shape[0],
            count=1,
            dtype=values.dtype,
            crs=crs,
            transform=Affine(pixel, 0, west, 0, -pixel, north),
            nodata=0,
            blocksize=256,
            overviews="none",
        ) as dataset:
            dataset.write(values, 1)
        return bytes(memory.read())


def _fits(item: dict[str, Any], body: dict[str, Any]) -> bool:
    west, south, east, north = body.get("bbox", (-180, -90, 180, 90))
    box = item["bbox"]
    first, last = body["datetime"].split("/")
    limit = body.get("query", {}).get("eo:cloud_cover", {}).get("lte", 100)
    return (
        item["collection"] in body["collections"]
        and not (box[2] < west or east < box[0] or box[3] < south or north < box[1])
        and first <= item["properties"]["datetime"] <= last
        and item["properties"].get("eo:cloud_cover", 0) <= limit
    )


class _Server(ThreadingHTTPServer):
    stand_in: StacServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 2**16
    server: _Server

    def do_GET(self) -> None:
        self._reply(None)

    def do_POST(self) -> None:
        self._reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _reply(self, body: Any) -> None:
        stand_in = self.server.stand_in
        path = urlsplit(self.path).path
        reply = next((found for fault in stand_in.faults if (found := fault(path))), None)
        reply = reply or self._right(path, body)
        stand_in.asked.append(Asked(self.command, path, self.headers.get("Range", ""), body, len(reply.body)))
        self.send_response(reply.status)
        if reply.location:
            self.send_header("Location", reply.location)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body) + 1000 * reply.cut))
        self.end_headers()
        self.wfile.write(reply.body)
        self.close_connection = self.close_connection or reply.cut

    def _right(self, path: str, body: Any) -> Reply:
        stand_in = self.server.stand_in
        answers: dict[str, Callable[[], Any]] = {
            "/": lambda: stand_in.landing,
            f"/collections/{COLLECTION}": lambda: stand_in.collection,
            "/search": lambda: stand_in.search(body or _query(self.path)),
        }
        if path in answers:
            return Reply(200, json.dumps(answers[path]()).encode(), headers={"Content-Type": "application/json"})
        if path in stand_in.files:
            return self._file(stand_in.files[path])
        return Reply(404, b"{}")

    def _file(self, content: bytes) -> Reply:
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if not found or not self.server.stand_in.ranges:
            return Reply(200, content)
        first, last = int(found[1]), min(int(found[2]), len(content) - 1)
        if first > last:
            return Reply(416, headers={"Content-Range": f"bytes */{len(content)}"})
        told = {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
        return Reply(206, content[first : last + 1], headers=told)

    def log_message(self, *_args: Any) -> None:
        pass


def _query(address: str) -> dict[str, Any]:
    asked: dict[str, Any] = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    asked["collections"] = asked["collections"].split(",")
    if "bbox" in asked:
        asked["bbox"] = [float(number) for number in asked["bbox"].split(",")]
    return asked


def picture(value: int, size: int = 64) -> np.ndarray:
    """(size, size) uint16 of one value."""
    return np.full((size, size), value, np.uint16)


def bands_of(red: int, green: int, blue: int, nir: int, *, scl: Any = 4, size: int = 64) -> dict[str, Any]:
    """The five assets of an even scene. scl: a class, or the (size / 2, size / 2) classes."""
    classes = np.full((size // 2, size // 2), scl, np.uint8) if np.isscalar(scl) else np.asarray(scl, np.uint8)
    bands = {"red": red, "green": green, "blue": blue, "nir": nir}
    return {**{name: picture(value, size) for name, value in bands.items()}, "scl": classes}
