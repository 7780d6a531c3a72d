"""A stand-in for Earth Engine on loopback, which the real client cannot tell from it: only the pixels are made up.

It computes nothing: whatever the expression, a pixel's value follows from where its centre lies, so that the same place
has the same value in every request.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import ee
import numpy as np
from affine import Affine
from rasterio.io import MemoryFile

PROJECT = "demeter-test"
ALGORITHMS = Path(ee.__file__).parent / "tests" / "algorithms.json"

Fault = Callable[["Handler", dict[str, Any]], None]


def values(grid: dict[str, Any], bands: list[str]) -> np.ndarray:
    """(B, H, W) float32: reflectance by place and band; all valid, seven clear looks."""
    width, height = grid["dimensions"]["width"], grid["dimensions"]["height"]
    found = grid["affineTransform"]
    col, row = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    x = found["scaleX"] * col + found.get("shearX", 0) * row + found["translateX"]
    y = found.get("shearY", 0) * col + found["scaleY"] * row + found["translateY"]
    place = np.rint(x / abs(found["scaleX"]) * 2) * 31 + np.rint(y / abs(found["scaleY"]) * 2) * 17
    known = {"valid": np.ones_like(place), "clear": np.full_like(place, 7)}
    made = [known.get(band, 0.05 + 0.0004 * ((place + 101 * number) % 997)) for number, band in enumerate(bands)]
    return np.stack(made).astype(np.float32)


def geotiff(grid: dict[str, Any], pixels: np.ndarray, names: list[str] | None = None) -> bytes:
    found = grid["affineTransform"]
    transform = Affine(
        *(found["scaleX"], found.get("shearX", 0), found["translateX"]),
        *(found.get("shearY", 0), found["scaleY"], found["translateY"]),
    )
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            count=pixels.shape[0],
            height=pixels.shape[1],
            width=pixels.shape[2],
            dtype=pixels.dtype,
            crs=grid.get("crsCode") or grid["crsWkt"],
            transform=transform,
        ) as dataset:
            dataset.write(pixels)
            for number, name in enumerate(names or [], start=1):
                dataset.set_band_description(number, name)
        return bytes(memory.read())


def answered(asked: dict[str, Any]) -> bytes:
    return geotiff(asked["grid"], values(asked["grid"], asked["bandIds"]), asked["bandIds"])


class StandIn:
    """The server. faults: what happens to the next requests for pixels, in order. latency: seconds of each.

    most_pixels: a larger request exceeds the memory. requests: the bodies that came in. peak: most at once
    so far. starts, ends: when requests for pixels came in and were answered, seconds.
    """

    def __init__(self) -> None:
        self.faults: list[Fault | None] = []
        self.always: Fault | None = None
        self.latency = 0.0
        self.most_pixels = 10**9
        self.algorithms_fault: Fault | None = None
        self.token_fault: Fault | None = None
        self.token = ""
        self.assertions: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self.starts: list[float] = []
        self.ends: list[float] = []
        self.discoveries = 0
        self.peak = 0
        self.released = threading.Event()
        self.lock = threading.Lock()
        self._now = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"stand_in": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self.lock:
            self._now += 1
            self.peak = max(self.peak, self._now)
            self.starts.append(time.monotonic())
        try:
            yield
        finally:
            with self.lock:
                self._now -= 1
                self.ends.append(time.monotonic())

    def most_in_a_second(self) -> int:
        """Most requests that came in within any one second."""
        ordered = sorted(self.starts)
        first, most = 0, 0
        for number, start in enumerate(ordered):
            while start - ordered[first] >= 1.0:
                first += 1
            most = max(most, number - first + 1)
        return most

    def environment(self, *, slots: int = 40, per_second: int = 100) -> dict[str, str]:
        """What leads the processes of a site here."""
        return {
            "EARTHENGINE_CREDENTIALS": "anonymous",
            "EARTHENGINE_PROJECT": PROJECT,
            "EARTHENGINE_URL": self.url,
            "EARTHENGINE_MAX_CONCURRENT": str(slots),
            "EARTHENGINE_MAX_PER_SECOND": str(per_second),
        }

    def next_fault(self) -> Fault | None:
        with self.lock:
            return self.faults.pop(0) if self.faults else self.always

    @contextmanager
    def running(self) -> Iterator[StandIn]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.stop()
            thread.join()

    def stop(self) -> None:
        """From now on connections are refused, and those that are open are cut."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stand_in: StandIn

    def log_message(self, *args: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/$discovery/rest":
            self.stand_in.discoveries += 1
            self.send_json(discovery(self.stand_in.url))
        elif path == f"/v1/projects/{PROJECT}/algorithms":
            if self.stand_in.algorithms_fault:
                self.stand_in.algorithms_fault(self, {})
            elif self.allowed():
                self.send_content(ALGORITHMS.read_bytes(), "application/json")
        else:
            status(404, "NOT_FOUND", f"{path} is not here.")(self, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path = urlsplit(self.path).path
        if path == "/token":
            self.sign_in(body)
        elif path == f"/v1/projects/{PROJECT}/image:computePixels":
            self.compute_pixels(json.loads(body))
        elif path == f"/v1/projects/{PROJECT}/value:compute":
            self.send_json({"result": 1})
        else:
            status(404, "NOT_FOUND", f"{path} is not here.")(self, {})

    def compute_pixels(self, asked: dict[str, Any]) -> None:
        stand_in = self.stand_in
        if stand_in.released.is_set():
            self.close_connection = True
            return
        with stand_in.counted():
            with stand_in.lock:
                stand_in.requests.append(asked)
            if not self.allowed():
                return
            if stand_in.latency:
                time.sleep(stand_in.latency)
            size = asked["grid"]["dimensions"]
            fault = stand_in.next_fault()
            if fault:
                fault(self, asked)
                return
            if size["width"] * size["height"] > stand_in.most_pixels:
                memory_exceeded(self, asked)
                return
            answer = answered(asked)
        self.send_content(answer, "image/tiff")

    def sign_in(self, body: bytes) -> None:
        if self.stand_in.token_fault:
            self.stand_in.token_fault(self, {})
            return
        self.stand_in.assertions.append(parse_qs(body.decode())["assertion"][0])
        self.send_json({"access_token": self.stand_in.token, "expires_in": 3600, "token_type": "Bearer"})

    def allowed(self) -> bool:
        if self.stand_in.token and self.headers.get("Authorization") != f"Bearer {self.stand_in.token}":
            status(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")(self, {})
            return False
        return True

    def send_json(self, content: Any, code: int = 200) -> None:
        self.send_content(json.dumps(content).encode(), "application/json", code)

    def send_content(self, content: bytes, kind: str, code: int = 200, **headers: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)


def discovery(url: str) -> dict[str, Any]:
    """As much of the discovery document as the client uses here."""

    def method(name: str, path: str, parameter: str, verb: str) -> dict[str, Any]:
        return {
            "id": f"earthengine.projects.{name}",
            "path": path,
            "flatPath": path,
            "httpMethod": verb,
            "parameterOrder": [parameter],
            "parameters": {
                parameter: {"location": "path", "pattern": "^projects/[^/]+$", "required": True, "type": "string"}
            },
            **({"request": {"$ref": "Any"}} if verb == "POST" else {}),
            "response": {"$ref": "Any"},
        }

    return {
        "kind": "discovery#restDescription",
        "name": "earthengine",
        "version": "v1",
        "rootUrl": f"{url}/",
        "servicePath": "",
        "baseUrl": f"{url}/",
        "batchPath": "batch",
        "parameters": {
            "alt": {"type": "string", "location": "query"},
            "prettyPrint": {"type": "boolean", "location": "query"},
        },
        "schemas": {"Any": {"id": "Any", "type": "object"}},
        "resources": {
            "projects": {
                "resources": {
                    "algorithms": {
                        "methods": {"list": method("algorithms.list", "v1/{+parent}/algorithms", "parent", "GET")}
                    },
                    "image": {
                        "methods": {
                            "computePixels": method(
                                "image.computePixels", "v1/{+project}/image:computePixels", "project", "POST"
                            )
                        }
                    },
                    "value": {
                        "methods": {
                            "compute": method("value.compute", "v1/{+project}/value:compute", "project", "POST")
                        }
                    },
                }
            }
        },
    }


def status(code: int, reason: str, message: str, **headers: str) -> Fault:
    """An error as Google's servers write it."""

    def fault(handler: Handler, _asked: dict[str, Any]) -> None:
        told = {"code": code, "message": message, "status": reason, "errors": [{"reason": reason, "message": message}]}
        handler.send_content(json.dumps({"error": told}).encode(), "application/json", code, **headers)

    return fault


memory_exceeded = status(400, "INVALID_ARGUMENT", "User memory limit exceeded.")


def cut_with_length(handler: Handler, asked: dict[str, Any]) -> None:
    whole = answered(asked)
    handler.send_response(200)
    handler.send_header("Content-Type", "image/tiff")
    handler.send_header("Content-Length", str(len(whole)))
    handler.end_headers()
    handler.wfile.write(whole[: len(whole) // 2])
    handler.close_connection = True


def cut_without_length(handler: Handler, asked: dict[str, Any]) -> None:
    whole = answered(asked)
    handler.send_response(200)
    handler.send_header("Content-Type", "image/tiff")
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(whole[: len(whole) // 2])
    handler.close_connection = True


def html(handler: Handler, _asked: dict[str, Any]) -> None:
    handler.send_content(b"<html><title>Sign in to the hotel's network</title></html>", "text/html")


def empty(handler: Handler, _asked: dict[str, Any]) -> None:
    handler.send_content(b"", "image/tiff")


def stalled(handler: Handler, asked: dict[str, Any]) -> None:
    """The headers and half of the body, and then nothing, until the test is over."""
    whole = answered(asked)
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(whole)))
    handler.end_headers()
    handler.wfile.write(whole[: len(whole) // 2])
    handler.wfile.flush()
    handler.stand_in.released.wait(60)
    handler.close_connection = True


def dripping(handler: Handler, asked: dict[str, Any]) -> None:
    """A byte now and then: no read of the socket ever times out."""
    whole = answered(asked)
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(whole)))
    handler.end_headers()
    handler.close_connection = True
    try:
        for byte in whole:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            if handler.stand_in.released.wait(0.05):
                return
    except OSError:
        return  # the client hung up


def _other(change: Callable[[dict[str, Any], np.ndarray], tuple[dict[str, Any], np.ndarray]]) -> Fault:
    def fault(handler: Handler, asked: dict[str, Any]) -> None:
        grid, pixels = change(asked["grid"], values(asked["grid"], asked["bandIds"]))
        handler.send_content(geotiff(grid, pixels), "image/tiff")

    return fault


def _shifted(grid: dict[str, Any]) -> dict[str, Any]:
    found = grid["affineTransform"]
    return {**grid, "affineTransform": {**found, "translateX": found["translateX"] + found["scaleX"]}}


wrong_grid = _other(lambda grid, pixels: (_shifted(grid), pixels))
wrong_crs = _other(lambda grid, pixels: ({**grid, "crsCode": "EPSG:32634"}, pixels))
wrong_size = _other(lambda grid, pixels: (grid, pixels[:, 1:]))
wrong_dtype = _other(lambda grid, pixels: (grid, (pixels * 10_000).astype(np.uint16)))
wrong_bands = _other(lambda grid, pixels: (grid, pixels[:3]))


def png(handler: Handler, asked: dict[str, Any]) -> None:
    with MemoryFile() as memory:
        with memory.open(driver="PNG", count=3, height=8, width=8, dtype="uint8") as dataset:
            dataset.write(np.zeros((3, 8, 8), np.uint8))
        handler.send_content(bytes(memory.read()), "image/png")
