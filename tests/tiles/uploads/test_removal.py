"""Accepted uploads are listed, and removed where nothing is cut from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.tiles.build.conftest import Inputs
from tiles.build.services import BuildOptions, area_build_start
from tiles.core.paths import upload_path
from tiles.jobs.services import job_cancel
from tiles.models import Area, DemUpload

from .conftest import ADDRESS, Sender

pytestmark = pytest.mark.django_db
ACCEPTED = f"{ADDRESS}accepted/"
PAGE = "/areas/new/uploads/"


def removed(client: Client, upload: str) -> Any:
    return client.delete(f"{ACCEPTED}{upload}/")


def test_what_nothing_uses_is_removed_and_its_name_is_free(sender: Sender, dem: bytes) -> None:
    upload = sender.send("alps.tif", dem)["id"]
    (item,) = sender.client.get(ACCEPTED).json()["items"]
    assert (item["id"], item["name"], item["size"], item["used_by"]) == (upload, "alps.tif", len(dem), [])
    page = sender.client.get(PAGE).content.decode()
    assert "alps.tif" in page
    assert "Remove it for good" in page
    answer = sender.client.post(f"{PAGE}{upload}/remove/", follow=True).content.decode()
    assert "alps.tif is removed" in answer
    assert "Nothing uploaded" in answer
    assert not upload_path("alps.tif").exists()
    assert sender.state(upload)["state"] == "removed"
    assert removed(sender.client, upload).json()["state"] == "removed", "once more changes nothing"
    assert sender.send("alps.tif", dem)["state"] == "accepted"
    assert removed(sender.client, upload).status_code == 200
    assert upload_path("alps.tif").exists(), "the first one's removal is over; this is another file"


def test_what_an_area_or_a_job_uses_stays_and_says_which(
    sender: Sender,
    dem: bytes,
    inputs: Inputs,
    build: Callable[..., Area],
) -> None:
    cut, begun = sender.send("cut.tif", dem)["id"], sender.send("begun.tif", dem)["id"]
    build(dems=[upload_path("cut.tif")], imagery=inputs.raster, tile_size=32, name="Land")
    job = area_build_start(
        slug="sea",
        dems=[upload_path("begun.tif")],
        imagery=inputs.raster,
        options=BuildOptions(tile_size=32),
        background=False,
    )
    used = {item["name"]: item["used_by"] for item in sender.client.get(ACCEPTED).json()["items"]}
    assert used == {
        "cut.tif": [{"slug": "land", "name": "Land", "job": None}],
        "begun.tif": [{"slug": "sea", "name": "sea", "job": job.pk}],
    }
    page = sender.client.get(PAGE).content.decode()
    assert reverse("area", args=["land"]) in page
    assert reverse("job", args=[job.pk]) in page
    assert "Remove it for good" not in page
    refused = removed(sender.client, begun)
    assert (refused.status_code, refused.json()["code"], refused.json()["areas"]) == (409, "in_use", ["sea"])
    assert f"job {job.pk} is open" in refused.json()["message"]
    assert "cut from it, Land" in removed(sender.client, cut).json()["message"]
    said = sender.client.post(f"{PAGE}{cut}/remove/", follow=True).content.decode()
    assert "cut.tif stays: an area is cut from it, Land." in said
    assert upload_path("cut.tif").exists()
    job_cancel(job_id=job.pk, by=None)
    assert removed(sender.client, begun).status_code == 409, "the area may be built on from where it was stopped"


def test_only_what_is_accepted_is_removed(sender: Sender, dem: bytes, signed_in: Callable[[str], Client]) -> None:
    open_one = sender.begin("open.tif", len(dem))
    assert removed(sender.client, open_one).status_code == 409
    upload = sender.send("alps.tif", dem)["id"]
    assert removed(signed_in("reviewer"), upload).status_code == 403
    assert DemUpload.objects.get(uuid=upload).state == "accepted"
    upload_path("alps.tif").unlink()
    assert removed(sender.client, upload).status_code == 200, "a file that somebody took away stands in no way"
