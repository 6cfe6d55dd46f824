"""When a day's final verdict is due: the hour after which its silence is an incident."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from flows.settings import Settings
from flows.sources.feed_day import closes_at


def verdict_due_at(list_date: date, settings: Settings) -> datetime:
    """The first DEADLINE (UTC, from TIMEZONE) after the list of this date has closed."""
    zone = ZoneInfo(settings.timezone)
    closed = closes_at(list_date).astimezone(zone)
    due = datetime.combine(closed.date(), settings.deadline, zone)
    if due <= closed:
        due = datetime.combine(closed.date() + timedelta(days=1), settings.deadline, zone)
    return due.astimezone(UTC)
