"""The page that takes captions in from a file: what is sent, what is refused, what would be set, and what is."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from captions.importing import given
from captions.importing.given import given_keep, given_key, given_path, given_sweep
from captions.importing.services import import_start
from captions.models import Caption, Proposal
from captions.services import caption_rectify, caption_write_machine
from tests.support.factories import make_area, make_tile
from tiles.core.errors import BadInput, NotAllowed, NotFound
from tiles.jobs.runner import run_here
from tiles.models import Area, Job

pytestmark = pytest.mark.django_db

PAGE = "/areas/land/captions/import/"
EVIL = "<script>alert(1)</script> A river."
TEXTS: dict[str, bytes] = {
    "texts/tile_0.txt": b"farmland\nA plain of fields.\n",
    "texts/tile_1.txt": EVIL.encode(),
    "texts/tile_2.txt": "Höhen".encode("latin-1"),
    "texts/tile_3.txt": b"Dunes.",
    "texts/tile_99.txt": b"Nowhere.",
    "texts/notes.md": b"not looked at",
    "__MACOSX/texts/tile_3.txt": b"\0\1",
}


@pytest.fixture
def area(data_folder: Path) -> Area:
    area = make_area("land")
    for index in range(4):
        caption_write_machine(tile_id=make_tile(area, index, files=False).pk)
    return area


def zipped(entries: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return made.getvalue()


def send(client: Any, name: str, content: bytes) -> Any:
    return client.post(PAGE, {"file": SimpleUploadedFile(name, content)})


def test_an_archive_of_texts_is_shown_taken_in_and_undone(signed_in: Any, person: Any, area: Area) -> None:
    cara, before = signed_in("curator"), Caption.objects.get(tile__index=0).text
    tile = area.tiles.get(index=3)
    caption_rectify(tile_id=tile.pk, text="Mine.", base_version=1, by=person("annotator"), client_id=uuid4())
    answer = send(cara, "../my texts.zip", zipped(TEXTS))
    shown = cara.get(answer["Location"])
    preview, page = shown.context["preview"], shown.content.decode()
    survey = preview.survey
    assert (survey.records, survey.matched, survey.unmatched, survey.unusable) == (5, 3, 1, 1)
    assert (preview.kept, preview.whole, shown.context["name"]) == (1, True, "my_texts.zip")
    for words in ("texts/tile_99.txt", "texts/tile_2.txt: It is no text in UTF-8.", "stands and stays", "<ins>"):
        assert words in page
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert not Proposal.objects.exists()

    started = cara.post(PAGE, {"file": shown.context["file"], "start": "1"})
    job = run_here(Job.objects.get().pk, lambda _job: None)
    assert (started["Location"], job.state, job.done) == (f"/jobs/{job.pk}/", "done", 3)
    caption = Caption.objects.get(tile__index=0)
    assert (caption.text, caption.components["terms"], caption.origin) == ("A plain of fields.", ["farmland"], "import")
    assert Proposal.objects.get(tile__index=1).provenance["name"] == "texts/tile_1.txt"
    assert Caption.objects.get(tile=tile).text == "Mine."
    cara.post(f"/areas/land/captions/write/{job.pk}/undo/")
    assert Caption.objects.get(tile__index=0).text == before


@pytest.mark.parametrize("name", ["rows.json", "rows.zip"])
def test_a_table_is_taken_alone_or_zipped_and_may_be_only_proposed(signed_in: Any, area: Area, name: str) -> None:
    cara, content = signed_in("curator"), json.dumps([{"image": "tile_1.png", "caption": "A river."}]).encode()
    answer = send(cara, name, content if name.endswith("json") else zipped({"inside/rows.json": content}))
    shown = cara.get(answer["Location"])
    assert (shown.context["preview"].survey.matched, shown.context["name"]) == (1, "rows.json")
    cara.post(PAGE, {"file": shown.context["file"], "start": "1", "make_captions": "no"})
    assert run_here(Job.objects.get().pk, lambda _job: None).done == 1
    assert Proposal.objects.get().text == "A river."
    assert Caption.objects.get(tile__index=1).origin == "rules"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.exe", b"MZ", "no file of captions"),
        ("a.zip", b"PK no archive", "no archive that can be read"),
        ("a.zip", zipped({"../../tile_1.txt": b"x"}), "leads out of it"),
        ("a.zip", zipped({"/etc/tile_1.txt": b"x"}), "leads out of it"),
        ("a.zip", zipped({"a\\..\\tile_1.txt": b"x"}), "leads out of it"),
        ("a.zip", zipped({"picture.png": b"x"}), "0 tables and 0 texts"),
        ("a.zip", zipped({"a.csv": b"x", "tile_1.txt": b"x"}), "1 tables and 1 texts"),
        ("a.zip", zipped({"tile_1.txt": b"0" * 2_000_000}), "holds too much"),
        ("a.csv", b"x" * 1_000_001, "larger than"),
    ],
)
def test_what_is_refused_is_said_and_not_kept(
    signed_in: Any,
    area: Area,
    data_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    content: bytes,
    words: str,
) -> None:
    monkeypatch.setattr(given, "MOST_BYTES", 1_000_000)
    monkeypatch.setattr(given, "MOST_UNPACKED", 1_000_000)
    page = send(signed_in("curator"), name, content)
    assert page.status_code == 200
    assert words in page.content.decode()
    assert list(data_folder.rglob("uploads/captions/*/*")) == []


def test_files_that_cannot_be_read_say_so_on_the_page(signed_in: Any, area: Area) -> None:
    cara = signed_in("curator")
    for name, content in (("a.csv", b"image,text\n\xff\xfe,x"), ("a.json", b"{"), ("a.parquet", b"PAR1")):
        page = cara.get(send(cara, name, content)["Location"]).content.decode()
        assert f"{name} cannot be read as" in page
    damaged = bytearray(zipped({"tile_1.txt": b"A river and more of it." * 50}))
    damaged[50:60] = b"\0" * 10
    assert "cannot be read as an archive" in cara.get(send(cara, "a.zip", bytes(damaged))["Location"]).content.decode()
    for wrong in ("x", str(uuid4()), "../../x"):
        assert "Send it again" in cara.get(PAGE, {"file": wrong}).content.decode()
        assert "Send it again" in cara.post(PAGE, {"file": wrong, "start": "1"}).content.decode()


def test_a_request_that_is_too_large_is_not_written_down(
    signed_in: Any, area: Area, monkeypatch: pytest.MonkeyPatch
) -> None:
    from captions.importing import handler

    monkeypatch.setattr(handler, "MOST_BYTES", -handler.ROOM)
    assert "Choose a file of at most" in send(signed_in("curator"), "a.csv", b"image,text\n1,x").content.decode()


def test_old_files_are_swept_but_for_those_at_work(area: Area, person: Any, data_folder: Path) -> None:
    cara = person("curator")
    with pytest.raises(NotAllowed):
        given_keep(name="a.csv", chunks=[b"image,text\n1,x"], by=person("annotator"))
    old, used = (given_keep(name="a.csv", chunks=[b"image,text\n1,x"], by=cara) for _each in range(2))
    import_start(area=area, key=given_key(used), by=cara, background=False)
    for known_by in (old, used):
        folder = given_path(given_key(known_by)).parent
        os.utime(folder, (time.time() - 10**7,) * 2)
    assert given_sweep() == 1
    assert given_path(given_key(used)).name == "a.csv"
    with pytest.raises(NotFound):
        given_path(given_key(old))
    with pytest.raises(BadInput):
        given_keep(name="a", chunks=[], by=cara)
