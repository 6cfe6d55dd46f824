"""What was known when an answer was read: the evidence of its verdict."""

from datetime import UTC, date, datetime, timedelta

import pytest

from flows.sources.hub import Answer
from flows.sources.verdict import EarlierReading, History
from flows.warehouse.known_lists import KnownLists

DAY = date(2026, 8, 13)
AT = datetime(2026, 8, 14, 3, tzinfo=UTC)


def reading(count: int, hours: int = -1, *, is_whole: bool = True) -> EarlierReading:
    return EarlierReading(AT + timedelta(hours=hours), count, is_whole)


def test_only_what_was_read_before_is_known() -> None:
    before, after = reading(30), reading(31, hours=1)
    known = KnownLists([(DAY, before), (DAY, after), (DAY + timedelta(days=1), after)])
    assert known.before(Answer(DAY, AT)) == History((before,), None, later_list_is_open=False)
    later = Answer(DAY, AT + timedelta(hours=2))
    assert known.before(later) == History((before, after), None, later_list_is_open=True)


def test_usual_is_the_median_of_the_last_eight_same_weekdays_by_their_newest_whole_reading() -> (
    None
):
    weeks = range(1, 13)
    known = KnownLists((DAY - timedelta(weeks=n), reading(n)) for n in weeks)
    known.add(DAY - timedelta(weeks=1), reading(100, hours=-3))
    known.add(DAY - timedelta(weeks=2), reading(3, hours=0, is_whole=False))
    known.add(DAY - timedelta(days=1), reading(50))
    known.add(DAY + timedelta(weeks=1), reading(50))
    assert known.before(Answer(DAY, AT)).usual_count == 4.5  # of 1 to 8


@pytest.mark.parametrize(
    ("counts", "usual_count"),
    [([9, 20], None), ([9, 20, 30], 20), ([9, 0, 20, 30], 20), ([9, 20, *[0] * 10, 30], None)],
)
def test_empty_lists_and_those_of_more_than_90_days_ago_are_not_usual(
    counts: list[int], usual_count: float | None
) -> None:
    known = KnownLists(
        (DAY - timedelta(weeks=week), reading(count)) for week, count in enumerate(counts, 1)
    )
    assert known.before(Answer(DAY, AT)).usual_count == usual_count


def test_an_empty_later_list_opens_nothing() -> None:
    known = KnownLists([(DAY + timedelta(days=2), reading(0))])
    assert not known.before(Answer(DAY, AT)).later_list_is_open
    known.add(DAY + timedelta(days=3), reading(1, hours=0))
    assert known.before(Answer(DAY, AT)).later_list_is_open
