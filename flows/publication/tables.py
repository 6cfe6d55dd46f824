"""The tables of a publication: where their rows are in the warehouse, and how they are put out.

marts.*, quality.* of the warehouse ──copy_tables──▶ the same tables of `published`, keys declared
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from duckdb import DuckDBPyConnection

from flows.publication.catalog import Mart, in_order, marts
from flows.publication.readme_table import comment

PUBLISHED_SCHEMAS = ("marts", "quality")
# Looked up paper by paper, as search does. Compressed, a look-up unpacks the 2,048 abstracts around
# it, which takes 2 ms; not compressed, the table takes two and a half times the room.
UNCOMPRESSED = "papers"


def sources_of(connection: DuckDBPyConnection) -> dict[str, str]:
    """Where the warehouse has the rows of each table to be published, by the table's name.

    What is a view there is made a temporary table, since it is read more than once.
    """
    found = connection.execute(
        "select table_schema, table_name, table_type from information_schema.tables"
        " where table_catalog = current_database() and list_contains(?, table_schema)"
        " order by all",
        [list(PUBLISHED_SCHEMAS)],
    ).fetchall()
    sources = {}
    for schema, table, kind in found:
        sources[table] = f'"{schema}"."{table}"'
        if kind == "VIEW":
            connection.execute(
                f"create or replace temp table source_{table} as from {sources[table]}"
            )
            sources[table] = f"source_{table}"
    return sources


def copy_tables(connection: DuckDBPyConnection, sources: Mapping[str, str]) -> None:
    """Copy every table with its description into `published`, which has none of them."""
    for table in in_order(sources):
        copy_table(connection, table, sources[table])
        comment(connection, published(marts()[table]), marts()[table])


def copy_table(connection: DuckDBPyConnection, table: str, source: str) -> None:
    """Copy one table into the database that is attached as `published`, as it is best read."""
    mart = marts()[table]
    connection.execute(f'create schema if not exists published."{mart.schema}"')
    create = _create(connection, mart, source)
    if table == UNCOMPRESSED:
        with uncompressed(connection):
            connection.execute(create)
    else:
        connection.execute(create)


def published(mart: Mart) -> str:
    """The name of a table in the database that is attached as `published`."""
    return f'published."{mart.schema}"."{mart.name}"'


@contextmanager
def uncompressed(connection: DuckDBPyConnection) -> Iterator[None]:
    """Keep what the block writes into `published` as it is.

    A table is compressed when it is checkpointed: not with the ones before or after it.
    """
    connection.execute("checkpoint published; pragma force_compression = 'uncompressed'")
    yield
    connection.execute("checkpoint published; pragma force_compression = 'auto'")


def _create(connection: DuckDBPyConnection, mart: Mart, source: str) -> str:
    """The statements that copy a table, with its keys declared for whoever joins it."""
    described = connection.execute(f"describe {source}").fetchall()
    parts = [f'"{column}" {data_type}' for column, data_type, *_ in described]
    parts.append(f"primary key ({', '.join(mart.key)})")
    parts += [
        f"foreign key ({column}) references {marts()[other].schema}.{other} ({column})"
        for column, other in mart.references.items()
    ]
    # DuckDB takes a foreign key only within the catalog in use.
    (warehouse,) = connection.execute("select current_database()").fetchall()[0]
    return (
        f'use published; create table "{mart.schema}"."{mart.name}" ({", ".join(parts)});'
        f' use "{warehouse}"; insert into {published(mart)} from {source}'
    )
