"""Where each day stands, also while a run holds the warehouse, and what is wrong."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.console import Console

from flows.mail_setup import open_mailing
from flows.operations.days import Day, record_days, record_mail
from flows.operations.status import overview, show
from flows.outcome import Outcome
from flows.settings import load_settings
from flows.sources.sample_hub import SampleHub
from flows.warehouse.database import DamagedError, WarehouseBusyError, looking, writer_lock
from tests.support.clock import CLOSED, DAY, Clock
from tests.support.console import Papers

Run = Callable[..., Outcome]
HOLDER = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"


@contextmanager
def held(warehouse: Path) -> Iterator[None]:
    """Another process has the warehouse open for writing."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(warehouse)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == "held\n"
        yield
        process.stdin.write("\n")


def shown(**options: bool) -> str:
    console = Console(file=StringIO(), soft_wrap=True, highlight=False)
    show(overview(load_settings()), "table", console, **options)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_a_day_is_shown_while_a_run_holds_the_warehouse(
    complete_day: Outcome, run: Run, hub: SampleHub, own_home: Path
) -> None:
    before = overview(load_settings())
    hub.fail("503")
    tomorrow = run(DAY + timedelta(days=1), CLOSED + timedelta(days=1))
    with held(own_home / "warehouse.duckdb"):
        busy = overview(load_settings())
    note = "A run is at work in the warehouse. The counts are those last published."
    assert busy.notes == (note,)
    assert [day.sentence for day in busy.days] == [tomorrow.sentence, complete_day.sentence]
    assert busy.days[1].paper_count == before.days[0].paper_count == len(hub.items(DAY))
    assert busy.days[1].checks == before.days[0].checks
    assert busy.days[0].verdict == "failed", "no failed reading was published, and yet it is known"

    text = shown(with_readings=True)
    assert "read 2026-08-21 02:31 UTC" in text
    assert "has failed: The Hub gave no list" in text
    assert "`papers run 2026-08-21`" in text


def test_what_an_older_version_built_is_told_as_that_until_the_next_run(
    complete_day: Outcome, own_home: Path, papers: Papers
) -> None:
    for path, relation in (
        ("warehouse.duckdb", "view quality.day_reports"),
        ("published/papers.duckdb", "table quality.day_reports"),
    ):
        with duckdb.connect(str(own_home / path)) as database:
            database.execute(f"drop {relation}; create {relation} as select today() as list_date")
    with duckdb.connect(str(own_home / "warehouse.duckdb")) as warehouse:
        warehouse.execute("drop view audit.judged_readings")
    older = "The warehouse lacks tables of this version; the next `papers run` makes them."
    seen = overview(load_settings())
    assert seen.notes == (older,)
    assert [day.sentence for day in seen.days] == [complete_day.sentence]
    assert papers("readings", "list")[::2] == (1, f"{older}\n")


