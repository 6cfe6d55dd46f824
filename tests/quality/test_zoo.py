"""A zoo of days: what one surface says of a day, every other surface says too."""

import re
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from flows.editions import quality_period
from flows.issues.frozen import issue_files
from flows.mail_setup import open_mailing
from flows.mailing.database import Mailing
from flows.operations.days import Day, record_days
from flows.operations.status import overview
from flows.publication.lists import day_list
from flows.publication.published import opened, read_digest
from flows.quality.day_page import quality_page_path, write_quality_page
from flows.quality.period import render_period
from flows.quality.site import write_quality_site
from flows.settings import Settings
from flows.warehouse.day_facts import DayFacts, facts_of
from tests.support.dbt_build import Warehouse, item
from tests.support.publishing import publish_built

AUGUST = "2026-08"
# What each animal is, as everybody should say it.
ZOO = {
    10: ("complete", 2, "Complete. 2 of 2 papers; 3 checks passed."),
    11: ("complete", 3, "Complete. 3 of 3 papers; 3 checks passed, 1 warning."),
    12: ("partial", 1, "Partial. 1 of 1 paper; 3 checks passed."),
    13: ("complete", 2, "Complete. 2 of 3 papers; 3 checks passed, 1 warning."),
    14: ("failed", 0, "Failed. 0 of 0 papers; 3 checks passed."),
    15: ("empty", 0, "Empty. 0 of 0 papers."),
    16: ("failed", 0, "Failed. 0 of 2 papers; 3 checks passed, 1 failed."),
}


@dataclass(frozen=True)
class Zoo:
    """A home with these days built, published and shown."""

    home: Path
    warehouse: Warehouse

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    home = tmp_path_factory.mktemp("zoo")
    warehouse = Warehouse(home, home / "warehouse.duckdb")

    def read(at: str, count: int, warned: int = 0, failed: int = 0, **given: Any) -> None:
        names = [f"{at[5:7]}{at[8:10]}.{n:05}" for n in range(count)]
        items = [item(name, 10 - n) for n, name in enumerate(names)]
        items = [*given.pop("more", ()), *items]
        _check(warehouse, warehouse.read(at, items, **given), warned, failed)

    read("2026-08-10 23:00", 2)
    # Complete, and then read again while the Hub was down; twice, as each night does.
    read("2026-08-11 23:00", 3, warned=1)
    for night in (12, 13):
        warehouse.read(f"2026-08-{night} 03:20", day="2026-08-11", verdict="failed", is_whole=False)
    read("2026-08-12 12:00", 1, verdict="partial")
    # A paper that the list of the 10th had too, and an item that a gate quarantined.
    read("2026-08-13 23:00", 2, warned=1, more=[item("0810.00000", 9)], quarantined={1: "Odd."})
    read("2026-08-14 23:00", 0, verdict="failed", is_whole=False)
    read("2026-08-15 23:00", 0, verdict="empty")
    read("2026-08-16 23:00", 2, failed=1, passed=False)
    publish_built(warehouse, Settings(home=home))
    for day in ZOO:
        write_quality_page(Settings(home=home), _day(day))
    write_quality_site(Settings(home=home))
    return Zoo(home, warehouse)


def _day(number: int) -> date:
    return date(2026, 8, number)


def _check(warehouse: Warehouse, run_id: str, warned: int, failed: int) -> None:
    """Three checks that passed, and these."""
    results = [("critical", True)] * 3 + [("warning", False)] * warned
    for n, (severity, is_success) in enumerate(results + [("critical", False)] * failed):
        warehouse.execute(
            "insert into audit.gate_results values"
            " (?, 'raw', ?, 'raw_items', ?, '', ?, ?, '1', 0, '[]', 'It is so.', now())",
            *(run_id, run_id[:10], f"expect_{n}", severity, is_success),
        )


def _words(page: str) -> str:
    page = re.sub("(?s)<style>.*?</style>", " ", page)
    return unescape(" ".join(re.sub("<[^>]+>", " ", page).split()))


