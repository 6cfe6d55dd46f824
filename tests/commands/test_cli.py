"""What an operator types, what it says, and the exit code; the flow itself is tested elsewhere."""

import json
import os
import shlex
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows.outcome import Outcome
from flows.sources.sample_hub import SampleHub
from tests.support.console import Papers
from tests.support.rooms import ROOT
from tests.support.work import wait_for_library


def test_a_day_from_the_command_line_to_sql(
    papers: Papers, prefect: None, hub: SampleHub, clock: object, own_home: Path
) -> None:
    code, out, _ = papers("run", "2026-08-20")
    lines = out.splitlines()
    stages = [line.split()[0] for line in lines[:-1]]
    assert stages == ["extract", "validate", "transform", "validate", "publish", "export"]
    assert (code, lines[-1].startswith("Complete. ")) == (0, True)

    code, out, _ = papers("status", "2026-08-20", "--format", "json")
    (day,) = json.loads(out)
    assert (code, day["verdict"], day["failure_count"]) == (0, "complete", 0)
    assert day["issue"].endswith("2026-08-20-daily")
    code, out, _ = papers("status")
    assert (code, "Thu 2026-08-20  complete" in out) == (0, True)

    count = "select count(*) as n from daily_digest_papers"
    code, out, _ = papers("sql", count, "--format", "json")
    assert (code, json.loads(out)) == (0, [{"n": day["paper_count"]}])
    code, out, _ = papers("sql", count, "--format", "csv")
    assert out == f"n\n{day['paper_count']}\n"
    code, out, _ = papers("preview", "2026-08-20", "--no-browser")
    assert code == 0
    sent = (own_home / "issues" / "2026-08-20-daily" / "digest.html").read_bytes()
    assert Path(out.splitlines()[0]).read_bytes() == sent


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["run", "yesterday"], 2, "yesterday"),
        (["run", "2026-02-30"], 2, "2026-02-30"),
        (["run", "9999-12-31"], 2, "9999-12-31 is too far ahead: the list that grows now is of 20"),
        (["run", "0001-01-01"], 2, "lists begin on 2023-05-01; 0001-01-01 is before that."),
        (["backfill", "2026-08-20", "2026-08-01"], 2, "is after LAST"),
        (["backfill", "2026-08-20", "2999-01-01"], 2, "2999-01-01 is too far ahead"),
        (["backfill", "2020-01-01", "2026-08-01"], 2, "lists begin on 2023-05-01"),
        (["web", "--port", "99999"], 2, "there is no such port"),
        (["web", "--host", "nowhere.invalid"], 2, "Cannot listen on nowhere.invalid:8080"),
        (["import", "nowhere"], 2, "nowhere does not exist."),
        (["import"], 2, "Name the files or folders"),
        (["fly"], 2, "fly"),
        (["status"], 1, "`papers run` makes one"),
        (["sql", "select 1"], 1, "Nothing is published yet"),
        (["search", "attention"], 1, "Nothing is published yet"),
        (["search", "attention", "--limit", "0"], 2, "limit"),
        (["search", "attention", "--since", "soon"], 2, "soon"),
        (["preview", "2026-08-20"], 1, "Nothing is published yet"),
        (["preview", "--edition", "weekly"], 1, "Nothing is published yet"),
        (["run", "2026-08-20", "--as-of", "noon"], 2, "“noon” is no time; write it as"),
        (["run", "2026-08-20", "--as-of", "2999-01-01"], 2, "has not come yet"),
        (["run", "2026-08-20", "--as-of", "2026-08-20"], 2, "2026-08-20 was never read"),
        (["edition", "weekly", "2026-W54"], 2, "There is no week 2026-W54."),
        (["edition", "monthly", "2026-W33"], 2, "write it as 2026-08."),
        (["edition", "yearly"], 2, "yearly"),
        (["edition", "weekly"], 1, "Nothing is published yet"),
    ],
)
def test_bad_usage_is_one_sentence_and_the_right_code(
    papers: Papers, own_home: Path, words: list[str], code: int, sentence: str
) -> None:
    ended, out, err = papers(*words)
    assert (ended, out) == (code, "")
    assert sentence in err
    assert "Traceback" not in err
    assert list(own_home.iterdir()) == []


