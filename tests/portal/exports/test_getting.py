"""Getting a release: file by file, by links, by everybody; the log; and archives that are removed."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from portal.exports.downloads import Taker, member_note
from portal.exports.links import link_make, link_of, link_token, links_revoke
from portal.exports.members import member_find, members_page
from portal.exports.models import Release, ReleaseDownload, ReleaseEvent, ReleaseLink
from portal.exports.publishing import release_publish, release_unpublish
from portal.exports.retention import release_archive_delete, releases_prunable
from portal.exports.stored_zip import StoredZip
from portal.exports.zip_reading import NotAStoredZip, data_start, zip_entries
from tests.portal.exports.test_pages import text_of
from tests.support.releases import archive_path
from tiles.core.errors import ApplicationError, BadInput, Conflict, Gone, NotAllowed, NotFound
from tiles.core.paths import layer_path, release_folder

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)

Released = Callable[..., Release]
SignedIn = Callable[[str], Client]


def body(answer: Any) -> bytes:
    content: bytes = answer.getvalue()
    return content


@pytest.fixture(autouse=True)
def nobody_asked_yet() -> None:
    """What the public may ask in a minute is counted in the cache, which tests share."""
    cache.clear()


# --- File by file ---


def test_every_file_inside_can_be_had_alone_and_in_parts(coast: Any, released: Released, signed_in: SignedIn) -> None:
    release = released("v1", "coast")
    client = signed_in("viewer")
    with zipfile.ZipFile(archive_path("v1")) as archive:
        inside = {name.removeprefix("v1/"): archive.read(name) for name in archive.namelist()}
    listed = client.get("/api/v1/releases/v1/files/").json()
    assert (listed["after"], [one["path"] for one in listed["items"]]) == ("", sorted(inside))
    for one in listed["items"]:
        whole = inside[one["path"]]
        assert (one["size"], one["sha256"]) == (len(whole), hashlib.sha256(whole).hexdigest())
        answer = client.get(one["url"])
        assert (answer["ETag"], body(answer)) == (f'"{one["sha256"]}"', whole)
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Disposition"].startswith("attachment")
        part = client.get(one["url"], headers={"range": "bytes=3-9", "if-range": answer["ETag"]})
        assert (part.status_code, body(part)) == (206, whole[3:10])
        other = client.get(one["url"], headers={"range": "bytes=3-9", "if-range": '"another"'})
        assert (other.status_code, body(other)) == (200, whole)
        assert client.get(one["url"], headers={"if-none-match": answer["ETag"]}).status_code == 304
        assert client.head(one["url"])["Content-Length"] == str(len(whole))
    types = {one["url"].rpartition(".")[2]: client.head(one["url"])["Content-Type"] for one in listed["items"]}
    assert (types["png"], types["tif"], types["jsonl"]) == ("image/png", "image/tiff", "application/x-ndjson")
    assert {one.path for one in members_page(release, under="TextPrompt-coast/").members} == {
        f"TextPrompt-coast/tile_{number}.txt" for number in range(3)
    }


def test_lists_go_on_page_by_page(coast: Any, released: Released) -> None:
    release = released("v1", "coast")
    whole = [one.path for one in members_page(release).members]
    found: list[str] = []
    after = ""
    while True:
        page = members_page(release, after=after, size=3)
        assert len(page.members) <= 3
        found += [one.path for one in page.members]
        after = page.after
        if not after:
            break
    assert found == whole


def test_the_page_of_files_goes_from_folder_to_folder(coast: Any, released: Released, signed_in: SignedIn) -> None:
    released("v1", "coast")
    client = signed_in("viewer")
    top = client.get("/releases/v1/files/")
    assert "manifest.jsonl" in text_of(top)
    assert "?folder=coast/" in top.content.decode()
    inner = client.get("/releases/v1/files/?folder=coast/DEM-unique/")
    assert "/releases/v1/files/coast/DEM-unique/tile_2.tif" in inner.content.decode()
    assert "manifest.jsonl" not in text_of(inner)
    assert client.get("/releases/v1/files/?folder=nowhere/").status_code == 404


@pytest.mark.parametrize(
    "path", ["../v1.zip", "../../demeter.sqlite3", "/etc/passwd", "coast", "coast/", "\0", "x" * 400]
)
def test_what_is_not_inside_is_not_there(path: str, coast: Any, released: Released) -> None:
    with pytest.raises(NotFound):
        member_find(released("v1", "coast"), path)


def test_a_damaged_archive_is_a_sentence(coast: Any, released: Released, signed_in: SignedIn) -> None:
    released("v1", "coast")
    archive_path("v1").write_bytes(b"PK not really")
    answer = signed_in("viewer").get("/releases/v1/files/")
    assert (answer.status_code, "is damaged" in text_of(answer)) == (404, True)


def test_checksums_and_description(coast: Any, released: Released, signed_in: SignedIn) -> None:
    release = released("v1", "coast")
    client = signed_in("viewer")
    at = "/releases/v1/download/"
    assert body(client.get(f"{at}SHA256SUMS")).decode() == f"{release.sha256}  v1.zip\n"
    assert json.loads(body(client.get(f"{at}croissant.json")))["name"] == "v1"
    assert len(body(client.get(f"{at}manifest.jsonl")).splitlines()) == 4
    for name in ("v2.zip", "contents.sha256", "v1.zip.sha512", "secret-key"):
        assert client.get(at + name).status_code == 404, name


# --- The log ---


def test_only_what_begins_is_counted(coast: Any, released: Released, signed_in: SignedIn) -> None:
    release = released("v1", "coast")
    client, url = signed_in("viewer"), "/releases/v1/download/v1.zip"
    body(client.get(url))
    body(client.get(url, headers={"range": "bytes=0-99"}))
    for headers in ({"range": "bytes=100-"}, {"range": "bytes=-5"}, {"if-none-match": f'"{release.sha256}"'}):
        body(client.get(url, headers=headers))
    client.get(url, headers={"range": f"bytes={release.size}-"})
    client.head(url)
    assert [row.file for row in ReleaseDownload.objects.all()] == ["v1.zip", "v1.zip"]
    for _time in range(3):
        body(client.get("/releases/v1/files/manifest.jsonl"))
    singles = ReleaseDownload.objects.get(file="")
    assert (singles.files, singles.by.username) == (3, "viewer")  # type: ignore[union-attr]
    release.refresh_from_db()
    assert release.downloads == 2
    assert "Downloaded 2 times" in text_of(client.get("/releases/v1/"))
    page = text_of(signed_in("curator").get("/releases/v1/downloads/"))
    assert "v1.zip viewer" in page
    assert "3 single files that day viewer" in page


def test_single_files_of_another_day_or_taker_are_another_row(coast: Any, released: Released, curator: Any) -> None:
    release = released("v1", "coast")
    member_note(release=release, taker=Taker())
    ReleaseDownload.objects.update(at=timezone.now() - timedelta(days=1, hours=1))
    for _time in range(2):
        member_note(release=release, taker=Taker())
        member_note(release=release, taker=Taker(by=curator))
    rows = [(row.by_id, row.files) for row in ReleaseDownload.objects.order_by("id")]
    assert rows == [(None, 1), (None, 2), (curator.pk, 2)]


# --- Links ---


def link_in(client: Client, **wanted: Any) -> dict[str, Any]:
    answer = client.post("/api/v1/releases/v1/links/", wanted, content_type="application/json")
    assert answer.status_code == 201, answer.content
    made: dict[str, Any] = answer.json()
    return made


def path_of(url: str) -> str:
    return url.removeprefix("http://testserver")


def test_a_link_gives_every_file_without_a_session(coast: Any, released: Released, signed_in: SignedIn) -> None:
    released("v1", "coast")
    made = link_in(signed_in("viewer"), hours=2)
    anybody = Client()
    assert body(anybody.get(path_of(made["url"]))).decode().split() == made["files"]
    got = {url.rpartition("/")[2]: body(anybody.get(path_of(url))) for url in made["files"]}
    assert got["v1.zip"] == archive_path("v1").read_bytes()
    assert got["SHA256SUMS"].decode() == f"{hashlib.sha256(got['v1.zip']).hexdigest()}  v1.zip\n"
    assert sorted(got) == ["SHA256SUMS", "croissant.json", "v1.zip"]
    member = anybody.get(f"/get/{made['token']}/files/coast/DEM-unique/tile_0.tif")
    assert body(member) == layer_path("coast", "dem", 0).read_bytes()
    whole, singles = ReleaseDownload.objects.order_by("-file")
    assert (whole.link, whole.by, singles.link) == (ReleaseLink.objects.get(), None, whole.link)
    event = ReleaseEvent.objects.get()
    assert (event.verb, event.by.username) == ("link", "viewer")  # type: ignore[union-attr]
    for path in ("/releases/v1/", "/releases/v1/download/v1.zip", "/public/v1/"):
        assert anybody.get(path).status_code in (302, 404)
    assert anybody.get(f"/get/{made['token']}/v2.zip").status_code == 404


def test_a_link_of_one_release_opens_no_other(coast: Any, released: Released, signed_in: SignedIn) -> None:
    released("v1", "coast")
    released("v2", "coast")
    token = link_in(signed_in("viewer"))["token"]
    assert Client().get(f"/get/{token}/v2.zip").status_code == 404


def test_a_changed_link_is_none(coast: Any, released: Released, curator: Any) -> None:
    link = link_make(release_id=released("v1", "coast").pk, by=curator)
    other = link_make(release_id=link.release_id, hours=1, by=curator)
    token = link_token(link)
    body_part, _, signature = token.rpartition(".")
    number, until = body_part.split("-")
    forged = [
        *(f"{number}-{int(until) + 9}.{signature}", f"{other.pk}-{until}.{signature}", token[:-1], token + "a"),
        *("", ".", "x", f"{number}-{until}", token.swapcase()),
    ]
    assert link_of(token) == link
    for one in forged:
        with pytest.raises(NotFound):
            link_of(one)
    answer = Client().get(f"/get/{forged[0]}/v1.zip", headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_link_ends(coast: Any, released: Released, person: Callable[..., Any]) -> None:
    release, viewer, curator = released("v1", "coast"), person("viewer"), person("curator")
    late, mine, other = (link_make(release_id=release.pk, by=by) for by in (viewer, viewer, curator))
    late.expires_at = timezone.now() - timedelta(seconds=1)
    late.save()
    answer = Client().get(f"/get/{link_token(late)}/v1.zip")
    assert (answer.status_code, "Ask for a new one" in text_of(answer)) == (410, True)
    assert links_revoke(release_id=release.pk, by=viewer) == 1  # one's own
    assert Client().get(f"/get/{link_token(mine)}/").status_code == 410
    assert link_of(link_token(other)) == other
    assert links_revoke(release_id=release.pk, by=curator) == 1
    with pytest.raises(Gone, match="revoked"):
        link_of(link_token(other))
    last = link_make(release_id=release.pk, by=viewer)
    viewer.is_active = False
    viewer.save()
    with pytest.raises(Gone):
        link_of(link_token(last))


def test_how_long_a_link_may_hold(coast: Any, released: Released, curator: Any, person: Callable[..., Any]) -> None:
    release = released("v1", "coast")
    for hours in (0, -1, 721, float("nan"), float("inf")):
        with pytest.raises(BadInput, match="30 days"):
            link_make(release_id=release.pk, hours=hours, by=curator)
    nobody = person("viewer", "nobody")
    nobody.groups.clear()
    with pytest.raises(NotAllowed):
        link_make(release_id=release.pk, by=nobody)
    assert not ReleaseLink.objects.exists()


def test_the_page_shows_a_new_link_to_its_maker_alone(coast: Any, released: Released, signed_in: SignedIn) -> None:
    released("v1", "coast")
    client = signed_in("viewer")
    assert "wget-link" not in client.get("/releases/v1/").content.decode()
    assert client.post("/releases/v1/links/", {"days": "2"})["Location"] == "/releases/v1/#links"
    page = client.get("/releases/v1/").content.decode()
    token = link_token(ReleaseLink.objects.get())
    assert f"wget -qO- 'http://testserver/get/{token}/' | wget -c -i -" in page
    assert token not in signed_in("curator").get("/releases/v1/").content.decode()
    client.post("/releases/v1/links/", {"action": "revoke"})
    assert token not in client.get("/releases/v1/").content.decode()
    assert "at most 720 hours" in text_of(client.post("/releases/v1/links/", {"days": "31"}, follow=True))


def test_links_from_the_shell(coast: Any, released: Released, capsys: Any) -> None:
    released("v1", "coast")
    call_command("release_links", "v1", hours=1, site="https://portal.example/")
    lines = capsys.readouterr().out.splitlines()
    assert body(Client().get(lines[0].removeprefix("https://portal.example"))) == archive_path("v1").read_bytes()
    call_command("release_links", "v1", revoke=True)
    assert Client().get(lines[0].removeprefix("https://portal.example")).status_code == 410
    with pytest.raises(CommandError, match="There is no such release"):
        call_command("release_links", "v2")


# --- The public ---


@pytest.fixture
def known_by_name(reviewer: Any, curator: Any) -> list[str]:
    """Names that nobody of the public may learn."""
    for person, name in ((reviewer, "Rey Viewerson"), (curator, "Cora Torsdottir")):
        person.display_name = name
        person.save()
    return ["Rey Viewerson", "Cora Torsdottir", reviewer.username, curator.username, "as it should be"]


def addresses(release: str) -> list[str]:
    at = f"/public/{release}/"
    files = ("SHA256SUMS", "croissant.json", "manifest.jsonl", f"{release}.zip", f"{release}.zip.sha256")
    inside = (f"{at}files/", f"{at}files/README.md", f"{at}tiles/0/preview")
    return [at, *(f"{at}download/{file}" for file in files), *inside]


def test_a_public_release_says_nobodys_name(
    coast: Any, released: Released, curator: Any, known_by_name: list[str]
) -> None:
    release_publish(release_id=released("v1", "coast", terms=None, notes="Use it.").pk, by=curator)
    anybody = Client()
    for address in addresses("v1"):
        answer = anybody.get(address)
        content = body(answer)
        assert answer.status_code == 200, address
        whole = content.decode("latin-1") + str(dict(answer.items()))
        if address.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                whole += "".join(archive.read(name).decode("latin-1") for name in archive.namelist())
        assert [name for name in known_by_name if name in whole] == [], address
    page = text_of(anybody.get("/public/v1/"))
    assert "The surveyors" in page
    assert "Use it." in page
    assert "Sign in" not in anybody.get("/public/v1/").content.decode().split("<main")[1].split("</main>")[0]
    assert ReleaseDownload.objects.filter(by=None, link=None, file="v1.zip").count() == 1


def test_people_are_numbered_as_they_appear(
    coast: Any, released: Released, approve: Any, caption: Any, person: Callable[..., Any]
) -> None:
    _area, tiles = coast
    caption(tiles[1], "Another text.", 1)
    with_names, without = released("v1", "coast", named=True), released("v2", "coast")
    records = {}
    for release in (with_names, without):
        with zipfile.ZipFile(archive_path(release.name)) as archive:
            lines = archive.read(f"{release.name}/manifest.jsonl").splitlines()
        records[release.name] = [json.loads(line) for line in lines]
    assert {one["decision"]["by"] for one in records["v1"]} == {"reviewer"}
    assert {one["decision"]["by"] for one in records["v2"]} == {"person-1"}
    assert [one["caption"] and one["caption"]["author"] for one in records["v2"]] == ["person-1"] * 3 + [None]
    assert {one["decision"]["note"] for one in records["v1"]} == {"as it should be"}
    assert {one["decision"]["note"] for one in records["v2"]} == {""}


def test_what_is_private_cannot_be_told_from_what_is_not_there(
    coast: Any, released: Released, curator: Any, signed_in: SignedIn
) -> None:
    release = released("v1", "coast")
    anybody = Client()

    def seen(name: str) -> list[tuple[int, str]]:
        return [
            (answer.status_code, text_of(answer).replace(name, "NAME")) for answer in map(anybody.get, addresses(name))
        ]

    assert seen("v1") == seen("v9")
    assert {status for status, _text in seen("v1")} == {404}
    release_publish(release_id=release.pk, by=curator)
    assert anybody.get("/public/v1/").status_code == 200
    assert anybody.get("/public/v1/tiles/4/preview").status_code == 404  # it has four
    assert anybody.get("/areas/coast/tiles/0/png").status_code == 302
    release_unpublish(release_id=release.pk, by=curator)
    assert seen("v1") == seen("v9")


def test_publishing_asks_once_more_and_is_for_makers(coast: Any, released: Released, signed_in: SignedIn) -> None:
    released("v1", "coast")
    released("v2", "coast", named=True)
    client = signed_in("curator")
    assert "Make it public…" in text_of(client.get("/releases/v1/"))
    asked = text_of(client.get("/releases/v1/publish/"))
    assert "Everybody who has this address will see it" in asked
    assert "The surveyors" in asked
    assert Release.objects.filter(public_since=None).count() == 2
    for role in ("viewer", "reviewer"):
        assert signed_in(role).post("/releases/v1/publish/").status_code == 403
    assert "is public now" in text_of(client.post("/releases/v1/publish/", follow=True))
    assert "http://testserver/public/v1/" in client.get("/releases/v1/").content.decode()
    assert "Make a release with pseudonyms" in text_of(client.get("/releases/v2/publish/"))
    assert "Make a release with pseudonyms" in text_of(client.post("/releases/v2/publish/", follow=True))
    assert Client().get("/public/v2/").status_code == 404
    client.post("/releases/v1/unpublish/")
    assert Client().get("/public/v1/").status_code == 404
    verbs = [event.verb for event in ReleaseEvent.objects.order_by("id")]
    assert verbs == ["publish", "unpublish"]


def test_a_picture_that_changed_since_is_not_shown(coast: Any, released: Released, curator: Any) -> None:
    release_publish(release_id=released("v1", "coast").pk, by=curator)
    address, picture = "/public/v1/tiles/1/preview", layer_path("coast", "preview", 1)
    assert body(Client().get(address)) == picture.read_bytes()
    picture.write_bytes(b"stretched anew")
    assert Client().get(address).status_code == 404


def test_the_public_is_held_to_a_rate(coast: Any, released: Released, curator: Any, settings: Any) -> None:
    settings.DEMETER_PUBLIC_REQUESTS = 3
    settings.DEMETER_PROXIES = 1
    release_publish(release_id=released("v1", "coast").pk, by=curator)

    def ask(path: str, address: str) -> Any:
        return Client().get(path, headers={"x-forwarded-for": f"made-up, {address}", "accept": "application/json"})

    answers = [ask("/public/v1/", "10.0.0.1") for _time in range(9)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= 3  # a minute may have ended in between, and then one more
    assert 1 <= int(refused[-1]["Retry-After"]) <= 60
    assert refused[-1].json()["code"] == "too_many"
    assert ask("/public/v1/", "10.0.0.2").status_code == 200
    settings.DEMETER_PROXIES = 0  # whatever is forwarded then is made up
    assert 429 in [ask("/public/v1/", f"10.0.1.{number}").status_code for number in range(9)]


# --- Removing archives ---


@committed
def test_what_a_removed_archive_held_stays_known(coast: Any, released: Released, signed_in: SignedIn) -> None:
    release = released("v1", "coast")
    with zipfile.ZipFile(archive_path("v1")) as archive:
        manifest, sums = archive.read("v1/manifest.jsonl"), archive.read("v1/SHA256SUMS")
    client = signed_in("curator")
    link = link_in(client)
    assert "are removed for good" in text_of(client.get("/releases/v1/remove-archive/"))
    assert archive_path("v1").exists()
    assert signed_in("reviewer").post("/releases/v1/remove-archive/").status_code == 403
    page = text_of(client.post("/releases/v1/remove-archive/", follow=True))
    assert "Archive removed on" in page
    assert "Archive removed" in text_of(client.get("/releases/"))
    left = {path.name for path in release_folder("v1").iterdir()}
    assert left >= {"contents.sha256", "croissant.json", "manifest.jsonl"}
    assert left.isdisjoint({"v1.zip", ".members.sqlite3"})
    at = "/releases/v1/download/"
    assert body(client.get(f"{at}manifest.jsonl")) == manifest
    assert body(client.get(f"{at}contents.sha256")) == sums
    assert body(client.get(f"{at}SHA256SUMS")).decode() == f"{release.sha256}  v1.zip\n"
    for path in (f"{at}v1.zip", "/releases/v1/files/", "/releases/v1/files/README.md", path_of(link["files"][0])):
        answer = client.get(path)
        assert (answer.status_code, "Its manifest and checksums are kept" in text_of(answer)) == (410, True), path
    assert client.get("/api/v1/releases/v1/").json()["download"] is None
    assert "gone" in client.post("/api/v1/releases/v1/links/", {}, content_type="application/json").json()["code"]
    with pytest.raises(Gone):
        release_archive_delete(release_id=release.pk, by=None)


@committed
def test_pruning_takes_the_old_and_spares_the_new_and_the_public(
    coast: Any, released: Released, curator: Any, capsys: Any
) -> None:
    for number in range(5):
        release = released(f"v{number}", "coast")
        Release.objects.filter(pk=release.pk).update(ready_at=timezone.now() - timedelta(days=100 - 10 * number))
    release_publish(release_id=Release.objects.get(name="v0").pk, by=curator)
    assert [one.name for one in releases_prunable(older_than=65, keep_latest=0)] == ["v1", "v2", "v3"]
    call_command("prune_releases", older_than=65, keep_latest=2, dry_run=True)
    assert "2 would be removed" in capsys.readouterr().out
    assert all(archive_path(f"v{number}").exists() for number in range(5))
    call_command("prune_releases", older_than=65, keep_latest=2)
    assert [number for number in range(5) if archive_path(f"v{number}").exists()] == [0, 3, 4]
    archive_path("v1").write_bytes(b"what a death between commit and removal left")
    call_command("prune_releases", older_than=65, keep_latest=2)
    assert not archive_path("v1").exists()
    with pytest.raises(CommandError):
        call_command("prune_releases", older_than=-1)


def test_nothing_is_removed_whose_manifest_cannot_be_kept(coast: Any, released: Released, curator: Any) -> None:
    release = released("v1", "coast")
    archive_path("v1").write_bytes(b"damaged")
    with pytest.raises(ApplicationError, match="damaged"):
        release_archive_delete(release_id=release.pk, by=curator)
    release.refresh_from_db()
    assert (release.has_archive, archive_path("v1").exists()) == (True, True)
    with pytest.raises(Conflict):
        release_publish(release_id=released("v2", "coast", named=True).pk, by=curator)


def test_the_list_of_a_zip_of_any_size() -> None:
    """Python's zipfile writes a small one; ours one with more entries than 16 bits count."""
    small = io.BytesIO()
    with zipfile.ZipFile(small, "w") as archive:
        archive.comment = b"with a comment"
        for number in range(50):
            archive.writestr(f"a/{number}.txt", b"%d" % number)
    large = io.BytesIO()
    writer = StoredZip(large, io.BytesIO())
    for number in range(66_000):
        content = b"%d" % number
        writer.add(f"a/{number}.txt", size=len(content), crc=zlib.crc32(content), blocks=[content])
    writer.finish()
    for file, count in ((small, 50), (large, 66_000)):
        entries = list(zip_entries(file))
        assert len(entries) == count
        for number in range(7, count, count // 7):
            file.seek(data_start(file, entries[number].header))
            assert (entries[number].name, file.read(entries[number].size)) == (f"a/{number}.txt", b"%d" % number)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"a" * 999)
    for wrong in (packed, io.BytesIO(b""), io.BytesIO(b"PK\5\6")):
        with pytest.raises(NotAStoredZip):
            list(zip_entries(wrong))
