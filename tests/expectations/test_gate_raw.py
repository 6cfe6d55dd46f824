"""Gate raw: a good load passes, and each expectation has a load that fails it, by name."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from expectations import frames
from flows.gates.judging import GateReport
from flows.sources.hub import Answer
from flows.sources.hub_item import read_item
from flows.sources.verdict import EarlierReading
from flows.warehouse.known_lists import KnownLists
from tests.expectations.conftest import DAY, EXTRAS, NOW, Warehouse

ITEM_FAULTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "contract": (
        {"contract_error": "item 4 (2608.13003): paper.upvotes is missing", "upvotes_count": None},
        "expect_column_values_to_be_null(contract_error)",
        "paper.upvotes is missing",
    ),
    "no id": (
        {"paper_id": None},
        "expect_column_values_to_not_be_null(paper_id)",
        "position 3 has no paper id",
    ),
    "no arXiv id": (
        {"paper_id": "cs/0412123"},
        "expect_column_values_to_match_regex(paper_id)",
        "'cs/0412123' does not look like an arXiv id",
    ),
    "wrong width": (
        {"paper_id": "1402.01190"},
        "expect_column_values_to_match_regex_list(paper_id)",
        "'1402.01190' is not as wide",
    ),
    "no such month": (
        {"paper_id": "2613.01190"},
        "expect_column_values_to_match_regex_list(paper_id)",
        "2613.01190",
    ),
    "no title": (
        {"title": None},
        "expect_column_values_to_be_null(missing_fields)",
        "2608.13003 has no title",
    ),
    "no votes": (
        {"upvotes_count": None, "comments_count": None},
        "expect_column_values_to_be_null(missing_fields)",
        "2608.13003 has no upvotes, comments",
    ),
    "no date": (
        {"published_at": None},
        "expect_column_values_to_be_null(missing_fields)",
        "2608.13003 has no publication date",
    ),
    "long title": (
        {"title": "x" * 619},
        "expect_column_value_lengths_to_be_between(title)",
        "the title of 2608.13003 is far too long",
    ),
    "blank title": (
        {"title": " \n "},
        "expect_column_values_to_match_regex(title)",
        "the title of 2608.13003 is blank",
    ),
    "invisible title": (
        {"title": "\u200b\u3164\u2800\ufeff\u0301"},
        "expect_column_values_to_match_regex(title)",
        "the title of 2608.13003 is blank",
    ),
    "negative votes": (
        {"upvotes_count": -1},
        "expect_column_values_to_be_between(upvotes_count)",
        "2608.13003 has -1 upvotes",
    ),
    "negative comments": (
        {"comments_count": -2},
        "expect_column_values_to_be_between(comments_count)",
        "2608.13003 has -2 comments",
    ),
    "time stamp in a wrong unit": (
        {"published_at": datetime(1970, 1, 20, tzinfo=UTC)},
        "expect_column_values_to_be_between(published_year)",
        "published in 1970",
    ),
    "published after it was read": (
        {"published_at": NOW + timedelta(days=30)},
        "expect_column_values_to_be_between(published_days_after_reading)",
        "published 30 days after it was read",
    ),
    "another day's item": (
        {"listed_on": date(2026, 8, 12)},
        "expect_column_pair_values_to_be_equal(listed_on, list_date)",
        "of the list of 2026-08-12, not of 2026-08-13",
    ),
    "repeated": (
        {"paper_id": "2608.13001"},
        "expect_column_values_to_be_in_set(repeat_number)",
        "2608.13001 at position 3 repeats an earlier item",
    ),
}


def failed(report: GateReport) -> list[str]:
    """The names of the checks that failed, in order."""
    return [f"{c.expectation}({c.column_name})" for c in report.checks if not c.is_success]


def test_a_good_reading_passes_every_check(warehouse: Warehouse) -> None:
    reading_id = warehouse.add_reading()
    [report] = warehouse.gate_raw()
    assert (report.run_id, report.list_date, report.is_passed) == (reading_id, DAY, True)
    assert failed(report) == []
    assert report.reason == f"{len(report.checks)} checks passed."


@pytest.fixture(scope="module")
def faulty() -> Iterator[tuple[Warehouse, dict[str, GateReport]]]:
    """One load with a reading for each fault of an item, judged at once, by the fault's name."""
    warehouse = Warehouse()
    names = {
        warehouse.add_reading(hour=26, minute=minute, bad={3: fault}): name
        for minute, (name, (fault, _, _)) in enumerate(ITEM_FAULTS.items())
    }
    yield warehouse, {names[report.run_id]: report for report in warehouse.gate_raw()}
    warehouse.connection.close()


