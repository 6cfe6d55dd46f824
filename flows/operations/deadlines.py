"""When a day's final verdict is due: the hour after which its silence is an incident."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from flows.settings import Settings
from flows.sources.feed_day import closes_at, is_weekend, newest_closed


def verdict_due_at(list_date: date, settings: Settings) -> datetime:
    """The first DEADLINE (UTC, from TIMEZONE) after the list of this date has closed."""
    return deadline_after(closes_at(list_date), settings)


def deadline_after(moment: datetime, settings: Settings) -> datetime:
    """The first DEADLINE (UTC, from TIMEZONE) after this moment."""
    zone = ZoneInfo(settings.timezone)
    local = moment.astimezone(zone)
    due = datetime.combine(local.date(), settings.deadline, zone)
    # In UTC: of two hours with one name in autumn, wall times of a zone cannot tell which is later.
    if due.astimezone(UTC) <= moment:
        due = datetime.combine(local.date() + timedelta(days=1), settings.deadline, zone)
    return due.astimezone(UTC)


def newest_due(now: datetime, settings: Settings) -> date:
    """The newest weekday whose final verdict is due at `now`."""
    day = newest_closed(now)
    while verdict_due_at(day, settings) > now or is_weekend(day):
        day -= timedelta(days=1)
    return day
