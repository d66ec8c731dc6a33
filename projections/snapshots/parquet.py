"""The bars of a snapshot as Parquet: what DuckDB, pandas and Spark read without guessing types.

Other versions of the library write other bytes for the same bars: a file is proved by its rows, which give the CSV's
bytes again.
"""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from contracts.events import BarClosed
from contracts.versions import newest
from projections.folds import Document
from projections.snapshots.content import columns_of, csv_bytes

_TYPES = {"string": pa.string(), "double": pa.float64(), "int": pa.int32(), "long": pa.int64()}


def parquet_bytes(rows: Iterable[Document], columns: tuple[str, ...] = columns_of()) -> bytes:
    """Write bars as Parquet; times are microseconds in UTC."""
    kinds = {field["name"]: _type_of(field["type"]) for field in newest(BarClosed).schema["fields"]}
    schema = pa.schema([(column, kinds[column]) for column in columns])
    table = pa.Table.from_pylist([{column: row.get(column) for column in columns} for row in rows], schema)
    out = pa.BufferOutputStream()
    pq.write_table(table, out)
    written: bytes = out.getvalue().to_pybytes()
    return written


def parquet_as_csv(content: bytes) -> bytes:
    """Return the CSV of a Parquet file's bars; empty where it cannot be read."""
    try:
        table = pq.read_table(pa.BufferReader(content))
        return csv_bytes(table.to_pylist(), tuple(table.column_names))
    except (pa.ArrowException, OSError, ValueError):
        return b""


def _type_of(avro: Any) -> pa.DataType:
    """Return the Arrow type of an Avro field's."""
    if isinstance(avro, list):
        (avro,) = (each for each in avro if each != "null")
    return pa.timestamp("us", "UTC") if isinstance(avro, dict) else _TYPES[avro]