@pytest.mark.parametrize("name", ITEM_FAULTS)
def test_a_bad_item_is_quarantined_by_name_and_the_others_go_on(
    faulty: tuple[Warehouse, dict[str, GateReport]], name: str
) -> None:
    (warehouse, reports), (fault, check, reason) = faulty, ITEM_FAULTS[name]
    report = reports[name]
    assert report.is_passed
    assert check in failed(report)
    assert {warning.severity for warning in report.warnings} == {"warning"}
    [item] = report.quarantined
    assert (item.position, item.expectation) == (3, check.partition("(")[0])
    assert reason in item.reason
    [row] = warehouse.rows(f"""
        select position, paper_id, reason, expectation, item::json->'paper'->>'id'
        from audit.quarantined_items
        where reading_id = '{report.run_id}'
    """)
    paper_id = fault.get("paper_id", "2608.13003")
    assert row == (3, paper_id, item.reason, item.expectation, "2608.13003")


def test_an_item_published_long_after_its_day_is_quarantined(warehouse: Warehouse) -> None:
    late = {"published_at": datetime(2026, 8, 16, tzinfo=UTC)}
    warehouse.add_reading(hour=24 * 9, bad={3: late})
    [report] = warehouse.gate_raw()
    check = "expect_column_values_to_be_between(published_days_after_listing)"
    assert failed(report) == [check]
    assert report.quarantined[0].reason == (
        "2608.13003 was published 3 days after the day that lists it"
    )


def test_of_two_copies_the_one_that_kept_the_contract_stays(warehouse: Warehouse) -> None:
    broken = {"paper_id": "2608.13007", "contract_error": "item 2: paper.title is missing"}
    warehouse.add_reading(bad={1: broken})
    [report] = warehouse.gate_raw()
    assert [item.position for item in report.quarantined] == [1]


def test_a_paper_without_authors_is_only_a_warning(warehouse: Warehouse) -> None:
    warehouse.add_reading(bad={3: {"item": '{"paper": {"authors": []}}'}})
    [report] = warehouse.gate_raw()
    assert report.is_passed
    assert report.quarantined == ()
    assert [w.sentence for w in report.warnings] == ["1 of 20 items: 2608.13003 has no authors"]


def test_one_bad_item_never_stops_a_load_and_more_than_5_percent_do(warehouse: Warehouse) -> None:
    passes = {(16, 1): True, (16, 2): False, (50, 2): True, (50, 3): False, (2, 1): True}
    passes |= {(1, 1): False}  # nothing would be left
    for minute, (size, bad) in enumerate(passes):
        bad_items = {place: {"title": None} for place in range(bad)}
        warehouse.add_reading(size=size, minute=minute, bad=bad_items)
    for report, ((size, bad), is_passed) in zip(warehouse.gate_raw(), passes.items(), strict=True):
        assert (size, bad, report.is_passed) == (size, bad, is_passed)
        assert len(report.quarantined) == bad
        for failure in report.failures:
            assert failure.column_name == "quarantine_limit, quarantined_count"
            assert failure.sentence.startswith(f"{bad} of {size} items are bad")
            assert "2608.13000 has no title" in failure.sentence


def test_items_lost_on_the_way_stop_the_load(warehouse: Warehouse) -> None:
    warehouse.add_reading(item_count=50)
    [report] = warehouse.gate_raw()
    assert failed(report) == [
        "expect_table_row_count_to_equal()",
        "expect_column_pair_values_to_be_equal(row_count, item_count)",
    ]
    assert not report.is_passed
    assert report.reason == ("The gate raw stopped it: 20 items arrived where the Hub gave 50.")


def test_a_reading_that_stands_twice_stops_the_load(warehouse: Warehouse) -> None:
    warehouse.add_reading()
    warehouse.connection.execute("insert into raw.readings from raw.readings")
    [report] = warehouse.gate_raw()
    assert ("raw_readings", "2 rows stand for this reading where 1 should") in {
        (failure.suite, failure.sentence) for failure in report.failures
    }


