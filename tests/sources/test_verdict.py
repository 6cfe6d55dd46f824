from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from flows.sources.hub import Answer
from flows.sources.verdict import EarlierReading, History, Verdict, judge, judge_recorded

THURSDAY = date(2026, 8, 20)
SATURDAY = date(2026, 8, 22)
CLOSED = datetime(2026, 8, 21, 2, 31, tzinfo=UTC)
NOON = datetime(2026, 8, 20, 12, tzinfo=UTC)


def answered(count: int = 40, read_at: datetime = CLOSED, **known: Any) -> Answer:
    facts: dict[str, Any] = {
        "list_date": THURSDAY,
        "page_count": 1,
        "status": 200,
        "first_page_agrees": True,
    }
    items = tuple({"paper": {"id": f"2608.{n:05}"}} for n in range(count))
    return Answer(read_at=read_at, items=items, **(facts | known))


def earlier(count: int, ago: timedelta = timedelta(hours=1), *, whole: bool = True) -> History:
    return History(earlier=(EarlierReading(CLOSED - ago, count, whole),))


UNUSABLE: dict[str, Any] = {"is_list": False, "first_page_agrees": None}
NOT_OPEN = 'date" must be less than or equal to "2026-08-20'


@pytest.mark.parametrize(
    ("answer", "history", "verdict"),
    [
        (answered(), History(), "complete"),
        (answered(read_at=NOON), History(), "partial"),
        (answered(read_at=NOON), History(later_list_is_open=True), "complete"),
        (answered(first_page_agrees=False), History(), "partial"),
        (answered(first_page_agrees=None), History(), "partial"),
        (answered(trouble="page 2 is missing: it answered 503"), History(), "partial"),
        (answered(24), earlier(40), "partial"),
        (answered(38), earlier(40), "complete"),
        (answered(24), earlier(40, whole=False), "complete"),
        (answered(0, list_date=SATURDAY, read_at=CLOSED + timedelta(days=2)), History(), "empty"),
        (answered(0), History(), "partial"),
        (answered(0), earlier(0), "empty"),
        (answered(0), earlier(0, timedelta(minutes=30)), "partial"),
        (answered(0), earlier(12), "partial"),
        (answered(0, read_at=datetime(2026, 8, 20, 1, tzinfo=UTC)), History(), "not_open"),
        (answered(0, read_at=NOON), History(), "partial"),
        (answered(1), History(usual_count=40), "partial"),
        (answered(14), History(usual_count=40), "complete"),
        (
            answered(1),
            History(earlier(1).earlier, usual_count=40),
            "complete",
        ),
        (answered(0, status=400, first_bytes=NOT_OPEN, **UNUSABLE), History(), "not_open"),
        (answered(0, status=400, first_bytes="bad date", **UNUSABLE), History(), "failed"),
        (answered(0, status=503, trouble="it answered 503", **UNUSABLE), History(), "failed"),
    ],
)
def test_evidence_has_one_verdict(answer: Answer, history: History, verdict: str) -> None:
    judged = judge(answer, history)
    assert judged.name == verdict
    assert judged.reason.endswith(".")
    assert "\n" not in judged.reason


@pytest.mark.parametrize(
    ("answer", "history", "is_whole"),
    [
        (answered(), History(), True),
        (answered(read_at=NOON), History(), True),
        (answered(trouble="page 2 is missing"), History(), False),
        (answered(24), earlier(40), False),
        (answered(0, status=503, **UNUSABLE), History(), False),
    ],
)
def test_only_a_whole_reading_may_become_the_list(
    answer: Answer, history: History, *, is_whole: bool
) -> None:
    assert judge(answer, history).is_whole is is_whole


@pytest.mark.parametrize(
    ("judged", "sentence"),
    [
        (judge(answered(), History()), "All 40 papers read, on 1 page, and a second look agreed."),
        (
            judge(replace(answered(), items=answered().items + answered(3).items), History()),
            "All 40 papers read, on 1 page, and a second look agreed.",
        ),
        (
            judge(answered(24), earlier(40)),
            "Read 24 papers, but an earlier reading had 40.",
        ),
        (
            judge(answered(12, read_at=NOON), History()),
            (
                "12 papers by 12:00 UTC on Thursday; "
                "the list grows until 01:30 UTC on Friday 21 August 2026."
            ),
        ),
        (
            judge(answered(0, list_date=SATURDAY, read_at=CLOSED + timedelta(days=3)), History()),
            "No papers: the Hub makes no list on Saturdays.",
        ),
        (
            judge(answered(0, status=503, trouble="it answered 503", **UNUSABLE), History()),
            "The Hub gave no list for Thursday 20 August 2026: it answered 503.",
        ),
    ],
)
def test_the_sentence_says_why(judged: Verdict, sentence: str) -> None:
    assert judged.reason == sentence


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (answered(read_at=NOON), "still growing"),
        (answered(50), "cuts a list at 50"),
        (answered(20), "no proof"),
    ],
)
def test_a_recorded_list_is_never_called_complete(answer: Answer, word: str) -> None:
    judged = judge_recorded(answer, History())
    assert judged.name == "partial"
    assert judged.is_whole
    assert word in judged.reason


@pytest.mark.parametrize("day", [date(2026, 3, 6), date(2026, 3, 9), date(2026, 11, 2)])
def test_a_day_closes_at_half_past_nine_in_new_york_in_summer_and_winter(day: date) -> None:
    from flows.sources.feed_day import FEED_ZONE, closes_at

    just_before = closes_at(day) - timedelta(seconds=1)
    assert closes_at(day).astimezone(FEED_ZONE).hour == 21
    assert judge(answered(list_date=day, read_at=just_before), History()).name == "partial"
    assert judge(answered(list_date=day, read_at=closes_at(day)), History()).name == "complete"
