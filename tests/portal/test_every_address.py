"""Every address of the site x every role. An address that is not in the table fails the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from captions.services import caption_rectify
from portal.exports.services import release_create
from tests.support.factories import make_area, make_tile
from tests.support.releases import work
from tiles.review.services import tile_approve

NO_UPLOAD = "00000000-0000-4000-8000-000000000000"
ROLES = ("viewer", "annotator", "reviewer", "curator", "admin")


@dataclass(frozen=True)
class Address:
    """What a role that may use the address gets, and from which role on it may."""

    path: str
    least: str
    allowed: int = 200
    method: str = "get"
    data: dict[str, Any] = field(default_factory=dict)
    anonymous: int = 302


def api(path: str, least: str, allowed: int = 200, method: str = "get", **data: Any) -> Address:
    return Address(f"/api/v1/{path}", least, allowed, method, data, anonymous=401)


# Name of the address -> how it is tried. 400, 404 and 409 say that the permission was passed: the request is empty, or
# the thing is not in a state for it. What an address does is tested elsewhere.
TABLE: dict[str, list[Address]] = {
    "dashboard": [Address("/", "viewer")],
    "review-start": [Address("/review/", "viewer", 302)],
    "help": [Address("/help/", "viewer")],
    "account": [Address("/account/", "viewer")],
    "api-preferences": [api("me/preferences/", "viewer"), api("me/preferences/", "viewer", 400, "patch", no_such=1)],
    "sign-out": [Address("/sign-out/", "viewer", 302, "post")],
    "api-schema": [api("schema/", "viewer")],
    "api-docs": [api("docs/", "viewer")],
    "area": [Address("/areas/testland/", "viewer")],
    "tile-terrain": [Address("/areas/testland/tiles/0/3d/", "viewer")],
    "tile-terrain-data": [Address("/areas/testland/tiles/0/terrain/128", "viewer", 302)],
    "area-settings": [
        Address("/areas/testland/settings/", "curator"),
        Address("/areas/testland/settings/", "curator", 200, "post"),
    ],
    "area-rgb-drop": [Address("/areas/nowhere/drop-rgb/", "curator", 404, "post")],
    "area-people": [Address("/areas/testland/people/", "viewer")],
    "area-assign": [Address("/areas/testland/people/assign/", "curator", 400, "post")],
    "area-take-back": [Address("/areas/testland/people/0/take-back/", "curator", 302, "post")],
    "area-policy": [Address("/areas/testland/policy/", "curator", 302, "post")],
    "area-build": [Address("/areas/new/", "curator"), Address("/areas/new/", "curator", 200, "post")],
    "area-rebuild": [
        Address("/areas/testland/build/", "curator"),
        Address("/areas/testland/build/", "curator", 200, "post"),
    ],
    "area-rebuild-preview": [Address("/areas/testland/build/preview/", "curator", 200, "post")],
    "area-restretch-preview": [Address("/areas/testland/build/picture/", "curator", 200, "post")],
    "area-restretched": [Address("/areas/testland/build/picture/0?normalisation=joint&percent=2", "curator")],
    "area-preview": [Address("/areas/new/preview/", "curator", 200, "post")],
    "build-earthengine": [Address("/areas/new/earthengine/", "curator")],
    "build-sources": [Address("/areas/new/sources/", "curator", 404)],
    "review": [Address("/areas/testland/review/", "viewer")],
    "gallery": [Address("/areas/testland/gallery/", "viewer")],
    "gallery-views": [Address("/areas/testland/gallery/views/", "viewer", 302, "post")],
    "gallery-view-remove": [Address("/areas/testland/gallery/views/0/remove/", "viewer", 404, "post")],
    "tile-layer": [Address("/areas/testland/tiles/0/png?v=1", "viewer")],
    "atlas": [Address("/areas/testland/atlas/", "viewer")],
    "atlas-tiles": [Address("/areas/testland/atlas/tiles", "viewer")],
    "atlas-colouring": [Address("/areas/testland/atlas/colours/split/99", "viewer", 404)],
    "atlas-sheet": [Address("/areas/testland/atlas/sheets/99/32", "viewer", 404)],
    "api-area-tiles": [api("areas/testland/tiles/", "viewer")],
    "api-area-tile": [api("areas/testland/tiles/0/", "viewer")],
    "api-area-decisions": [
        api("areas/testland/decisions/", "viewer"),
        api("areas/testland/decisions/", "reviewer", 400, "post"),
    ],
    "api-queue": [api("areas/testland/queue/", "reviewer", 400, "post")],
    "api-claims": [
        api("areas/testland/claims/", "viewer"),
        api("areas/testland/claims/", "reviewer", 400, "put"),
        api("areas/testland/claims/", "reviewer", 400, "delete"),
    ],
    "api-tiles-count": [api("areas/testland/tiles/count/", "viewer")],
    "api-bulk": [api("areas/testland/bulk/", "reviewer", 400, "post")],
    "api-bulk-undo": [api("areas/testland/bulk/undo/", "reviewer", 400, "post")],
    "api-marks": [api("areas/testland/marks/", "reviewer", 400, "post")],
    "api-tile-comments": [api("areas/testland/tiles/0/comments/", "reviewer", 400, "post")],
    "api-tile-flag": [api("areas/testland/tiles/0/flag/", "viewer", 400, "put")],
    "agreement": [Address("/areas/testland/agreement/", "viewer")],
    "pace": [Address("/areas/testland/pace/", "reviewer")],
    "blind-rounds": [
        Address("/areas/testland/blind/", "reviewer"),
        Address("/areas/testland/blind/", "curator", 400, "post"),
    ],
    "blind-round": [Address("/areas/testland/blind/999/", "reviewer", 404)],
    "blind-judge": [Address("/areas/testland/blind/999/judge/", "reviewer", 404)],
    "api-blind-answers": [
        api("areas/testland/blind/999/answers/", "reviewer", 404),
        api("areas/testland/blind/999/answers/", "reviewer", 400, "post"),
    ],
    "api-uploads": [api("uploads/", "curator"), api("uploads/", "curator", 400, "post")],
    "api-upload": [api(f"uploads/{NO_UPLOAD}/", "curator", 404, method) for method in ("get", "patch", "delete")],
    "api-upload-finish": [api(f"uploads/{NO_UPLOAD}/finish/", "curator", 404, "post")],
    "uploads": [Address("/areas/new/uploads/", "curator")],
    "upload-remove": [Address(f"/areas/new/uploads/{NO_UPLOAD}/remove/", "curator", 404, "post")],
    "api-uploads-accepted": [api("uploads/accepted/", "curator")],
    "api-upload-accepted": [api(f"uploads/accepted/{NO_UPLOAD}/", "curator", 404, "delete")],
    "captions": [Address("/captions/", "viewer")],
    "captions-many": [Address("/captions/many/", "annotator")],
    "captions-recaption": [
        Address("/captions/recaption/?area=testland", "curator"),
        Address("/captions/recaption/?area=testland", "curator", 200, "post"),
    ],
    "captions-write-undo": [Address("/areas/testland/captions/write/0/undo/", "curator", 404, "post")],
    "captions-progress": [Address("/areas/testland/captions/progress/", "viewer")],
    "api-captions-edit": [api("captions/edit/", "annotator", 400, "post")],
    "api-captions-preview": [api("captions/edit/preview/?do=replace&find=hill", "annotator")],
    "api-captions-count": [api("captions/edit/count/?do=replace&find=hill", "annotator")],
    "api-captions-undo": [api("captions/edit/undo/", "annotator", 400, "post")],
    "caption": [Address("/areas/testland/captions/0/", "viewer")],
    "caption-settings": [
        Address("/areas/testland/captions/settings/", "curator"),
        Address("/areas/testland/captions/settings/", "curator", 200, "post"),
    ],
    "caption-prompt-example": [Address("/areas/testland/captions/settings/example/", "curator")],
    "api-finding-dismiss": [api("areas/testland/tiles/0/caption/findings/0/dismiss/", "annotator", 404, "post")],
    "api-finding-restore": [api("areas/testland/tiles/0/caption/findings/0/restore/", "annotator", 404, "post")],
    "captions-write": [
        Address("/areas/testland/captions/write/", "curator"),
        Address("/areas/testland/captions/write/", "curator", 200, "post"),
    ],
    "captions-import": [
        Address("/areas/testland/captions/import/", "curator"),
        Address("/areas/testland/captions/import/", "curator", 200, "post"),
    ],
    "captions-write-trial": [Address("/areas/testland/captions/write/trial/", "curator")],
    "captions-compare": [Address("/areas/testland/captions/compare/", "viewer")],
    "captions-compare-vote": [Address("/areas/testland/captions/compare/0/", "annotator", 400, "post")],
    "api-captions-found": [api("captions/?q=hill", "viewer")],
    "api-area-captions": [api("areas/testland/captions/?index=0", "viewer")],
    "api-caption": [
        api("areas/testland/tiles/0/caption/", "viewer"),
        api("areas/testland/tiles/0/caption/", "annotator", 400, "put"),
    ],
    "api-caption-revisions": [api("areas/testland/tiles/0/caption/revisions/", "viewer")],
    "api-caption-restore": [api("areas/testland/tiles/0/caption/restore/", "annotator", 400, "post")],
    "caption-rectify": [Address("/areas/testland/captions/rectify/", "annotator")],
    "api-caption-queue": [api("areas/testland/captions/queue/", "annotator", 400, "post")],
    "api-caption-queue-one": [api("areas/testland/captions/queue/0/", "annotator")],
    "api-caption-claims": [
        api("areas/testland/captions/claims/", "viewer"),
        api("areas/testland/captions/claims/", "annotator", 400, "put"),
        api("areas/testland/captions/claims/", "annotator", 400, "delete"),
    ],
    "api-caption-readings": [api("areas/testland/tiles/0/caption/readings/", "annotator", 400, "post")],
    "api-caption-preview": [api("areas/testland/tiles/0/caption/preview/", "annotator", 400, "post")],
    "api-caption-draft": [
        api("areas/testland/tiles/0/caption/draft/", "annotator", 400, "put"),
        api("areas/testland/tiles/0/caption/draft/", "annotator", 200, "delete"),
    ],
    "jobs": [Address("/jobs/", "viewer")],
    "job": [Address("/jobs/{job}/", "viewer")],
    "job-progress": [Address("/jobs/{job}/progress/", "viewer")],
    "job-pause": [Address("/jobs/{job}/pause/", "curator", 302, "post")],
    "job-resume": [Address("/jobs/{job}/resume/", "curator", 302, "post")],
    "job-rows": [Address("/jobs/rows/", "viewer")],
    "job-retry": [Address("/jobs/{job}/retry/", "curator", 302, "post")],
    "job-cancel": [Address("/jobs/{job}/cancel/", "curator", 302, "post")],
    "api-jobs": [api("jobs/", "viewer")],
    "api-job": [api("jobs/{job}/", "viewer")],
    "releases": [Address("/releases/", "viewer")],
    "release-new": [Address("/releases/new/", "curator"), Address("/releases/new/", "curator", 200, "post")],
    "release-preview": [Address("/releases/new/preview/?areas=testland", "curator")],
    "release": [Address("/releases/small-1/", "viewer")],
    "release-progress": [Address("/releases/small-1/progress/", "viewer")],
    "release-changelog": [Address("/releases/small-1/changelog/", "viewer")],
    "release-tile-preview": [Address("/releases/small-1/tiles/0/preview", "viewer")],
    "release-steer": [Address("/releases/small-1/steer/", "curator", 400, "post")],
    "release-download": [Address("/releases/small-1/download/small-1.zip", "viewer")],
    "release-compare": [Address("/releases/small-1/compare/?other=small-1", "viewer", 302)],
    "release-diff": [Address("/releases/small-1/diff/small-1/", "viewer")],
    "release-left-out": [Address("/releases/small-1/left-out.csv", "viewer")],
    "api-release-dry-run": [api("releases/dry-run/", "curator", 400, "post")],
    "api-release-diff": [api("releases/small-1/diff/small-1/", "viewer")],
    "release-file": [
        Address("/releases/small-1/download/small-1.zip.sha256", "viewer"),
        Address("/releases/small-1/download/SHA256SUMS", "viewer"),
        Address("/releases/small-1/download/croissant.json", "viewer"),
    ],
    "release-files": [Address("/releases/small-1/files/", "viewer")],
    "release-member": [Address("/releases/small-1/files/README.md", "viewer")],
    "release-link": [Address("/releases/small-1/links/", "viewer", 302, "post")],
    "release-downloads": [Address("/releases/small-1/downloads/", "curator")],
    "release-publish": [Address("/releases/small-1/publish/", "curator")],
    "release-unpublish": [Address("/releases/small-1/unpublish/", "curator", 302, "post")],
    "release-archive-remove": [Address("/releases/small-1/remove-archive/", "curator")],
    # Without sign-in: nothing is there for whoever has no link, or while the release is private.
    "link-list": [Address("/get/1-1.forged/", "viewer", 404, anonymous=404)],
    "link-file": [Address("/get/1-1.forged/small-1.zip", "viewer", 404, anonymous=404)],
    "link-member": [Address("/get/1-1.forged/files/README.md", "viewer", 404, anonymous=404)],
    "public": [Address("/public/small-1/", "viewer", 404, anonymous=404)],
    "public-file": [Address("/public/small-1/download/small-1.zip", "viewer", 404, anonymous=404)],
    "public-files": [Address("/public/small-1/files/", "viewer", 404, anonymous=404)],
    "public-member": [Address("/public/small-1/files/README.md", "viewer", 404, anonymous=404)],
    "public-tile-preview": [Address("/public/small-1/tiles/0/preview", "viewer", 404, anonymous=404)],
    "api-release-files": [api("releases/small-1/files/", "viewer")],
    "api-release-links": [
        api("releases/small-1/links/", "viewer", 400, "post", hours=-1),
        api("releases/small-1/links/", "viewer", 200, "delete"),
    ],
    "api-releases": [api("releases/", "viewer"), api("releases/", "curator", 400, "post")],
    "api-release": [api("releases/small-1/", "viewer")],
}
OPEN = {"sign-in"}


def names(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace == "admin":
                continue
            yield from names(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield pattern.name or "", prefix + str(pattern.pattern)


def test_every_address_is_in_the_table() -> None:
    known = set(TABLE) | OPEN
    unlisted = [
        f"{name or 'without a name'}: {path}" for name, path in names(get_resolver().url_patterns) if name not in known
    ]
    assert unlisted == []


def test_the_table_lists_no_address_that_is_gone() -> None:
    assert known_names() >= set(TABLE)


def known_names() -> set[str]:
    return {name for name, _path in names(get_resolver().url_patterns)}


def test_a_view_without_a_listed_address_would_be_found() -> None:
    from django.urls import path

    extra = path("secret/", lambda _request: None, name="not-in-the-table")  # type: ignore[arg-type,return-value]
    found = [name for name, _path in names([*get_resolver().url_patterns, extra])]
    assert [name for name in found if name not in set(TABLE) | OPEN] == ["not-in-the-table"]


def request(client: Client, address: Address, job: int) -> int:
    call = getattr(client, address.method)
    path = address.path.format(job=job)
    if address.method == "get":
        return int(call(path).status_code)
    if path.startswith("/api/"):
        return int(call(path, data=address.data, content_type="application/json").status_code)
    return int(call(path, data=address.data).status_code)


@pytest.fixture
def small_world(data_folder: Path, person: Callable[..., Any]) -> int:
    """An area with a tile, an approved one, a caption, a release; returns the number of its job."""
    area = make_area("testland")
    tile = make_tile(area, 0)
    by = person("curator")
    caption_rectify(tile_id=tile.pk, text="A hill.", base_version=0, by=by, client_id=uuid4())
    tile_approve(tile_id=tile.pk, seen=tile.layer_versions(), seen_version=tile.version, by=by, client_id=uuid4())
    release = work(release_create(name="small-1", area_slugs=["testland"], by=by, background=False))
    assert release.job_id is not None
    return release.job_id


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(TABLE))
def test_roles(name: str, signed_in: Callable[[str], Client], small_world: int) -> None:
    for address in TABLE[name]:
        assert request(Client(), address, small_world) == address.anonymous, "signed out"
        may = ROLES[ROLES.index(address.least) :]
        for role in ROLES:
            expected = address.allowed if role in may else 403
            assert request(signed_in(role), address, small_world) == expected, f"{address} as {role}"


@pytest.mark.django_db
def test_administration_is_for_administrators(signed_in: Callable[[str], Client]) -> None:
    assert Client().get("/admin/").status_code == 302
    for role in ROLES[:-1]:
        assert signed_in(role).get("/admin/").status_code == 302, role
    admin = signed_in("admin")
    for page in ("", "accounts/user/", "accounts/user/add/", "tiles/area/", "tiles/job/"):
        assert admin.get(f"/admin/{page}").status_code in (200, 403), page
    assert admin.get("/admin/accounts/user/add/").status_code == 200
