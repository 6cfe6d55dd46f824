"""When a list date opens and closes: the Hub's feed day turns at 21:30 in New York.

A fact about the source (measured from the submission times of 600 days), kept in this one place.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

FEED_ZONE = ZoneInfo("America/New_York")
FEED_TURN = time(21, 30)
FIRST_LIST_DATE = date(2023, 5, 1)
# A mistyped year would else be read, and stand in every report as a list that is not open yet.
FURTHEST_AHEAD = timedelta(days=7)


def closes_at(list_date: date) -> datetime:
    """The moment (UTC) after which nothing is added to the list of this date by its day."""
    return datetime.combine(list_date, FEED_TURN, FEED_ZONE).astimezone(UTC)


def opens_at(list_date: date) -> datetime:
    """The moment (UTC) at which the list of this date begins: when the day before it closes."""
    return closes_at(list_date - timedelta(days=1))


def why_no_list(list_date: date, now: datetime) -> str | None:
    """Why the Hub can have no list of this date, in one sentence; None where it may have one."""
    if list_date < FIRST_LIST_DATE:
        return f"The Hub's lists begin on {FIRST_LIST_DATE}; {list_date} is before that."
    if list_date > open_list_date(now) + FURTHEST_AHEAD:
        return f"{list_date} is too far ahead: the list that grows now is of {open_list_date(now)}."
    return None


def is_weekend(list_date: date) -> bool:
    """Whether the Hub makes no list on this date (234 of 234 weekend days were empty)."""
    return list_date.weekday() >= 5


def newest_closed(now: datetime) -> date:
    """The newest weekday whose list is closed at `now`; weekends have no list to ask for."""
    day = now.astimezone(FEED_ZONE).date()
    while closes_at(day) > now or is_weekend(day):
        day -= timedelta(days=1)
    return day


def open_list_date(now: datetime) -> date:
    """The date whose list grows at `now`; on a weekend it grows by nothing."""
    day = now.astimezone(FEED_ZONE).date()
    return day if now < closes_at(day) else day + timedelta(days=1)


def last_list_dates(now: datetime, count: int) -> list[date]:
    """The newest closed weekdays at `now`, this many, oldest first."""
    days: list[date] = []
    while len(days) < count:
        before = closes_at(days[0]) - timedelta(seconds=1) if days else now
        days.insert(0, newest_closed(before))
    return days