def test_a_warehouse_that_cannot_be_read_is_told_and_what_was_published_is_shown(
    complete_day: Outcome, own_home: Path, papers: Papers
) -> None:
    warehouse = own_home / "warehouse.duckdb"
    with warehouse.open("r+b") as file:
        file.truncate(warehouse.stat().st_size // 2)
    seen = overview(load_settings())
    assert isinstance(seen.trouble, DamagedError)
    assert [day.sentence for day in seen.days] == [complete_day.sentence]
    (note,) = seen.notes
    assert note.startswith(f"{warehouse} cannot be read; restore it from the backup")
    assert note.endswith("The counts are those last published.")
    assert papers("status")[0] == 1
    assert papers("readings", "list")[2].startswith(f"{warehouse} cannot be read; restore it")


def test_a_day_that_was_read_again_since_keeps_what_its_run_said(
    complete_day: Outcome, run: Run, hub: SampleHub
) -> None:
    hub.fail("503")
    run(at=CLOSED + timedelta(hours=5))
    (day,) = overview(load_settings()).days
    assert (day.verdict, day.sentence) == ("complete", complete_day.sentence)
    assert len(day.readings) == 2


@pytest.mark.parametrize(
    ("fault", "verdict", "came_to"),
    [("503", "failed", "it answered 503"), ("fewer_rows", "partial", "an earlier reading had")],
)
def test_a_day_that_is_not_final_says_what_stands_and_what_its_last_run_came_to(
    run: Run, hub: SampleHub, fault: str, verdict: str, came_to: str
) -> None:
    growing = run(at=CLOSED - timedelta(hours=6))
    assert "by 20:31 UTC on Thursday; the list grows until 01:30 UTC" in growing.sentence
    hub.fail(fault)
    last = run(at=CLOSED)
    assert last.verdict == verdict
    assert came_to in last.sentence
    (day,) = overview(load_settings()).days
    stands = f"{growing.sentence} The last run: {last.sentence}"
    assert (day.verdict, day.sentence) == ("partial", stands)
    assert ("  no list  " in shown(with_readings=True)) == (fault == "503")


def test_a_day_that_was_read_too_late_says_why_nobody_was_mailed(
    run: Run, hub: SampleHub, clock: Clock, papers: Papers
) -> None:
    from flows.backfill import backfill

    run(DAY - timedelta(days=2), at=CLOSED - timedelta(days=2))
    clock.turn(CLOSED + timedelta(days=3))
    backfill(DAY - timedelta(days=3), DAY, return_state=True)
    day, _, _, before = overview(load_settings()).days
    assert "No issue" not in before.sentence, "nobody waited for an issue before the first"
    assert day.sentence.startswith("Complete. All ")
    assert day.sentence.endswith(" No issue: the list was read too late to be mailed.")
    assert papers("issue", "explain", "ada@example.org", str(DAY))[1].endswith(
        "Not sent: this address is not on the list.\n"
    )
    papers("subscribers", "add", "ada@example.org")
    assert papers("issue", "explain", "ada@example.org", str(DAY))[1].endswith(
        f"there is no daily issue of {DAY}: the list was read too late to be mailed.\n"
    )


def test_a_ledger_that_cannot_be_read_is_not_told_as_no_mail(
    complete_day: Outcome, own_home: Path, papers: Papers
) -> None:
    (own_home / "mailing.sqlite").write_bytes(b"nonsense " * 1000)
    (day,) = overview(load_settings()).days
    assert day.mailed == "not known"
    code, out, err = papers("status", "--format", "json")
    assert (code, json.loads(out)[0]["mail"]) == (0, None)
    assert err.startswith("What became of the mail is not known: The mailing list ")


def test_a_lake_that_does_not_answer_is_not_told_as_one_without_readings(
    own_home: Path, papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.warehouse.database.PATIENCE_SECONDS", 0.1)
    monkeypatch.setenv("PAPERS_WAREHOUSE", "ducklake:postgres:dbname=x host=127.0.0.1 port=9")
    monkeypatch.setenv("PAPERS_LAKE_STORAGE", str(own_home / "lake"))
    code, out, err = papers("status")
    assert (code, out) == (75, "")
    assert err.startswith("The lake's catalog does not answer (Connection refused); ")
    _, out, _ = papers("doctor")
    assert "problem  warehouse" in out
    assert "Nothing was read yet" not in out
    assert "published" in out, "the checks after it are made all the same"


def test_what_the_operator_resumed_is_in_the_days_sentence(own_home: Path) -> None:
    with closing(open_mailing(load_settings())) as mailing:
        record_days(
            mailing, [Day(DAY, "complete", "Complete. Paused.", CLOSED, is_mail_blocked=True)]
        )
        record_mail(mailing, DAY, "Sent to 2, 1 deferred.", is_blocked=False)
        record_mail(mailing, DAY, "Sent to 3.", is_blocked=False)
    (day,) = overview(load_settings(), DAY).days
    assert day.sentence == "Complete. Paused. Since then: Sent to 3."


def test_a_script_reads_the_same_as_json(own_home: Path) -> None:
    with closing(open_mailing(load_settings())) as mailing:
        record_days(mailing, [Day(DAY, "failed", "Failed. No list.", CLOSED)])
    console = Console(file=StringIO())
    show(overview(load_settings()), "json", console)
    assert isinstance(console.file, StringIO)
    (day,) = json.loads(console.file.getvalue())
    assert (day["verdict"], day["sentence"]) == ("failed", "Failed. No list.")
    assert (day["mail"], day["reading_count"]) == ({}, 0)


SHELL = """
import duckdb, sys, time
connection = duckdb.connect(sys.argv[1], read_only=True)
print("held", flush=True)
time.sleep(2)
"""
LOOK = """
import sys
from itertools import cycle
from flows.commands.cli import main
print("looks", flush=True)
for words in cycle(["status", "check", "sql select", "doctor"]):
    try:
        main(words.split())
    except SystemExit as end:
        assert end.code in (0, 1, 2), (words, end.code)
"""


@pytest.mark.torture
def test_runs_beside_those_who_look_end_as_they_would_alone(
    complete_day: Outcome, run: Run, own_home: Path
) -> None:
    with (
        (own_home / "seen.txt").open("w") as seen,
        subprocess.Popen(
            [sys.executable, "-c", LOOK], stdout=subprocess.PIPE, stderr=seen, text=True
        ) as look,
    ):
        assert look.stdout
        assert look.stdout.readline() == "looks\n"
        threading.Thread(target=look.stdout.read, daemon=True).start()
        outcomes = [run() for _ in range(2)]
        still_looks = look.poll() is None
        look.kill()
    assert still_looks, (own_home / "seen.txt").read_text()
    assert [outcome.verdict for outcome in outcomes] == ["complete"] * 2


@pytest.mark.torture
def test_who_looks_keeps_a_run_from_beginning_and_a_run_keeps_who_looks_out(
    complete_day: Outcome, own_home: Path
) -> None:
    settings = load_settings()
    with looking(settings), pytest.raises(WarehouseBusyError), writer_lock(settings, patience=0.1):
        pass
    with writer_lock(settings), pytest.raises(WarehouseBusyError), looking(settings):
        pass


@pytest.mark.torture
@pytest.mark.parametrize("at", ["the load", "the build"])
def test_a_run_waits_for_a_program_that_opens_the_warehouse_under_it(
    at: str, complete_day: Outcome, run: Run, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A DuckDB shell on the writer's file, opened between two of our own connections."""
    from flows import transform
    from flows.sources import pipeline

    holds = [sys.executable, "-c", SHELL, str(own_home / "warehouse.duckdb")]
    held_by: list[subprocess.Popen[str]] = []

    def hold() -> None:
        process = subprocess.Popen(holds, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        held_by.append(process)

    load, build = pipeline.ReadingPipeline.load, transform._invoke

    def held_load(*arguments: Any) -> None:
        hold()
        load(*arguments)

    def held_build(*arguments: Any) -> Any:
        hold()
        return build(*arguments)

    if at == "the load":
        monkeypatch.setattr(pipeline.ReadingPipeline, "load", held_load)
    else:
        monkeypatch.setattr(transform, "_invoke", held_build)
    outcome = run(at=CLOSED + timedelta(minutes=30))
    assert outcome.verdict == "complete", outcome.sentence
    assert held_by
    for process in held_by:
        process.communicate()
