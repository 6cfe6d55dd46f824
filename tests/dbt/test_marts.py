"""The marts that dbt makes of small readings."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from flows.settings import Settings
from flows.transform import _dbt_build
from flows.warehouse.database import connect
from flows.warehouse.stale_dates import mark_stale
from tests.support.dbt_build import BuildFailedError, Warehouse, item

MORNING, EVENING = "2026-08-13T08:54:18", "2026-08-13T16:05:44"
THURSDAY, FRIDAY = date(2026, 8, 13), date(2026, 8, 14)
ANN, BOB = {"name": "Ann", "hidden": False}, {"name": "Bob", "hidden": True}
LAB = {"organization": {"name": "lab"}, "ai_keywords": ["Diffusion models", "RL"]}
BY_ANN = {"submittedOnDailyBy": {"user": "ann"}, "ai_keywords": ["diffusion model"]}
# Six weeks: growth, a removal, papers submitted again, late readings of old days, two lists read at
# one moment, and weeks that are compared with the ones before.
STORY = [
    ("2026-08-12T16:00:00", "2026-08-12", [item("2608.00001", 4), item("2608.00002", 2, **LAB)]),
    ("2026-08-20T08:00:00", "2026-08-12", [item("2608.00002", 30, authors=[ANN, BOB])]),
    (MORNING, "2026-08-13", [item("2608.00003", 5, **BY_ANN), item("2608.00002", 3, title="Two")]),
    (EVENING, "2026-08-13", [item("2608.00003", 9, **LAB), item("2608.00004", 9)]),
    ("2026-08-14T16:00:00", "2026-08-14", [item("2608.00001", 6, authors=[BOB])]),
    ("2026-08-20T08:00:00", "2026-08-14", [item("2608.00001", 7), item("2608.00004", 1)]),
    ("2026-08-15T02:00:00", "2026-08-14", [item("2608.00001", 6), item("2608.00004", 1, **BY_ANN)]),
    ("2026-09-10T16:00:00", "2026-09-10", [item("2608.00005", 6, **LAB), item("2608.00002", 40)]),
    ("2026-09-21T16:00:00", "2026-09-10", [item("2608.00005", 9, **LAB), item("2608.00002", 39)]),
    ("2026-09-17T16:00:00", "2026-09-17", [item("2608.00006", 2, **BY_ANN | LAB)]),
]
TRENDING = [
    ("2026-08-13T12:00:00", [item("2608.00003", 6), item("2001.00001", 900)]),
    ("2026-09-10T12:00:00", [item("2608.00002", 6), item("2608.00005", 5)]),
]


def linked(*models: str, count: int | None = None) -> dict[str, Any]:
    """What the Hub says of a paper with these models, of so many in all."""
    shown = [{"id": name, "likes": len(models)} for name in models]
    return {"linkedModels": shown, "numTotalModels": count or len(models), "linkedSpaces": []}


# A model that goes, one that comes, many of which the first are shown, and a paper asked once.
LINKED = [
    ("2026-08-13T09:00:00", {"2608.00003": linked("a/1", "a/2"), "2608.00002": linked("b/1")}),
    ("2026-08-14T09:00:00", {"2608.00003": linked("a/3", "a/1"), "2608.00004": linked()}),
    ("2026-08-15T09:00:00", {"2608.00003": linked("a/1", count=9)}),
]


def tell(warehouse: Warehouse, story: Sequence[Any]) -> None:
    for telling in story:
        if telling in LINKED:
            warehouse.read_linked(*telling)
        elif telling in TRENDING:
            warehouse.read_trending(*telling)
        else:
            read_at, day, items = telling
            warehouse.read(read_at, items, day=day)


def test_models_data_tests_and_unit_tests_pass(warehouse: Warehouse) -> None:
    tell(warehouse, STORY)

    ran = warehouse.build("build")

    assert "rank_is_by_votes_then_comments_then_the_hubs_order" in ran
    assert "grain_daily_digest_papers_digest_date__digest_rank__digest_date" in ran


@pytest.mark.usefixtures("data_tests")
def test_a_build_names_the_rule_that_is_broken_and_a_row_against_it(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path)
    reading = warehouse.read(MORNING, [item("2608.00001", 5)])
    finding = "(?, 'raw', ?, 'raw_items', 'x', '', 'critical', true, '1', 0, '[]', 'So.', now())"
    twice = f"insert into audit.gate_results values {finding}, {finding}"
    warehouse.execute(twice, *((reading, reading[:10]) * 2))
    warehouse.close()
    with connect(settings.warehouse_path) as connection:
        stale = mark_stale(connection, every_date=True)

    nodes = {node.name: node for node in _dbt_build(settings, stale, is_new_project=True)}

    assert [name for name, node in nodes.items() if node.status == "fail"] == ["rules_of_quality"]
    said = nodes["rules_of_quality"].message
    assert "grain of gate_results: run_id, gate, suite, expectation" in said
    assert reading in said


def test_a_list_that_grows_keeps_what_it_was(warehouse: Warehouse) -> None:
    warehouse.read(MORNING, [item("2608.00001", 5), item("2608.00002", 3)], verdict="partial")
    warehouse.build_of("daily_digests", "paper_readings", "list_readings")
    assert warehouse.rows("select verdict, paper_count from marts.daily_digests") == [
        ("partial", 2)
    ]

    later = [item("2608.00003", 9), item("2608.00001", 8), item("2608.00002", 2)]
    warehouse.read(EVENING, later)
    warehouse.build_of("daily_digests", "paper_readings", "list_readings")

    assert warehouse.rows(
        "select paper_id, list_rank, upvotes_count, upvotes_gained_count, is_removed"
        " from marts.listings order by list_rank"
    ) == [
        ("2608.00003", 1, 9, 0, False),
        ("2608.00001", 2, 8, 3, False),
        ("2608.00002", 3, 2, -1, False),
    ]
    assert warehouse.rows(
        "select paper_id, upvotes_count from marts.paper_readings order by read_at, list_rank"
    ) == [
        *[("2608.00001", 5), ("2608.00002", 3)],
        *[("2608.00003", 9), ("2608.00001", 8), ("2608.00002", 2)],
    ]
    assert warehouse.rows(
        "select verdict, paper_count, upvotes_total, last_read_at from marts.daily_digests"
    ) == [("complete", 3, 19, datetime(2026, 8, 13, 16, 5, 44, tzinfo=UTC))]
    assert warehouse.rows("select verdict from marts.list_readings order by read_at") == [
        *("partial", "complete")
    ]


def test_a_removed_paper_stays_on_its_list_and_leaves_the_digest(warehouse: Warehouse) -> None:
    warehouse.read(MORNING, [item("2608.00001", 5), item("2608.00002", 3)])
    warehouse.read(EVENING, [item("2608.00002", 4)])
    warehouse.build_of("daily_digests", "daily_digest_papers")

    assert warehouse.rows(
        "select paper_id, list_rank, upvotes_count, is_removed from marts.listings order by all"
    ) == [("2608.00001", None, 5, True), ("2608.00002", 1, 4, False)]
    assert warehouse.rows("select digest_rank, paper_id from marts.daily_digest_papers") == [
        (1, "2608.00002")
    ]
    assert warehouse.rows(
        "select paper_count, listed_count, upvotes_total from marts.daily_digests"
    ) == [(1, 2, 4)]


def test_a_paper_on_two_lists_is_one_paper_and_a_repeat(warehouse: Warehouse) -> None:
    warehouse.read("2026-08-14T16:00:20", [item("2608.00001", 9, title="New"), item("2608.00009")])
    warehouse.build_of("papers", "daily_digest_papers")
    assert warehouse.rows("select is_repeat from marts.daily_digest_papers") == [False, False]

    # History comes later: the repeat is on a date that this build does not read.
    warehouse.read(EVENING, [item("2608.00001", 5, title="Old")])
    warehouse.build_of("papers", "daily_digest_papers")

    assert warehouse.rows(
        "select title, first_listed_on, last_listed_on, first_digest_date, upvotes_count"
        " from marts.papers where paper_id = '2608.00001'"
    ) == [("New", THURSDAY, FRIDAY, THURSDAY, 9)]
    repeats = "select digest_date, paper_id, is_repeat from marts.daily_digest_papers order by all"
    assert warehouse.rows(repeats) == [
        (THURSDAY, "2608.00001", False),
        (FRIDAY, "2608.00001", True),
        (FRIDAY, "2608.00009", False),
    ]


def test_a_reading_that_a_gate_refuses_is_taken_back(warehouse: Warehouse) -> None:
    of_papers = ("papers", "paper_authors", "listings", "paper_readings", "daily_digest_papers")
    warehouse.read("2026-08-12T16:00:00", [item("2608.00001", 1, title="Old")])
    warehouse.read(MORNING, [item("2608.00002", 3)], verdict="partial")
    warehouse.build_of(*of_papers, "list_readings", "daily_digests")
    before = warehouse.marts(*of_papers)

    refused = warehouse.read(EVENING, [item("2608.00001", 9, title="New"), item("2608.00003")])
    warehouse.build_of(*of_papers, "list_readings", "daily_digests")
    assert warehouse.marts(*of_papers)["papers"] != before["papers"]
    warehouse.judge(refused, "marts", passed=False)
    warehouse.build_of(*of_papers, "list_readings", "daily_digests")

    assert warehouse.rows(
        f"select verdict, reason, is_admitted from marts.list_readings"
        f" where reading_id = '{refused}'"
    ) == [("failed", "The gate marts says False.", False)]
    assert warehouse.rows("select verdict from marts.daily_digests order by digest_date") == [
        *("complete", "failed")
    ]
    assert warehouse.marts(*of_papers) == before


def test_a_reading_enters_only_whole_and_checked(warehouse: Warehouse) -> None:
    warehouse.read(MORNING, [item("2608.00001")], passed=None)
    warehouse.read(EVENING, [item("2608.00002")], verdict="partial", is_whole=False)
    warehouse.read("2026-08-13T18:00:00", [item("2608.00003")], passed=False)
    warehouse.build_of("papers", "list_readings", "daily_digests")

    assert warehouse.rows("from marts.papers") == []
    assert warehouse.rows("select verdict, reason from marts.list_readings order by read_at") == [
        ("partial", "Read, but not checked yet."),
        ("partial", "It is partial."),
        ("failed", "The gate raw says False."),
    ]
    assert warehouse.rows("select verdict, paper_count, last_read_at from marts.daily_digests") == [
        ("failed", 0, None)
    ]


def test_an_empty_list_is_a_day_without_papers(warehouse: Warehouse) -> None:
    warehouse.read("2026-08-17T02:00:00", [], day="2026-08-15", verdict="empty")
    warehouse.build_of("daily_digests")

    assert warehouse.rows("select digest_date, verdict, paper_count from marts.daily_digests") == [
        (date(2026, 8, 15), "empty", 0)
    ]


def test_a_list_that_was_emptied_keeps_its_papers_as_removed(warehouse: Warehouse) -> None:
    warehouse.read(MORNING, [item("2608.00001", 5)])
    warehouse.build_of("listings", "daily_digest_papers")
    warehouse.read(EVENING, [], verdict="empty")
    warehouse.build_of("listings", "daily_digest_papers")

    assert warehouse.rows("select paper_id, is_removed from marts.listings") == [
        ("2608.00001", True)
    ]
    assert warehouse.rows("from marts.daily_digest_papers") == []


def test_a_quarantined_item_is_in_no_mart_and_the_rest_is(warehouse: Warehouse) -> None:
    broken = item("2608.00002")
    del broken["paper"]["upvotes"]
    items = [item("2608.00001", 5), broken, item("2608.00003", 3), item("2608.00004", 2)]
    warehouse.read(MORNING, items, quarantined={2: "Its id is made up."})
    warehouse.build_of("listings", "papers", "quarantined_items")

    assert warehouse.rows("select paper_id, list_rank from marts.listings order by list_rank") == [
        ("2608.00001", 1),
        ("2608.00004", 2),
    ]
    assert warehouse.rows("select paper_id from marts.papers order by all") == [
        *("2608.00001", "2608.00004")
    ]
    assert warehouse.rows("select position, paper_id from quality.quarantined_items order by 1")[
        1
    ] == (2, "2608.00003")


def test_a_doubled_paper_is_listed_once(warehouse: Warehouse) -> None:
    warehouse.read(MORNING, [item("2608.00001", 5), item("2608.00001", 5), item("2608.00002")])
    warehouse.build_of("listings")

    assert warehouse.rows("select paper_id, list_rank from marts.listings order by list_rank") == [
        ("2608.00001", 1),
        ("2608.00002", 2),
    ]


def test_a_date_with_no_reading_left_leaves_every_mart(warehouse: Warehouse) -> None:
    warehouse.read("2026-08-12T16:00:00", [item("2608.00001", 1)])
    warehouse.build()
    before = warehouse.marts()
    gone = warehouse.read(EVENING, [item("2608.00001", 9), item("2608.00002", 3)])
    warehouse.build()
    assert warehouse.marts() != before

    warehouse.forget(gone)
    warehouse.build()

    assert warehouse.marts() == before


def test_authors_that_are_gone_leave(warehouse: Warehouse) -> None:
    warehouse.read(MORNING, [item("2608.00001"), item("2608.00002")])
    warehouse.build_of("paper_authors")
    warehouse.read("2026-08-14T16:00:00", [item("2608.00001", authors=[])])
    warehouse.build_of("paper_authors")

    assert warehouse.rows("select paper_id from marts.paper_authors") == ["2608.00002"]


@pytest.mark.torture
def test_marts_do_not_depend_on_the_order_or_number_of_builds(warehouse: Warehouse) -> None:
    tellings = [*STORY, *TRENDING, *LINKED]
    tell(warehouse, tellings)
    warehouse.build()
    at_once = warehouse.marts()
    assert all(at_once.values())

    # as a backfill that goes backwards, then in an order of no kind
    shuffled = Random(1).sample(tellings, len(tellings))  # noqa: S311  no secret
    for name, order in (("backwards", [*tellings]), ("shuffled", shuffled)):
        folder = warehouse.folder / name
        folder.mkdir()
        again = Warehouse(folder, folder / "warehouse.duckdb")
        while order:
            tell(again, [order.pop() for _ in range(min(3, len(order)))])
            again.build()
        assert again.marts() == at_once


def test_a_full_refresh_changes_nothing(warehouse: Warehouse) -> None:
    readings = []
    for read_at, day, items in STORY:
        readings.append(warehouse.read(read_at, items, day=day))
        if len(readings) in {2, 6}:
            warehouse.build()
    tell(warehouse, TRENDING)
    readings += [warehouse.read_linked(*telling) for telling in LINKED]
    warehouse.build()
    # gone again: a reading in the middle, the only one that shows a paper, a whole list
    for taken_back in (1, 3, 5, 7, 8):
        warehouse.judge(readings[taken_back], "marts", passed=False)
    warehouse.judge(readings[-2], "operator", passed=False)
    warehouse.build()
    gone = "select repository_id, is_gone, repository_rank from marts.linked_repositories"
    assert warehouse.rows(f"{gone} where paper_id = '2608.00003' order by 1") == [
        ("a/1", False, 1),
        ("a/2", False, None),
    ]
    incremental = warehouse.marts()

    warehouse.build("run", "--full-refresh")

    assert warehouse.marts() == incremental


def test_a_change_that_is_gone_with_its_reading_leaves(warehouse: Warehouse) -> None:
    first = warehouse.read("2026-08-12T16:00:00", [item("2608.00001", title="Old")])
    warehouse.read(MORNING, [item("2608.00001", title="New")])
    warehouse.build_of("paper_changes")
    changes = "select field, old_value, new_value, previous_list_date from marts.paper_changes"
    assert warehouse.rows(changes) == [("title", "Old", "New", date(2026, 8, 12))]

    warehouse.forget(first)
    warehouse.build_of("paper_changes")

    assert warehouse.rows(changes) == []


def test_a_paper_that_leaves_a_week_is_new_in_a_later_one(warehouse: Warehouse) -> None:
    first = warehouse.read("2026-08-12T16:00:00", [item("2608.00001", 9), item("2608.00002", 5)])
    warehouse.read("2026-08-20T16:00:00", [item("2608.00001", 9), item("2608.00003", 8)])
    warehouse.build_of("weekly_digests", "weekly_digest_papers")
    weeks = (
        "select digest_date, paper_id, is_repeat from marts.weekly_digest_papers"
        " order by digest_date, digest_rank"
    )
    assert warehouse.rows(weeks) == [
        (date(2026, 8, 16), "2608.00001", False),
        (date(2026, 8, 16), "2608.00002", False),
        (date(2026, 8, 23), "2608.00001", True),
        (date(2026, 8, 23), "2608.00003", False),
    ]

    warehouse.judge(first, "marts", passed=False)
    warehouse.build_of("weekly_digests", "weekly_digest_papers")

    assert warehouse.rows(weeks) == [
        (date(2026, 8, 23), "2608.00001", False),
        (date(2026, 8, 23), "2608.00003", False),
    ]
    assert warehouse.rows(
        "select period, verdict, paper_count from marts.weekly_digests order by all"
    ) == [("2026-W33", "partial", 0), ("2026-W34", "partial", 2)]


def test_a_build_of_one_date_reads_no_other(warehouse: Warehouse) -> None:
    warehouse.read("2026-08-12T16:00:00", [item("2608.00001")])
    warehouse.build()
    # JSON that cannot be parsed stops whoever parses it.
    warehouse.execute("update raw.items set item = '{broken'")

    warehouse.read(EVENING, [item("2608.00002")])
    warehouse.build()

    assert warehouse.rows("select paper_id from marts.papers order by all") == [
        *("2608.00001", "2608.00002")
    ]


def test_a_build_that_fails_leaves_old_rows_and_the_next_one_mends_them(
    warehouse: Warehouse,
) -> None:
    warehouse.read(MORNING, [item("2608.00001")])
    warehouse.build()
    before = warehouse.marts()
    warehouse.execute("alter table marts.listings add column made_up text")
    warehouse.read(EVENING, [item("2608.00002")])
    with pytest.raises(BuildFailedError, match="listings"):
        warehouse.build()
    warehouse.execute("alter table marts.listings drop column made_up")

    after = warehouse.marts()
    assert after["listings"] == before["listings"]

    warehouse.build()
    assert len(warehouse.rows("from marts.listings")) == 2


def test_ids_stay_text_and_times_are_utc(warehouse: Warehouse) -> None:
    warehouse.read(MORNING, [item("2503.02130"), item("2406.00105v2")])
    warehouse.build()

    assert warehouse.rows("select paper_id from marts.papers order by all") == [
        *("2406.00105", "2503.02130")
    ]
    types = warehouse.rows(
        "select distinct data_type from information_schema.columns"
        " where table_schema in ('marts', 'quality') and column_name like '%\\_at' escape '\\'"
    )
    assert types == ["TIMESTAMP WITH TIME ZONE"]
