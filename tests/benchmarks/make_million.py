"""A publication of 1,000,000 papers over 20 years, for whoever measures on it.

    PYTHONPATH=. python tests/benchmarks/make_million.py HOME [years]

A year of readings is made up and built as any other: 140 papers a day, five readings each. The
other years are copies of it, each 364 days before the next, with ids and texts of their own: words
by Zipf's law from 60,000. Vectors lie around a thousand topics. Each step is a process of its own,
so that its most memory is its own; the tables come from the project's models and publication.
"""

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from rich.console import Console

from flows import clock
from flows.publication.changes import parts_of, row_count
from flows.publication.readme_table import write_readme
from flows.publication.tables import copy_tables, sources_of
from flows.publish import MEMORY, STORAGE_VERSION
from flows.search.index import update_index
from flows.search.meaning import sentence_model
from flows.search.publish_index import publish_index
from flows.settings import Settings
from flows.transform import _dbt_build
from flows.warehouse.database import bounded_memory, connect
from flows.warehouse.literals import literal
from flows.warehouse.stale_dates import mark_built, mark_stale
from tests.benchmarks.bench_search import WORDS_SQL
from tests.benchmarks.made_up_lists import LAST, add_readings, earlier, tables
from tests.support.dbt_build import Warehouse

DAYS, A_DAY = 364, 140
TOPICS, A_CHUNK = 1_000, 50_000
console = Console(highlight=False, soft_wrap=True)

# $number tells a text from another; $kind one field of a paper from another.
_TEXTS = """
    create or replace table all_words as select list(word order by rank) as words from words;
    create or replace macro text_of(words, number, kind, length) as array_to_string([
        words[ranked(number, kind || place)] || case when place % 20 = 19 then '.' else '' end
        for place in range(length)
    ], ' ');
    create or replace macro keyword_of(words, number) as
        words[200 + number] || ' ' || words[201 + number * 7 % 50000];
    create or replace macro name_of(words, number) as concat_ws(
        ' ',
        upper(words[1 + number % 3000][1]) || words[1 + number % 3000][2:],
        upper(words[3000 + number // 7][1]) || words[3000 + number // 7][2:]
    );
"""
_PAPERS = """
    create temp table made as
    select
        number,
        text_of(words, number, 'title', 9) as title,
        text_of(words, number, 'abstract', 170) as abstract,
        text_of(words, number, 'summary', 24) as summary,
        (hash(number, 'organization') % 3000)::bigint as organization,
        name_of(words, organization * 31) || ' Lab' as organization_name,
        hash(number, 'submitter') % 20000 as submitter,
        [keyword_of(words, floor(20000 ** chance(number, place))::integer) for place in range(8)]
            as keywords,
        [
            {
                'name': name_of(words, author % 200000), 'hidden': false,
                'user': case when author % 5 = 0 then {'user': 'user' || author % 200000} end
            }
            for author in [(hash(number, place) >> 32)::bigint for place in range(5)]
        ] as authors
    from range($size * $days) as papers (number)
    cross join all_words
"""
# Every hundredth paper is submitted again three days later.
_ITEMS = """
    insert into raw.items by name
    with numbered as (
        select
            new_readings.*,
            position::bigint as position,
            (list_date - $first::date) * $size + position::bigint as place,
        from new_readings
        cross join range($size) as positions (position)
    ),
    papers as (
        select
            *,
            case when place % 100 = 0 then greatest(place - 3 * $size, 0) else place end as paper,
            hash(place) % 60 + (epoch(read_at) - epoch(list_date))::bigint // 20000 as votes,
            printf('26%02d.%05d', 1 + paper // 5000, 1 + paper % 5000) as id,
        from numbered
    )
    select
        reading_id, list_date, read_at, position, votes as upvotes_count,
        votes // 9 as comments_count, id as paper_id, title,
        list_date - interval 2 days as published_at, list_date as listed_on,
        json_object(
            'paper', json_object(
                'id', id,
                'title', title,
                'summary', abstract,
                'ai_summary', summary,
                'ai_keywords', keywords,
                'authors', authors,
                'upvotes', votes,
                'publishedAt', strftime(list_date - interval 2 days, '%Y-%m-%dT00:00:00.000Z'),
                'submittedOnDailyAt', strftime(list_date, '%Y-%m-%dT00:00:00.000Z'),
                'githubRepo', case when paper % 3 = 0 then 'https://github.com/o/' || paper end,
                'githubStars', votes * 3,
                'organization', json_object(
                    '_id', 'organization' || organization,
                    'name', 'organization-' || organization,
                    'fullname', organization_name
                ),
                'submittedOnDailyBy', json_object(
                    'user', 'user' || submitter, 'name', 'user' || submitter
                )
            ),
            'title', title,
            'numComments', votes // 9,
            'submittedBy', json_object('name', 'user' || submitter, 'followerCount', submitter % 90)
        )::text as item,
    from papers
    inner join made on papers.paper = made.number
    order by read_at, position
"""
_SCHEMAS = ("audit", "staging", "marts")
_OWN_TEXT = {"title": 9, "abstract": 170, "ai_summary": 24}


