"""The published file explains itself: a comment on each table and column, and a table README."""

from collections.abc import Mapping
from datetime import datetime
from textwrap import wrap

from duckdb import DuckDBPyConnection

from flows.publication.catalog import Mart, marts
from flows.warehouse.literals import literal
from flows.wording import counted


def comment(connection: DuckDBPyConnection, table: str, mart: Mart) -> None:
    """Put what dbt_project/ says of a table onto it, for duckdb_tables() and duckdb_columns()."""
    grain = f"{mart.description} One row per {mart.grain}."
    statements = [f"comment on table {table} is {literal(grain)}"]
    statements += [
        f'comment on column {table}."{column}" is {literal(description)}'
        for column, description in mart.columns.items()
    ]
    # One transaction: each statement by itself would be brought to the disk before the next.
    connection.execute(";".join(["begin transaction", *statements, "commit"]))


def write_readme(
    connection: DuckDBPyConnection,
    publication: str,
    row_counts: Mapping[str, int],
    published_at: datetime,
) -> None:
    """Make README and HOW_TO in the database attached as `publication`; tables with their rows.

    A shell of 80 columns shows both whole: it cuts off what is wider, and of more than 40 lines it
    leaves out the middle.
    """
    # One transaction: each row by itself would be brought to the disk before the next.
    connection.execute("begin transaction")
    connection.execute(_README.format(publication=publication))
    rows = [
        ("published at", f"{published_at:%Y-%m-%d %H:%M:%S} UTC"),
        *connection.execute(_FACTS.format(publication=publication)).fetchall(),
        *(
            (f"{mart.schema}.{mart.name}", f"{counted(count, 'row')} by {_shortened(mart.key)}")
            for mart, count in sorted(
                ((marts()[table], count) for table, count in row_counts.items()),
                key=lambda each: (each[0].schema, each[0].name),
            )
        ),
        ("what they hold", "from duckdb_tables() select comment"),
        ("what columns mean", "from duckdb_columns() select comment"),
        ("how to", "from HOW_TO"),
    ]
    connection.executemany(f"insert into {publication}.main.README values (?, ?)", rows)
    lines = [
        ("" if place else name, words)
        for name, says in _HOW_TO.items()
        for place, words in enumerate(wrap(says, _WIDTH))
    ]
    connection.executemany(f"insert into {publication}.main.HOW_TO values (?, ?)", lines)
    connection.execute("commit")


def _shortened(key: tuple[str, ...]) -> str:
    """The key in words that fit into a line, the last columns of a long one left out."""
    words = ", ".join(key)
    while len(words) > _LONGEST_KEY:
        key = key[:-1]
        words = ", ".join(key) + ", …"
    return words


_WIDTH, _LONGEST_KEY = 58, 32
_HOW_TO = {
    "search": "from search_papers('long context', since := '2026-01-01', has_code := true)",
    "search knows": 'words, "a phrase", atten*, names and arXiv ids; AND and -word are known to'
    " `papers search` and the pages alone.",
    "search without": "from search_papers('agents', most := 500) join marts.papers"
    " using (paper_id) where not contains(lower(abstract), 'robot')",
    "join": "paper_id is the arXiv id as text in every table; list_date and digest_date are the"
    " same calendar: a digest has the date of its list.",
    "join gates": "quality.gate_results.run_id is marts.list_readings.reading_id,"
    " or that of marts.hub_trending_papers or marts.paper_links.",
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
    create or replace table {publication}.main.README (name text, says text);
    comment on table {publication}.main.README is
        'What is in this file, when it was made and from what. One row per name.';
    comment on column {publication}.main.README.name is 'A table, or what else there is to know.';
    comment on column {publication}.main.README.says is
        'Of a table its rows and what tells them apart; of the rest what there is to say.';
    create or replace table {publication}.main.HOW_TO (name text, says text);
    comment on table {publication}.main.HOW_TO is
        'How to search, join and attach this file. One row per line of text.';
    comment on column {publication}.main.HOW_TO.name is
        'What the lines are about; empty where they go on.';
    comment on column {publication}.main.HOW_TO.says is 'A line of text, or of SQL to type.';
"""
# From the published tables themselves, so that it is true of this file.
_FACTS = """
    select
        'list dates',
        format('{{:,}}, {{}} to {{}}', count(distinct list_date), min(list_date), max(list_date))
    from {publication}.marts.list_readings
    having count(*) > 0
    union all
    select
        'readings',
        format('{{:,}}, the newest at {{}} UTC', count(*), strftime(max(read_at), '%Y-%m-%d %H:%M'))
    from {publication}.marts.list_readings
    having count(*) > 0
    union all
    (
        select
            'readings, ' || replace(verdict, '_', ' '),
            format('{{:,}} of {{:,}} list dates', count(*), count(distinct list_date))
        from {publication}.marts.list_readings
        group by verdict
        order by verdict
    )
    union all
    (
        select
            'gate ' || gate,
            format(
                '{{:,}} checks: {{:,}} met, {{:,}} warnings, {{:,}} stopped',
                count(*), count(*) filter (is_success),
                count(*) filter (not is_success and severity = 'warning'),
                count(*) filter (not is_success and severity = 'critical')
            )
        from {publication}.quality.gate_results
        group by gate
        order by gate
    )
"""
