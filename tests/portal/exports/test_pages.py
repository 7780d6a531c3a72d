"""Pages, downloads and JSON of releases, over HTTP."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from portal.exports.layouts import layout_of
from portal.exports.models import Release
from portal.exports.rehearsal import release_rehearse
from portal.exports.services import release_create
from portal.exports.wanted import Wanted
from tests.support.factories import SIZE, make_area, make_tile
from tests.support.releases import archive_path, job_of, work
from tiles.core.paths import layer_path
from tiles.models import Job, TilePair

pytestmark = pytest.mark.django_db

SignedIn = Callable[[str], Client]


def text_of(response: Any) -> str:
    """The words of a page, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", response.content.decode()))


def test_an_empty_list_says_what_to_do(signed_in: SignedIn) -> None:
    page = text_of(signed_in("viewer").get("/releases/"))
    assert "No releases yet" in page
    assert "A curator has to make one" in page
    assert "Make the first release" in text_of(signed_in("curator").get("/releases/"))


def test_choosing_shows_what_will_be_taken(
    coast: Any, approve: Callable[[TilePair], None], signed_in: SignedIn
) -> None:
    area, _tiles = coast
    approve(make_tile(area, 9, heights=np.full((SIZE, SIZE), 3, np.float32)))
    make_area("barren")
    client = signed_in("curator")
    page = text_of(client.get("/releases/new/"))
    assert "Coast 5 approved" in page
    assert "Barren nothing approved yet" in page
    assert "Choose areas to see what is taken" in page
    for answer in (client.get("/releases/new/preview/?area=coast"), client.get("/releases/new/?area=coast")):
        page = text_of(answer)
        assert "4 tiles, about" in page
        assert "1 flat: all heights are equal" in page
        assert "Licence CC BY 4.0" in page


def test_the_preview_counts_what_is_then_taken(coast: Any, released: Callable[..., Release]) -> None:
    area, tiles = coast
    tiles[1].refresh_from_db()
    del tiles[1].layers["dem"]
    tiles[1].save()
    (preview,) = release_rehearse(areas=[area], layout=layout_of("rs3dbench"), wanted=Wanted()).areas
    seen = preview.taken
    (taken,) = released("v1", "coast").contents
    assert (seen.tiles, seen.left_out, seen.size) == (3, {"missing_layer": 1}, taken["bytes"])
    assert (taken["tiles"], taken["left_out"]) == (seen.tiles, seen.left_out)
    files = [layer_path("coast", layer, index) for index in (0, 2, 3) for layer in ("png", "dem", "dem255")]
    assert seen.size == sum(file.stat().st_size for file in [*files, layer_path("coast", "void", 2)])


def asked(**changes: Any) -> dict[str, Any]:
    return {"name": "v1", "area": ["coast"], "layout": "rs3dbench", "notes": "", "client_id": str(uuid4()), **changes}


def test_making_one_from_the_page(coast: Any, signed_in: SignedIn) -> None:
    client = signed_in("curator")
    form = asked(notes="Line one.")
    answer = client.post("/releases/new/", form)
    assert (answer.status_code, answer["Location"]) == (302, "/releases/v1/")
    assert client.post("/releases/new/", form)["Location"] == "/releases/v1/"  # pressed twice
    release = Release.objects.get()
    assert (release.notes, release.created_by.username) == ("Line one.", "curator")  # type: ignore[union-attr]
    page = client.get("/releases/v1/")
    assert "0 of 4 tiles" in text_of(page)
    assert "hx-get" in page.content.decode()
    assert "Download" not in text_of(page)
    assert "v1" in text_of(client.get("/releases/"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Not A Name"}, "cannot be the name of a release"),
        ({"name": ""}, "This field is required."),
        ({"name": "taken"}, "There is already a release"),
        ({"area": []}, "Choose at least one area."),
        ({"area": ["nowhere"]}, "There is no area nowhere."),
        ({"layout": "floppy"}, "floppy is not one of the available choices"),
    ],
)
def test_what_is_wrong_is_said_beside_it(
    changes: dict[str, Any], message: str, coast: Any, released: Callable[..., Release], signed_in: SignedIn
) -> None:
    released("taken", "coast")
    answer = signed_in("curator").post("/releases/new/", asked(notes="Kept, of course.", **changes))
    assert answer.status_code == 200
    assert message in text_of(answer)
    assert "Kept, of course." in text_of(answer)
    assert Release.objects.count() == 1


