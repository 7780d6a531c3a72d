"""The metadata alone, as one table: for people who have the pictures already, or want to choose first."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from .base import AboutRelease, FrozenTile, Option, Package
from .rows import COLUMNS, row_of
from .tables import ParquetRows, schema_of

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a text for a formula when it begins with it."""


class CsvTable:
    """`metadata.csv`: UTF-8, a header, one line a tile. A text that a spreadsheet would run begins with an
    apostrophe; numbers are never touched."""

    name = "csv"
    label = "CSV table of the metadata alone"
    required: tuple[str, ...] = ("png", "dem", "dem255")
    optional: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    needs = "nothing but Python"
    disk = 0.0
    folder = "exports/layouts/csv"

    def write(self, tiles: Iterable[FrozenTile], about: AboutRelease, package: Package) -> None:
        with package.spool() as spool:
            text = io.TextIOWrapper(spool, encoding="utf-8", newline="")
            table = csv.writer(text, lineterminator="\n")
            table.writerow(COLUMNS)
            for tile in tiles:
                table.writerow([cell(value) for value in row_of(tile).values()])
            text.flush()
            text.detach()
            package.file("metadata.csv", spool)


def cell(value: Any) -> Any:
    """A value as a cell: texts made harmless, truth values in small letters as in JSON, nothing where it is absent."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


class ParquetTable:
    """`metadata.parquet`: the columns with their types, untouched."""

    name = "parquet"
    label = "Parquet table of the metadata alone"
    required: tuple[str, ...] = ("png", "dem", "dem255")
    optional: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    needs = "pyarrow"
    disk = 0.0
    folder = "exports/layouts/parquet"

    def write(self, tiles: Iterable[FrozenTile], about: AboutRelease, package: Package) -> None:
        with package.spool() as spool:
            table = ParquetRows(spool, schema_of(COLUMNS))
            for tile in tiles:
                table.add(row_of(tile))
            table.close()
            package.file("metadata.parquet", spool)
