"""Hugging Face `datasets`: an image folder with metadata, or Parquet shards that hold the images."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any, BinaryIO

from .base import AboutRelease, FrozenTile, Option, Package
from .rows import COLUMNS, row_of
from .shards import SHARD_SIZE, Shards
from .tables import ParquetRows, schema_of

_NOTHING: dict[type, Any] = {str: "", int: 0}
IMAGES_A_GROUP = 32
"""Rows that are in memory at once, here and at a reader's: each holds a picture and its heights."""


class ImageFolder:
    """`<split>/metadata.jsonl` and `<split>/<area>/tile_N.png`, `tile_N_depth.tif` (8-bit heights); heights in metres
    beside, as `heights/<area>/tile_N.tif`, since a picture's reader has no use for them."""

    name = "huggingface"
    label = "Hugging Face image folder"
    required: tuple[str, ...] = ("png", "dem", "dem255")
    optional: tuple[str, ...] = ("void",)
    options: tuple[Option, ...] = ()
    needs = "datasets with Pillow"
    disk = 1.1
    folder = "exports/layouts/huggingface"

    def write(self, tiles: Iterable[FrozenTile], about: AboutRelease, package: Package) -> None:
        metadata: dict[str, _Metadata] = {}
        with ExitStack() as stack:
            for tile in tiles:
                if tile.part not in metadata:
                    metadata[tile.part] = _Metadata(stack.enter_context(package.spool()))
                metadata[tile.part].add(_put(tile, package))
            everywhere = set(COLUMNS).intersection(*(of_split.known for of_split in metadata.values()))
            for split, of_split in metadata.items():
                with package.spool() as lines:
                    lines.writelines(of_split.lines(everywhere))
                    package.file(f"{split}/metadata.jsonl", lines)


class _Metadata:
    """The rows of a split, on the disk.

    `datasets` takes the type of a column from the rows of each split by itself, and refuses splits that differ. So a
    text that is absent is empty, and a number that all rows of some split lack stands in no split at all.
    """

    def __init__(self, spool: BinaryIO) -> None:
        self._spool = spool
        self.known: set[str] = set()
        """Columns of numbers that some row has, and all others."""

    def add(self, row: dict[str, Any]) -> None:
        full = {name: _NOTHING.get(COLUMNS.get(name, str)) if value is None else value for name, value in row.items()}
        self.known |= {name for name, value in full.items() if value is not None}
        self._spool.write(json.dumps(full, ensure_ascii=False).encode() + b"\n")

    def lines(self, wanted: set[str]) -> Iterator[bytes]:
        self._spool.seek(0)
        for line in self._spool:
            row = {name: value for name, value in json.loads(line).items() if name in wanted or name not in COLUMNS}
            yield json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _put(tile: FrozenTile, package: Package) -> dict[str, Any]:
    """Put in the files of a tile; returns its line of the metadata."""
    picture, depth = f"{tile.folder}/{tile.name}.png", f"{tile.folder}/{tile.name}_depth.tif"
    heights = f"heights/{tile.folder}/{tile.name}.tif"
    package.layer(tile, "png", f"{tile.part}/{picture}")
    package.layer(tile, "dem255", f"{tile.part}/{depth}")
    package.layer(tile, "dem", heights)
    void = None
    if "void" in tile.layers:
        void = f"heights/{tile.folder}/{tile.name}_void.png"
        package.layer(tile, "void", void)
    return {"file_name": picture, "depth_file_name": depth, "heights": heights, "void": void, **row_of(tile)}


class ParquetShards:
    """`data/<split>-00000.parquet` and on: `image` (PNG) and `depth` (8-bit TIFF) as images, `heights` the bytes of a
    GeoTIFF in metres, `void` those of a PNG or nothing, and the columns of the metadata."""

    name = "huggingface-parquet"
    label = "Hugging Face Parquet shards, images inside"
    required: tuple[str, ...] = ("png", "dem", "dem255")
    optional: tuple[str, ...] = ("void",)
    options: tuple[Option, ...] = (SHARD_SIZE,)
    needs = "datasets, Pillow and rasterio"
    disk = 1.2
    folder = "exports/layouts/huggingface-parquet"

    def write(self, tiles: Iterable[FrozenTile], about: AboutRelease, package: Package) -> None:
        schema = _schema()
        by_split: dict[str, Shards[ParquetRows]] = {}
        for tile in tiles:
            if tile.part not in by_split:
                by_split[tile.part] = Shards(
                    package,
                    f"data/{tile.part}-{{}}.parquet",
                    lambda out: ParquetRows(out, schema, batch=IMAGES_A_GROUP),
                    megabytes=about.options[SHARD_SIZE.name],
                )
            shards = by_split[tile.part]
            shard = shards.next()
            shard.add(_row(tile, package, shards.path))
        for shards in by_split.values():
            shards.finish()


def _row(tile: FrozenTile, package: Package, path: str) -> dict[str, Any]:
    contents = {layer: package.read(tile, layer) for layer in ("png", "dem", "dem255", "void") if layer in tile.layers}
    for role, content in contents.items():
        package.inside(tile, role, path, tile.key, content)
    return {
        "image": {"bytes": contents["png"], "path": f"{tile.key}.png"},
        "depth": {"bytes": contents["dem255"], "path": f"{tile.key}.tif"},
        "heights": contents["dem"],
        "void": contents.get("void"),
        **row_of(tile),
    }


def _schema() -> Any:
    """The Arrow schema, with the feature types where `datasets` looks for them."""
    import pyarrow as pa

    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    extra = [("image", image), ("depth", image), ("heights", pa.binary()), ("void", pa.binary())]
    value = {str: "string", int: "int64", float: "float64", bool: "bool"}
    features: dict[str, Any] = {
        "image": {"_type": "Image"},
        "depth": {"_type": "Image"},
        **{name: {"dtype": "binary", "_type": "Value"} for name in ("heights", "void")},
        **{name: {"dtype": value[kind], "_type": "Value"} for name, kind in COLUMNS.items()},
    }
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return schema_of(COLUMNS, *extra, metadata=metadata)
