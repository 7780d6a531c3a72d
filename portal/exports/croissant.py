"""croissant.json: the description of a release that dataset search engines and mlcroissant read.

MLCommons Croissant 1.0, https://docs.mlcommons.org/croissant/docs/croissant-spec.html. It lies beside the archive, for
it holds the archive's checksum.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tiles.core.paths import release_folder

from .archive import Sealed, SealedFile
from .citing import authors_of, one_licence
from .layouts import AboutRelease
from .manifest import MANIFEST

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
FIELDS = {
    "area": ("sc:Text", "The area the tile was cut from."),
    "tile": ("sc:Text", "Its name, unique in the area."),
    "split": ("sc:Text", "train, val or test; nothing where the release has no splits."),
    "prompt": ("sc:Text", "The composed text; nothing when there is none."),
    "dem_min": ("sc:Float", "Lowest height in metres."),
    "dem_max": ("sc:Float", "Highest height in metres."),
    "void_share": ("sc:Float", "Share of pixels without a height."),
    "gsd": ("sc:Float", "Size of a pixel in metres."),
    "satellite": ("sc:Text", "What took the imagery."),
    "licence": ("sc:Text", "Under which terms the tile may be used."),
}
DESCRIPTION = "croissant.json"
_ARCHIVE, _MANIFEST, _TILES = "archive", "manifest", "tiles"


def croissant_path(name: str) -> Path:
    """`<data>/releases/<name>/croissant.json`. Raises ValueError for what is not a slug."""
    return release_folder(name) / DESCRIPTION


def croissant_text(about: AboutRelease, sealed: Sealed) -> str:
    """The description as JSON. The manifest is in the last of the archive's files."""
    archives = [_archive(number, file, len(sealed.files)) for number, file in enumerate(sealed.files, start=1)]
    described: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": about.name,
        "description": _description(about),
        "datePublished": about.created[:10],
        "license": _licences(about),
        "creator": [{"@type": "sc:Organization", "name": name} for name in authors_of(about)],
        "url": f"https://doi.org/{about.doi}" if about.doi else sealed.files[0].name,
        "distribution": [
            *archives,
            {
                "@type": "cr:FileObject",
                "@id": _MANIFEST,
                "name": MANIFEST,
                "contentUrl": f"{about.name}/{MANIFEST}",
                "containedIn": {"@id": archives[-1]["@id"]},
                "encodingFormat": "application/jsonlines",
            },
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": _TILES,
                "name": _TILES,
                "description": "One record a tile, from the manifest.",
                "key": [{"@id": f"{_TILES}/area"}, {"@id": f"{_TILES}/tile"}],
                "field": [_field(name, *facts) for name, facts in FIELDS.items()],
            }
        ],
    }
    if about.version:
        described["version"] = about.version
    return json.dumps(described, indent=1, ensure_ascii=False) + "\n"


def _archive(number: int, file: SealedFile, of: int) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": _ARCHIVE if of == 1 else f"{_ARCHIVE}-{number:05}",
        "name": file.name,
        "contentUrl": file.name,
        "contentSize": f"{file.size} B",
        "encodingFormat": "application/zip",
        "sha256": file.sha256,
    }


def _field(name: str, kind: str, description: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{_TILES}/{name}",
        "name": name,
        "description": description,
        "dataType": kind,
        "source": {"fileObject": {"@id": _MANIFEST}, "extract": {"column": name}},
    }


def _description(about: AboutRelease) -> str:
    tiles = sum(area["tiles"] for area in about.contents)
    synthetic = [area["slug"] for area in about.contents if area["synthetic"]]
    words = f"{tiles:,} pixel-aligned pairs of satellite image and elevation, each approved by a person."
    if synthetic:
        words += f" SYNTHETIC, generated and not observed: {', '.join(synthetic)}."
    return f"{words} {about.notes}".strip()


def _licences(about: AboutRelease) -> list[str]:
    single = one_licence(about)
    if single:
        return [f"https://spdx.org/licenses/{single}.html"]
    return [f"{slug}: {licence}" for slug, licence in about.licences.items()]
