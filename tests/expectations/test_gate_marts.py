"""Gate marts: a good digest passes, and each expectation has a digest that fails it, by name."""

from datetime import date, timedelta

import pytest

from flows.gates.judging import GateReport
from tests.expectations.conftest import DAY, Warehouse

# What is done to the marts of one good day, the checks that then fail, and the first sentence.
# {day} is that day, {next} the one after, {id} begins its paper ids.
FAULTS: dict[str, tuple[str, list[str], str]] = {
    "no digest": (
        "delete from marts.daily_digests where digest_date = '{day}'",
        ["expect_table_row_count_to_equal()", "expect_table_row_count_to_equal()"],
        "the day has 0 digests where it should have 1",
    ),
    "stale": (
        """update marts.daily_digests set last_read_at = last_read_at - interval 1 day
        where digest_date = '{day}'""",
        ["expect_column_pair_values_to_be_equal(last_read_at, read_at)"],
        "the digest is of {day} 02:00:00+00, the newest reading of {next} 02:00:00+00",
    ),
    "never read": (
        "update marts.daily_digests set last_read_at = null where digest_date = '{day}'",
        ["expect_column_pair_values_to_be_equal(last_read_at, read_at)"],
        "the digest is of no reading, the newest reading of {next} 02:00:00+00",
    ),
    "empty": (
        """delete from marts.daily_digest_papers where digest_date = '{day}';
        update marts.daily_digests set paper_count = 0 where digest_date = '{day}'""",
        [
            "expect_column_values_to_be_between(sendable_count)",
            "expect_column_pair_values_to_be_equal(digest_count, reading_count)",
            "expect_column_values_to_be_null(omitted_papers)",
        ],
        "the digest is empty, but the verdict is complete",
    ),
    "a paper lost": (
        """delete from marts.daily_digest_papers where paper_id = '{id}019';
        update marts.daily_digests set paper_count = 19 where digest_date = '{day}'""",
        [
            "expect_column_pair_values_to_be_equal(digest_count, reading_count)",
            "expect_column_values_to_be_null(omitted_papers)",
        ],
        "the digest has 19 papers, the reading 20",
    ),
    "a wrong count": (
        "update marts.daily_digests set paper_count = 21 where digest_date = '{day}'",
        [
            "expect_column_pair_values_to_be_equal(paper_count, digest_count)",
            "expect_table_row_count_to_equal()",
        ],
        "the digest says 21 papers and has 20",
    ),
    "two of a rank": (
        "update marts.daily_digest_papers set digest_rank = 2 where paper_id = '{id}002'",
        ["expect_column_values_to_be_null(misplaced_ranks)"],
        "the ranks are not 1 to n: {id}002 as 2 stand out of line",
    ),
    "ranks from 0": (
        "update marts.daily_digest_papers set digest_rank = 0 where paper_id = '{id}000'",
        ["expect_column_values_to_be_null(misplaced_ranks)"],
        "the ranks are not 1 to n: {id}000 as 0 stand out of line",
    ),
    "an unknown paper": (
        "insert into marts.listings values ('{day}', '{id}999', 21, true)",
        ["expect_column_values_to_be_null(unknown_papers)"],
        "listed, but not among the papers: {id}999",
    ),
    "an omitted paper": (
        """insert into marts.listings values ('{day}', '{id}999', 21, false);
        insert into marts.papers values ('{id}999', 'One more', null, null)""",
        ["expect_column_values_to_be_null(omitted_papers)"],
        "listed, but not in the digest: {id}999",
    ),
    "no title": (
        "update marts.papers set title = null where paper_id = '{id}004'",
        ["expect_column_values_to_not_be_null(title)"],
        "1 of 20 papers: {id}004 has no title",
    ),
    "a blank title": (
        "update marts.papers set title = '  ' where paper_id = '{id}004'",
        ["expect_column_values_to_match_regex(title)"],
        "1 of 20 papers: the title of {id}004 is blank",
    ),
    "an invisible title": (
        "update marts.papers set title = chr(12644) || chr(8203) where paper_id = '{id}004'",
        ["expect_column_values_to_match_regex(title)"],
        "1 of 20 papers: the title of {id}004 is blank",
    ),
    "a line break": (
        "update marts.papers set title = 'One' || chr(10) || 'Two' where paper_id = '{id}004'",
        ["expect_column_values_to_not_match_regex(title)"],
        "1 of 20 papers: the title of {id}004 has a line break or a control character",
    ),
    "a line break at the end": (
        "update marts.papers set title = 'One' || chr(10) where paper_id = '{id}004'",
        ["expect_column_values_to_not_match_regex(title)"],
        "1 of 20 papers: the title of {id}004 has a line break or a control character",
    ),
    "a line separator": (
        "update marts.papers set title = 'One' || chr(8232) where paper_id = '{id}004'",
        ["expect_column_values_to_not_match_regex(title)"],
        "1 of 20 papers: the title of {id}004 has a line break or a control character",
    ),
    "a long title": (
        "update marts.papers set title = repeat('x', 501) where paper_id = '{id}004'",
        ["expect_column_value_lengths_to_be_between(title)"],
        "1 of 20 papers: the title of {id}004 is far too long",
    ),
    "no link": (
        """update marts.papers set paper_id = 'x y' where paper_id = '{id}004';
        update marts.listings set paper_id = 'x y' where paper_id = '{id}004';
        update marts.daily_digest_papers set paper_id = 'x y' where paper_id = '{id}004'""",
        ["expect_column_values_to_match_regex(paper_id)"],
        "1 of 20 papers: 'x y' makes no link",
    ),
    "no score": (
        "update marts.daily_digest_papers set score = null where paper_id = '{id}004'",
        ["expect_column_values_to_not_be_null(score)"],
        "1 of 20 papers: {id}004 has no score",
    ),
}


