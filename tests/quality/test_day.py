import re
from dataclasses import replace
from datetime import UTC, date, datetime

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.quality.day import Check, QualityDay, Quarantined, ReadingLine, render_quality
from flows.warehouse.day_facts import DayFacts

ROWS = Check(
    "raw", "raw_items", "expect_table_row_count_to_equal", "", "critical", True, "43", "All rows."
)
CODE = Check(
    "raw", "raw_items", "expect_null_rate_against_history", "github_url", "warning", False,
    "71 %", "Fewer papers than usual have a code link.", ("2608.10001", "<b>no id</b>"),
)  # fmt: skip
DOUBLES = Check(
    "marts", "marts_digest", "expect_column_values_to_be_unique", "paper_id", "critical", False,
    "3 of 43", "Three papers stand twice.", ("2608.10002",),
)  # fmt: skip
DAY = QualityDay(
    DayFacts(
        list_date=date(2026, 8, 20),
        run_id="a reading",
        verdict="complete",
        reason="The day is closed and every page was read.",
        paper_count=43,
        source_count=44,
        passed_count=1,
        warning_count=1,
    ),
    checks=(ROWS, CODE),
    quarantined=(Quarantined("2608.99", 17, "The id lost a zero."), Quarantined(None, 3, "No id.")),
    readings=(
        ReadingLine(datetime(2026, 8, 21, 1, 2, tzinfo=UTC), "failed", "503.", None),
        ReadingLine(datetime(2026, 8, 21, 2, 31, tzinfo=UTC), "complete", "Every page.", 44),
    ),
)


def words(page: str) -> str:
    page = re.sub("(?=</(p|h1|h2|h3|td|th|dt|dd|caption)>)", " ", page)
    body = html5lib.HTMLParser(strict=True).parse(page).find(".//{*}body")
    return " ".join("".join(body.itertext()).split())


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ((1, 1, 0), "Complete. 43 of 44 papers; 1 check passed, 1 warning."),
        ((1, 0, 0), "Complete. 43 of 44 papers; 1 check passed."),
        ((1, 0, 1), "Complete. 43 of 44 papers; 1 check passed, 1 failed."),
        ((0, 0, 0), "Complete. 43 of 44 papers."),
    ],
)
def test_the_page_begins_with_the_sentence(counts: tuple[int, int, int], sentence: str) -> None:
    passed, warned, failed = counts
    facts = replace(DAY.facts, passed_count=passed, warning_count=warned, failure_count=failed)
    day = replace(DAY, facts=facts)
    assert facts.sentence == sentence
    assert f"Thursday 20 August 2026 {sentence} The day is closed" in words(render_quality(day))


def test_a_failing_check_shows_what_was_expected_and_seen_with_rows() -> None:
    page = render_quality(replace(DAY, checks=(ROWS, CODE, DOUBLES)))
    assert (
        "Fewer papers than usual have a code link. Expected expect_null_rate_against_history "
        "(github_url) Seen 71 % Rows 2608.10001 <b>no id</b> Gate raw, a warning"
    ) in words(page)
    assert 'href="https://huggingface.co/papers/2608.10001"' in page
    assert words(page).index("Three papers stand twice.") < words(page).index("Fewer papers")
    assert "blocks the day" in words(page)


def test_the_page_goes_from_what_deviates_to_all() -> None:
    seen = words(render_quality(DAY))
    places = [
        seen.index(heading)
        for heading in ("What deviates", "Quarantined", "All checks", "Readings of the day")
    ]
    assert places == sorted(places)
    assert "17 2608.99 The id lost a zero." in seen
    assert "3 no id No id." in seen
    assert "21 Aug 01:02 failed 503." in seen
    assert "21 Aug 02:31 complete 44 Every page." in seen


def test_a_day_with_nothing_to_say_has_no_holes() -> None:
    saturday = QualityDay(
        DayFacts(date(2026, 8, 22), None, "empty", "Saturday: the Hub lists nothing.")
    )
    seen = words(render_quality(saturday))
    assert seen.endswith("Empty. 0 of 0 papers. Saturday: the Hub lists nothing.")
    calm = words(render_quality(replace(DAY, checks=(ROWS,), quarantined=(), readings=())))
    assert "Nothing: every check passed." in calm
    assert "Quarantined" not in calm


def test_the_page_fetches_nothing_and_runs_nothing() -> None:
    page = render_quality(DAY)
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|\son\w+=", page)
    assert render_quality(DAY) == page


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co")), max_size=80))
def test_foreign_words_stay_words(text: str) -> None:
    odd = replace(CODE, sentence=text, observed_value=text, examples=(text,), column_name=text)
    facts = replace(DAY.facts, reason=text)
    day = QualityDay(facts, checks=(odd,), quarantined=(Quarantined(text, 1, text),))
    assert " ".join(text.split()) in words(render_quality(day))
