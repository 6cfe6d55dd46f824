"""SQL over the published file, and its answer as bytes to print or to keep. Nothing is changed."""

import base64
import csv
import io
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import duckdb
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from flows.errors import UsageError
from flows.publication.published import opened

Format = Literal["table", "csv", "json", "parquet"]


class QueryError(UsageError):
    """SQL that DuckDB does not take; the message says where."""


@contextmanager
def published(path: Path) -> Iterator[DuckDBPyConnection]:
    """A connection that reads what is published, and none of this machine's other files.

    Raises:
        NotPublishedError: there is no publication yet.
    """
    with opened(path) as connection:
        connection.execute(
            "set enable_external_access = false; set python_enable_replacements = false;"
            " set search_path = 'main,marts,quality'"
        )
        yield connection


def answer(connection: DuckDBPyConnection, query: str, format: Format) -> bytes:
    """What the published file answers to this SQL; nothing where the SQL asks for nothing.

    Of several statements each that gives rows is answered, in a table of its own.

    Raises:
        QueryError: DuckDB does not take the query, or it gives more answers than the format holds.
    """
    try:
        found = [
            _FORMATS[format](result)
            for statement in connection.extract_statements(query)
            if (result := connection.sql(statement)) is not None
        ]
    except duckdb.Error as error:
        raise QueryError(f"DuckDB does not take this query. {error}") from None
    if len(found) > 1 and format != "table":
        raise QueryError(f"There are {len(found)} answers, and {format} holds one: ask one by one.")
    return b"".join(found)


def _table(result: DuckDBPyRelation) -> bytes:
    return f"{result}\n".encode()


def _csv(result: DuckDBPyRelation) -> bytes:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(result.columns)
    writer.writerows(result.fetchall())
    return lines.getvalue().encode()


def _json(result: DuckDBPyRelation) -> bytes:
    if twice := sorted({name for name in result.columns if result.columns.count(name) > 1}):
        raise QueryError(
            f"JSON has one {twice[0]} in a row, and this query gives two: name one by `as`."
        )
    rows = [
        {name: plain(value) for name, value in zip(result.columns, row, strict=True)}
        for row in result.fetchall()
    ]
    return (json.dumps(rows, default=str, ensure_ascii=False, indent=1) + "\n").encode()


def plain(value: object) -> object:
    """The value as JSON can hold it: NaN and infinities become None, bytes become base64."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list | tuple) else value


def _parquet(result: DuckDBPyRelation) -> bytes:
    from pyarrow import parquet

    file = io.BytesIO()
    parquet.write_table(result.to_arrow_table(), file, compression="zstd")
    return file.getvalue()


_FORMATS = {"table": _table, "csv": _csv, "json": _json, "parquet": _parquet}
