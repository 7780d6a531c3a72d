"""Releases with a real worker, a real web server, real curl, and real kills."""

from __future__ import annotations

import hashlib
import html
import http.client
import random
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.programs import program
from tests.support.releases import BESIDE, left_in
from tests.support.site import REPOSITORY, Site, Template, password_of

MAKE = """
from uuid import uuid4
import numpy as np
from captions.services import caption_write_machine
from portal.accounts.models import User
from tests.support.factories import make_area, make_tile
from tiles.review.services import tile_approve
reviewer = User.objects.get(username="reviewer")
area = make_area("coast", licence="CC0", tile_size=256)
noise = np.random.default_rng(1)
for index in range(12):
    heights, colours = noise.random((256, 256), np.float32), noise.integers(0, 256, (256, 256, 3), np.uint8)
    tile = make_tile(area, index, void=index == 5, heights=heights * 1000, colours=colours)
    caption_write_machine(tile_id=tile.pk)
    tile.refresh_from_db()
    seen = tile.layer_versions()
    tile_approve(tile_id=tile.pk, seen=seen, seen_version=tile.version, by=reviewer, client_id=uuid4())
"""
START = """
from portal.exports.services import release_create
print(release_create(name="v1", area_slugs=["coast"], shard_megabytes={}).pk)
"""
AGAIN = """
import shutil
from portal.exports.models import Release
from portal.exports.services import release_retry
from tiles.core.paths import release_folder
release = Release.objects.get()
shutil.rmtree(release_folder(release.name))
Release.objects.filter(pk=release.pk).update(state="failed", sha256="", size=None, ready_at=None)
release_retry(release_id=release.pk, by=None)
"""
LOOK = """
from portal.exports.models import Release
release = Release.objects.get()
job = release.job
print(json.dumps(dict(state=release.state, sha256=release.sha256, error=release.error,
    done=job.done, job=job.state, finished=bool(job.finished_at))))
"""


@pytest.fixture
def held_site(tmp_path: Path, site_template: Template) -> Iterator[Site]:
    """A site whose worker can be held at any step of a release."""
    with Site(
        tmp_path / "site",
        site_template,
        apps=["tests.support.held_releases.apps.HeldReleasesConfig"],
        environment=PATIENT,
    ) as made:
        made.shell(MAKE)
        yield made


# Whoever is held does not beat: its lease must last as long as the test holds it. The dead lose theirs at once.
PATIENT = {"DEMETER_LEASE_SECONDS": "30"}


