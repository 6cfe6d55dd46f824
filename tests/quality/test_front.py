import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import html5lib
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.quality.front import DayLine, Front, QuarantinedLine, render_front
from flows.warehouse.day_facts import DayFacts

THURSDAY = DayLine(
    DayFacts(
        date(2026, 8, 20),
        "a reading",
        "complete",
        "All 44 papers read, on 1 page, and a second look agreed.",
        paper_count=43,
        passed_count=46,
        warning_count=2,
        quarantined_count=1,
    ),
    new_fields=("paper.mood", "tags", "a", "b"),
    null_pct={"github_url": 52.4},
    mail=("412 sent, 3 deferred",),
    page_url="days/2026-08-20.html",
    issue_url="../issues/2026-08-20-daily/digest.html",
    validation_urls={"items": "data_docs/validations/raw_items/x/y/z.html"},
)
FAILED = DayLine(
    DayFacts(
        date(2026, 8, 19),
        "a reading",
        "failed",
        "The Hub gave no list: it answered 503.",
        failure_count=1,
    )
)
MONDAY = replace(
    THURSDAY, facts=replace(THURSDAY.facts, list_date=date(2026, 8, 17), paper_count=20)
)
FRONT = Front(
    written_at=datetime(2026, 8, 21, 2, 31, tzinfo=UTC),
    days=(THURSDAY, FAILED, MONDAY),
    quarantined=(
        QuarantinedLine(date(2026, 8, 20), "2608.99001", "The id lost a zero.", 3),
        QuarantinedLine(date(2026, 8, 20), None, "No id.", 1),
    ),
)


def words(page: str) -> str:
    page = re.sub("(?=</(p|h1|h2|th|td|li|a|small|span|figcaption)>)", " ", page)
    body = html5lib.HTMLParser(strict=True).parse(page).find(".//{*}body")
    return " ".join("".join(body.itertext()).split())


def test_the_page_begins_with_the_days_in_one_line_and_the_newest() -> None:
    assert (
        "2 complete and 1 failed of the last 4 days. Thursday 20 August 2026: complete . All 44"
    ) in words(render_front(FRONT))


def test_the_page_leads_with_the_newest_day_that_is_done() -> None:
    growing = replace(
        THURSDAY, facts=replace(THURSDAY.facts, list_date=date(2026, 8, 21), verdict="partial")
    )
    seen = words(render_front(replace(FRONT, days=(growing, *FRONT.days))))
    assert "of the last 5 days. Thursday 20 August 2026: complete" in seen


def test_a_row_says_verdict_papers_gates_drift_mail_and_why() -> None:
    seen = words(render_front(FRONT))
    assert (
        "Thu 20 Aug C complete 43 46 checks passed, 2 warnings items paper.mood tags a and 1 more "
        "1 412 sent, 3 deferred issue All 44 papers read"
    ) in seen
    assert "Wed 19 Aug F failed 0 1 check failed The Hub gave no list" in seen
    page = render_front(FRONT)
    for link in (THURSDAY.page_url, THURSDAY.issue_url, *THURSDAY.validation_urls.values()):
        assert f'href="{link}"' in page


def test_the_squares_say_the_verdict_by_letter_and_lead_to_its_row() -> None:
    page = render_front(FRONT)
    squares = re.findall(
        r'<a class="square (\w)( warned)?" href="#d([\d-]+)"[^>]*aria-label="([^"]+)"', page
    )
    assert squares == [
        ("C", " warned", "2026-08-17", "C, Monday 17 August 2026: complete, 20 papers, 2 warnings"),
        ("F", "", "2026-08-19", "F, Wednesday 19 August 2026: failed, 0 papers"),
        (
            "C", " warned", "2026-08-20",
            "C, Thursday 20 August 2026: complete, 43 papers, 2 warnings",
        ),
    ]  # fmt: skip
    assert all(f'id="d{day}"' in page for _, _, day, _ in squares)
    assert page.count('<span class="square">·</span>') == 4, "Tuesday, Friday to Sunday"


def test_the_plots_skip_days_without_a_value() -> None:
    page = render_front(FRONT)
    paths = re.findall(r'<path d="([^"]+)"', page)
    assert paths[0] == "M0.0 53.5 L600.0 0.0", "papers: 20 of 43 on Monday, 43 of 43 on Thursday"
    assert paths[1] == "M0.0 47.6 L600.0 47.6", "without code: 52.4 of 100"
    assert "Papers a day: 43 on 2026-08-20, lowest 20 on 2026-08-17, highest 43" in page
    alone = render_front(replace(FRONT, days=(THURSDAY,)))
    assert 'd="M0.0 0.0 L0.0 0.0"' in alone


def test_every_quarantined_row_stands_with_its_reason() -> None:
    seen = words(render_front(FRONT))
    assert "Thu 20 Aug 2608.99001 The id lost a zero. in 3 readings" in seen
    assert "Thu 20 Aug no id No id." in seen
    assert "And 7 more in quality.quarantined_items" in words(
        render_front(replace(FRONT, quarantined_more_count=7))
    )
    assert "Nothing: no gate" in words(render_front(replace(FRONT, quarantined=())))


def test_a_notice_stands_above_all_and_nothing_known_is_said() -> None:
    empty = Front(FRONT.written_at, (), notice="What follows is from before the last build.")
    assert "quality Every validation What follows is from before the last build. No day is" in (
        words(render_front(empty))
    )


def test_sixty_days_stay_a_small_page_that_fetches_nothing_and_runs_nothing() -> None:
    dates = (date(2026, 8, 20) - timedelta(n) for n in range(60))
    days = tuple(replace(THURSDAY, facts=replace(THURSDAY.facts, list_date=d)) for d in dates)
    page = render_front(replace(FRONT, days=days))
    assert len(page.encode()) < 150_000
    assert not re.search(r"<script|<link rel=\"style|<img|<iframe|@import|url\(|\son\w+=", page)
    assert "60 complete of the last 60 days." in words(page)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co")), max_size=80))
def test_foreign_words_stay_words(text: str) -> None:
    facts = replace(THURSDAY.facts, reason=text)
    odd = replace(THURSDAY, facts=facts, new_fields=(text,), mail=(text,))
    aside = QuarantinedLine(THURSDAY.facts.list_date, text, text, 1)
    page = render_front(replace(FRONT, days=(odd,), quarantined=(aside,)))
    assert " ".join(text.split()) in words(page)
