"""Whether the schedule of the settings is one that Prefect can run, and runs in time."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from flows.settings import Settings, SettingsError
from flows.sources.feed_day import closes_at, last_list_dates


def check_schedule(settings: Settings) -> None:
    """Make sure that PAPERS_SCHEDULE is a cron line. Raises SettingsError."""
    # Imported here: Prefect reads its settings when it is imported.
    from prefect.schedules import Cron

    try:
        Cron(settings.schedule, timezone=settings.timezone)
    except ValueError:
        wrong = f"PAPERS_SCHEDULE cannot be used: {settings.schedule!r} is no cron line"
        raise SettingsError(f"{wrong}, such as '45 21 * * 1-5'") from None


def why_too_late(settings: Settings, now: datetime) -> str:
    """Which weekday's issue this schedule would make too old to be mailed; empty for none.

    Such as Friday's where a schedule of New York's evenings is kept in a zone east of it: the list
    closes in the small hours of Saturday there, and the next run is Monday's.
    """
    life = timedelta(hours=settings.issue_max_age_hours)
    said = f"PAPERS_SCHEDULE {settings.schedule!r} in {settings.timezone}"
    for day in last_list_dates(now, 5):
        closed = closes_at(day)
        run_at = _first_run(settings, closed)
        if run_at is None:
            return f"{said} never comes, so nothing is made by itself."
        if run_at - closed > life:
            hours = (run_at - closed) / timedelta(hours=1)
            return (
                f"{said} makes the issue of a {day:%A} {hours:.0f} hours after its list closed, and"
                f" after {settings.issue_max_age_hours:g} hours (PAPERS_ISSUE_MAX_AGE_HOURS) none"
                " is mailed by itself; lists close on weekdays at 21:30 in New York, here at"
                f" {closed.astimezone(ZoneInfo(settings.timezone)):%H:%M on %A}."
            )
    return ""


def _first_run(settings: Settings, after: datetime) -> datetime | None:
    from prefect.server.schemas.schedules import CronSchedule

    schedule = CronSchedule(cron=settings.schedule, timezone=settings.timezone)
    try:
        (run_at,) = asyncio.run(schedule.get_dates(1, start=after))
    except ValueError:  # the 30th of February
        return None
    return datetime.fromtimestamp(run_at.timestamp(), UTC)  # it was pendulum's
