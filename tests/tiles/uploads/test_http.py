"""Sending a file in chunks: every acknowledged byte stays, and every wrong turn says where to go on."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from tiles.build.choosing import source_path, source_uploads
from tiles.core.files import free_bytes
from tiles.jobs.services import job_cancel
from tiles.models import DemUpload
from tiles.uploads.services import CHUNK_BYTES, WrongOffset, upload_write

from .conftest import ADDRESS, Sender

pytestmark = pytest.mark.django_db


def parts(data: Path) -> list[Path]:
    return [path for path in (data / "uploads" / "parts").rglob("*") if path.is_file()]


def test_a_file_goes_on_where_it_was_cut_off(
    sender: Sender, data_folder: Path, dem: bytes, signed_in: Callable[..., Client]
) -> None:
    upload = sender.begin("hills.tif", len(dem), sha256=hashlib.sha256(dem).hexdigest().upper())
    assert sender.state(upload)["offset"] == 0
    assert sender.chunk(upload, dem[:1000], 0).json()["offset"] == 1000  # type: ignore[attr-defined]
    again = sender.chunk(upload, dem[:1000], 0)
    assert (again.status_code, again.json()["code"], again.json()["offset"]) == (409, "wrong_offset", 1000)  # type: ignore[attr-defined]
    assert sender.chunk(upload, dem[2000:3000], 2000).status_code == 409, "a gap"
    early = sender.finish(upload)
    assert (early.status_code, early.json()["offset"]) == (409, 1000)  # type: ignore[attr-defined]

    other = Sender(signed_in("curator", "colleague"))
    there = other.state(upload)
    assert there["tail"] == {"start": 0, "end": 1000, "crc32": f"{zlib.crc32(dem[:1000]):08x}"}
    assert other.chunk(upload, dem[1000:], 1000).status_code == 200
    assert other.finish(upload).status_code == 202
    assert other.finish(upload).status_code == 202, "finishing twice starts one check"
    sender.check(upload)
    accepted = sender.state(upload)
    assert (accepted["state"], accepted["sha256"]) == ("accepted", hashlib.sha256(dem).hexdigest())
    assert (data_folder / "uploads" / "dems" / "hills.tif").read_bytes() == dem
    assert parts(data_folder) == []
    assert [node.entry.key for node in source_uploads(()).nodes] == ["uploads/hills.tif"]
    assert source_path("uploads/hills.tif") == data_folder / "uploads" / "dems" / "hills.tif"
    assert sender.chunk(upload, b"more", len(dem)).status_code in (400, 409)
    assert sender.cancel(upload).status_code == 409, "an area may be built from it"


def test_chunks_that_are_not_taken(sender: Sender, settings: Any, data_folder: Path) -> None:
    upload = sender.begin("hills.tif", 10)
    beyond = sender.chunk(upload, b"x" * 11, 0)
    assert (beyond.status_code, beyond.json()["code"]) == (400, "over_size")  # type: ignore[attr-defined]
    assert sender.chunk(upload, b"", 0).json()["code"] == "chunk_size"  # type: ignore[attr-defined]
    assert sender.chunk(upload, bytes(CHUNK_BYTES + 1), 0).json()["code"] == "chunk_size"  # type: ignore[attr-defined]
    for offset in ("", "-1", "1.5", "²", "9" * 30):
        assert sender.chunk(upload, b"x", offset).json()["code"] == "no_offset"  # type: ignore[attr-defined]
    settings.DEMETER_MIN_FREE = free_bytes(data_folder) * 2
    full = sender.chunk(upload, b"01234", 0)
    assert (full.status_code, full.json()["code"]) == (507, "disk_full")  # type: ignore[attr-defined]
    assert sender.start("other.tif", 10).status_code == 507
    settings.DEMETER_MIN_FREE = 0
    assert sender.chunk(upload, b"01234", 0).status_code == 200, "nothing was lost by the full disk"


@pytest.mark.parametrize(
    ("name", "code", "suggestion"),
    [
        ("../../secret.tif", "bad_name", "secret.tif"),
        ("..\\secret.tif", "bad_name", "secret.tif"),
        ("/etc/hills.tif", "bad_name", "hills.tif"),
        (".hidden.tif", "bad_name", "hidden.tif"),
        ("Höhen Süd?.tif", "bad_name", "Hohen_Sud.tif"),
        ("con.tif", "bad_name", "con-2.tif"),
        ("half.part.tif", "bad_name", "half_part.tif"),
        ("trailing .tif", "bad_name", "trailing.tif"),
        ("hills.tif\0", "bad_input", None),
        ("hills.vrt", "bad_format", None),
        ("hills", "bad_format", None),
        ("N46E08.hgt", "not_raster", None),
        ("N46E008.hgt", "not_raster", None),
    ],
)
def test_names_that_are_not_taken(
    sender: Sender, data_folder: Path, name: str, code: str, suggestion: str | None
) -> None:
    answer = sender.start(name, 100)
    assert answer.status_code == 400
    assert answer.json()["code"] == code  # type: ignore[attr-defined]
    assert answer.json().get("suggestion") == suggestion  # type: ignore[attr-defined]
    assert not DemUpload.objects.exists()


def test_sizes_that_are_not_taken(sender: Sender, settings: Any) -> None:
    settings.DEMETER_MAX_UPLOAD = 1000
    assert sender.start("hills.tif", 1001).json()["code"] == "too_large"  # type: ignore[attr-defined]
    assert sender.start("hills.tif", 0).json()["code"] == "bad_size"  # type: ignore[attr-defined]
    assert sender.start("hills.tif", 1000).status_code == 201


def test_a_name_belongs_to_one_file(sender: Sender, dem: bytes, signed_in: Callable[..., Client]) -> None:
    one = str(uuid4())
    assert sender.begin("Hills.tif", len(dem), id=one) == one == sender.begin("Hills.tif", len(dem), id=one)
    assert DemUpload.objects.count() == 1, "a repeated id begins nothing anew"
    assert sender.start("Hills.tif", 5, id=one).status_code == 409
    other = Sender(signed_in("curator", "colleague"))
    on_its_way = other.start("hills.tif", len(dem))
    assert (on_its_way.status_code, on_its_way.json()["code"]) == (409, "name_taken")  # type: ignore[attr-defined]
    assert sender.cancel(one).json()["state"] == "cancelled"  # type: ignore[attr-defined]
    assert other.send("hills.tif", dem)["state"] == "accepted"
    taken = sender.start("HILLS.TIF", len(dem)).json()  # type: ignore[attr-defined]
    assert (taken["code"], taken["suggestion"]) == ("name_taken", "HILLS-2.tif")
    assert sender.send(taken["suggestion"], dem)["state"] == "accepted"


def test_two_files_that_take_one_name_at_the_same_time(sender: Sender, data_folder: Path, dem: bytes) -> None:
    """Both got past the door, as two requests in one moment may: the second one is refused, and replaces nothing."""
    first, second = sender.begin("hills.tif", len(dem)), sender.begin("other.tif", len(dem))
    DemUpload.objects.filter(uuid=second).update(name="Hills.tif")
    for upload, content in ((first, dem), (second, dem[::-1])):
        sender.chunk(upload, content, 0)
    assert sender.finish(first).status_code == 202
    sender.check(first)
    DemUpload.objects.filter(uuid=second).update(received=0)
    sender.chunk(second, dem, 0)
    assert sender.finish(second).status_code == 202
    sender.check(second)
    refused = sender.state(second)
    assert refused["state"] == "refused"
    assert "took the name" in refused["problem"]
    assert (data_folder / "uploads" / "dems" / "hills.tif").read_bytes() == dem


def test_what_nobody_goes_on_with_is_removed(sender: Sender, data_folder: Path, settings: Any) -> None:
    stale, fresh = sender.begin("stale.tif", 10), sender.begin("fresh.tif", 10)
    for upload in (stale, fresh):
        sender.chunk(upload, b"01234", 0)
    long_ago = timezone.now() - timedelta(days=settings.DEMETER_UPLOAD_DAYS + 1)
    DemUpload.objects.filter(uuid=stale).update(heard_at=long_ago)
    orphan = data_folder / "uploads" / "parts" / str(uuid4())
    orphan.mkdir()
    assert [item["name"] for item in sender.client.get(ADDRESS).json()["items"]] == ["fresh.tif", "stale.tif"]
    sender.begin("stale.tif", 10)
    assert sender.state(stale)["state"] == "cancelled"
    assert "Nothing came" in sender.state(stale)["problem"]
    assert not orphan.exists()
    assert [path.name for path in parts(data_folder)] == ["fresh.tif"]
    gone = sender.chunk(stale, b"56789", 5)
    assert (gone.status_code, gone.json()["code"]) == (409, "not_receiving")  # type: ignore[attr-defined]


def test_a_part_that_vanished_is_asked_for_again(sender: Sender, data_folder: Path) -> None:
    upload = sender.begin("hills.tif", 10)
    sender.chunk(upload, b"01234", 0)
    parts(data_folder)[0].write_bytes(b"01")
    answer = sender.chunk(upload, b"56789", 5)
    assert (answer.status_code, answer.json()["offset"]) == (409, 2)  # type: ignore[attr-defined]


def test_cancelling_the_check_on_the_jobs_page_drops_the_file(
    sender: Sender, data_folder: Path, dem: bytes, person: Callable[..., Any], django_capture_on_commit_callbacks: Any
) -> None:
    upload = sender.begin("hills.tif", len(dem))
    sender.chunk(upload, dem, 0)
    sender.finish(upload)
    with django_capture_on_commit_callbacks(execute=True):
        job_cancel(job_id=DemUpload.objects.get(uuid=upload).job_id or 0, by=person("curator"))
    assert sender.state(upload)["state"] == "cancelled"
    assert parts(data_folder) == []


def test_only_who_may_build_can_send(sender: Sender, signed_in: Callable[..., Client], dem: bytes) -> None:
    upload = sender.begin("hills.tif", len(dem))
    for client, expected in ((signed_in("reviewer"), 403), (Client(), 401)):
        stranger = Sender(client)
        answers = [stranger.start("other.tif", 5), stranger.chunk(upload, dem, 0), stranger.finish(upload)]
        answers += [stranger.cancel(upload), client.get(f"{ADDRESS}{upload}/"), client.get(ADDRESS)]
        assert [answer.status_code for answer in answers] == [expected] * len(answers)
    assert sender.state(upload)["offset"] == 0


@pytest.mark.django_db(transaction=True)
def test_of_chunks_sent_at_once_one_is_taken(
    data_folder: Path, signed_in: Callable[..., Client], person: Callable[..., Any]
) -> None:
    """As from two tabs: four senders of different bytes for one place; what was acknowledged is what is there."""
    by, size, chunk = person("curator"), 64 * 1024, 8 * 1024
    upload = Sender(signed_in("curator")).begin("hills.tif", size)
    gate = threading.Barrier(4)
    taken: list[tuple[int, bytes]] = []

    def send(mark: int) -> None:
        content = bytes([mark]) * chunk
        try:
            for offset in range(0, size, chunk):
                gate.wait()
                with contextlib.suppress(WrongOffset):
                    upload_write(uuid=UUID(upload), offset=offset, content=content, by=by)
                    taken.append((offset, content))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(1, 5)))
    assert sorted(offset for offset, _content in taken) == list(range(0, size, chunk))
    assert parts(data_folder)[0].read_bytes() == b"".join(content for _offset, content in sorted(taken))
