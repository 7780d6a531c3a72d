"""The kinds of files that captions are read from."""

from __future__ import annotations

TEXT, ARCHIVE = ".txt", ".zip"
TABLES = (".json", ".jsonl", ".csv", ".tsv", ".parquet")
SUFFIXES = (ARCHIVE, *TABLES, TEXT)
HIDDEN = ("__MACOSX/", ".")
"""How names in an archive begin that some systems put there by themselves."""
