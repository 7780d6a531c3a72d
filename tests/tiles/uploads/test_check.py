"""The check in a worker: what a file really is decides, whatever its name says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from tests.tiles.build.conftest import hills, write_raster
from tiles.jobs.leases import Lease
from tiles.jobs.runner import chunk_lease, chunk_run, run_here
from tiles.models import DemUpload, Job
from tiles.raster import strangers
from tiles.uploads import kind

from .conftest import Sender

pytestmark = pytest.mark.django_db


def hgt(low: int = 300, high: int = 900) -> bytes:
    """An HGT tile of 3 arc seconds: big-endian int16, with a void."""
    heights = np.linspace(low, high, 1201 * 1201).astype(">i2")
    heights[7] = -32768
    return heights.tobytes()


def geotiff(folder: Path, heights: np.ndarray, **profile: Any) -> bytes:
    return write_raster(folder / "made.tif", heights, **profile).read_bytes()


def vrt(folder: Path) -> bytes:
    target = write_raster(folder / "secret.tif", hills(40, 40))
    return (
        '<VRTDataset rasterXSize="40" rasterYSize="40"><VRTRasterBand dataType="Int16" band="1"><SimpleSource>'
        f"<SourceFilename>{target}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    ).encode()


def png(folder: Path) -> bytes:
    with rasterio.open(folder / "a.png", "w", driver="PNG", count=1, width=40, height=40, dtype="uint8") as made:
        made.write(hills(40, 40).astype(np.uint8), 1)
    return (folder / "a.png").read_bytes()


def bomb(folder: Path) -> bytes:
    """Claims 3.6 thousand million pixels in a few hundred kilobytes: its tiles are not even there."""
    path = folder / "bomb.tif"
    shape: dict[str, Any] = {"width": 60_000, "height": 60_000, "count": 1, "dtype": "uint8", "crs": "EPSG:32633"}
    where = rasterio.Affine(30, 0, 500_000, 0, -30, 4_000_000)
    with rasterio.open(path, "w", driver="GTiff", tiled=True, sparse_ok=True, transform=where, **shape):
        pass
    return path.read_bytes()


REFUSED: dict[str, tuple[str, Callable[[Path], bytes], str]] = {
    "cut short": ("a.tif", lambda f: geotiff(f, hills(300, 300))[:-20_000], "damaged or cut short"),
    "a VRT": ("a.tif", vrt, "not a GeoTIFF, whatever its name says"),
    "a PNG": ("a.tif", png, "not a GeoTIFF, whatever its name says"),
    "text": ("a.tiff", lambda _f: b"no raster at all", "not a GeoTIFF"),
    "only a head": ("a.tif", lambda _f: b"II*\0" + bytes(100), "damaged or cut short"),
    "no CRS": ("a.tif", lambda f: geotiff(f, hills(40, 40), crs=None), "where on Earth"),
    "three bands": ("a.tif", lambda f: geotiff(f, np.stack([hills(40, 40)] * 3)), "3 bands"),
    "complex": ("a.tif", lambda f: geotiff(f, hills(40, 40).astype(np.complex64)), "complex"),
    "64 bits": ("a.tif", lambda f: geotiff(f, hills(40, 40).astype(np.int64)), "Convert it to float32"),
    "a bomb": ("a.tif", bomb, "60,000 x 60,000 pixels"),
    "no heights": ("N46E008.hgt", lambda _f: hgt(-20_000, 20_000), "no HGT tile"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(sender: Sender, data_folder: Path, tmp_path: Path, what: str) -> None:
    name, make, said = REFUSED[what]
    state = sender.send(name, make(tmp_path))
    assert state["state"] == "refused"
    assert said in state["problem"]
    assert str(tmp_path) not in state["problem"], "no path of this machine"
    assert [path for path in (data_folder / "uploads").rglob("*") if path.is_file()] == [], "it is gone"
    job = Job.objects.get(pk=state["job"])
    assert said in job.events.latest("id").message
    listed = sender.client.get("/api/v1/uploads/").json()["items"]
    assert [item["problem"] for item in listed] == [state["problem"]], "the reason is kept"


def test_one_huge_strip(sender: Sender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "MOST_BLOCK_BYTES", 1_000)
    state = sender.send("a.tif", geotiff(tmp_path, hills(100, 100)))
    assert (state["state"], "TILED=YES" in state["problem"]) == ("refused", True)


def test_other_bytes_than_were_announced(sender: Sender, dem: bytes) -> None:
    state = sender.send("a.tif", dem, sha256="0" * 64)
    assert (state["state"], "sha256" in state["problem"]) == ("refused", True)


def test_an_hgt_tile_lies_where_its_name_says(sender: Sender, data_folder: Path) -> None:
    assert sender.send("n46e008.hgt", hgt())["state"] == "accepted"
    with rasterio.open(data_folder / "uploads" / "dems" / "n46e008.hgt") as made:
        assert (made.driver, round(made.bounds.left), round(made.bounds.bottom)) == ("SRTMHGT", 8, 46)
    answer = sender.start("N46E008.HGT", len(hgt()))
    assert (answer.status_code, answer.json()["suggestion"]) == (409, ""), "another name would be another place"  # type: ignore[attr-defined]


def test_a_large_file_is_read_in_pieces(sender: Sender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind, "BYTES_A_CHUNK", 20_000)
    monkeypatch.setattr(strangers, "READ_BYTES", 5_000)
    state = sender.send("a.tif", geotiff(tmp_path, hills(300, 200), tiled=True, blockxsize=16, blockysize=16))
    assert state["state"] == "accepted"
    job = Job.objects.get(pk=state["job"])
    assert (job.done, job.total) == (7, 7)


def test_a_worker_that_died_between_moving_the_file_and_saying_so(
    sender: Sender, data_folder: Path, dem: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = sender.begin("a.tif", len(dem))
    sender.chunk(upload, dem, 0)
    sender.finish(upload)
    for _piece in range(2):
        chunk_run(_leased())
    last = _leased()
    landed = data_folder / "uploads" / "dems" / "a.tif"
    landed.parent.mkdir(parents=True)
    (data_folder / "uploads" / "parts" / upload / "a.tif").rename(landed)
    chunk_run(last)
    assert sender.state(upload)["state"] == "accepted"
    assert landed.read_bytes() == dem
    assert not (data_folder / "uploads" / "parts" / upload).exists()


def _leased() -> Lease:
    lease = chunk_lease()
    assert lease is not None
    return lease


def test_a_check_that_cannot_be_done_refuses(
    sender: Sender, data_folder: Path, dem: bytes, django_capture_on_commit_callbacks: Any
) -> None:
    upload = sender.begin("a.tif", len(dem))
    sender.chunk(upload, dem, 0)
    sender.finish(upload)
    (data_folder / "uploads" / "dems").parent.joinpath("dems").write_text("a file where the folder should be")
    with django_capture_on_commit_callbacks(execute=True):
        run_here(DemUpload.objects.get(uuid=upload).job_id or 0, lambda _job: None)
    state = sender.state(upload)
    assert state["state"] == "refused"
    assert "could not be checked" in state["problem"]
