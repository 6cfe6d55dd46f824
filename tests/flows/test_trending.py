"""The Hub's own trending order: kept as a reading of its own kind, and no list's reading."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.extract import Load, extract_trending
from flows.outcome import Outcome
from flows.publish import publish
from flows.settings import load_settings
from flows.sources.sample_hub import SampleHub
from flows.transform import transform
from flows.validate import validate
from tests.support.clock import Clock

DAY = date(2026, 8, 20)
CLOSED = datetime(2026, 8, 21, 2, 31, tzinfo=UTC)


def ask(path: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(query).fetchall()


@pytest.fixture
def read(prefect: None) -> Callable[[], Load]:
    from prefect import flow

    @flow
    def trending() -> Load:
        return extract_trending(load_settings())

    return trending


def test_what_the_hub_calls_trending_is_compared_and_is_no_list(
    complete_day: Outcome, read: Callable[[], Load], hub: SampleHub, own_home: Path
) -> None:
    warehouse, published = own_home / "warehouse.duckdb", own_home / "published" / "papers.duckdb"
    lists = {
        mart: ask(published, f"from marts.{mart} order by all")
        for mart in ("papers", "listings", "list_readings", "paper_readings", "daily_digests")
    }

    load = read()
    _as_a_flow(_publish)

    reading = load.reading
    assert (reading.verdict, reading.is_whole) == ("complete", False)
    assert (reading.list_date, reading.reading_id[:20]) == (CLOSED.date(), "2026-08-21.trending.")
    hub_order = [item["paper"]["id"] for item in hub._trending(hub.newest_open())][:100]
    compared = "select paper_id, hub_rank from marts.hub_trending_papers order by hub_rank"
    assert ask(published, compared) == [(id_, n) for n, id_ in enumerate(hub_order, 1)]
    ours = dict(ask(published, "select paper_id, trending_rank from marts.trending_papers"))
    assert set(ours) & set(hub_order)
    beside = "select trending_rank from marts.hub_trending_papers order by hub_rank"
    assert ask(published, beside) == [(ours.get(paper_id),) for paper_id in hub_order]
    for mart, rows in lists.items():
        assert ask(published, f"from marts.{mart} order by all") == rows
    assert _as_a_flow(lambda: validate("raw", load_settings())).reports == ()
    assert ask(warehouse, "select distinct kind from raw.readings order by 1") == [
        ("daily",),
        ("trending",),
    ]
    # once built, nothing is owed any more
    _as_a_flow(lambda: transform(load_settings()))
    assert ask(warehouse, "from staging.stale_list_dates") == []


def test_a_trending_reading_is_in_no_history_and_finishes_no_day(
    run: Callable[..., Outcome],
    read: Callable[[], Load],
    clock: Clock,
    own_home: Path,
) -> None:
    from flows.sources.hub import Answer
    from flows.sources.verdict import History
    from flows.warehouse.final_verdicts import undecided_days
    from flows.warehouse.known_lists import KnownLists, stored_lists

    today = datetime(2026, 8, 21, 12, 0, tzinfo=UTC)
    clock.turn(today)
    assert read().reading.item_count > 20

    settings = load_settings()
    for day in (today.date(), DAY):
        answer = Answer(day, today + timedelta(minutes=5))
        known = KnownLists(stored_lists(settings, [answer])).before(answer)
        assert known == History()
    assert undecided_days(settings, today.date(), today.date()) == [today.date()]
    outcome = run(today.date(), today + timedelta(minutes=5))
    assert outcome.verdict == "partial"
    published = own_home / "published" / "papers.duckdb"
    assert ask(published, "select count(*), min(kind) from marts.list_readings") == [(1, "daily")]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("object", "The Hub gave no trending list: its answer is not a list of papers."),
        ("empty", "The Hub's trending list is empty."),
        ("html", "The Hub gave no trending list: its answer is not JSON."),
    ],
)
def test_a_trending_reading_that_fails_is_kept_and_compared_with_nothing(
    read: Callable[[], Load], clock: object, hub: SampleHub, own_home: Path, fault: str, reason: str
) -> None:
    hub.fail(fault)

    reading = read().reading

    assert (reading.verdict, reading.reason) == ("failed", reason)
    _as_a_flow(lambda: validate("raw", load_settings()))
    _as_a_flow(lambda: transform(load_settings()))
    warehouse = own_home / "warehouse.duckdb"
    assert ask(warehouse, "from marts.hub_trending_papers") == []
    _as_a_flow(lambda: transform(load_settings()))
    assert ask(warehouse, "from staging.stale_list_dates") == []


@pytest.mark.parametrize("faults", [["one_null"], ["zero_votes"]])
def test_what_trends_is_judged_before_it_is_published(
    complete_day: Outcome,
    read: Callable[[], Load],
    hub: SampleHub,
    own_home: Path,
    faults: list[str],
) -> None:
    hub.fail(*faults)
    reading = read().reading
    assert reading.verdict == "complete"

    gating = _as_a_flow(lambda: validate("raw", load_settings()))
    _as_a_flow(_publish)

    # the clock stands still, so that both readings are of one load
    (report,) = [each for each in gating.reports if each.run_id == reading.reading_id]
    published = own_home / "published" / "papers.duckdb"
    ours = ask(published, "select reading_id, count(*) from marts.hub_trending_papers group by 1")
    kept = reading.item_count - len(report.quarantined)
    if faults == ["zero_votes"]:
        assert report.reason.startswith("The gate raw stopped it: none of the")
        assert ours == []
    else:
        assert (len(report.quarantined), ours) == (1, [(reading.reading_id, kept)])
    # nor does its word count as that on the day's list
    day = f"from quality.day_reports where list_date = '{DAY}'"
    assert ask(published, f"select failure_count, quarantined_count {day}") == [(0, 0)]


def _publish() -> None:
    validate("raw", load_settings())
    transform(load_settings())
    publish(load_settings())


def _as_a_flow(call: Callable[[], Any]) -> Any:
    from prefect import flow

    @flow(validate_parameters=False)
    def stages() -> Any:
        return call()

    return stages()
