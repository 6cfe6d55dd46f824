"""When a day's verdict is due, across zones and clock changes."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from flows.operations.deadlines import deadline_after, verdict_due_at
from flows.settings import Settings


@pytest.mark.parametrize(
    ("day", "zone", "deadline", "due"),
    [
        # New York is at UTC-4 in summer and at UTC-5 in winter; a list closes at 21:30 there.
        (date(2026, 8, 20), "America/New_York", time(9), datetime(2026, 8, 21, 13, tzinfo=UTC)),
        (date(2026, 12, 1), "America/New_York", time(9), datetime(2026, 12, 2, 14, tzinfo=UTC)),
        (date(2026, 10, 31), "America/New_York", time(9), datetime(2026, 11, 1, 14, tzinfo=UTC)),
        # In Berlin the list of the 20th closes at 03:30 on the 21st, before nine of that morning.
        (date(2026, 8, 20), "Europe/Berlin", time(9), datetime(2026, 8, 21, 7, tzinfo=UTC)),
        (date(2026, 8, 20), "Europe/Berlin", time(3), datetime(2026, 8, 22, 1, tzinfo=UTC)),
    ],
)
def test_a_verdict_is_due_at_the_first_deadline_after_the_list_closed(
    day: date, zone: str, deadline: time, due: datetime
) -> None:
    assert verdict_due_at(day, Settings(timezone=zone, deadline=deadline)) == due


@pytest.mark.parametrize(
    ("zone", "deadline", "moment"),
    [
        ("America/New_York", time(1, 30), datetime(2026, 11, 1, 6, tzinfo=UTC)),
        ("Europe/Berlin", time(2, 30), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ],
)
def test_in_the_hour_that_autumn_repeats_a_deadline_is_still_to_come(
    zone: str, deadline: time, moment: datetime
) -> None:
    due = deadline_after(moment, Settings(timezone=zone, deadline=deadline))
    assert moment < due < moment + timedelta(hours=26)
