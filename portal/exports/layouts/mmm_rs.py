"""MMM-RS (arXiv 2410.22362): one zip a dataset with JPEG pictures and a JSON list, and weather.zip.

The keys of the published JSON are not known; those written here stand in the README of the archive.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from typing import Any, BinaryIO

from captions.prompts import gsd_level

from ..stored_zip import COPY_BLOCK, StoredZip
from .base import AboutRelease, FrozenTile, Option, Package
from .derive import grey_jpeg, jpeg

JPEG_QUALITY = Option("jpeg_quality", "Quality of the JPEG pictures", default=95, least=50, most=95)
FOLDERS = {"rgb": "RGB_jpg", "nir": "NIR_jpg", "sar": "sar_jpg"}
WEATHER = "weather.zip"
WEATHER_LISTS = {"fog": "fog", "night": "night", "snow": "snowy"}
"""Scene -> what MMM-RS calls its list and folder."""


class MMMRS:
    """`<area>.zip` with `MMM-RS_<area>.json` and `<area>_dataset/{RGB_jpg,NIR_jpg,sar_jpg}/tile_N.jpg`; tiles with
    weather are in `weather.zip`, with `MMM-RS_{fog,night,snowy}_cleaned.json` and a folder for each."""

    name = "mmm-rs"
    label = "MMM-RS zips of JPEG pictures with prompts"
    required: tuple[str, ...] = ("png",)
    optional: tuple[str, ...] = ("nir", "sar")
    options: tuple[Option, ...] = (JPEG_QUALITY,)
    needs = "Pillow"
    disk = 2.0
    folder = "exports/layouts/mmm-rs"

    def write(self, tiles: Iterable[FrozenTile], about: AboutRelease, package: Package) -> None:
        quality = about.options[JPEG_QUALITY.name]
        weather = _Zip(WEATHER, package)
        dataset: _Zip | None = None
        for tile in tiles:
            pictures = _pictures(tile, package, quality)
            scene = tile.record["scene"]
            if scene:
                listed, images = _of_weather(tile, WEATHER_LISTS[scene])
                into = weather
            else:
                if dataset is None or dataset.path != f"{tile.folder}.zip":
                    _finish(dataset)
                    dataset = _Zip(f"{tile.folder}.zip", package)
                listed, images = _of_dataset(tile, pictures)
                into = dataset
            for modality, image in images.items():
                into.add(image, pictures[modality])
                into.list(listed, _entry(tile, image, modality))
                package.inside(tile, modality, into.path, image, pictures[modality])
        _finish(dataset)
        weather.finish()


def _of_weather(tile: FrozenTile, word: str) -> tuple[str, dict[str, str]]:
    """The list that a tile with weather stands in, and its picture by modality: its own only."""
    return f"MMM-RS_{word}_cleaned.json", {tile.record["modality"]: f"{word}/{tile.key}.jpg"}


def _of_dataset(tile: FrozenTile, modalities: Iterable[str]) -> tuple[str, dict[str, str]]:
    """The list that any other tile stands in, and its pictures by modality."""
    folder = f"{tile.area}_dataset"
    return f"MMM-RS_{tile.area}.json", {kind: f"{folder}/{FOLDERS[kind]}/{tile.name}.jpg" for kind in modalities}


def _finish(dataset: _Zip | None) -> None:
    if dataset is not None:
        dataset.finish()


class _Zip:
    """A zip within the archive, filled on the disk; one without files is not put in."""

    def __init__(self, path: str, package: Package) -> None:
        self.path = path
        self._package = package
        self._out, self._directory = package.spool(), package.spool()
        self._zip = StoredZip(self._out, self._directory)
        self._lists: dict[str, BinaryIO] = {}

    def add(self, name: str, content: bytes) -> None:
        self._zip.add(name, size=len(content), crc=zlib.crc32(content), blocks=(content,))

    def list(self, name: str, entry: dict[str, Any]) -> None:
        """Append an entry to the JSON list of that name."""
        line = json.dumps(entry, ensure_ascii=False).encode()
        begun = name in self._lists
        if not begun:
            self._lists[name] = self._package.spool()
        self._lists[name].write((b",\n" if begun else b"[\n") + line)

    def finish(self) -> None:
        with self._out, self._directory:
            for name, lines in sorted(self._lists.items()):
                with lines:
                    lines.write(b"\n]\n")
                    self._put(name, lines)
            if self._lists:
                self._zip.finish()
                self._package.file(self.path, self._out)

    def _put(self, name: str, file: BinaryIO) -> None:
        size, crc = 0, 0
        for block in _blocks(file):
            size, crc = size + len(block), zlib.crc32(block, crc)
        self._zip.add(name, size=size, crc=crc, blocks=_blocks(file))


def _blocks(file: BinaryIO) -> Iterable[bytes]:
    file.seek(0)
    while block := file.read(COPY_BLOCK):
        yield block


def _pictures(tile: FrozenTile, package: Package, quality: int) -> dict[str, bytes]:
    """The modalities of a tile as JPEGs: its own from the picture, others it has from their layers."""
    pictures = {tile.record["modality"]: jpeg(package.read(tile, "png"), quality)}
    for layer in ("nir", "sar"):
        if layer in tile.layers and layer not in pictures:
            pictures[layer] = grey_jpeg(package.read(tile, layer), quality)
    return pictures


def _entry(tile: FrozenTile, image: str, modality: str) -> dict[str, Any]:
    record = tile.record
    return {
        "image": image,
        "prompt": tile.prompt or tile.text,
        "category": record.get("category") or None,
        "spatial_resolution": record.get("native_gsd"),
        "gsd_level": gsd_level(record.get("native_gsd")) or None,
        "modality": modality,
        "satellite": record.get("satellite") or None,
        "weather": record["scene"] or None,
        "cloud_cover": record.get("cloud_share"),
        "dataset": tile.area,
        "split": tile.split or None,
    }