def look(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = site.shell(LOOK)
    return found


def finished(site: Site) -> dict[str, Any]:
    return site.wait_until(lambda: (found := look(site))["finished"] and found, 60, "the release to end")


def archive(site: Site) -> Path:
    return site.data / "releases" / "v1" / "v1.zip"


def folder(site: Site) -> Path:
    return site.data / "releases" / "v1"


def contents(site: Site) -> dict[str, str]:
    """What lies in the release's folder: name -> SHA-256."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder(site).iterdir()}


def assert_whole(site: Site, expected: dict[str, str]) -> None:
    """Ready, these very bytes, and nothing else in the folder."""
    found = finished(site)
    assert (found["state"], found["job"], found["done"], found["error"]) == ("ready", "done", 12, ""), found
    assert contents(site) == expected


def shards(site: Site) -> dict[str, tuple[int, int]]:
    """What marks the finished shards, be they landed or not: number -> inode and time of writing."""
    work = folder(site) / ".parts"
    done = [journal.stem for journal in work.glob("[0-9]*.jsonl")]
    places = {number: [work / f"{number}.zip", folder(site) / f"v1-{number}.zip"] for number in done}
    places |= {path.stem.removeprefix("v1-"): [path] for path in folder(site).glob("v1-*.zip")}
    there = {number: next(path for path in paths if path.exists()).stat() for number, paths in places.items()}
    return {number: (found.st_ino, found.st_mtime_ns) for number, found in there.items()}


def held_run(site: Site, step: int) -> int:
    """Write the release once more until `step`; returns the id of the process that waits there."""
    (site.data / "held").unlink(missing_ok=True)
    (site.data / "hold").write_text(str(step))
    site.shell(AGAIN)
    site.wait_until((site.data / "held").exists, 60, f"step {step}")
    return int((site.data / "held").read_text())


def kill_busy(site: Site, busy: int) -> None:
    site.kill(busy)


def kill_all(site: Site, _busy: int) -> None:
    site.kill_all()
    site.start_worker()


def kill_idle(site: Site, busy: int) -> None:
    """The worker that does not write the release; whoever stands in its place later may be killed too."""
    for process in site.processes():
        if process.parent == site.parent(busy) and process.pid != busy:
            site.kill(process.pid)


def kill_web(site: Site, _busy: int) -> None:
    site.kill_web()
    site.start_web()


def seeded_points(steps: list[str], rng: random.Random) -> dict[int, str]:
    """Ten steps to be killed at, counted from 1, and what each is."""

    def at(what: str) -> int:
        return steps.index(what) + 1

    last = max(int(step.split()[1][:5]) for step in steps if re.fullmatch(r"name \d+\.zip", step))
    inner = rng.randrange(2, last)
    landing = rng.sample(range(1, last + 1), 2)
    points = {
        at(f"name {inner:05}.zip"): "a shard is on the disk, and has no name yet",
        at(f"name {inner:05}.jsonl"): "it has its name, and no journal",
        at(f"name {inner:05}.jsonl") + 1: "it has its journal, and the fence is not down",
        at("name manifest.jsonl"): "all shards are finished, and none has landed",
        at(f"name v1-{landing[0]:05}.zip"): "some have landed",
        at(f"name v1-{landing[1]:05}.zip"): "others have landed",
        len(steps): "all have landed, and the row does not say so",
    }
    beats = [number for number, step in enumerate(steps, 1) if step == "beat" and number not in points]
    return points | dict.fromkeys(rng.sample(beats, 10 - len(points)), "somewhere in a file, or between two")


@pytest.mark.slow
def test_killed_at_ten_seeded_points_it_ends_as_one_whole_release(held_site: Site) -> None:
    """Each time with the same bytes and nothing else; no shard that was finished is written again."""
    site = held_site
    site.start_worker()
    site.shell(START.format(1))
    assert finished(site)["state"] == "ready"
    calm = contents(site)
    assert sum(name.endswith(".zip") for name in calm) > 4
    points = seeded_points((site.data / "steps").read_text().splitlines(), random.Random(6))
    assert len(points) == 10
    kept_ever = 0
    for number, (step, what) in enumerate(sorted(points.items())):
        busy = held_run(site, step)
        kept = shards(site)
        kept_ever += len(kept)
        (kill_all if number % 2 else kill_busy)(site, busy)
        (site.data / "hold").unlink()
        assert_whole(site, calm)
        assert kept.items() <= shards(site).items(), what
    assert kept_ever > 20


@pytest.mark.slow
@pytest.mark.parametrize("kill", [kill_idle, kill_web])
def test_deaths_of_others_do_not_matter(held_site: Site, kill: Callable[..., None]) -> None:
    site = held_site
    site.start_web()
    site.start_worker()
    site.shell(START.format(4000))
    assert finished(site)["state"] == "ready"
    calm = contents(site)
    assert set(calm) == {*BESIDE, "v1.zip"}
    busy = held_run(site, len((site.data / "steps").read_text().splitlines()) // 2)
    kill(site, busy)
    (site.data / "hold").unlink()
    assert_whole(site, calm)


@pytest.mark.slow
def test_rebuilt_on_a_fresh_database(held_site: Site, tmp_path: Path, site_template: Template) -> None:
    """The layers, the record and the manifest are all that another site has of it."""
    held_site.start_worker()
    held_site.shell(START.format(1))
    assert finished(held_site)["state"] == "ready"
    calm = contents(held_site)
    with Site(tmp_path / "fresh", site_template) as fresh:
        (held_site.data / "areas").rename(fresh.data / "areas")
        left = fresh.folder / "left"
        left.mkdir()
        for name in ("release.json", "manifest.jsonl"):
            (folder(held_site) / name).rename(left / name)
        assert fresh.shell("from tiles.models import Area\nprint(Area.objects.count())") == 0
        said = fresh.manage("rebuild_release", left, "--out", fresh.folder / "again").stdout
        assert "the same as when the release was made" in said
        made = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (fresh.folder / "again").iterdir()}
    assert made == calm


@pytest.mark.slow
def test_an_export_stopped_by_ctrl_c_goes_on(held_site: Site) -> None:
    site = held_site
    out = site.folder / "out"
    command = ["export_release", "v1", "--area", "coast", "--out", str(out)]
    (site.data / "hold").write_text("40")
    started = site.start("export", [sys.executable, str(REPOSITORY / "manage.py"), *command])
    site.wait_until((site.data / "held").exists, 60, "the export to write")
    started.send_signal(signal.SIGINT)
    assert started.wait(timeout=30) == 130
    assert look(site)["state"] == "failed"
    assert left_in(folder(site)) == []
    assert list(out.iterdir()) == []
    (site.data / "hold").unlink()
    said = site.manage(*command).stdout
    assert "Going on with what this release took" in said
    assert left_in(out) == ["v1.croissant.json", "v1.zip", "v1.zip.sha256"]
    subprocess.run([program("sha256sum"), "-c", "v1.zip.sha256"], cwd=out, check=True)


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, site_template: Template) -> Iterator[Site]:
    """A site that serves a release which its worker wrote."""
    with Site(tmp_path_factory.mktemp("serving"), site_template) as made:
        made.shell(MAKE)
        made.start_web()
        worker = made.start_worker()
        made.shell(START.format(4000))
        assert finished(made)["state"] == "ready"
        worker.terminate()
        yield made


def get(site: Site, path: str, role: str = "viewer") -> Any:
    """A page as somebody of that role gets it."""
    return site.shell(
        "from django.test import Client\n"
        "from portal.accounts.models import User\n"
        "client = Client()\n"
        f"client.force_login(User.objects.get(username={role!r}), 'django.contrib.auth.backends.ModelBackend')\n"
        f"page = client.get({path!r}, headers={{'host': {urlsplit(site.url).netloc!r}}})\n"
        "print(json.dumps([page.content.decode(), client.cookies['sessionid'].value]))"
    )


def test_the_lines_on_the_page_download_it(serving: Site) -> None:
    """The shell lines that the page shows sign in, resume and check it, run as they stand."""
    for name in ("curl", "awk", "sha256sum"):
        program(name)
    page, _session = get(serving, "/releases/v1/")
    shown = re.findall(r'<code id="(curl-[a-z-]+)">(.*?)</code>', page, re.DOTALL)
    lines = {name: html.unescape(text) for name, text in shown}
    folder = serving.folder / "downloaded"
    folder.mkdir()

    def run(code: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run([program("bash"), "-c", code], cwd=folder, capture_output=True, text=True, **options)

    refused = run(lines["curl-download"].splitlines()[0])
    assert (refused.returncode, list(folder.iterdir())) == (22, []), refused.stderr
    run(lines["curl-sign-in"], input=f"viewer\n{password_of('viewer')}\n", check=True)
    whole = archive(serving).read_bytes()
    (folder / "v1.zip").write_bytes(whole[: len(whole) // 3])  # an earlier download was cut
    done = run(lines["curl-download"], check=True)
    assert "v1.zip: OK" in done.stdout
    assert (folder / "v1.zip").read_bytes() == whole


def test_ranges_over_a_kept_connection(serving: Site) -> None:
    """One connection, one answer after the other: a length that is wrong by one byte would derail the next."""
    whole = archive(serving).read_bytes()
    etag = f'"{hashlib.sha256(whole).hexdigest()}"'
    _page, session = get(serving, "/releases/")
    connection = http.client.HTTPConnection(urlsplit(serving.url).netloc, timeout=30)

    def ask(method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, "/releases/v1/download/v1.zip", headers={"Cookie": f"sessionid={session}", **named})
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()

    status, headers, body = ask("HEAD")
    assert (status, headers["Content-Length"], body) == (200, str(len(whole)), b"")
    assert ask()[2] == whole
    rng = random.Random(5)
    for _ in range(30):
        first = rng.randrange(len(whole))
        last = rng.randrange(first, len(whole))
        status, headers, body = ask(Range=f"bytes={first}-{last}", If_Range=etag)
        assert (status, body) == (206, whole[first : last + 1])
        assert headers["Content-Range"] == f"bytes {first}-{last}/{len(whole)}"
    assert ask(Range="bytes=5-9", If_Range='"another"')[2] == whole
    assert ask(Range=f"bytes={len(whole)}-")[0] == 416
    assert ask(If_None_Match=etag)[::2] == (304, b"")
    assert ask(Range="bytes=-10")[2] == whole[-10:]
    connection.close()


LINK = """
from portal.exports.links import link_make, link_token
from portal.exports.models import Release
print(json.dumps(link_token(link_make(release_id=Release.objects.get().pk, hours=1, by=None))))
"""


def test_cut_at_random_offsets_and_resumed_it_equals_the_file(serving: Site) -> None:
    """A client that hangs up wherever it likes, and goes on as `curl -C -` does, with the ETag it knows."""
    token, whole = serving.shell(LINK), archive(serving).read_bytes()
    with zipfile.ZipFile(archive(serving)) as opened:
        member = opened.read("v1/coast/DEM-unique/tile_3.tif")
    rng = random.Random(6)
    for path, expected in (
        (f"/get/{token}/v1.zip", whole),
        (f"/get/{token}/files/coast/DEM-unique/tile_3.tif", member),
    ):
        for _download in range(4):
            got, cuts, headers = b"", 0, {}
            while len(got) < len(expected):
                connection = http.client.HTTPConnection(urlsplit(serving.url).netloc, timeout=30)
                connection.request("GET", path, headers={**headers, **({"Range": f"bytes={len(got)}-"} if got else {})})
                answer = connection.getresponse()
                assert answer.status == (206 if got else 200)
                headers = {"If-Range": answer.headers["ETag"]}
                left = len(expected) - len(got)
                got += answer.read(rng.randint(1, left) if cuts < 5 else left)
                connection.close()  # with bytes still under way
                cuts += 1
            assert got == expected
    begun = serving.shell("from portal.exports.models import *; print(Release.objects.get().downloads)")
    assert begun >= 4


def test_the_lines_for_a_cluster_fetch_and_check_it(serving: Site) -> None:
    """wget and curl, as the page says, with no session and after a cut."""
    for name in ("wget", "curl", "xargs", "sha256sum"):
        program(name)
    at, whole = f"{serving.url}/get/{serving.shell(LINK)}/", archive(serving).read_bytes()
    lines = {
        "wget": f"wget -qO- '{at}' | wget -q -c -i - && sha256sum -c SHA256SUMS",
        "curl": f"curl -sS --fail '{at}' | xargs -n 1 curl -sS --fail -C - -O && sha256sum -c SHA256SUMS",
    }
    for name, code in lines.items():
        folder = serving.folder / name
        folder.mkdir()
        (folder / "v1.zip").write_bytes(whole[: len(whole) // 3])
        done = subprocess.run([program("bash"), "-c", code], cwd=folder, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, "v1.zip: OK\n"), done.stderr
        assert sorted(path.name for path in folder.iterdir()) == ["SHA256SUMS", "croissant.json", "v1.zip"]
