"""Files to send, and a way to send them over HTTP and have them checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.tiles.build.conftest import build, hills, inputs, write_raster  # noqa: F401
from tiles.jobs.runner import run_here
from tiles.models import DemUpload

ADDRESS = "/api/v1/uploads/"


@pytest.fixture
def dem(tmp_path: Path) -> bytes:
    """A GeoTIFF of 64 x 70 heights."""
    return write_raster(tmp_path / "made.tif", hills(64, 70)).read_bytes()


class Sender:
    """One person's way to send a file."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def start(self, name: str, size: int, **more: Any) -> HttpResponse:
        asked = {"name": name, "size": size, **more}
        return self.client.post(ADDRESS, asked, content_type="application/json")  # type: ignore[return-value]

    def begin(self, name: str, size: int, **more: Any) -> str:
        answer = self.start(name, size, **more)
        assert answer.status_code == 201, answer.content
        return str(answer.json()["id"])  # type: ignore[attr-defined]

    def chunk(self, upload: str, content: bytes, offset: int | str) -> HttpResponse:
        return self.client.patch(  # type: ignore[return-value]
            f"{ADDRESS}{upload}/",
            content,
            content_type="application/octet-stream",
            headers={"Upload-Offset": str(offset)},
        )

    def state(self, upload: str) -> dict[str, Any]:
        return dict(self.client.get(f"{ADDRESS}{upload}/").json())

    def finish(self, upload: str) -> HttpResponse:
        return self.client.post(f"{ADDRESS}{upload}/finish/")  # type: ignore[return-value]

    def cancel(self, upload: str) -> HttpResponse:
        return self.client.delete(f"{ADDRESS}{upload}/")  # type: ignore[return-value]

    def send(self, name: str, content: bytes, **more: Any) -> dict[str, Any]:
        """Send a whole file, have it checked in this process, and return its state."""
        upload = self.begin(name, len(content), **more)
        assert self.chunk(upload, content, 0).status_code == 200
        assert self.finish(upload).status_code == 202
        self.check(upload)
        return self.state(upload)

    def check(self, upload: str) -> None:
        job = DemUpload.objects.get(uuid=upload).job
        assert job is not None
        assert run_here(job.pk, lambda _job: None).state == "done"


@pytest.fixture
def sender(data_folder: Path, signed_in: Callable[..., Client]) -> Sender:
    return Sender(signed_in("curator"))