def test_a_server_that_ignores_the_date_is_caught_by_name(warehouse: Warehouse) -> None:
    warehouse.add_reading(every={"listed_on": date(2026, 8, 14)})
    [report] = warehouse.gate_raw()
    first = report.failures[0]
    assert first.column_name == "answered_date, list_date"
    assert first.sentence == (
        "the Hub answered with the list of 2026-08-14 when asked for 2026-08-13: "
        "it seems to ignore the date"
    )
    assert json.loads(first.examples) == ["2026-08-14, 2026-08-13"]


def test_items_that_say_no_list_date_are_not_held_against_it(warehouse: Warehouse) -> None:
    warehouse.add_reading(every={"listed_on": None})
    [report] = warehouse.gate_raw()
    assert failed(report) == []


def test_a_list_of_ten_without_a_single_vote_stops(warehouse: Warehouse) -> None:
    for size in (10, 9):
        warehouse.add_reading(size=size, minute=size, every={"upvotes_count": 0})
    nine, ten = warehouse.gate_raw()
    assert nine.is_passed
    assert [failure.column_name for failure in ten.failures] == ["most_upvotes"]
    assert ten.failures[0].sentence == "none of the 10 papers has a single upvote"


def thursdays_before(warehouse: Warehouse, count: int, size: int, **changes: Any) -> None:
    for weeks in range(1, count + 1):
        warehouse.add_reading(DAY - timedelta(weeks=weeks), size, load_id="before", **changes)


def test_half_or_two_and_a_half_times_the_usual_papers_are_a_warning(warehouse: Warehouse) -> None:
    thursdays_before(warehouse, 3, 20)
    warehouse.admit()
    for size in (9, 10, 50, 51):
        warehouse.add_reading(size=size, minute=size)
    reports = warehouse.gate_raw()
    assert all(report.is_passed for report in reports)
    assert [[w.sentence for w in report.warnings] for report in reports] == [
        ["9 papers, where the same weekday usually has 20"],
        [],
        [],
        ["51 papers, where the same weekday usually has 20"],
    ]


@pytest.mark.parametrize("counts", [[9, 20, 30], [9, 0, 20, 30], [9, 20, *[0] * 10, 30], [9, 20]])
def test_what_is_usual_is_the_same_for_the_gate_and_for_the_verdict(
    warehouse: Warehouse, counts: list[int]
) -> None:
    known = KnownLists(())
    for weeks, count in enumerate(counts, 1):
        day = DAY - timedelta(weeks=weeks)
        warehouse.add_reading(day, count, load_id="before")
        known.add(day, EarlierReading(datetime(2026, 8, 13, 3, tzinfo=UTC), count, is_whole=True))
    warehouse.admit()
    warehouse.add_reading(size=2)
    [report] = warehouse.gate_raw()
    usual = known.before(Answer(DAY, datetime(2026, 8, 14, 3, tzinfo=UTC))).usual_count
    expected = (
        [] if usual is None else [f"2 papers, where the same weekday usually has {usual:.0f}"]
    )
    assert [warning.sentence for warning in report.warnings] == expected


def test_two_same_weekdays_are_no_history_yet(warehouse: Warehouse) -> None:
    thursdays_before(warehouse, 2, 20)
    warehouse.admit()
    warehouse.add_reading(size=5)
    [report] = warehouse.gate_raw()
    assert report.warnings == ()


def test_a_growing_list_is_not_compared_with_whole_ones(warehouse: Warehouse) -> None:
    thursdays_before(warehouse, 3, 20)
    warehouse.admit()
    warehouse.add_reading(size=5, verdict="partial")
    [report] = warehouse.gate_raw()
    assert report.warnings == ()


def test_readings_that_a_gate_stopped_are_no_history(warehouse: Warehouse) -> None:
    thursdays_before(warehouse, 3, 20)
    warehouse.admit()
    warehouse.connection.execute("update audit.gates set is_passed = false")
    warehouse.add_reading(size=5)
    [report] = warehouse.gate_raw()
    assert report.warnings == ()


