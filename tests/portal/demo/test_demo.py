"""`manage.py demo` as a person starts it: from nothing to a site that works, and again with all work kept."""

from __future__ import annotations

import http.cookiejar
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.postgres import free_port
from tests.support.site import wait_until

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[3]
MARK = f"DEMETER_DEMO_TEST_{uuid.uuid4().hex}"


@dataclass
class Running:
    """A demo that serves, and what it printed."""

    process: subprocess.Popen[bytes]
    output: Path
    url: str
    password: str

    def open(self, path: str, data: dict[str, str] | None = None) -> str:
        body = urllib.parse.urlencode(data).encode() if data else None
        request = urllib.request.Request(self.url + path, data=body, headers={"Referer": self.url})
        return self.browser.open(request, timeout=30).read().decode()

    def sign_in(self) -> None:
        jar = http.cookiejar.CookieJar()
        self.browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        self.open("/sign-in/")
        token = next(cookie.value for cookie in jar if cookie.name == "csrftoken")
        self.open("/sign-in/", {"username": "demo", "password": self.password, "csrfmiddlewaretoken": token or ""})


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A bare machine's: nothing but where the data lies. SQLite, whatever the session runs on."""
    ours = ("DEMETER", "SECRET", "DATABASE_URL", "STATIC", "DJANGO")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**clean, "DEMETER_DATA": str(tmp_path_factory.mktemp("demo") / "data"), MARK: "1"}


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[object]:
    started: list[subprocess.Popen[bytes]] = []

    def run() -> Running:
        port, output = free_port(), tmp_path / f"output-{len(started)}"
        with output.open("wb") as stream:
            command = [sys.executable, "manage.py", "demo", "--port", str(port)]
            process = subprocess.Popen(
                command,
                cwd=REPOSITORY,
                env=environment,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started.append(process)
        wait_until(
            lambda: "Ctrl-C stops it" in output.read_text().split("password")[-1] or process.poll(), 180, "the demo"
        )
        assert process.poll() is None, output.read_text()
        password = re.search(r"password\s+(\S+)", output.read_text())
        assert password
        return Running(process, output, f"http://127.0.0.1:{port}", password[1])

    yield run
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=120)


def ours() -> list[str]:
    """Living processes of the demo, by the mark in their environment."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and f"{MARK}=1".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for left-over processes in /proc")
def test_from_nothing_then_again(start: object, environment: dict[str, str]) -> None:
    first: Running = start()  # type: ignore[operator]
    first.sign_in()
    areas = first.open("/")
    assert "Demo coast" in areas
    assert "synthetic" in areas
    built = int(re.search(r"(\d+) tiles of 512 px", areas)[1])  # type: ignore[index]
    assert built >= 60
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(timeout=120) == 0
    assert ours() == []

    data = Path(environment["DEMETER_DATA"])
    before = {path: path.stat().st_mtime_ns for path in data.glob("areas/**/tile_*")}
    assert len(before) >= 60 * 5
    second: Running = start()  # type: ignore[operator]
    second.sign_in()
    assert second.password == first.password
    assert "Demo coast" in second.open("/")
    assert {path: path.stat().st_mtime_ns for path in data.glob("areas/**/tile_*")} == before
    assert not list(data.rglob("*.tmp-*"))
    assert not list(data.rglob("*.part"))


def test_a_taken_port_is_one_sentence(environment: dict[str, str]) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "manage.py", "demo", "--port", str(port)]
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert f"Port {port} is taken" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("port", ["0", "65536", "-1", "many", "99999999999999999999"])
def test_a_port_that_is_none_is_one_sentence(environment: dict[str, str], port: str) -> None:
    command = [sys.executable, "manage.py", "demo", f"--port={port}"]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0
    assert "is no port: choose a number from 1 to 65535" in done.stderr
    assert "Traceback" not in done.stderr
