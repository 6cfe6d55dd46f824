"""The whole path through Prefect, against a real Hub that fails on demand."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.outcome import Outcome
from flows.sources.sample_hub import SampleHub
from tests.support.clock import Clock
from tests.support.published_tables import published_tables
from tests.support.whole_runs import KeptHomes

DAY = date(2026, 8, 20)
CLOSED = datetime(2026, 8, 21, 2, 31, tzinfo=UTC)
Run = Callable[..., Outcome]


def ask(home: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / "published" / "papers.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_a_complete_day_goes_all_the_way(
    complete_day: Outcome, own_home: Path, hub: SampleHub
) -> None:
    size = len(hub.items(DAY))
    assert (complete_day.verdict, complete_day.exit_code) == ("complete", 0)
    assert complete_day.sentence.startswith(f"Complete. {size} of {size} papers;")
    issue = own_home / "issues" / "2026-08-20-daily"
    assert {file.name for file in issue.iterdir()} == {
        "digest.html", "digest.txt", "digest.eml", "issue.json", "quality.html",
    }  # fmt: skip
    assert f"{size} of {size} papers" in (issue / "digest.txt").read_text()
    assert (own_home / "quality" / "days" / "2026-08-20.html").exists()
    assert (own_home / "quality" / "index.html").exists()
    listed = ask(own_home, "select paper_id from marts.listings order by list_rank")
    assert [paper for (paper,) in listed] == [item["paper"]["id"] for item in hub.items(DAY)]
    parquet = own_home / "published" / "parquet" / "listings.parquet"
    assert duckdb.sql(f"select count(*) from '{parquet}'").fetchall() == [(size,)]
    schemas = ask(own_home, "select distinct table_schema from information_schema.tables")
    assert set(schemas) == {("main",), ("marts",), ("quality",), ("search",)}


def test_a_second_run_changes_no_table_but_the_readings(
    complete_day: Outcome, run: Run, hub: SampleHub, clock: Clock, own_home: Path
) -> None:
    before, issue = (
        published_tables(own_home),
        own_home / "issues" / "2026-08-20-daily" / "issue.json",
    )
    made = issue.stat().st_mtime_ns
    clock.turn(CLOSED + timedelta(seconds=30))
    hub.now = CLOSED  # the same list, read half a minute later
    again = run()
    assert "The issue exists already" in again.sentence
    assert again.exit_code == 0
    after = published_tables(own_home)
    # What the issue carried is known from the build after it was made.
    assert {t for t in after if after[t] != before[t]} == {
        "marts.list_readings", "marts.paper_readings", "marts.paper_momentum",
        "marts.issue_as_sent", "marts.issue_as_known_now",
        "quality.day_reports", "quality.gate_results",
    }  # fmt: skip
    assert issue.stat().st_mtime_ns == made
    assert ask(own_home, "select count(*) from marts.list_readings") == [(2,)]


@pytest.mark.parametrize(
    ("day", "at", "fault", "verdict", "exit_code", "sentence"),
    [
        (date(2026, 8, 15), CLOSED, None, "empty", 0, "no list on Saturdays"),
        (date(2026, 8, 25), CLOSED, None, "not_open", 75, "has not opened the list"),
        (DAY, CLOSED - timedelta(hours=12), None, "partial", 75, "the list grows until 01:30 UTC"),
        (DAY, CLOSED, "empty", "partial", 75, "a second reading an hour or more later must agree"),
        (DAY, CLOSED, "moving", "partial", 75, "the list moved while it was read"),
        (DAY, CLOSED, "503", "failed", 1, "it answered 503"),
        (DAY, CLOSED, "hang", "failed", 1, "it did not answer in time"),
        (DAY, CLOSED, "html", "failed", 1, "its answer is not JSON"),
    ],
)
def test_every_kind_of_day_ends_in_its_verdict_with_its_sentence(
    run: Run,
    hub: SampleHub,
    own_home: Path,
    day: date,
    at: datetime,
    fault: str | None,
    verdict: str,
    exit_code: int,
    sentence: str,
) -> None:
    hub._sizes[DAY] = 120
    hub.fail(*[fault] if fault else [])
    outcome = run(day, at)
    assert (outcome.verdict, outcome.exit_code) == (verdict, exit_code)
    assert sentence in outcome.sentence
    assert not (own_home / "issues").exists()
    assert (own_home / "published").exists() == (verdict in {"empty", "partial"})
    page = own_home / "quality" / "days" / f"{day}.html"
    assert verdict.replace("_", " ").capitalize() in page.read_text()


BROKEN_LOADS = [
    ("truncated", "partial", "an earlier reading had 120"),
    ("ignores_date", "failed", "it seems to ignore the date"),
    ("doubled_ids", "failed", "repeats an earlier item"),
    ("nulls", "failed", "paper.title"),
    ("retyped_votes", "failed", "paper.upvotes"),
    ("html", "failed", "its answer is not JSON"),
    ("half_json", "failed", "its answer is not JSON"),
    ("lost_zeros", "failed", "lost their zeros"),
    ("zero_votes", "failed", "votes"),
    ("fewer_rows", "partial", "an earlier reading had 120"),
]


@pytest.fixture
def good_day(run: Run, hub: SampleHub, own_home: Path, kept_homes: KeptHomes) -> None:
    """A day of 120 papers that is published."""
    hub._size = 120
    assert kept_homes.fill(own_home, "day of 120 papers", run).verdict == "complete"


@pytest.mark.parametrize(("fault", "verdict", "named"), BROKEN_LOADS)
def test_a_broken_load_is_named_and_leaves_the_publication_as_it_was(
    good_day: None,
    run: Run,
    hub: SampleHub,
    own_home: Path,
    fault: str,
    verdict: str,
    named: str,
) -> None:
    published = own_home / "published" / "papers.duckdb"
    before = published.read_bytes()
    hub.fail(fault)
    outcome = run(at=datetime(2026, 8, 26, 1, tzinfo=UTC))
    assert outcome.verdict == verdict
    assert named in " ".join((outcome.sentence, *outcome.details))
    assert published.read_bytes() == before


def test_one_bad_item_is_quarantined_and_the_others_go_on(
    run: Run, hub: SampleHub, own_home: Path
) -> None:
    hub.fail("one_without_upvotes")
    outcome = run()
    size = len(hub.items(DAY))
    assert outcome.verdict == "complete"
    assert f"{size - 1} of {size} papers" in outcome.sentence
    (kept_back,) = ask(own_home, "select reason from quality.quarantined_items")
    assert "paper.upvotes is missing" in kept_back[0]
    assert ask(own_home, "select count(*) from marts.listings") == [(size - 1,)]


def test_a_new_field_is_a_warning_that_travels_with_the_issue(
    run: Run, hub: SampleHub, own_home: Path
) -> None:
    hub.fail("new_fields")
    assert run().verdict == "complete"
    issue = json.loads((own_home / "issues" / "2026-08-20-daily" / "issue.json").read_text())
    assert any("never seen before" in warning for warning in issue["proof"]["warnings"])


def test_a_hostile_title_stays_text(run: Run, hub: SampleHub, own_home: Path) -> None:
    hub.fail("hostile_title", "javascript_link")
    assert run().verdict == "complete"
    digest = (own_home / "issues" / "2026-08-20-daily" / "digest.html").read_text()
    assert "<script" not in digest
    assert "javascript:" not in digest


def test_a_growing_day_is_published_and_mailed_only_when_it_is_closed(
    run: Run, own_home: Path, hub: SampleHub
) -> None:
    assert run(at=CLOSED - timedelta(hours=14)).verdict == "partial"
    (early,) = ask(own_home, "select verdict, paper_count from marts.daily_digests")
    assert early[0] == "partial"
    assert run(at=CLOSED).verdict == "complete"
    (late,) = ask(own_home, "select verdict, paper_count from marts.daily_digests")
    assert late == ("complete", len(hub.items(DAY)))
    assert 0 < early[1] < late[1]


def test_an_empty_weekday_is_believed_when_a_second_reading_agrees(
    run: Run, hub: SampleHub, own_home: Path
) -> None:
    hub.fail("empty")
    assert run().exit_code == 75
    agreed = run(at=CLOSED + timedelta(hours=1))
    assert (agreed.verdict, agreed.exit_code) == ("empty", 0)
    assert "holiday" in agreed.sentence
    assert not (own_home / "issues").exists()


def test_a_killed_run_leaves_nothing_that_a_later_run_publishes_unasked(
    run: Run, own_home: Path, hub: SampleHub
) -> None:
    """A reading that was loaded but never gated is asked about before anything is published."""
    from flows.extract import reading_pipeline
    from flows.settings import load_settings
    from flows.sources.hub import Hub
    from flows.sources.pipeline import Reading
    from flows.sources.verdict import History, judge

    settings = load_settings()
    hub.fail("zero_votes,date=2026-08-19")
    yesterday = Hub(hub.url).read(date(2026, 8, 19), lambda: CLOSED - timedelta(hours=1))
    reading = Reading(yesterday, judge(yesterday, History()), "hub", "killed")
    reading_pipeline(settings).load([reading])
    assert run().verdict == "complete"
    assert ask(own_home, "select distinct list_date from marts.listings") == [(DAY,)]
    (verdict,) = ask(
        own_home, "select verdict from marts.daily_digests where digest_date = '2026-08-19'"
    )
    assert verdict == ("failed",)