def failed(report: GateReport) -> list[str]:
    """The names of the checks that failed, in order."""
    return [f"{c.expectation}({c.column_name})" for c in report.checks if not c.is_success]


def good_day(warehouse: Warehouse, day: date = DAY, size: int = 20) -> str:
    """A day that gate raw let through."""
    reading_id = warehouse.add_reading(day, size)
    warehouse.connection.execute("delete from audit.gates")
    warehouse.admit()
    return reading_id


def test_a_good_digest_passes_every_check(warehouse: Warehouse) -> None:
    reading_id = good_day(warehouse)
    warehouse.build_marts()
    [report] = warehouse.gate_marts()
    assert (report.gate, report.run_id, report.list_date) == ("marts", reading_id, DAY)
    assert failed(report) == []
    assert warehouse.rows("select gate, is_passed from audit.gates order by gate") == [
        ("marts", True),
        ("raw", True),
    ]


@pytest.fixture(scope="module")
def broken() -> dict[str, tuple[GateReport, dict[str, str]]]:
    """One load with a day for each fault, judged at once: its report and its words, by fault."""
    warehouse = Warehouse()
    days = {name: DAY - timedelta(days=place) for place, name in enumerate(FAULTS)}
    for day in days.values():
        warehouse.add_reading(day)
    warehouse.admit()
    warehouse.build_marts()
    words = {
        name: {
            "day": f"{day}",
            "next": f"{day + timedelta(days=1)}",
            "id": f"{day:%y%m}.{day.day:02}",
        }
        for name, day in days.items()
    }
    for name, (fault, _, _) in FAULTS.items():
        warehouse.connection.execute(fault.format(**words[name]))
    reports = {report.list_date: report for report in warehouse.gate_marts()}
    warehouse.connection.close()
    return {name: (reports[day], words[name]) for name, day in days.items()}


@pytest.mark.parametrize("name", FAULTS)
def test_a_broken_digest_stops_by_name(
    broken: dict[str, tuple[GateReport, dict[str, str]]], name: str
) -> None:
    (report, words), (_, checks, sentence) = broken[name], FAULTS[name]
    assert failed(report) == checks
    assert not report.is_passed
    assert report.failures[0].sentence == sentence.format(**words)


@pytest.mark.parametrize("column", ["github_url", "project_url"])
def test_a_broken_link_is_only_a_warning(warehouse: Warehouse, column: str) -> None:
    good_day(warehouse)
    warehouse.build_marts()
    for place, url in enumerate(["javascript:alert(1)", "https://", "ftp://a/b", "https://a b"]):
        warehouse.connection.execute(
            f"update marts.papers set {column} = ? where paper_id = ?", [url, f"2608.1300{place}"]
        )
    [report] = warehouse.gate_marts()
    assert report.is_passed
    [warning] = report.warnings
    assert (warning.column_name, warning.unexpected_count) == (column, 4)
    assert warning.sentence.startswith(f"4 of 20 papers: `{column}` of 2608.13000 is no web link")


