"""Weeks and months: the periods of two editions, each known by its last day."""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

from flows.errors import UsageError
from flows.newsletter.digest import UNITS, Edition
from flows.sources.feed_day import closes_at

_WEEK = re.compile(r"([12][0-9]{3})-W([0-9]{2})", re.IGNORECASE)
_MONTH = re.compile(r"([12][0-9]{3})-([0-9]{2})")


class PeriodError(UsageError):
    """Words that name no week or no month; the message says how one is named."""


def parse_period(edition: Edition, words: str) -> date:
    """The last day of `2026-W33` (an ISO week; some years have a W53) or of `2026-08`.

    Raises:
        PeriodError: there is no such week or month.
    """
    try:
        if edition == "weekly" and (found := _WEEK.fullmatch(words)):
            return date.fromisocalendar(int(found[1]), int(found[2]), 7)
        if edition == "monthly" and (found := _MONTH.fullmatch(words)):
            return last_day(edition, date(int(found[1]), int(found[2]), 1))
    except ValueError:
        raise PeriodError(f"There is no {UNITS[edition]} {words}.") from None
    raise PeriodError(f"“{words}” names no {UNITS[edition]}; write it as {_EXAMPLE[edition]}.")


def first_day(edition: Edition, day: date) -> date:
    """The first day of the period that a date is in; of a daily edition the date itself."""
    if edition == "weekly":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if edition == "monthly" else day


def last_day(edition: Edition, day: date) -> date:
    """The last day of the period that a date is in: the date of its issue."""
    if edition == "weekly":
        return day + timedelta(days=6 - day.weekday())
    if edition == "monthly":
        return day.replace(day=monthrange(day.year, day.month)[1])
    return day


def ends_at(edition: Edition, issue_date: date) -> datetime:
    """When an issue could first go out (UTC): a day's as its list closes, a period's at its end.

    A period ends with the feed day of its last date, when nothing can be added to it any more.
    """
    return closes_at(last_day(edition, issue_date))


def newest_ended(edition: Edition, now: datetime) -> date:
    """The last day of the newest week or month that is over at `now`."""
    day = last_day(edition, now.astimezone(UTC).date())
    while ends_at(edition, day) > now:
        day = first_day(edition, day) - timedelta(days=1)
    return day


def period_name(edition: Edition, day: date) -> str:
    """`2026-W33`, `2026-08`; the ISO year of a week is not always that of its days."""
    return f"{day:%G-W%V}" if edition == "weekly" else f"{day:%Y-%m}"


_EXAMPLE = {"daily": "2026-08-20", "weekly": "2026-W33", "monthly": "2026-08"}