def test_a_ready_release(coast: Any, released: Callable[..., Release], signed_in: SignedIn) -> None:
    release = released("v1", "coast", notes="For <b>the</b> first run.")
    client = signed_in("viewer")
    answer = client.get("/releases/v1/")
    page = text_of(answer)
    assert release.sha256 in page
    assert f"{release.size:,} bytes" in page
    assert "For &lt;b&gt;the&lt;/b&gt; first run." in page
    assert "json.loads(line)" in page
    assert f"'http://testserver{reverse('release-download', args=['v1', 'v1'])}'" in answer.content.decode()
    assert "hx-get" not in answer.content.decode()
    assert client.get("/releases/v1/progress/?shown=running")["HX-Refresh"] == "true"


def test_progress_is_polled_until_more_than_a_number_changes(coast: Any, curator: Any, signed_in: SignedIn) -> None:
    release = release_create(name="v1", area_slugs=["coast"], by=curator, background=False)
    client = signed_in("viewer")
    answer = client.get("/releases/v1/progress/?shown=queued")
    assert "HX-Refresh" not in answer
    assert "Waiting for a worker · 0 of 4 tiles" in text_of(answer)
    Job.objects.filter(pk=job_of(release).pk).update(state=Job.State.RUNNING, done=3)
    assert client.get("/releases/v1/progress/?shown=queued")["HX-Refresh"] == "true"
    assert 'aria-valuenow="3"' in client.get("/releases/v1/progress/?shown=running").content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_failed_release_is_tried_again_or_removed_from_its_page(
    coast: Any, released: Callable[..., Release], signed_in: SignedIn
) -> None:
    layer = layer_path("coast", "dem", 0)
    content = layer.read_bytes()
    layer.unlink()
    release = released("v1", "coast")
    client = signed_in("curator")
    page = text_of(client.get("/releases/v1/"))
    assert "coast tile_0: the file of its layer dem is not the one that was approved" in page
    assert "Try again" not in text_of(signed_in("viewer").get("/releases/v1/"))
    assert client.get("/releases/v1/download/v1.zip").status_code == 404
    layer.write_bytes(content)
    assert client.post("/releases/v1/steer/", {"action": "retry"}).status_code == 302
    assert work(release).state == Release.State.READY
    answer = client.post("/releases/v1/steer/", {"action": "delete"}, follow=True)
    assert "only a failed release can be removed" in text_of(answer)
    assert client.post("/releases/v1/steer/", {"action": "explode"}).status_code == 400
    layer.unlink()
    released("v2", "coast")
    assert client.post("/releases/v2/steer/", {"action": "delete"})["Location"] == "/releases/"
    assert client.get("/releases/v2/").status_code == 404


def test_download(coast: Any, released: Callable[..., Release], signed_in: SignedIn) -> None:
    release = released("v1", "coast")
    content = archive_path("v1").read_bytes()
    client = signed_in("viewer")
    url = "/releases/v1/download/v1.zip"
    answer = client.get(url)
    assert b"".join(answer.streaming_content) == content  # type: ignore[attr-defined]
    assert answer["ETag"] == f'"{release.sha256}"'
    assert hashlib.sha256(content).hexdigest() == release.sha256
    part = client.get(url, headers={"range": "bytes=100-", "if-range": answer["ETag"]})
    assert (part.status_code, b"".join(part.streaming_content)) == (206, content[100:])  # type: ignore[attr-defined]
    assert client.head(url)["Content-Length"] == str(len(content))
    assert client.get(f"{url}.sha256").content.decode() == f"{release.sha256}  v1.zip\n"


def test_what_cannot_be_downloaded(coast: Any, curator: Any, signed_in: SignedIn) -> None:
    release_create(name="v1", area_slugs=["coast"], by=curator, background=False)
    client = signed_in("viewer")
    for path in ("v1/download/v1.zip", "v1/download/v1.zip.sha256", "v9/download/v9.zip", "v9/"):
        assert client.get(f"/releases/{path}").status_code == 404, path
    work(Release.objects.get())
    assert client.get("/releases/v1/download/v2.zip").status_code == 404
    archive_path("v1").unlink()
    answer = client.get("/releases/v1/download/v1.zip")
    assert answer.status_code == 404
    assert "Tell whoever runs this site" in text_of(answer)