def _facts(zoo: Zoo, number: int) -> DayFacts:
    with opened(zoo.settings.published_path) as published:
        facts = facts_of(published, _day(number))
    assert facts
    return facts


@pytest.mark.parametrize("number", ZOO)
def test_sql_says_of_a_day_what_the_zoo_keeper_says(zoo: Zoo, number: int) -> None:
    facts = _facts(zoo, number)
    assert (facts.verdict, facts.paper_count, facts.sentence) == ZOO[number]


@pytest.mark.parametrize("number", ZOO)
def test_the_page_of_a_day_says_it_and_lists_later_readings_as_what_they_are(
    zoo: Zoo, number: int
) -> None:
    page = _words(quality_page_path(zoo.settings, _day(number)).read_text())
    assert ZOO[number][2] in page
    if number == 11:
        readings = page[page.index("Readings of the day") :]
        assert readings.count("failed 0 It is failed.") == 2
        assert "Failed." not in page


@pytest.mark.parametrize("number", ZOO)
def test_the_front_page_and_the_page_of_the_week_say_it(zoo: Zoo, number: int) -> None:
    facts = _facts(zoo, number)
    front = (zoo.home / "quality" / "index.html").read_text()
    found = re.search(rf'(?s)<tr role="row" id="d{_day(number)}">.*?</tr>', front)
    assert found
    row = _words(found[0])
    shown_checks = "" if facts.verdict == "empty" else f" {facts.checks}"
    assert f"{facts.verdict} {facts.paper_count}{shown_checks}" in row
    week = _words(render_period(quality_period("weekly", _day(16), zoo.settings)))
    shown = f"{_day(number):%a} {number} Aug"
    assert f"{shown} {facts.verdict} {facts.paper_count} " in week
    assert facts.checks in week[week.index(shown) :]


@pytest.mark.parametrize("number", ZOO)
def test_the_status_says_it(zoo: Zoo, number: int) -> None:
    _compare_status(zoo, number)


def test_the_status_says_it_also_while_a_run_holds_the_warehouse(zoo: Zoo) -> None:
    with zoo.warehouse.connect():
        for number in ZOO:
            _compare_status(zoo, number)
    zoo.warehouse.close()


def _compare_status(zoo: Zoo, number: int) -> None:
    facts = _facts(zoo, number)
    (day,) = overview(zoo.settings, _day(number)).days
    assert (day.verdict, day.paper_count) == (facts.verdict, facts.paper_count)
    assert day.checks == facts.checks
    assert (day.checks == "no checks") == (facts.verdict == "empty")
    assert day.quarantined_count == facts.quarantined_count == (number == 13)


@pytest.mark.parametrize("number", [10, 11, 12, 13])
def test_the_pages_of_readers_say_it(zoo: Zoo, number: int) -> None:
    facts = _facts(zoo, number)
    with opened(zoo.settings.published_path) as published:
        found = day_list(published, _day(number))
    assert found
    assert found.facts == facts
    assert (found.papers.verdict, found.papers.reason) == (facts.verdict, facts.reason)
    assert len(found.papers.cards) == facts.paper_count


@pytest.mark.parametrize("number", [10, 11])
def test_the_foot_of_the_mail_says_it(zoo: Zoo, number: int) -> None:
    facts = _facts(zoo, number)
    digest = read_digest(zoo.settings.published_path, _day(number))
    assert digest
    text = issue_files(digest, zoo.settings)["digest.txt"].decode()
    assert f"{facts.paper_count} of {facts.source_count} papers" in text
    assert facts.checks.partition(", ")[0] in text


@pytest.fixture
def mailing(zoo: Zoo) -> Any:
    with closing(open_mailing(zoo.settings)) as mailing:
        yield mailing


def test_what_a_run_said_of_a_day_gives_way_to_what_the_day_is(zoo: Zoo, mailing: Mailing) -> None:
    now = datetime(2026, 8, 13, 4, tzinfo=UTC)
    record_days(mailing, [Day(_day(11), "failed", "Failed. The Hub answered 503.", now)])
    (day,) = overview(zoo.settings, _day(11)).days
    assert (day.verdict, day.sentence) == ("complete", "Complete. It is complete.")
