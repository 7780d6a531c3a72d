"""The web server is killed while a file is on its way: what was acknowledged is there, and the file comes out equal."""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import random
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.site import Site, password_of
from tests.tiles.build.conftest import write_raster

pytestmark = pytest.mark.slow
CHUNK = 64 * 1024


class Person:
    """A curator who sends from a program. The server's key and database outlive it, so the session does too."""

    def __init__(self) -> None:
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def token(self) -> str:
        return next(cookie.value or "" for cookie in self.cookies if cookie.name == "csrftoken")

    def sign_in(self, url: str) -> None:
        address = f"{url}/sign-in/"
        self.opener.open(address, timeout=30).close()
        form = {"username": "curator", "password": password_of("curator"), "csrfmiddlewaretoken": self.token()}
        self.opener.open(address, urllib.parse.urlencode(form).encode(), timeout=30).close()

    def ask(self, url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> dict[str, Any]:
        request = urllib.request.Request(url, body, {"X-CSRFToken": self.token(), **headers}, method=method)
        with self.opener.open(request, timeout=30) as answer:
            return dict(json.load(answer))


def test_what_was_acknowledged_outlives_the_web_server(site: Site, tmp_path: Path) -> None:
    heights = np.random.default_rng(3).integers(100, 900, (900, 900)).astype(np.int16)
    dem = write_raster(tmp_path / "rough.tif", heights).read_bytes()
    url, person = site.start_web(), Person()
    person.sign_in(url)
    asked = json.dumps({"name": "rough.tif", "size": len(dem)}).encode()
    begun = person.ask(f"{url}/api/v1/uploads/", "POST", asked, **{"Content-Type": "application/json"})
    offset, upload = 0, f"/api/v1/uploads/{begun['id']}/"
    deaths = sorted(random.Random(5).sample(range(len(dem) // CHUNK), 3))
    while offset < len(dem):
        if deaths and offset >= deaths[0] * CHUNK:
            deaths.pop(0)
            _cut_off(person, url, upload, offset, dem)
            site.kill_web()
            url = site.start_web()
            there = person.ask(url + upload)["offset"]
            assert there == offset, "all that was acknowledged, and nothing of what was not"
        content = dem[offset : offset + CHUNK]
        headers = {"Content-Type": "application/octet-stream", "Upload-Offset": str(offset)}
        offset = person.ask(url + upload, "PATCH", content, **headers)["offset"]
    site.start_worker()
    person.ask(f"{url}{upload}finish/", "POST", b"")
    state = site.wait_until(lambda: _ended(person.ask(url + upload)), 120, "the check")
    assert state == "accepted"
    assert (site.data / "uploads" / "dems" / "rough.tif").read_bytes() == dem


def _cut_off(person: Person, url: str, upload: str, offset: int, dem: bytes) -> None:
    """Send half of a chunk, and leave it at that."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=30)
    connection.putrequest("PATCH", upload)
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.cookies)
    headers = {
        "Cookie": cookies,
        "X-CSRFToken": person.token(),
        "Upload-Offset": str(offset),
        "Content-Length": str(CHUNK),
    }
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(dem[offset : offset + CHUNK // 2])


def _ended(upload: dict[str, Any]) -> str:
    return "" if upload["state"] == "checking" else str(upload["state"])