def test_a_field_that_vanishes_is_a_warning(warehouse: Warehouse) -> None:
    for days in range(1, 6):
        warehouse.add_reading(DAY - timedelta(days=days), load_id="before")
    warehouse.admit()
    columns = ("ai_summary", "ai_keywords", "organization", "github_repo", "submitter")
    for minute, field in enumerate(EXTRAS):
        extras = {key: value for key, value in EXTRAS.items() if key != field}
        warehouse.add_reading(minute=minute, extras=extras)
    for report, column in zip(warehouse.gate_raw(), columns, strict=True):
        [warning] = report.warnings
        assert warning.column_name == f"{column}_ratio"
        assert warning.sentence == (f"only 0 of 20 items have `{column}`, where 20 usually would")


def test_items_that_stop_saying_their_list_date_are_a_warning(warehouse: Warehouse) -> None:
    for days in range(1, 6):
        warehouse.add_reading(DAY - timedelta(days=days), load_id="before")
    warehouse.admit()
    warehouse.add_reading(every={"listed_on": None})
    [report] = warehouse.gate_raw()
    assert report.is_passed
    assert [warning.column_name for warning in report.warnings] == ["list_date_ratio"]


def test_new_fields_are_a_warning_that_names_them(warehouse: Warehouse) -> None:
    warehouse.add_reading(new_fields='["paper.linkedModels", "paper.doi"]')
    [report] = warehouse.gate_raw()
    [warning] = report.warnings
    assert warning.sentence == "fields never seen before: paper.linkedModels, paper.doi"


def test_an_empty_day_passes_and_a_weekday_warns(warehouse: Warehouse) -> None:
    for day in (DAY, date(2026, 8, 15)):
        warehouse.add_reading(day, size=0)
    thursday, saturday = warehouse.gate_raw()
    assert thursday.is_passed
    assert [warning.column_name for warning in thursday.warnings] == ["weekday_item_count"]
    assert (saturday.is_passed, saturday.warnings) == (True, ())


def test_an_empty_day_alone_passes(warehouse: Warehouse) -> None:
    warehouse.add_reading(date(2026, 8, 15), size=0)
    [report] = warehouse.gate_raw()
    assert failed(report) == []


def test_in_a_bulk_load_each_reading_answers_for_itself(warehouse: Warehouse) -> None:
    warehouse.add_reading(date(2026, 8, 10))
    lost = warehouse.add_reading(date(2026, 8, 11), item_count=50)
    warehouse.add_reading(date(2026, 8, 12), bad={7: {"title": None}})
    zero = warehouse.add_reading(date(2026, 8, 13), every={"upvotes_count": 0})
    warehouse.add_reading(date(2026, 8, 15), size=0)
    reports = warehouse.gate_raw()
    assert [r.list_date.day for r in reports] == [10, 11, 12, 13, 15]
    assert [r.run_id for r in reports if not r.is_passed] == [lost, zero]
    assert [(q.position, r.list_date.day) for r in reports for q in r.quarantined] == [(7, 12)]
    assert failed(reports[0]) == failed(reports[4]) == []
    assert "1 of 20 items: 2608.12007 has no title" in {w.sentence for w in reports[2].warnings}
    stored = "select list_date, is_passed, warning_count from audit.gates order by list_date"
    assert [(day.day, passed, count) for day, passed, count in warehouse.rows(stored)] == [
        (10, True, 0), (11, False, 0), (12, True, 1), (13, False, 0), (15, True, 0)
    ]  # fmt: skip


def test_readings_that_are_not_whole_need_no_gate(warehouse: Warehouse) -> None:
    warehouse.add_reading(verdict="failed", is_whole=False, size=0)
    assert warehouse.gate_raw() == []
    assert warehouse.rows("from audit.gates") == []


def test_a_load_that_brought_nothing_cannot_pass(warehouse: Warehouse) -> None:
    with pytest.raises(LookupError, match="no reading of load elsewhere"):
        warehouse.gate_raw("elsewhere")


def test_asking_again_replaces_what_was_said(warehouse: Warehouse) -> None:
    warehouse.add_reading(bad={3: {"title": None}})
    counts = "select count(*) from audit.{}"
    tables = ("gate_results", "gates", "quarantined_items")
    [first] = warehouse.gate_raw()
    assert [warehouse.rows(counts.format(t))[0][0] for t in tables] == [len(first.checks), 1, 1]
    warehouse.connection.execute("update raw.items set title = 'Found' where title is null")
    [second] = warehouse.gate_raw()
    assert failed(second) == []
    assert [warehouse.rows(counts.format(t))[0][0] for t in tables] == [len(first.checks), 1, 0]