def test_an_earlier_issue_again_stops_whatever_its_votes_and_order(warehouse: Warehouse) -> None:
    good_day(warehouse, DAY - timedelta(days=1))
    good_day(warehouse)
    warehouse.build_marts()
    warehouse.connection.execute("""
        delete from marts.daily_digest_papers where digest_date = date '2026-08-12';
        insert into marts.daily_digest_papers
        select date '2026-08-12', 21 - digest_rank, paper_id, 0 from marts.daily_digest_papers
    """)
    warehouse.connection.execute(
        "update raw.readings set load_id = 'earlier' where list_date < ?", [DAY]
    )
    [report] = warehouse.gate_marts()
    assert failed(report) == ["expect_column_values_to_be_null(same_as_date)"]
    assert report.failures[0].sentence == ("these are the papers of 2026-08-12 again, all of them")


def test_an_issue_with_one_more_paper_is_another_issue(warehouse: Warehouse) -> None:
    good_day(warehouse, DAY - timedelta(days=1))
    good_day(warehouse)
    warehouse.build_marts()
    warehouse.connection.execute("""
        delete from marts.daily_digest_papers where digest_date = date '2026-08-12';
        insert into marts.daily_digest_papers
        select date '2026-08-12', digest_rank, paper_id, 0 from marts.daily_digest_papers
        where digest_rank < 20
    """)
    warehouse.connection.execute(
        "update raw.readings set load_id = 'earlier' where list_date < ?", [DAY]
    )
    [report] = warehouse.gate_marts()
    assert failed(report) == []


def test_an_empty_day_passes(warehouse: Warehouse) -> None:
    good_day(warehouse, date(2026, 8, 15), size=0)
    warehouse.build_marts()
    [report] = warehouse.gate_marts()
    assert failed(report) == []


def test_a_day_that_is_empty_so_far_passes(warehouse: Warehouse) -> None:
    warehouse.add_reading(size=0, verdict="partial")
    warehouse.admit()
    warehouse.build_marts()
    [report] = warehouse.gate_marts()
    assert failed(report) == []


def test_quarantined_items_are_not_missed(warehouse: Warehouse) -> None:
    warehouse.add_reading(bad={19: {"title": None}})
    warehouse.gate_raw()
    warehouse.connection.execute("delete from raw.items where title is null")
    warehouse.build_marts()
    warehouse.connection.execute("update marts.daily_digests set paper_count = 19")
    [report] = warehouse.gate_marts()
    assert failed(report) == []


def test_only_the_newest_reading_of_a_date_is_shown_and_judged(warehouse: Warehouse) -> None:
    warehouse.add_reading(hour=8, verdict="partial")
    newest = warehouse.add_reading(hour=26)
    warehouse.admit()
    warehouse.build_marts()
    assert [report.run_id for report in warehouse.gate_marts()] == [newest]


def test_a_reading_that_gate_raw_stopped_has_no_digest_to_judge(warehouse: Warehouse) -> None:
    warehouse.add_reading(item_count=50)
    warehouse.gate_raw()
    assert warehouse.gate_marts() == []


def test_of_many_digests_only_the_broken_one_stops(warehouse: Warehouse) -> None:
    for days in range(3):
        good_day(warehouse, DAY - timedelta(days=days))
    warehouse.build_marts()
    warehouse.connection.execute("update marts.papers set title = '' where paper_id = '2608.12004'")
    reports = warehouse.gate_marts()
    assert [(report.list_date.day, report.is_passed) for report in reports] == [
        (11, True),
        (12, False),
        (13, True),
    ]
    assert warehouse.rows(
        "select list_date, reason from audit.gates where gate = 'marts' and not is_passed"
    ) == [
        (
            date(2026, 8, 12),
            "The gate marts stopped it: 1 of 20 papers: the title of 2608.12004 is blank.",
        )
    ]


def test_asking_again_replaces_what_was_said_and_leaves_gate_raw_alone(
    warehouse: Warehouse,
) -> None:
    good_day(warehouse)
    warehouse.build_marts()
    for _ in range(2):
        [report] = warehouse.gate_marts()
    counts = "select gate, count(*) from audit.{} group by gate order by gate"
    assert warehouse.rows(counts.format("gates")) == [("marts", 1), ("raw", 1)]
    assert warehouse.rows(counts.format("gate_results")) == [("marts", len(report.checks))]
