"""The published file as an analyst meets it: it explains itself, answers, and blocks nobody."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.outcome import Outcome
from flows.publication.catalog import marts
from flows.publication.examples import examples
from flows.search.find import Question
from flows.settings import load_settings
from flows.sources.sample_hub import SampleHub
from tests.support.clock import DAY, Clock
from tests.support.search_publication import search

Run = Callable[..., Outcome]

# What a single quiet day, mailed to nobody, has nothing of.
WITHOUT_ANSWER = {
    "authors_and_their_votes",
    "days_in_doubt",
    "gate_findings",
    "growth_of_what_is_linked",
    "hub_trending_beside_ours",
    "issue_as_it_was_sent",
    "issues_then_and_now",
    "kept_back_items",
    "mail_of_each_issue",
    "most_liked_repositories",
    "news_of_earlier_papers",
    "papers_on_several_lists",
    "topics_of_the_week",
    "what_changed",
}

_NOTEBOOK = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
for _ in sys.stdin:
    print(connection.execute("select count(*) from marts.listings").fetchone()[0], flush=True)
"""


def _shown(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """What a shell of 80 columns and 40 lines shows of a table."""
    with redirect_stdout(StringIO()) as shown:
        connection.sql(f"from {table}").show(max_width=80, max_rows=40)
    return shown.getvalue()


@pytest.fixture
def published(own_home: Path) -> Path:
    return own_home / "published"


def test_the_published_file_explains_itself_and_answers(
    run: Run, hub: SampleHub, own_home: Path, published: Path, docs_page: None
) -> None:
    hub._sizes[DAY] = 40
    assert run().verdict == "complete"
    with duckdb.connect(str(published / "papers.duckdb"), read_only=True) as connection:

        def ask(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query).fetchall()

        # Every table and column has its comment, and those of a mart say what its YAML says.
        tables = dict(ask("select table_name, comment from duckdb_tables()"))
        assert [name for name, comment in tables.items() if not comment] == []
        columns = ask(
            "select schema_name, table_name, column_name, comment from duckdb_columns()"
            " where not internal"
        )
        assert [column for *column, comment in columns if not comment] == []
        for schema, table, column, comment in columns:
            if schema in {"marts", "quality"}:
                assert comment == marts()[table].columns[column]

        # README counts the tables that there are, and says which readings and gates they stand on.
        said = dict(ask("from README"))
        for schema, table in ask(
            "select schema_name, table_name from duckdb_tables()"
            " where schema_name in ('marts', 'quality')"
        ):
            (count,) = ask(f"select count(*) from {schema}.{table}")[0]
            assert said[f"{schema}.{table}"].startswith(f"{count:,} row"), table
        assert said["list dates"] == "1, 2026-08-20 to 2026-08-20"
        assert said["readings, complete"] == "1 of 1 list dates"
        assert {"gate marts", "gate raw"} <= set(said)
        assert said["published at"] == "2026-08-21 02:31:00 UTC"
        for table in ("README", "HOW_TO"):
            shown = _shown(connection, table)
            assert "…" not in shown.replace(", …", ""), "a shell of 80 columns cuts off nothing"
            assert len(shown.splitlines()[0]) <= 80

        # The examples are questions that it answers.
        answered = {example.name for example in examples() if ask(example.query)}
        assert all(example.question.endswith("?") for example in examples())
        assert {example.name for example in examples()} - answered == WITHOUT_ANSWER
        sql = " ".join(example.query for example in examples())
        assert [name for name in marts() if not re.search(rf"\.{name}\b", sql)] == []
        (title,) = ask("select title from marts.papers order by paper_id limit 1")[0]
        (paper_id,) = ask("select paper_id from marts.papers order by paper_id limit 1")[0]
        assert ask(f"select paper_id from search_papers('{paper_id}')") == [(paper_id,)]

    hits = search(load_settings().published_path, Question(title))
    assert hits[0].title == title

    # Parquet: the same rows in one file, and month by month where the key has a date.
    flat = duckdb.sql(f"from '{published}/parquet/listings.parquet' order by all").fetchall()
    monthly = f"read_parquet('{published}/parquet/listings/*/*.parquet', hive_partitioning = true)"
    months = duckdb.sql(f"select * exclude (month), month from {monthly} order by all").fetchall()
    assert [row[:-1] for row in months] == flat
    assert {row[-1] for row in months} == {"2026-08"}
    assert len(flat) == 40
    for file in [published / "parquet/listings.parquet", *published.glob("parquet/listings/*/*")]:
        metadata = f"select decode(key), decode(value) from parquet_kv_metadata('{file}')"
        described = dict(duckdb.sql(metadata).fetchall())
        assert described["description"] == marts()["listings"].description
        assert described["column.list_rank"] == marts()["listings"].columns["list_rank"]

    # The keys are declared, so that a BI tool joins by itself.
    with duckdb.connect(str(published / "papers.duckdb"), read_only=True) as connection:
        keys = connection.execute(
            "select table_name, constraint_text from duckdb_constraints()"
            " where constraint_type in ('PRIMARY KEY', 'FOREIGN KEY') and table_name in"
            f" ({', '.join(repr(name) for name in marts())})"
        ).fetchall()
    assert {name for name, says in keys if says.startswith("PRIMARY KEY")} == set(marts())
    assert ("papers", "PRIMARY KEY(paper_id)") in keys
    assert ("listings", "FOREIGN KEY (paper_id) REFERENCES marts.papers(paper_id)") in keys

    page = own_home / "docs" / "index.html"
    assert "exposure.daily_papers.feeds" in page.read_text()
    asked = _requests_of(page.as_uri() + "#!/model/model.daily_papers.papers")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


def _requests_of(url: str) -> list[str]:
    """What a browser asks for until dbt's page shows what the papers are."""
    from tests.support.browser import chromium

    asked: list[str] = []
    with chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(url)
        page.get_by_text("Papers as their newest admitted reading shows them").first.wait_for()
    return asked


def test_who_keeps_the_file_open_blocks_no_run_and_reads_on(
    run: Run, hub: SampleHub, clock: Clock, published: Path
) -> None:
    hub._size = 30
    run(date(2026, 7, 30))
    before = {file.parent.name: file for file in (published / "parquet/listings").glob("*/*")}
    july = next(iter(before.values())).stat().st_ino
    notebook = subprocess.Popen(
        [sys.executable, "-c", _NOTEBOOK, str(published / "papers.duckdb")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert notebook.stdin
    assert notebook.stdout

    def ask() -> int:
        assert notebook.stdin
        assert notebook.stdout
        print(file=notebook.stdin, flush=True)
        return int(notebook.stdout.readline())

    try:
        assert ask() == 30
        for day in (DAY - timedelta(days=1), DAY):
            assert run(day).verdict == "complete"
            assert ask() == 30
    finally:
        notebook.stdin.close()
        assert notebook.wait(30) == 0
        notebook.stdout.close()
    with duckdb.connect(str(published / "papers.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from marts.listings").fetchall() == [(90,)]
    # A month that did not change is the file that it was.
    files = list((published / "parquet/listings").glob("*/*"))
    assert {file.parent.name for file in files} == {"month=2026-07", "month=2026-08"}
    assert july in {file.stat().st_ino for file in files}


def test_a_shell_answers_line_by_line_and_remembers(published: Path, tmp_path: Path) -> None:
    from prompt_toolkit.application import create_app_session
    from prompt_toolkit.input import create_pipe_input
    from prompt_toolkit.output import DummyOutput

    from flows.commands.shell import shell

    published.mkdir()
    with duckdb.connect(str(published / "papers.duckdb")) as connection:
        connection.execute("create schema marts; create schema quality")
        connection.execute("create table marts.papers as select 7 as paper_count")
        connection.execute("comment on column marts.papers.paper_count is 'How many.'")
    said: list[str] = []
    lines = [
        "select paper_count * 6", "from papers;", "", ".tables", ".schema marts.papers", ".fly",
        "drop table papers;", "selec;", ".examples", ".exit",
    ]  # fmt: skip
    with create_pipe_input() as typed, create_app_session(input=typed, output=DummyOutput()):
        typed.send_text("".join(f"{line}\n" for line in lines))
        shell(published / "papers.duckdb", tmp_path / "history", said.append)
    _, product, tables, schema, unknown, dropped, wrong, shown = said
    assert "42" in product
    assert "marts.papers" in tables
    assert "How many." in schema
    assert unknown == "There is no command .fly; `.help` names those there are."
    assert dropped.startswith("DuckDB does not take this query.")
    assert wrong.startswith("DuckDB does not take this query.")
    assert "-- Which papers about long context have code" in shown
    assert "+from papers;" in (tmp_path / "history").read_text()


@pytest.mark.parametrize("format", ["csv", "json", "parquet", "table"])
def test_an_answer_goes_to_a_file_as_it_goes_to_the_screen(
    published: Path, tmp_path: Path, format: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    from flows.commands import cli

    published.mkdir()
    with duckdb.connect(str(published / "papers.duckdb")) as connection:
        connection.execute("create schema marts; create schema quality")
        connection.execute("create table marts.papers as select 'é' as title, 7 as votes")
    file = tmp_path / "answer"
    for to in ([], ["--output", str(file)]):
        with pytest.raises(SystemExit) as ended:
            cli.main(["sql", "from papers", "--format", format, *to])
        assert ended.value.code == 0
    said = file.read_bytes()
    if format == "parquet":
        assert duckdb.sql(f"from read_parquet('{file}')").fetchall() == [("é", 7)]
    elif format == "json":
        assert json.loads(said) == [{"title": "é", "votes": 7}]
    else:
        assert "é" in said.decode()
    assert capfdbinary.readouterr().out == said


def test_what_the_readme_says_how_to_do_works_as_it_stands(
    complete_day: Outcome, own_home: Path, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(own_home)
    file = str(published / "papers.duckdb")
    with duckdb.connect(file, read_only=True) as connection:
        lines: dict[str, str] = {}
        name = ""
        for begun, says in connection.execute("from HOW_TO").fetchall():
            name = begun or name
            lines[name] = f"{lines.get(name, '')} {says}"
        for name in ("search", "search without", "columns", "short names"):
            assert connection.execute(lines[name]).fetchone(), name
    for name in ("newest", "search attached"):
        with duckdb.connect() as connection:
            assert connection.execute(lines[name]).fetchone(), name
