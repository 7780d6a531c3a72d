"""Reading captions out of files: a folder or an archive of .txt, JSON, JSON lines, CSV or Parquet, one record a tile.

Only what was sent, or lies beneath one of DEMETER_SOURCES, is read; where a path really leads is what counts.
"""

from __future__ import annotations

import csv
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings

from tiles.build.choosing import source_path
from tiles.core.errors import BadInput

from .given import GIVEN, given_path
from .kinds import ARCHIVE, HIDDEN, SUFFIXES, TEXT

MOST_JSON_BYTES = 256 * 2**20
MOST_TEXT_BYTES = 64 * 2**10
NAMES = ("image", "file_name", "filename", "file", "name", "tile", "path", "img", "image_id")
TEXTS = ("caption", "description", "text", "prompt", "vlm_caption")
LISTS = ("annotations", "captions", "data", "items", "images")
WEATHERS = {"foggy": "fog", "snowy": "snow", "clear": "", "none": ""}
OUTSIDE = "Captions are read only from beneath the folders of DEMETER_SOURCES, and this leads elsewhere: {}."
_TILE = re.compile(r"(?:^|[^a-z0-9])tile[_-](\d{1,9})$", re.IGNORECASE)


@dataclass(frozen=True)
class Record:
    """What a file says of one tile. name: as it stands in the file. problem: why it cannot be read."""

    name: str
    text: str
    terms: tuple[str, ...] = ()
    category: str = ""
    weather: str = ""
    problem: str = ""

    @property
    def index(self) -> int | None:
        """The tile's number, from `tile_42`, `somewhere/area_tile_42.png` or `42`; None for any other name."""
        stem = self.name.replace("\\", "/").rpartition("/")[2].partition(".")[0].strip()
        found = _TILE.search(stem)
        if found:
            return int(found[1])
        return int(stem) if stem.isascii() and stem.isdigit() and len(stem) <= 9 else None


def source_key(path: Path) -> str:
    """The key, as pages send it, of a file or folder beneath a source. Raises BadInput for any other."""
    whole = path if path.is_absolute() else Path.cwd() / path
    for number, root in enumerate(settings.DEMETER_SOURCES):
        if whole.is_relative_to(root):
            key = f"{number}/{whole.relative_to(root).as_posix()}"
            source_path(key)
            return key
    raise BadInput(OUTSIDE.format(path.name))


def record_path(key: str) -> Path:
    """The file or folder that a key names. Raises BadInput, NotFound."""
    return given_path(key) if key.startswith(f"{GIVEN}/") else source_path(key)


def records_of(key: str) -> Iterator[Record]:
    """The records of a source, as they come. Raises BadInput for a key or a file that cannot be read."""
    path = record_path(key)
    if path.is_dir():
        yield from _texts(path)
        return
    if path.suffix.lower() == ARCHIVE:
        yield from _zipped(path)
        return
    if path.suffix.lower() == TEXT:
        with path.open("rb") as file:
            yield _text_record(path.name, file.read(MOST_TEXT_BYTES + 1))
        return
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise BadInput(f"{path.name} is no file of captions. Choose a folder of .txt, or {', '.join(SUFFIXES)}.")
    try:
        rows = read(path)
        yield from (record for row in rows if (record := _record(row)) is not None)
    except (OSError, ValueError, csv.Error, pa.ArrowException, RecursionError) as error:
        raise BadInput(f"{path.name} cannot be read as {path.suffix[1:]}: {str(error)[:200]}.") from error


def _texts(folder: Path) -> Iterator[Record]:
    root = folder.resolve()
    found = sorted(child for child in folder.iterdir() if child.suffix.lower() == ".txt" and child.is_file())
    if not found:
        raise BadInput(f"There is no .txt file in {folder.name}.")
    for path in found:
        if not path.resolve().is_relative_to(root):
            raise BadInput(OUTSIDE.format(path.name))
        with path.open("rb") as file:
            yield _text_record(path.name, file.read(MOST_TEXT_BYTES + 1))


def _zipped(path: Path) -> Iterator[Record]:
    """The texts of an archive, read where they lie."""
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in sorted(archive.infolist(), key=lambda entry: entry.filename):
                if entry.is_dir() or not entry.filename.lower().endswith(TEXT) or entry.filename.startswith(HIDDEN):
                    continue
                with archive.open(entry) as file:
                    yield _text_record(entry.filename, file.read(MOST_TEXT_BYTES + 1))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise BadInput(f"{path.name} cannot be read as an archive: {str(error)[:200]}.") from error


def _text_record(name: str, content: bytes) -> Record:
    if len(content) > MOST_TEXT_BYTES:
        return Record(name, "", problem=f"It is larger than {MOST_TEXT_BYTES // 1024} KB.")
    try:
        return Record(name, content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return Record(name, "", problem="It is no text in UTF-8.")


def _json(path: Path) -> Iterable[Any]:
    if path.stat().st_size > MOST_JSON_BYTES:
        raise BadInput(f"{path.name} is too large to be read at once. Write it as .jsonl, .csv or .parquet.")
    return _listed(json.loads(path.read_text("utf-8-sig")))


def _listed(content: Any) -> Iterable[Any]:
    """The records of a JSON file: a list, a list under one of the usual names, or texts by name."""
    if isinstance(content, list):
        return content
    if not isinstance(content, dict):
        raise ValueError("it holds no list of objects")
    for name in LISTS:
        if isinstance(content.get(name), list):
            return list(content[name])
    return [{"name": name, "text": text} for name, text in content.items() if isinstance(text, str)]


def _json_lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8-sig") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def _csv(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")


def _parquet(path: Path) -> Iterator[Any]:
    with pq.ParquetFile(path) as file:
        wanted = {*NAMES, *TEXTS, "terms", "tags", "category", "class", "weather"}
        columns = [name for name in file.schema_arrow.names if name.lower() in wanted]
        for batch in file.iter_batches(batch_size=1000, columns=columns):
            yield from batch.to_pylist()


_READERS: dict[str, Callable[[Path], Iterable[Any]]] = {
    ".json": _json,
    ".jsonl": _json_lines,
    ".csv": _csv,
    ".tsv": _csv,
    ".parquet": _parquet,
}


def _record(row: Any) -> Record | None:
    """A row as a record; None for one without a name."""
    if not isinstance(row, Mapping):
        return None
    given = {str(name).strip().lower(): value for name, value in row.items() if value is not None}
    name = next((given[key] for key in NAMES if given.get(key) not in (None, "")), None)
    if not isinstance(name, str | int):
        return None
    weather = _text(given.get("weather")).lower()
    return Record(
        name=str(name),
        text=next((text for key in TEXTS if (text := _text(given.get(key)))), ""),
        terms=_terms(given.get("terms", given.get("tags"))),
        category=_text(given.get("category", given.get("class"))),
        weather=WEATHERS.get(weather, weather),
    )


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _terms(value: Any) -> tuple[str, ...]:
    parts = re.split(r"[,;|\n]", value) if isinstance(value, str) else value if isinstance(value, list) else ()
    return tuple(term.strip() for term in parts if isinstance(term, str) and term.strip())
