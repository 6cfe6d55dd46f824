"""Whether the operator's schedule makes each issue while it may still be mailed."""

from datetime import UTC, datetime

import pytest

from flows.runs.schedule import why_too_late
from flows.settings import Settings

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "schedule"),
    [
        ("America/New_York", "45 21 * * 1-5"),
        ("America/Los_Angeles", "45 21 * * 1-5"),
        ("Europe/Berlin", "45 3 * * 2-6"),
        ("Asia/Tokyo", "0 12 * * *"),
    ],
)
def test_a_schedule_that_follows_each_close_is_in_time(zone: str, schedule: str) -> None:
    assert why_too_late(Settings(timezone=zone, schedule=schedule), NOW) == ""


@pytest.mark.parametrize(
    ("zone", "hours", "here"),
    [
        ("UTC", 67, "02:30 on Saturday"),
        ("Europe/Berlin", 66, "03:30 on Saturday"),
        ("Asia/Tokyo", 58, "11:30 on Saturday"),
    ],
)
def test_a_zone_alone_that_leaves_fridays_issue_to_monday_is_told(
    zone: str, hours: int, here: str
) -> None:
    said = why_too_late(Settings(timezone=zone), NOW)
    assert f"in {zone} makes the issue of a Friday {hours} hours after its list closed" in said
    assert said.endswith(f"here at {here}.")
    assert why_too_late(Settings(timezone=zone, issue_max_age_hours=72), NOW) == ""


def test_a_schedule_of_a_day_that_never_comes_is_told() -> None:
    assert "never comes" in why_too_late(Settings(schedule="0 0 30 2 *"), NOW)
