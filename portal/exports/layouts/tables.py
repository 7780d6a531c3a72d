"""Rows to Parquet. The same rows give the same bytes with the same pyarrow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

BATCH = 1000


def schema_of(columns: Mapping[str, type], *extra: Any, metadata: Mapping[str, str] | None = None) -> Any:
    """The Arrow schema of columns by Python type, with the fields `extra` ahead of them."""
    import pyarrow as pa

    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    return pa.schema([*extra, *((name, types[kind]) for name, kind in columns.items())], metadata=metadata)


class ParquetRows:
    """A Parquet file that is being written, a batch of rows at a time, each batch a row group."""

    def __init__(self, out: BinaryIO, schema: Any, *, batch: int = BATCH) -> None:
        import pyarrow.parquet as pq

        self._out = out
        self._batch = batch
        self._rows: list[dict[str, Any]] = []
        self._writer = pq.ParquetWriter(out, schema, compression="zstd", version="2.6")

    def size(self) -> int:
        return self._out.tell()

    def add(self, row: dict[str, Any]) -> None:
        self._rows.append(row)
        if len(self._rows) >= self._batch:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._writer.schema))
            self._rows.clear()
