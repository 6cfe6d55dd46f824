"""The Parquet beside the published file: each table in one file, and the dated ones by month too.

published/parquet/listings.parquet                      all of it
published/parquet/listings/month=2026-08/<hash>.parquet the same rows, month by month

A month's file is named by the hash of its rows, so a month that did not change is not written
again: it is a hard link to the file of the last publication.
"""

import os
from pathlib import Path

from duckdb import DuckDBPyConnection


def write_table(connection: DuckDBPyConnection, table: str, file: Path) -> None:
    """A table as one file."""
    connection.execute(f"copy {table} to {literal(file)} (format parquet, codec zstd)")


def write_months(
    connection: DuckDBPyConnection, table: str, date_column: str, folder: Path, previous: Path
) -> None:
    """A table as one file a month of this column; months as they are in `previous` are linked."""
    months = connection.execute(
        f"""
        select
            strftime({date_column}, '%Y-%m') as month,
            count(*) || '-' || to_hex(bit_xor(hash({table.rpartition(".")[2]})))
        from {table}
        group by month
        order by month
        """
    ).fetchall()
    for month, name in months:
        file = folder / f"month={month}" / f"{name}.parquet"
        file.parent.mkdir(parents=True)
        before = previous / file.relative_to(folder)
        if before.exists():
            os.link(before, file)
        else:
            rows = f"select * from {table} where strftime({date_column}, '%Y-%m') = '{month}'"
            write_table(connection, f"({rows})", file)


def literal(path: Path) -> str:
    """A path as SQL."""
    return "'" + str(path).replace("'", "''") + "'"
