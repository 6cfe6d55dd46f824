"""The insights: each number on the page is that of its query, and each query means what it says."""

import csv
import re
import shutil
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from unittest.mock import patch

import duckdb
import html5lib
import pytest
from starlette.requests import Request

from flows.insights.page import insights, insights_files
from flows.insights.questions import QUESTIONS, answered
from flows.newsletter.site import Site
from flows.publication.kept_open import KeptOpen
from flows.settings import Settings
from flows.sources.sample.days import items_at
from flows.web.insights_page import InsightsPage
from flows.web.pages import Pages
from tests.support.dbt_build import Warehouse, item
from tests.support.publishing import publish_built

WEEKS = 6


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six weeks of made-up lists, each read twice while open, when closed, and a week later."""
    folder = tmp_path_factory.mktemp("insights")
    warehouse = Warehouse(folder, folder / "warehouse.duckdb")
    for week in range(WEEKS):
        for weekday in (0, 2):
            day = date(2026, 7, 6) + timedelta(days=7 * week + weekday)
            for hours in (8, 16, 26.5, 9 * 24):
                at = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=hours)
                verdict = "complete" if hours > 26 else "partial"
                items = items_at(day, at, 6)
                warehouse.read(f"{at:%F %H:%M}", items, day=str(day), verdict=verdict)
    return publish_built(warehouse, Settings(home=folder, embedding_model="none"))


@pytest.fixture(scope="module")
def files(published: Path) -> dict[str, str]:
    with KeptOpen(published).opened() as connection:
        return dict(insights_files(connection))


def _sections(page: str) -> dict[str, str]:
    found = re.findall(r'<section class="insight" id="(\w+)".*?</section>', page, re.DOTALL)
    parts = re.split(r'<section class="insight" id="\w+"', page)[1:]
    return dict(zip(found, parts, strict=True))


def _value(text: str) -> object:
    """A cell as a number, where it is one."""
    bare = unescape(text).replace(",", "")
    if bare == "\u2013":
        return None
    return float(bare) if re.fullmatch(r"-?\d+(\.\d+)?", bare) else unescape(text)


def _rows(published: Path, sql: str) -> list[list[object]]:
    with duckdb.connect(str(published), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        rows = connection.execute(sql).fetchall()
    return [[float(v) if isinstance(v, int | float) else v for v in row] for row in rows]


@pytest.mark.parametrize("name", [question.name for question in QUESTIONS])
def test_every_number_on_the_page_is_that_of_the_query_it_shows(
    published: Path, files: dict[str, str], name: str
) -> None:
    section = _sections(files["insights.html"])[name]
    (sql,) = re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", section, re.DOTALL)
    expected = _rows(published, unescape(sql))
    assert expected

    (table,) = re.findall(r'<table class="numbers">(.*?)</table>', section, re.DOTALL)
    cells = [re.findall(r"<td>(.*?)</td>", row) for row in table.split("<tr>")[2:]]
    assert [[_value(cell) for cell in row] for row in cells] == expected

    header, *lines = csv.reader(files[f"insights/{name}.csv"].splitlines())
    assert [[_value(cell or "\u2013") for cell in line] for line in lines] == expected
    shown = re.findall(r'<th scope="col">(.*?)</th>', table)
    assert [column.replace("_", " ") for column in header] == shown

    question = next(each for each in QUESTIONS if each.name == name)
    for measure in question.measures:
        values = [row[header.index(measure.column)] for row in expected]
        known = [float(value) for value in values if isinstance(value, float)]
        if question.drawn_as == "bars":
            bars = re.findall(r'<td class="number">(.*?)</td>', section)
            labels = re.findall(r'<th scope="row">(.*?)</th>', section)
            assert [unescape(label) for label in labels] == [row[0] for row in expected]
            assert len(set(labels)) == len(labels)
            assert [_value(bar.removesuffix(measure.unit)) for bar in bars] == values
            widths = [float(w) for w in re.findall(r'<rect[^>]* width="([\d.]+)"', section)]
            whole = max([*known, 0]) - min([*known, 0])
            assert widths == pytest.approx([100 * abs(v) / whole for v in known], abs=0.01)
        else:
            drawn = re.findall(rf"{measure.words} <span>(.*?) <b>(.*?)</b>", section)
            said = [tuple(map(_number, (*span.split(" to "), last))) for span, last in drawn]
            assert said == [(min(known), max(known), known[-1])]


def _number(text: str) -> float:
    return float(unescape(text).removesuffix(" %").replace(",", ""))


def test_the_sentences_say_what_the_rows_say(files: dict[str, str]) -> None:
    said = re.findall(r'<p class="takeaway">(.*?)</p>', files["insights.html"])
    assert len(said) == len(QUESTIONS)
    assert re.match(r"A (Mon|Wednes)day brings [\d.]+ papers on average", unescape(said[0]))
    assert not any("Nothing yet" in each for each in said)


def test_the_page_is_small_valid_and_fetches_nothing(files: dict[str, str]) -> None:
    page = files["insights.html"]
    html5lib.HTMLParser(strict=True).parse(page)
    assert len(page.encode()) < 200_000
    assert "<script" not in page
    assert "://" not in page
    assert " style=" not in page
    links = set(re.findall(r'href="([^"#]+)"', page)) - {"data:,", "index.html"}
    assert links == files.keys() - {"insights.html"}


def test_without_rows_each_plot_says_what_it_needs(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path, tmp_path / "warehouse.duckdb")
    warehouse.read("2026-08-15 12:00", (), verdict="empty")
    published = publish_built(warehouse, Settings(home=tmp_path, embedding_model="none"))
    with KeptOpen(published).opened() as connection:
        page = insights_files(connection)["insights.html"]
    said = re.findall(r'<p class="takeaway">(.*?)</p>', page)
    assert all(each.startswith("Nothing yet: no ") for each in said)
    assert len(said) == len(QUESTIONS)


def test_each_query_gives_what_one_counts_by_hand(tmp_path: Path) -> None:
    """Two Mondays of two and four papers; one paper whose votes go 2, 5, 9 and 10 in a week."""
    warehouse = Warehouse(tmp_path, tmp_path / "warehouse.duckdb")
    for day, count in (("2026-08-03", 2), ("2026-08-10", 4)):
        for hours, votes, there in ((8, 2, 1), (20, 5, count), (27, 9, count), (200, 10, count)):
            at = datetime.fromisoformat(f"{day}T00:00:00+00:00") + timedelta(hours=hours)
            papers = [
                item(f"26{day[5:7]}.{day[8:]}{n:03}", upvotes=votes if n == 0 else 0)
                for n in range(there)
            ]
            verdict = "complete" if hours >= 27 else "partial"
            warehouse.read(f"{at:%F %H:%M}", papers, day=day, verdict=verdict)
    published = publish_built(warehouse, Settings(home=tmp_path, embedding_model="none"))
    with KeptOpen(published).opened() as connection:
        found = {each.name: answered(connection, each) for each in QUESTIONS}
    rows = {name: [tuple(row.values()) for row in each.rows] for name, each in found.items()}

    assert rows["volume_by_weekday"] == [("Monday", 2, 4, 3.0)]
    # One of two and one of four, three quarters between them; then all.
    assert rows["growth_of_a_day"] == [(8, 2, 2, 37.5), (20, 2, 5, 100.0)]
    assert rows["half_life_of_votes"] == [(12, 2, 20.0), (24, 2, 50.0), (36, 2, 90.0)]
    assert found["half_life_of_votes"].sentence.endswith("are there by hour 24.")
    assert rows["share_with_code"] == [("2026-08", 6, 0, 0.0)]


def test_the_page_is_made_once_a_publication(published: Path, tmp_path: Path) -> None:
    file = tmp_path / "papers.duckdb"
    shutil.copy(published, file)
    page = InsightsPage(Pages(Site("http://127.0.0.1")), KeptOpen(file))
    asked = Request({"type": "http", "headers": []})
    with patch("flows.web.insights_page.insights", side_effect=insights) as made:
        once, again = page.show(asked).body, page.show(asked).body
        assert (again, made.call_count) == (once, 1)
        later = tmp_path / "later.duckdb"
        shutil.copy(published, later)
        with duckdb.connect(str(later)) as connection:
            connection.execute("update marts.listings set has_code = not has_code")
        later.replace(file)
        assert page.show(asked).body != once
        assert made.call_count == 2
