"""The published file explains itself: a comment on each table and column, and a table README."""

from datetime import datetime

from duckdb import DuckDBPyConnection

from flows.publication.catalog import Mart
from flows.publication.parquet_files import text


def comment(connection: DuckDBPyConnection, table: str, mart: Mart) -> None:
    """Put what dbt_project/ says of a table onto it, for duckdb_tables() and duckdb_columns()."""
    grain = f"{mart.description} One row per {mart.grain}."
    statements = [f"comment on table {table} is {text(grain)}"]
    statements += [
        f'comment on column {table}."{column}" is {text(description)}'
        for column, description in mart.columns.items()
    ]
    connection.execute(";".join(statements))


def write_readme(
    connection: DuckDBPyConnection,
    publication: str,
    tables: dict[str, tuple[Mart, int]],
    published_at: datetime,
) -> None:
    """Make README in the database attached as `publication`; `tables` by name, with their rows."""
    rows = [(place, *line) for place, line in enumerate(_lines(tables, published_at), start=1)]
    connection.execute(_README.format(publication=publication))
    connection.executemany(f"insert into {publication}.main.README values (?, ?, ?, ?, ?)", rows)
    connection.execute(_FACTS.format(publication=publication))


def _lines(
    tables: dict[str, tuple[Mart, int]], published_at: datetime
) -> list[tuple[str, str, str, int | None]]:
    return [
        ("publication", "published_at", f"{published_at:%Y-%m-%d %H:%M:%S} UTC", None),
        *(("how to", name, says, None) for name, says in _HOW_TO.items()),
        *(
            ("table", name, f"One row per {mart.grain}. {mart.description}", row_count)
            for name, (mart, row_count) in tables.items()
        ),
    ]


_HOW_TO = {
    "search": "from search_papers('long context', since := '2026-01-01', has_code := true)",
    "search knows": 'words, "a phrase", atten*, names and arXiv ids; AND and -word are known to'
    " `papers search` and the pages alone.",
    "join": "paper_id is the arXiv id as text in every table; list_date and digest_date are the"
    " same calendar: a digest has the date of its list.",
    "join gates": "quality.gate_results.run_id is marts.list_readings.reading_id,"
    " or that of marts.hub_trending_papers.",
    "time": "Columns in _at are UTC timestamps, those in _on dates, in _date dates that are keys.",
    "columns": "select column_name, comment from duckdb_columns() where table_name = 'papers'",
    "keep it open": "A publication is a new file in the place of the old one: an open connection"
    " keeps what it has, and a process that has the old file open connects to it again. Close every"
    " connection to it first, or attach the newest to one in memory, as the next line does.",
    "newest": "attach 'published/papers.duckdb' as newest (read_only); from newest.marts.papers",
    "search attached": "attach 'published/papers.duckdb' as newest (read_only); use newest;"
    " from search_papers('long context')",
    "short names": "set search_path = 'main,marts,quality'; from papers",
}
_README = """
    create table {publication}.main.README (
        line bigint, topic text, name text, says text, row_count bigint
    );
    comment on table {publication}.main.README is
        'What is in this file, when it was made and from what. One row per line.';
    comment on column {publication}.main.README.line is 'Its place in the text, from 1.';
    comment on column {publication}.main.README.topic is
        'What the line is about: publication, how to, table, readings (by verdict) or gates.';
    comment on column {publication}.main.README.name is 'The one thing of that topic.';
    comment on column {publication}.main.README.says is 'What there is to say.';
    comment on column {publication}.main.README.row_count is
        'Rows of a table, readings of a verdict, checks of a gate; null elsewhere.';
"""
# From the published tables themselves, so that it is true of this file.
_FACTS = """
    insert into {publication}.main.README
    with
        readings as (
            select
                'readings' as topic,
                verdict as name,
                format(
                    '{{}} list dates from {{}} to {{}}; the newest was read at {{}} UTC.',
                    count(distinct list_date), min(list_date), max(list_date),
                    strftime(max(read_at), '%Y-%m-%d %H:%M:%S')
                ) as says,
                count(*) as row_count
            from {publication}.marts.list_readings
            group by verdict
        ),
        gates as (
            select
                'gates' as topic,
                gate as name,
                format(
                    '{{}} checks of {{}} readings: {{}} met, {{}} warnings, {{}} critical.',
                    count(*), count(distinct run_id), count(*) filter (is_success),
                    count(*) filter (not is_success and severity = 'warning'),
                    count(*) filter (not is_success and severity = 'critical')
                ) as says,
                count(*) as row_count
            from {publication}.quality.gate_results
            group by gate
        ),
        facts as (from readings union all from gates)
    select
        (select max(line) from {publication}.main.README)
        + row_number() over (order by topic desc, name),
        facts.*
    from facts
"""