def test_one_id_that_lost_its_zeros_stops_the_load(warehouse: Warehouse) -> None:
    warehouse.add_reading(bad={3: {"paper_id": "2608.0119"}})
    [report] = warehouse.gate_raw()
    [failure] = report.failures
    assert failure.column_name == "short_ids"
    assert failure.sentence == "ids were read as numbers and lost their zeros: 2608.0119"


@pytest.mark.parametrize("paper_id", ["../../etc/passwd", "v.1", "a.b"])
def test_one_id_that_is_none_is_set_aside_and_is_no_number_that_lost_its_zeros(
    warehouse: Warehouse, paper_id: str
) -> None:
    warehouse.add_reading(bad={3: {"paper_id": paper_id}})
    [report] = warehouse.gate_raw()
    assert not report.failures
    assert warehouse.rows("select count(*) from audit.quarantined_items") == [(1,)]


def test_each_check_has_its_own_row_with_everything_about_it(warehouse: Warehouse) -> None:
    reading_id = warehouse.add_reading(bad={3: {"paper_id": "1402.01190"}})
    [report] = warehouse.gate_raw()
    [row] = warehouse.rows("from audit.gate_results where not is_success")
    assert row == (
        reading_id, "raw", DAY, "raw_items", "expect_column_values_to_match_regex_list", "paper_id",
        "warning", False, "1 of 20", 1, '["1402.01190"]',
        "1 of 20 items: '1402.01190' is not as wide as ids of its year: a lost zero?", NOW,
    )  # fmt: skip
    keys = "select distinct run_id, gate, suite, expectation, column_name from audit.gate_results"
    assert len(warehouse.rows(keys)) == len(report.checks)


def test_when_the_record_cannot_be_written_nothing_of_it_is(warehouse: Warehouse) -> None:
    warehouse.add_reading(bad={3: {"title": None}})
    warehouse.connection.execute("drop table audit.quarantined_items")
    warehouse.connection.execute("create table audit.quarantined_items (unexpected text)")
    with pytest.raises(Exception, match="quarantined_items"):
        warehouse.gate_raw()
    assert warehouse.rows("from audit.gates") == []
    assert warehouse.rows("from audit.gate_results") == []


@pytest.mark.parametrize("column", ["most_upvotes", "volume_ratio"])
def test_a_missing_column_stops_the_load_whatever_its_severity(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    raw_frames = frames.raw_frames

    def without_column(*args: Any) -> Any:
        items, readings = raw_frames(*args)
        return items, readings.drop(columns=column)

    monkeypatch.setattr(frames, "raw_frames", without_column)
    warehouse.add_reading()
    [report] = warehouse.gate_raw()
    [failure] = report.failures
    assert (failure.column_name, failure.severity) == (column, "critical")
    assert failure.sentence.startswith("could not check that")
    assert column in failure.sentence


def test_no_recorded_day_is_stopped(warehouse: Warehouse, corpus: Path) -> None:
    for path in sorted(corpus.glob("*/*.json.gz")):
        items = json.loads(gzip.decompress(path.read_bytes()))
        read_at = datetime.strptime(path.name[:-8], "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC)
        reading_id = f"{path.parent.name}.{read_at:%Y%m%dT%H%M%S}000Z"
        known = {"reading_id": reading_id, "list_date": path.parent.name, "read_at": read_at}
        warehouse.insert(
            "raw.readings", **known, load_id="a-load", verdict="partial", is_whole=True,
            item_count=len(items), new_fields="[]",
        )  # fmt: skip
        rows = [vars(read_item(place, item)) | known for place, item in enumerate(items)]
        warehouse.add_items(rows)
    reports = warehouse.gate_raw()
    assert len(reports) == 96
    assert [report.reason for report in reports if not report.is_passed] == []
    warned = {(str(r.list_date), w.sentence) for r in reports for w in r.warnings}
    assert {day for day, _ in warned} == {"2025-06-03"}
    assert {q.paper_id for r in reports for q in r.quarantined} == {"2506.01920"}