def main(home: Path, years: int) -> None:
    """Make it, step by step, and say what each took."""
    home.mkdir(parents=True)
    steps: list[tuple[str, Callable[..., None], tuple[object, ...]]] = [
        ("a year of readings, built", make_year, (home,)),
        *((f"copy {copy} of {years - 1}", make_copy, (home, copy)) for copy in range(1, years)),
        ("search index", make_index, (home,)),
        ("vectors made up", make_vectors, (home,)),
        ("tables published", publish_tables, (home,)),
        ("search index published", put_out_index, (home,)),
    ]
    for what, do, arguments in steps:
        measured(what, do, *arguments)
    settings = Settings(home=home)
    (settings.published_path.parent / "papers.duckdb.new").replace(settings.published_path)


def measured(what: str, do: Callable[..., None], *arguments: object) -> None:
    """Do it in a process of its own; print its seconds and its most memory."""
    began = time.perf_counter()
    process = multiprocessing.get_context("spawn").Process(
        target=_timed, args=(what, do, arguments)
    )
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(f"{what}: stopped after {time.perf_counter() - began:.0f} s")


def _timed(what: str, do: Callable[..., None], arguments: tuple[object, ...]) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    do(*arguments)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    console.print(
        f"{what}: {time.perf_counter() - began:.1f} s ({time.process_time() - cpu:.1f} s of"
        f" processor), most memory {peak:,.0f} MB"
    )


def make_year(home: Path) -> None:
    """The newest year, as readings, and its marts by dbt."""
    settings = Settings(home=home)
    Warehouse(home, settings.warehouse_path).close()
    first = LAST - timedelta(days=DAYS - 1)
    with connect(settings.warehouse_path) as connection:
        _prepare(connection)
        add_readings(connection, first, LAST, size=A_DAY, reading_count=5)
        connection.execute(_PAPERS, {"size": A_DAY, "days": DAYS})
        connection.execute(_ITEMS, {"size": A_DAY, "first": first})
        stale = mark_stale(connection, every_date=True)
    nodes = _dbt_build(settings, stale, is_new_project=True)
    assert {node.status for node in nodes} <= {"success", "pass", "no-op", "warn"}, nodes
    with connect(settings.warehouse_path) as connection:
        mark_built(connection)
        # Its first month is not whole, and would stand beside that of the copy before it.
        for table in ("marts.monthly_digests", "marts.monthly_digest_papers"):
            connection.execute(
                f"delete from {table} where digest_date <= last_day(?::date)", [first]
            )
        # So are the days after its last list, which are of the readings made then.
        connection.execute("delete from marts.trending_papers where as_of_date > ?", [LAST])
        for table, *_ in tables(connection, *_SCHEMAS):
            connection.execute(f"create table {_original(table)} as from {table}")


