"""Captions from files: every kind of file, names of tiles, what may be read, and what is left out."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from captions.importing.records import Record, records_of, source_key
from captions.importing.services import import_start, import_survey
from captions.models import Caption, Proposal
from captions.services import caption_rectify
from tests.support.factories import make_area, make_tile
from tiles.core.errors import BadInput
from tiles.jobs.runner import run_here
from tiles.models import Area, Job

pytestmark = pytest.mark.django_db

ROWS = [
    {"image": "png/land_tile_0.png", "prompt": "A river crosses farmland.", "category": "farmland", "weather": "fog"},
    {"image": "tile_1.jpg", "prompt": "Dunes.", "weather": "snowy"},
    {"image": "tile_77.png", "prompt": "Nowhere."},
]


@pytest.fixture
def source(tmp_path: Path, settings: Any) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    settings.DEMETER_SOURCES = [folder]
    return folder


@pytest.fixture
def area(db: None) -> Area:
    area = make_area("land")
    for index in range(4):
        make_tile(area, index, files=False)
    return area


def take(area: Area, path: Path, **options: Any) -> Job:
    job = import_start(area=area, key=source_key(path), background=False, **options)
    return run_here(job.pk, lambda _job: None)


def written(folder: Path, kind: str) -> Path:
    """The rows as a file of this kind."""
    path = folder / f"rows.{kind}"
    if kind == "json":
        path.write_text(json.dumps({"annotations": ROWS}))
    elif kind == "jsonl":
        path.write_text("\n".join(json.dumps(row) for row in ROWS))
    elif kind == "parquet":
        pq.write_table(pa.Table.from_pylist([{**row, "noise": 1} for row in ROWS]), path)
    else:
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            names = ["image", "prompt", "category", "weather"]
            writer = csv.DictWriter(file, names, delimiter="\t" if kind == "tsv" else ",")
            writer.writeheader()
            writer.writerows(ROWS)
    return path


@pytest.mark.parametrize("kind", ["json", "jsonl", "csv", "tsv", "parquet"])
def test_every_kind_of_file(area: Area, source: Path, kind: str) -> None:
    path = written(source, kind)
    survey = import_survey(area=area, key=source_key(path))
    assert (survey.records, survey.matched, survey.unmatched_names) == (3, 2, ["tile_77.png"])
    assert not Proposal.objects.exists()

    job = take(area, path)
    assert (job.state, job.done) == ("done", 2)
    caption = Caption.objects.get(tile__index=0)
    assert (caption.text, caption.origin) == ("A river crosses farmland.", "import")
    assert caption.components == {"terms": [], "category": "farmland", "weather": "fog"}
    assert Caption.objects.get(tile__index=1).components["weather"] == "snow"
    assert Proposal.objects.get(tile__index=1).provenance == {
        "backend": "import",
        "source": path.name,
        "name": "tile_1.jpg",
    }

    take(area, path)
    assert (Proposal.objects.count(), Caption.objects.get(tile__index=0).version) == (2, 1)


def test_a_folder_of_texts_with_terms_on_lines_of_their_own(area: Area, source: Path) -> None:
    folder = source / "texts"
    folder.mkdir()
    (folder / "tile_0.txt").write_text("\ufefffarmland\nplain\nA plain of fields.\n", encoding="utf-8")
    (folder / "tile_1.txt").write_text("ocean\n")
    (folder / "tile_2.txt").write_text("\u202e ")
    (folder / "readme.txt").write_text("About these.")
    (folder / "tile_3.png").write_text("not looked at")
    job = take(area, folder)

    assert job.done == 2
    first, second = Caption.objects.order_by("tile__index")
    assert (first.text, first.components["terms"]) == ("A plain of fields.", ["farmland", "plain"])
    assert (second.text, second.components["terms"]) == ("ocean", ["ocean"])
    log = "\n".join(event.message for event in job.events.all())
    assert "Left out: readme.txt" in log
    assert "Left out: tile_2.txt: The caption holds characters" in log


def test_peoples_texts_stand(area: Area, source: Path, person: Any) -> None:
    tile = area.tiles.get(index=0)
    caption_rectify(tile_id=tile.pk, text="Mine.", base_version=0, by=person("annotator"), client_id=uuid4())
    take(area, written(source, "json"))
    assert Caption.objects.get(tile=tile).text == "Mine."
    assert Proposal.objects.filter(tile=tile).exists()


def test_the_first_of_a_tile_counts(area: Area, source: Path) -> None:
    path = source / "rows.json"
    path.write_text(json.dumps([{"name": "tile_1", "text": "One."}, {"name": 1, "text": "Two."}, 3, {"text": "x"}]))
    survey = import_survey(area=area, key=source_key(path))
    assert (survey.records, survey.matched, survey.doubled) == (2, 1, 1)


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("tile_42", 42),
        ("a/b\\land_tile_42.png", 42),
        ("land-tile-42.txt", 42),
        ("42.jpg", 42),
        ("hostile_42", None),
        ("tile_42_old.png", None),
        ("tile_9999999999", None),
        ("", None),
    ],
)
def test_names_of_tiles(name: str, index: int | None) -> None:
    assert Record(name, "").index == index


def test_nothing_outside_of_the_sources_is_read(area: Area, source: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    secret = outside / "tile_0.txt"
    secret.write_text("Secret.")
    (source / "link").symlink_to(outside)
    (source / "texts").mkdir()
    (source / "texts" / "tile_0.txt").symlink_to(secret)
    for path in (outside, source / ".." / "outside", source / "link", source / "nowhere"):
        with pytest.raises(BadInput):
            source_key(path)
    for key in ("0/../outside", "0/link", "7/x", "0/\0", "outside"):
        with pytest.raises(BadInput):
            list(records_of(key))
    with pytest.raises(BadInput, match="leads elsewhere"):
        list(records_of("0/texts"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b"{"),
        ("a.json", b"3"),
        ("a.json", b"[" * 100_000),
        ("a.csv", b"image,text\n\xff\xfe,x"),
        ("a.csv", b'image,text\n"' + b"x" * 200_000),
        ("a.parquet", b"PAR1 and no more"),
        ("a.xlsx", b""),
    ],
)
def test_files_that_cannot_be_read_are_named(area: Area, source: Path, name: str, content: bytes) -> None:
    (source / name).write_bytes(content)
    with pytest.raises(BadInput, match=name):
        import_survey(area=area, key=source_key(source / name))
    job = take(area, source / name)
    assert (job.state, name in job.error) == ("failed", True)


def test_the_command(area: Area, source: Path) -> None:
    path, out = written(source, "csv"), StringIO()
    call_command("caption_area", "land", "--captioner", "import", "--source", path, "--dry-run", stdout=out)
    assert "3 records: 2 of a tile here, 1 of none" in out.getvalue()
    assert "tile_77.png" in out.getvalue()
    call_command("caption_area", "land", "--captioner", "import", "--source", path, stdout=out, stderr=StringIO())
    assert "2 of 2 tiles described, 0 failed" in out.getvalue()
    with pytest.raises(CommandError, match="DEMETER_SOURCES"):
        call_command("caption_area", "land", "--captioner", "import", "--source", Path("/etc/passwd"))
    with pytest.raises(CommandError, match="--source"):
        call_command("caption_area", "land", "--captioner", "import")