def test_months_without_a_server_for_them_are_one_sentence(
    papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.commands.cli.has_server", lambda: False)
    ended, out, err = papers("backfill", "2026-08-01", "2026-08-20", "--by-month")
    assert (ended, out) == (2, "")
    assert err.startswith("--by-month needs a Prefect server with workers: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAPERS_HUB_URL", "huggingface"),
        ("PAPERS_MAIL_FROM", "nobody"),
        ("PAPERS_MAIL_FROM", "a@b.example\nBcc: c@d.example"),
        ("PAPERS_ISSUE_MAX_AGE_HOURS", "-1"),
        ("PAPERS_ISSUE_MAX_AGE_HOURS", "1e300"),
        ("PAPERS_REREAD_DAYS", "1000000000"),
        ("PAPERS_DEADLINE", "09:00+02:00"),
        ("PAPERS_MAIL_PER_SECOND", "inf"),
        ("PAPERS_OPERATOR_EMAIL", "a@b.example, c@d.example"),
    ],
)
def test_a_bad_setting_is_named(
    papers: Papers, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    code, _, err = papers("status")
    assert code == 2
    assert f"{name} cannot be used" in err


def test_a_folder_or_file_that_cannot_be_used_is_one_sentence(
    papers: Papers, monkeypatch: pytest.MonkeyPatch, own_home: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("PAPERS_WAREHOUSE", str(tmp_path))
    code, _, err = papers("status")
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith(f"{tmp_path} cannot be read; restore it from the backup, or name another")
    code, out, _ = papers("doctor")
    assert (code, "problem  warehouse" in out) == (1, True)
    code, _, err = papers("readings", "list")
    assert (code, "restore it from the backup" in err) == (1, True)
    monkeypatch.delenv("PAPERS_WAREHOUSE")
    (own_home / "warehouse.duckdb").touch()
    (own_home / "writer.lock").unlink()
    (own_home / "writer.lock").mkdir()
    code, _, err = papers("status")
    assert (code, err) == (1, f"{own_home / 'writer.lock'}: Is a directory.\n")


@pytest.mark.parametrize(
    "query",
    [
        "drop table marts.papers",
        "insert into marts.papers select * from marts.papers",
        "select * from read_csv('/etc/passwd')",
        "attach '/tmp/x.duckdb'",
        "copy marts.papers to '/tmp/x.csv'",
        "select no_such_column from papers",
        "selec",
    ],
)
def test_a_query_that_cannot_be_answered_changes_nothing(
    papers: Papers, own_home: Path, query: str
) -> None:
    file = own_home / "published" / "papers.duckdb"
    _publish_nothing(file)
    before = file.read_bytes()
    code, out, err = papers("sql", query)
    assert (code, out) == (2, "")
    assert err.startswith("DuckDB does not take this query.")
    assert file.read_bytes() == before


def _publish_nothing(file: Path) -> None:
    import duckdb

    file.parent.mkdir()
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema marts; create schema quality")
        connection.execute("create table marts.papers (paper_id text)")


def test_what_sql_answers_is_json_that_any_program_reads(
    papers: Papers, own_home: Path, tmp_path: Path
) -> None:
    _publish_nothing(own_home / "published" / "papers.duckdb")
    asked = (
        "-- as `papers sql --examples` begins\nselect 'nan'::double as n, [1, 'inf'::double] as i"
    )
    code, out, _ = papers("sql", f"{asked}, blob '\\xFF' as b", "--format", "json")
    assert code == 0
    assert json.loads(out, parse_constant=pytest.fail) == [{"n": None, "i": [1, None], "b": "/w=="}]
    two = "set variable one = 11; select getvariable('one') as a; select 22 as b;"
    code, out, _ = papers("sql", two)
    assert (code, out.index("11") < out.index("22")) == (0, True)
    code, out, err = papers("sql", two, "--format", "csv")
    assert (code, out, err.strip()) == (
        2,
        "",
        "There are 2 answers, and csv holds one: ask one by one.",
    )
    code, _, err = papers("sql", "select 1 as a, 2 as a", "--format", "json")
    assert (code, err) == (
        2,
        "JSON has one a in a row, and this query gives two: name one by `as`.\n",
    )
    for place, why in ((tmp_path, "Is a directory"), (tmp_path / "no" / "x", "No such file")):
        code, _, err = papers("sql", "select 1", "--output", str(place))
        assert (code, err.startswith(f"{place} cannot be written: {why}")) == (2, True)


def test_the_default_day_is_the_newest_closed_weekday() -> None:
    from flows.sources.feed_day import newest_closed

    monday_noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert newest_closed(monday_noon) == date(2026, 11, 20)
    assert newest_closed(datetime(2026, 11, 24, 2, 31, tzinfo=UTC)) == date(2026, 11, 23)


def test_an_unopened_day_ends_with_75(
    papers: Papers, prefect: None, clock: object, hub: SampleHub
) -> None:
    code, _, err = papers("run", "2026-08-28")
    assert code == 75
    assert "Not open. The Hub has not opened the list of Friday 28 August 2026 yet." in err


@pytest.mark.parametrize("library", ["_asyncio", "_pydantic_core"])
@pytest.mark.parametrize("words", [["--help"], ["sql", "select 1"]], ids=" ".join)
def test_ctrl_c_while_libraries_are_imported_is_told_in_one_word(
    own_home: Path, words: list[str], library: str
) -> None:
    began = subprocess.Popen(
        [sys.executable, "-m", "flows", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for_library(began.pid, library)
    os.kill(began.pid, signal.SIGINT)
    said, told = began.communicate(timeout=60)
    assert (began.returncode, said, told) == (130, "", "Interrupted.\n")


@pytest.mark.parametrize(
    "words",
    [
        "--help",
        "search model",
        "search model --format=json",
        "status",
        "status --format=json",
        "sql 'select * from range(100000)'",
    ],
)
def test_a_reader_who_goes_before_the_end_as_head_does_is_no_fault(
    complete_day: Outcome, words: str
) -> None:
    command = shlex.split(f"{sys.executable} -m flows {words}")
    began = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert began.stdout
    began.stdout.close()
    _, told = began.communicate(timeout=60)
    assert (began.returncode, told) == (0, "")


def test_what_is_asked_for_is_done_though_nobody_reads_of_it(tmp_path: Path) -> None:
    """A run, say, whose terminal has gone, makes its issue all the same."""
    work = """
        from flows.commands.console import console
        console.print("begun")
        open("done", "w").close()
        console.print("ended")
    """
    command = [sys.executable, "-c", textwrap.dedent(work)]
    began = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert began.stdout
    began.stdout.close()
    assert (began.wait(60), (tmp_path / "done").exists()) == (0, True)


def test_ctrl_c_that_is_ignored_stays_ignored(own_home: Path) -> None:
    ignoring = f"trap '' INT; exec {sys.executable} -m flows --version"
    began = subprocess.Popen(["sh", "-c", ignoring], stdout=subprocess.PIPE, text=True)
    wait_for_library(began.pid, "_pydantic_core")
    os.kill(began.pid, signal.SIGINT)
    said, _ = began.communicate(timeout=60)
    assert (began.returncode, said.count(".")) == (0, 2)
