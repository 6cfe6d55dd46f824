"""What was known when an answer was read: the evidence of its verdict."""

from datetime import UTC, date, datetime, timedelta

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
    assert known.before(Answer(DAY, AT)) == History((before,), (), later_list_is_open=False)
    later = Answer(DAY, AT + timedelta(hours=2))
    assert known.before(later) == History((before, after), (), later_list_is_open=True)


def test_the_last_eight_same_weekdays_count_by_their_newest_whole_reading() -> None:
    weeks = range(1, 13)
    known = KnownLists((DAY - timedelta(weeks=n), reading(n)) for n in weeks)
    known.add(DAY - timedelta(weeks=1), reading(100, hours=-3))
    known.add(DAY - timedelta(weeks=2), reading(3, hours=0, is_whole=False))
    known.add(DAY - timedelta(days=1), reading(50))
    known.add(DAY + timedelta(weeks=1), reading(50))
    history = known.before(Answer(DAY, AT))
    assert history.same_weekday_counts == tuple(range(1, 9))


def test_an_empty_later_list_opens_nothing() -> None:
    known = KnownLists([(DAY + timedelta(days=2), reading(0))])
    assert not known.before(Answer(DAY, AT)).later_list_is_open
    known.add(DAY + timedelta(days=3), reading(1, hours=0))
    assert known.before(Answer(DAY, AT)).later_list_is_open
