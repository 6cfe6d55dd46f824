"""The quality page of a week: its days in a line, a row a day, and where each leads."""

import re
from datetime import date

import html5lib

from flows.quality.period import QualityPeriod, render_period
from flows.warehouse.day_facts import DayFacts

MONDAY = DayFacts(date(2026, 8, 17), "a", "complete", "All 44 papers read.", 43, 44, 1, 46, 2, 0, 1)
TUESDAY = DayFacts(
    date(2026, 8, 18), "b", "failed", "<script>alert(1)</script>", 0, 9, 1, 3, 0, 1, 0
)
WEEK = QualityPeriod(
    "weekly",
    date(2026, 8, 23),
    "Not final yet: Tue 18 Aug (failed).",
    (MONDAY, TUESDAY),
    {date(2026, 8, 17): "../2026-08-17-daily/quality.html"},
)


def words(page: str) -> str:
    page = re.sub("(?=</(p|h1|h2|th|td|a)>)", " ", page)
    body = html5lib.HTMLParser(strict=True).parse(page).find(".//{*}body")
    return " ".join("".join(body.itertext()).split())


def test_the_page_says_the_days_in_one_line_and_each_in_a_row() -> None:
    seen = words(render_period(WEEK))
    assert "Week 34, 17 to 23 August 2026 1 complete and 1 failed of 2 days." in seen
    assert "Not final yet: Tue 18 Aug (failed)." in seen
    assert "Mon 17 Aug complete 43 46 checks passed, 2 warnings 1 All 44 papers read." in seen
    assert "Tue 18 Aug failed 0 3 checks passed, 1 failed 0 <script>alert(1)</script>" in seen


def test_a_day_leads_to_the_page_of_its_own_issue_where_there_is_one() -> None:
    page = render_period(WEEK)
    assert re.findall('href="([^"]*)"', page) == ["../2026-08-17-daily/quality.html"]
    assert page == render_period(WEEK)