def test_roles(coast: Any, released: Callable[..., Release], signed_in: SignedIn) -> None:
    released("v1", "coast")
    seen = ("/releases/", "/releases/v1/", "/releases/v1/progress/", "/releases/v1/download/v1.zip")
    made = ("/releases/new/", "/releases/new/preview/")
    for path in (*seen, *made):
        assert Client().get(path).status_code == 302
        assert Client().get(path, headers={"accept": "application/json"}).status_code == 401
        assert signed_in("curator").get(path).status_code == 200
        assert signed_in("reviewer").get(path).status_code == (200 if path in seen else 403)
    assert signed_in("reviewer").post("/releases/new/", asked(name="v2")).status_code == 403
    assert signed_in("reviewer").post("/releases/v1/steer/", {"action": "retry"}).status_code == 403
    assert Client().get("/api/v1/releases/").status_code == 401


def test_json(coast: Any, signed_in: SignedIn) -> None:
    client = signed_in("curator")
    body = {"name": "v1", "areas": ["coast"], "client_id": str(uuid4())}
    made = client.post("/api/v1/releases/", body, content_type="application/json")
    assert made.status_code == 201
    assert client.post("/api/v1/releases/", body, content_type="application/json").json()["name"] == "v1"
    release = made.json()
    assert (release["state"], release["tile_count"], release["download"]) == ("building", 4, None)
    assert (release["areas"][0]["slug"], release["areas"][0]["tiles"]) == ("coast", 4)
    assert (release["job"]["state"], release["created_by"]) == ("queued", "curator")
    work(Release.objects.get())
    release = client.get("/api/v1/releases/v1/").json()
    assert (release["state"], release["job"]["done"]) == ("ready", 4)
    assert client.get(release["download"]).status_code == 200
    page = client.get("/api/v1/releases/").json()
    assert ([item["name"] for item in page["items"]], page["after"]) == (["v1"], "")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "v1", "areas": []}, 400, "no_area"),
        ({"name": "v1"}, 400, "bad_input"),
        ({"name": "V1", "areas": ["coast"]}, 400, "bad_name"),
        ({"name": "taken", "areas": ["coast"]}, 409, "name_taken"),
        ({"name": "v1", "areas": ["coast"], "layout": "floppy"}, 400, "unknown_layout"),
    ],
)
def test_json_errors(
    body: dict[str, Any],
    status: int,
    code: str,
    coast: Any,
    released: Callable[..., Release],
    signed_in: SignedIn,
) -> None:
    released("taken", "coast")
    answer = signed_in("curator").post("/api/v1/releases/", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_json_needs_the_role(coast: Any, signed_in: SignedIn) -> None:
    body = {"name": "v1", "areas": ["coast"]}
    assert signed_in("reviewer").post("/api/v1/releases/", body, content_type="application/json").status_code == 403
    assert signed_in("viewer").get("/api/v1/releases/v1/").status_code == 404


def test_lists_are_paged_and_cost_the_same(
    coast: Any, curator: Any, signed_in: SignedIn, django_assert_max_num_queries: Any
) -> None:
    client = signed_in("viewer")
    for number in range(60):
        release_create(name=f"v{number}", area_slugs=["coast"], by=curator, background=False)
    with django_assert_max_num_queries(12):
        first = client.get("/releases/").content.decode()
    assert "/releases/v59/" in first
    assert "/releases/v9/" not in first
    older = re.search(r'href="(\?after=[^"]+)"', first)
    assert older
    second = client.get(f"/releases/{older[1]}").content.decode()
    assert "/releases/v9/" in second
    assert "/releases/v59/" not in second
    page = client.get("/api/v1/releases/").json()
    rest = client.get("/api/v1/releases/", {"after": page["after"]}).json()
    assert len(page["items"]) + len(rest["items"]) == 60


def test_areas_that_cannot_be_are_no_areas(signed_in: SignedIn) -> None:
    client = signed_in("curator")
    for path in ("/releases/new/", "/releases/new/preview/"):
        assert client.get(path, {"area": ["\0", "nowhere", "ü" * 300]}).status_code == 200
    asked = {"name": "r", "layout": "rs3dbench", "client_id": str(uuid4()), "area": "\0"}
    make_area()
    assert "Choose at least one area" in text_of(client.post("/releases/new/", asked))
    assert not Release.objects.exists()
