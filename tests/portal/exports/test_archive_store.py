"""Archives on an S3 store: a real client, real HTTP, a server on loopback."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.core.management import call_command
from django.test import Client

from portal.exports import store_s3
from portal.exports.models import Release, ReleaseDownload
from portal.exports.publishing import release_publish
from portal.exports.retention import release_archive_delete
from portal.exports.services import release_resume
from portal.exports.stores import archive_open, archive_store, store_at
from tests.support.releases import archive_path, job_of, work
from tests.support.s3 import BUCKET, CREDENTIALS, REGION, s3_server
from tiles.core.paths import release_folder
from tiles.models import Job

pytestmark = pytest.mark.django_db
PLACE = f"s3://{BUCKET}/demeter/releases"

Released = Callable[..., Release]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        with s3_server() as address:
            yield address


@pytest.fixture
def store(server: str, settings: Any) -> Any:
    """Settings that lead to the server's bucket; a client of its own to look into it."""
    settings.DEMETER_ARCHIVE_STORE = PLACE
    settings.DEMETER_ARCHIVE_ENDPOINT = server
    settings.DEMETER_ARCHIVE_REGION = REGION
    client = boto3.client("s3", endpoint_url=server, region_name=REGION)
    for one in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=one["Key"])
    return client


def kept(client: Any) -> list[str]:
    return [one["Key"] for one in client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def fetched(url: str, **headers: str) -> tuple[int, bytes]:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
        return answer.status, answer.read()


def test_an_archive_goes_to_the_store_and_comes_from_there(
    coast: Any, released: Released, store: Any, signed_in: Callable[[str], Client], tmp_path: Path
) -> None:
    release = released("v1", "coast")
    assert (release.state, release.store, release.error) == (Release.State.READY, PLACE, "")
    assert kept(store) == ["demeter/releases/v1/v1.zip"]
    assert not archive_path("v1").exists()
    whole = store.get_object(Bucket=BUCKET, Key=kept(store)[0])["Body"].read()
    assert (len(whole), hashlib.sha256(whole).hexdigest()) == (release.size, release.sha256)
    client, url = signed_in("viewer"), "/releases/v1/download/v1.zip"
    answer = client.get(url)
    assert (answer.status_code, answer["Cache-Control"]) == (302, "no-store")
    assert "X-Amz-Signature" in answer["Location"]
    assert fetched(answer["Location"]) == (200, whole)
    assert fetched(answer["Location"], Range=f"bytes={len(whole) // 2}-") == (206, whole[len(whole) // 2 :])
    with pytest.raises(urllib.error.HTTPError):
        fetched(answer["Location"].replace("v1.zip?", "v2.zip?"))
    assert client.get(url, headers={"range": "bytes=9-"}).status_code == 302
    assert ReleaseDownload.objects.count() == 1
    assert client.head(url)["Content-Length"] == str(release.size)
    assert client.get(url, headers={"if-none-match": f'"{release.sha256}"'}).status_code == 304
    call_command("export_release", "v2", area=["coast"], out=tmp_path)
    assert (tmp_path / "v2.zip").stat().st_size == Release.objects.get(name="v2").size


def test_single_files_are_read_by_range(
    coast: Any, released: Released, store: Any, signed_in: Callable[[str], Client]
) -> None:
    release = released("v1", "coast")
    client = signed_in("viewer")
    with zipfile.ZipFile(BytesIO(archive_open(release, release.files.get()).read())) as archive:
        for name in ("manifest.jsonl", "coast/DEM-unique/tile_2.tif"):
            whole = archive.read(f"v1/{name}")
            assert client.get(f"/releases/v1/files/{name}").getvalue() == whole
            part = client.get(f"/releases/v1/files/{name}", headers={"range": "bytes=-20"})
            assert (part.status_code, part.getvalue()) == (206, whole[-20:])


def test_a_reader_seeks_as_a_file_does(coast: Any, released: Released, store: Any) -> None:
    release = released("v1", "coast")
    whole = store.get_object(Bucket=BUCKET, Key=kept(store)[0])["Body"].read()
    with archive_open(release, release.files.get()) as file:
        assert (file.seek(0, 2), file.read()) == (len(whole), b"")
        for place in (0, 7, len(whole) - 3, 100, 5):
            file.seek(place)
            assert file.read(50) == whole[place : place + 50]
        file.seek(10)
        assert file.read(5) + file.read() == whole[10:]


def test_large_ones_go_in_parts(coast: Any, released: Released, store: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(store_s3, "PART_BYTES", 5 << 20)
    large = tmp_path / "large.zip"
    large.write_bytes(bytes(range(256)) * (12 << 12))
    beats: list[int] = []
    kind = store_s3.S3Store(BUCKET, "parts", endpoint=store.meta.endpoint_url, region=REGION)
    digest = hashlib.sha256(large.read_bytes()).hexdigest()
    kind.put("v1", "large.zip", large, sha256=digest, beat=lambda: beats.append(1))
    assert len(beats) >= 12
    head = store.head_object(Bucket=BUCKET, Key="parts/v1/large.zip")
    assert head["ETag"].endswith('-3"')  # of three parts
    assert head["ContentLength"] == large.stat().st_size
    sent = len(beats)
    kind.put("v1", "large.zip", large, sha256=digest, beat=lambda: beats.append(1))
    assert len(beats) == sent  # the store has it already

    class Stop(Exception):
        pass

    def stop() -> None:
        if len(beats) > sent + 8:
            raise Stop
        beats.append(1)

    with pytest.raises(Stop):
        kind.put("v2", "large.zip", large, sha256=digest, beat=stop)
    assert not kind.exists("v2", "large.zip")
    assert "Uploads" not in store.list_multipart_uploads(Bucket=BUCKET)


def test_everybody_gets_a_public_one_from_the_store(coast: Any, released: Released, store: Any, curator: Any) -> None:
    release_publish(release_id=released("v1", "coast").pk, by=curator)
    answer = Client().get("/public/v1/download/v1.zip")
    assert fetched(answer["Location"])[0] == 200
    assert Client().get("/public/v1/files/README.md").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_removed_from_the_store(coast: Any, released: Released, store: Any) -> None:
    release = released("v1", "coast")
    release_archive_delete(release_id=release.pk, by=None)
    assert kept(store) == []
    assert {"contents.sha256", "croissant.json", "manifest.jsonl"} <= {
        path.name for path in release_folder("v1").iterdir()
    }


@pytest.mark.django_db(transaction=True)
def test_a_job_waits_for_a_store_that_is_away(coast: Any, released: Released, store: Any, curator: Any) -> None:
    store.delete_bucket(Bucket=BUCKET)
    release = released("v1", "coast")
    assert (release.state, job_of(release).state) == (Release.State.BUILDING, Job.State.PAUSED)
    assert "Check DEMETER_ARCHIVE_STORE" in job_of(release).error
    assert not archive_path("v1").exists()
    store.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    release_resume(release_id=release.pk, by=curator)
    assert work(release).state == Release.State.READY
    assert kept(store) == ["demeter/releases/v1/v1.zip"]


def test_where_it_lies_is_the_releases_own(coast: Any, released: Released, store: Any, settings: Any) -> None:
    away = released("v1", "coast")
    settings.DEMETER_ARCHIVE_STORE = ""
    here = released("v2", "coast")
    assert (here.store, archive_path("v2").exists()) == ("", True)
    assert archive_store(away).exists("v1", "v1.zip")
    with pytest.raises(FileNotFoundError):
        store_at(PLACE).open("v2", "v2.zip")
