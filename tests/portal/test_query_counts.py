"""What a list page asks the database: as many queries as the baseline says, however many rows there are.

`DEMETER_REFRESH_BASELINE=1 pytest tests/portal/test_query_counts.py` writes the baseline anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from captions.services import caption_write_machine
from portal.exports.models import Release, ReleaseDownload, ReleaseEvent, ReleaseLink
from tests.support.factories import make_area, make_tile
from tiles.jobs.services import job_start
from tiles.models import Area, DemUpload, Job
from tiles.review.services import tile_approve

BASELINE = Path(__file__).with_name("query_counts.json")
ADDRESSES = {
    "agreement": "/areas/land-0/agreement/",
    "areas": "/",
    "area": "/areas/land-0/",
    "atlas": "/areas/land-0/atlas/",
    "atlas array": "/areas/land-0/atlas/tiles",
    "captions": "/captions/",
    "captions of an area": "/captions/?area=land-0",
    "captions with a finding": "/captions/?finding=number&area=land-0&state=unread",
    "captions with a word": "/captions/?q=the",
    "captions of a state": "/captions/?area=land-0&state=unread",
    "captions to change": "/captions/many/?area=land-0&do=replace&find=the",
    "gallery": "/areas/land-0/gallery/",
    "gallery by relief": "/areas/land-0/gallery/?order=relief&slope_from=1&after=0",
    "gallery at random": "/areas/land-0/gallery/?order=random&seed=3&after=0&tag=steep&assigned=me&flagged=mine",
    "jobs": "/jobs/",
    "pace": "/areas/land-0/pace/",
    "people": "/areas/land-0/people/",
    "rectify": "/areas/land-0/captions/rectify/",
    "releases": "/releases/",
    "downloads of a release": "/releases/r-0/downloads/",
    "review": "/areas/land-0/review/",
    "uploads": "/areas/new/uploads/",
    "json of uploads": "/api/v1/uploads/accepted/",
    "json of changes of captions": "/api/v1/captions/edit/preview/?do=replace&find=the",
    "json of captions": "/api/v1/areas/land-0/captions/?index=0,1,2",
    "json of decisions": "/api/v1/areas/land-0/decisions/?mine=1",
    "json of jobs": "/api/v1/jobs/",
    "json of releases": "/api/v1/releases/",
    "json of tiles": "/api/v1/areas/land-0/tiles/?state=pending",
}


def fill(by: Any, rows: range) -> None:
    """More of everything that lists show."""
    area = Area.objects.filter(slug="land-0").first() or make_area("land-0")
    for number in rows:
        tile = make_tile(area, number, files=False)
        caption_write_machine(tile_id=tile.pk)
        tile.refresh_from_db()
        if number % 2:
            seen = tile.layer_versions()
            tile_approve(tile_id=tile.pk, seen=seen, seen_version=tile.version, by=by, client_id=uuid4())
        job = job_start(kind="build", title=f"Job {number}", subject=f"s{number}", chunks=[{}], by=by, background=False)
        Job.objects.filter(pk=job.pk).update(state=Job.State.DONE)
        DemUpload.objects.create(
            owner=by, name=f"dem{number}.tif", size=1, state="accepted", heard_at=now(), finished_at=now()
        )
        release = Release.objects.create(name=f"r-{number}", created_by=by, state=Release.State.FAILED)
        release.areas.add(area)
        first = Release.objects.get(name="r-0")
        ReleaseDownload.objects.create(release=first, file="r-0.zip", by=by, at=now())
        link = ReleaseLink.objects.create(release=first, made_by=by, expires_at=now())
        ReleaseDownload.objects.create(release=first, file="r-0.zip", link=link, at=now())
        ReleaseEvent.objects.create(release=first, verb=ReleaseEvent.Verb.LINK, by=by)


def counted(client: Client) -> dict[str, int]:
    found = {}
    for name, address in ADDRESSES.items():
        client.get(address)  # what the first visit alone does (content types, permissions) is not the list's
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200, address
        found[name] = len(asked)
    return found


@pytest.mark.django_db
def test_lists_ask_as_often_as_the_baseline_says(
    signed_in: Callable[[str], Client], person: Callable[..., Any], data_folder: Path
) -> None:
    client, by = signed_in("curator"), person("curator")
    fill(by, range(4))
    few = counted(client)
    fill(by, range(4, 40))
    many = counted(client)
    if os.environ.get("DEMETER_REFRESH_BASELINE"):
        BASELINE.write_text(json.dumps(many, indent=2, sort_keys=True) + "\n")
    baseline = json.loads(BASELINE.read_text())
    assert many == baseline
    assert few == many


@pytest.mark.django_db
def test_no_list_counts_a_table(
    signed_in: Callable[[str], Client], person: Callable[..., Any], data_folder: Path
) -> None:
    client, by = signed_in("curator"), person("curator")
    fill(by, range(6))
    for name, address in ADDRESSES.items():
        with CaptureQueriesContext(connection) as asked:
            client.get(address)
        counting = [
            query["sql"]
            for query in asked.captured_queries
            if "COUNT(" in query["sql"].upper()
            and "LIMIT 10001)" not in query["sql"]  # counted that far and no further
            and any(big in query["sql"] for big in ("tilepair", "captions_caption"))
        ]
        assert counting == [], name
