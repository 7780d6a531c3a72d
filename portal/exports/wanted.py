"""What somebody wants of a release: which tiles, how they are split, and under whose terms."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tiles.core.errors import BadInput
from tiles.core.words import hidden_character

from .splitting.blocks import SPLITS
from .splitting.ways import MOST_LINES, tile_key

BLOCKS, RANDOM, BY_AREA, FILES = WAYS = ("blocks", "random", "area", "files")
WAY_WORDS = {
    "": "None: all tiles together",
    BLOCKS: "Spatial blocks",
    RANDOM: "At random",
    BY_AREA: "By area",
    FILES: "From lists",
}
SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}
MOST_SEED = 2**31 - 1
UNKNOWN = "unknown"
SEMANTIC = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?", re.ASCII)
"""Source: Semantic Versioning 2.0.0."""
DOI = re.compile(r"10\.\d{4,9}/[!-~]+")
DOI_PREFIXES = ("https://doi.org/", "http://doi.org/", "doi:")
MOST_AUTHORS, TERM_LENGTH = 200, 2_000


@dataclass(frozen=True)
class Split:
    """How tiles are split; `way` is "" for not at all, else one of WAYS, which says what of the rest counts.

    shares: of the tiles, by split, for blocks and random. block_km, buffer_km: kilometres. of_area: slug -> split.
    lists: split -> text with a tile a line.
    """

    way: str = ""
    shares: Mapping[str, float] = field(default_factory=lambda: dict(SHARES))
    seed: int = 0
    block_km: float = 10.0
    buffer_km: float = 1.0
    of_area: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """What of it counts, as JSON; lists by their checksums."""
        drawn: dict[str, Any] = {"shares": {name: self.shares.get(name, 0) for name in SPLITS}, "seed": self.seed}
        parameters: dict[str, dict[str, Any]] = {
            "": {},
            BLOCKS: drawn | {"block_km": self.block_km, "buffer_km": self.buffer_km},
            RANDOM: drawn,
            BY_AREA: {"areas": dict(sorted(self.of_area.items()))},
            FILES: {"lists": {name: _digest(text) for name, text in sorted(self.lists.items())}},
        }
        return {"way": self.way, **parameters[self.way]}


@dataclass(frozen=True)
class Wanted:
    """Which of the approved tiles of the chosen areas, and how they are split.

    query: as TileFilter reads it, asked of every area. tiles: "" for all, else a tile a line, as in `coast/42`.
    unique: leave out near-duplicates.
    """

    query: str = ""
    tiles: str = ""
    unique: bool = False
    split: Split = field(default_factory=Split)

    def record(self) -> dict[str, Any]:
        """As JSON, for the release; long lists by their checksums."""
        chosen = {"tiles": _digest(self.tiles)} if self.tiles.strip() else {}
        return {"filter": self.query, **chosen, "unique": self.unique, "split": self.split.record()}


@dataclass(frozen=True)
class Terms:
    """What users are told besides the data. licences, attributions: by area, instead of what the area says."""

    version: str = "1.0.0"
    doi: str = ""
    authors: Sequence[str] = ()
    licences: Mapping[str, str] = field(default_factory=dict)
    attributions: Mapping[str, str] = field(default_factory=dict)


def wanted_check(wanted: Wanted) -> None:
    """Raise BadInput for a split that makes no sense. Its sizes and shares are checked where they are used."""
    split = wanted.split
    if split.way not in ("", *WAYS):
        raise BadInput(
            f"There is no way {split.way[:40]!r} to split. Ways: {', '.join(WAYS)}.", code="bad_split", field="way"
        )
    if not 0 <= split.seed <= MOST_SEED:
        raise BadInput(f"The seed is a whole number from 0 to {MOST_SEED:,}.", code="bad_split", field="seed")
    if split.way == FILES and not any(text.strip() for text in split.lists.values()):
        raise BadInput("Give at least one list of tiles for the splits.", code="bad_split", field="train_list")


def terms_check(terms: Terms) -> Terms:
    """The terms in their normal form. Raises BadInput for what is no version, DOI or name."""
    if not SEMANTIC.fullmatch(terms.version) or len(terms.version) > 64:
        raise BadInput(
            "Write the version as three numbers with dots, as in 1.2.0.", code="bad_version", field="version"
        )
    doi = terms.doi.strip()
    for prefix in DOI_PREFIXES:
        doi = doi.removeprefix(prefix)
    if doi and (not DOI.fullmatch(doi) or len(doi) > 200):
        raise BadInput("Write the DOI as in 10.5281/zenodo.1234.", code="bad_doi", field="doi")
    authors = [" ".join(name.split()) for name in terms.authors if name.strip()]
    if len(authors) > MOST_AUTHORS or any(len(name) > 200 for name in authors):
        raise BadInput(f"At most {MOST_AUTHORS} authors of 200 characters.", code="bad_authors", field="authors")
    texts = [*authors, *terms.licences.values(), *terms.attributions.values()]
    for text in texts:
        if hidden := hidden_character(text, lines=True):
            raise BadInput(f"A name or a term holds an invisible character ({hidden}). Type it again without.")
        if len(text) > TERM_LENGTH:
            raise BadInput(f"Keep licences and attributions below {TERM_LENGTH:,} characters.", code="bad_terms")
    return Terms(terms.version, doi, authors, _filled(terms.licences), _filled(terms.attributions))


def terms_missing(licence: str, attribution: str) -> str:
    """What of its terms an area lacks, in words; "" when it has both."""
    lacks = [] if licence.strip() not in ("", UNKNOWN) else ["licence"]
    lacks += [] if attribution.strip() else ["attribution"]
    return " and no ".join(lacks)


def tiles_listed(text: str) -> dict[str, set[int]]:
    """area -> numbers, of a list with a tile a line: `coast/42`, `coast/tile_42`, more fields after it are not read.

    Raises BadInput for a line that names no tile.
    """
    found: dict[str, set[int]] = {}
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        raise BadInput(f"A list holds at most {MOST_LINES:,} tiles.", code="bad_list", field="tiles")
    for number, line in enumerate(lines, 1):
        if line.strip():
            area, _, index = tile_key(line, f"line {number} of the list").partition("/")
            found.setdefault(area, set()).add(int(index))
    return found


def authors_of(text: str) -> list[str]:
    """A name a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def _filled(values: Mapping[str, str]) -> dict[str, str]:
    return {slug: value.strip() for slug, value in values.items() if value.strip()}


def _digest(text: str) -> dict[str, Any]:
    lines = _lines(text.splitlines())
    return {"tiles": len(lines), "sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest()}


def _lines(lines: Iterable[str]) -> list[str]:
    return [line.strip() for line in lines if line.strip()]