def make_copy(home: Path, copy: int) -> None:
    """The year before so many others."""
    with connect(Settings(home=home).warehouse_path) as connection:
        for table, names, types in tables(connection, *_SCHEMAS):
            columns = [
                _copied(table, name, kind, copy) for name, kind in zip(names, types, strict=True)
            ]
            connection.execute(
                f"insert into {table} select {', '.join(columns)} from {_original(table)}"
                " cross join all_words"
            )


def _copied(table: str, name: str, kind: str, copy: int) -> str:
    if name in {"paper_id", "top_paper_id"}:
        return f"printf('%02d', {26 - copy}) || {name}[3:]"
    if name in {"reading_id", "run_id"}:
        return f"'{copy}.' || {name}"
    if name == "digest_date" and ".monthly" in table:
        return f"last_day(({name} - to_years({copy}))::date)"
    if table == "marts.papers" and name in _OWN_TEXT:
        return f"text_of(all_words.words, '{copy} ' || paper_id, '{name}', {_OWN_TEXT[name]})"
    return earlier(name, kind, copy * DAYS)


def _original(table: str) -> str:
    return f"main.{table.replace('.', '_')}"


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(f"set enable_progress_bar = false; {WORDS_SQL}")
    connection.execute(_TEXTS)


def make_index(home: Path) -> None:
    """The search index of all papers, as the project makes it."""
    with connect(Settings(home=home).warehouse_path) as connection:
        update_index(connection, "")


def make_vectors(home: Path) -> None:
    """A vector a paper, of length one, nearer to those of its topic than to others."""
    settings = Settings(home=home)
    random = np.random.default_rng(7)
    everywhere = random.normal(size=384) * 0.35
    topics = (random.normal(size=(TOPICS, 384)) * 0.8 + everywhere).astype(np.float32)
    with connect(settings.warehouse_path) as connection:
        model = sentence_model(settings)
        connection.execute("delete from search.vectors_made_with")
        connection.execute(
            "insert into search.vectors_made_with values (?)", [model.name if model else ""]
        )
        papers = connection.execute(
            "select paper_id, hash(title, abstract) as text_hash from marts.papers"
        ).to_arrow_table()
        for at in range(0, len(papers), A_CHUNK):
            some = papers.slice(at, A_CHUNK)
            made = random.standard_normal((len(some), 384), dtype=np.float32)
            made += topics[random.integers(0, TOPICS, len(some))]
            made /= np.linalg.norm(made, axis=1, keepdims=True)
            vectors = pa.FixedSizeListArray.from_arrays(pa.array(made.reshape(-1)), 384)
            connection.register("made", some.append_column("vector", vectors))
            connection.execute("insert into search.indexed_vectors from made")
            connection.unregister("made")


def publish_tables(home: Path) -> None:
    """The tables of a publication, as `publish` puts them out; no Parquet files beside them."""
    with _publishing(home) as connection, bounded_memory(connection, MEMORY):
        sources = sources_of(connection)
        copy_tables(connection, sources)
        parts = parts_of(connection, sources)
        rows = {table: row_count(found) for table, found in parts.items()}
        write_readme(connection, "published", rows, clock.utc_now())
        console.print(*(f"{table} {count:,}" for table, count in rows.items()), sep=", ")
        connection.execute("detach published")


def put_out_index(home: Path) -> None:
    """The search index of that publication."""
    with _publishing(home) as connection:
        publish_index(connection)
        connection.execute("detach published")


def _publishing(home: Path) -> duckdb.DuckDBPyConnection:
    settings = Settings(home=home)
    file = settings.published_path.parent / "papers.duckdb.new"
    file.parent.mkdir(exist_ok=True)
    connection = duckdb.connect(str(settings.warehouse_path))
    connection.execute("set TimeZone = 'UTC'; set preserve_insertion_order = true")
    connection.execute(f"attach {literal(file)} as published (storage_version '{STORAGE_VERSION}')")
    return connection


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20)
