"""The quality reports of a home: written by every run, whole by themselves, the same as in SQL."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Page

from flows.mailing.rules import Rule
from flows.outcome import Outcome
from flows.settings import load_settings
from flows.sources.sample_hub import SampleHub
from tests.support import browser
from tests.support.clock import CLOSED, DAY
from tests.support.whole_runs import subscribe

Run = Callable[..., Outcome]


def _row(front: str, day: date) -> str:
    found = re.search(rf'<tr role="row" id="d{day}">.*?</tr>', front, re.DOTALL)
    assert found, f"{day} has no row"
    return " ".join(re.sub("<[^>]+>", " ", found[0]).split())


def _front(home: Path) -> str:
    return (home / "quality" / "index.html").read_text()


@pytest.fixture(scope="module")
def week(prefect: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a week of history, and a day that deviates and was mailed."""
    from flows.backfill import backfill
    from flows.daily_papers import daily_papers

    home = tmp_path_factory.mktemp("week")
    faults = ("zero_votes,date=2026-08-18", "one_without_upvotes,date=2026-08-20")
    drift = ("new_fields,date=2026-08-20", "hostile_title,date=2026-08-20")
    with pytest.MonkeyPatch.context() as patch, SampleHub(now=CLOSED) as hub:
        patch.setattr("flows.clock.utc_now", lambda: hub.now)
        patch.setenv("PAPERS_HOME", str(home))
        patch.setenv("PAPERS_HUB_URL", hub.url)
        subscribe(("ana@example.org", Rule()), ("bob@example.org", Rule(include=("no such word",))))
        hub.fail(*faults, *drift)
        ended: Any = backfill(DAY - timedelta(days=6), DAY - timedelta(days=1), return_state=True)
        assert ended.name == "Failed"
        assert "Nothing: no gate" in _front(home)
        hub.now += timedelta(minutes=1)
        ended = daily_papers(DAY, return_state=True)
        assert ended.name == "Complete"
    return home


def test_the_front_page_says_of_each_day_what_sql_says_and_leads_to_all(week: Path) -> None:
    front = _front(week)
    with duckdb.connect(str(week / "published" / "papers.duckdb"), read_only=True) as published:
        papers, passed, warned, fields = published.execute(
            "select paper_count, passed_count, warning_count, new_fields"
            " from quality.day_reports where list_date = ?",
            [DAY],
        ).fetchall()[0]
    assert warned == 2
    shown = " ".join(fields.split(", "))
    assert _row(front, DAY).startswith(
        f"Thu 20 Aug C complete {papers} {passed} checks passed, {warned} warnings items readings"
        f" digest papers digests {shown} 1 1 sent, 1 skipped issue"
    )
    assert "F failed 0" in _row(front, date(2026, 8, 18))
    assert "E empty 0" in _row(front, date(2026, 8, 16))
    assert "paper.upvotes is missing" in front

    quality = week / "quality"
    links = set(re.findall(r'href="([^"#:]+)"', front))
    assert {link for link in links if not (quality / link).exists()} == set()
    assert len([link for link in links if link.startswith("days/")]) == 7
    # Of the days that were loaded together, each leads to the validations of their load.
    for day in (DAY, date(2026, 8, 17)):
        assert re.search(rf'id="d{day}".*?data_docs/validations/raw_items/', front, re.DOTALL)


def test_the_pages_ask_no_host_for_anything_and_are_readable_without_scripts(week: Path) -> None:
    quality = week / "quality"
    docs = sorted((quality / "data_docs" / "validations").glob("*/2026-08-20.*/*/*.html"))
    ours = [quality / "index.html", quality / "days" / f"{DAY}.html"]
    asked: list[str] = []
    said: list[str] = []
    found: list[str] = []

    def opened(page: Page) -> Page:
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        return page

    with browser.chromium() as chromium:
        page = opened(chromium.new_page())
        for path in ours:
            page.goto(path.as_uri())
            found += browser.violations(page, path.name)
        page = opened(chromium.new_context(java_script_enabled=False).new_page())
        for path in [*ours, quality / "data_docs" / "index.html", *docs]:
            page.goto(path.as_uri())
            for width in browser.WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                box = page.locator("main").bounding_box()
                assert box
                assert box["width"] <= width, path
                assert page.locator("main").evaluate("e => e.scrollWidth") <= width, path
        page.goto(docs[-1].as_uri())
        dressed = page.locator("main").evaluate("e => getComputedStyle(e).maxWidth")
        first = page.get_by_role("heading", name="Overview")
        assert first.is_visible()
        assert page.get_by_text("as many items arrived as the Hub gave").is_visible()
        details = page.get_by_text("Show more info")
        hidden = page.get_by_text("Great Expectations Version")
        assert not hidden.is_visible()
        details.click()
        assert hidden.is_visible()
        page.get_by_role("link", name="All validations").click()
        assert page.get_by_role("row").count() > len(docs)
    assert found == []
    assert said == []
    assert dressed == "1060px", "the style sheet beside the index was not found"
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def test_a_build_that_fails_is_said_above_the_days_from_before(
    run: Run, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import daily_papers
    from flows.outcome import BuildFailedError

    def fail(_settings: object) -> None:
        raise BuildFailedError("dbt test grain_papers failed: Got 2 results")

    monkeypatch.setattr(daily_papers, "transform", fail)
    assert run().verdict == "failed"
    front = _front(own_home)
    assert "from before the last build. dbt test grain_papers failed: Got 2 results" in front
    assert "No day is known yet." in front


def test_a_ledger_that_cannot_be_read_takes_nothing_but_the_mail_from_the_page(
    week: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.quality.site import write_quality_site

    monkeypatch.setenv("PAPERS_HOME", str(week))
    monkeypatch.setenv("PAPERS_MAILING_URL", "postgresql://127.0.0.1:9/none?connect_timeout=1")
    write_quality_site(load_settings())
    front = _front(week)
    assert "cannot be opened" in front
    assert "C complete" in _row(front, DAY)
    assert "1 sent" not in front
