"""What runs when: the registry, its twin for work pools, and both sides of both clock changes."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml  # type: ignore[import-untyped]  # dbt brings it, without types

from flows.settings import Settings
from flows.sources.feed_day import closes_at, newest_closed

ROOT = Path(__file__).resolve().parents[2]
NEW_YORK = ZoneInfo("America/New_York")


def runs(cron: str, zone: str, start: datetime, count: int) -> list[datetime]:
    """When Prefect's own scheduler starts this."""
    from prefect.server.schemas.schedules import CronSchedule

    async def dates() -> list[datetime]:
        return list(await CronSchedule(cron=cron, timezone=zone).get_dates(count, start))

    return asyncio.run(dates())


def test_the_work_pool_gets_the_same_deployments_as_papers_serve() -> None:
    from flows.deployments import deployments
    from flows.runs.flow_runs import OURS

    written = yaml.safe_load((ROOT / "infra" / "prefect.yaml").read_text())["deployments"]
    settings = Settings()
    assert written == [
        {
            "name": each.name,
            "description": each.description,
            "entrypoint": each.entrypoint,
            **({"parameters": each.parameters} if each.parameters else {}),
            "schedules": [{"cron": each.cron, "timezone": settings.timezone}] if each.cron else [],
            "tags": [OURS, *each.tags],
            "work_pool": {"name": "papers"},
        }
        for each in deployments(settings)
    ]


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Asia/Tokyo", "UTC"])
def test_every_scheduled_flow_keeps_its_local_hour_over_both_clock_changes(zone: str) -> None:
    from flows.deployments import deployments

    for each in deployments(Settings(timezone=zone)):
        if each.cron is None:
            continue
        minute, hour = each.cron.split()[:2]
        for change in (datetime(2026, 10, 20, tzinfo=UTC), datetime(2027, 3, 10, tzinfo=UTC)):
            for run in runs(each.cron, zone, change, 60):
                local = run.astimezone(ZoneInfo(zone))
                assert local.minute == int(minute), each.name
                assert hour == "*/2" or str(local.hour) in hour.split(","), each.name


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        # Summer time ends on Sunday 1 November 2026: 21:45 is 01:45 UTC before, 02:45 after.
        (
            datetime(2026, 10, 29, 12, tzinfo=UTC),
            ["2026-10-30 01:45", "2026-10-31 01:45", "2026-11-03 02:45", "2026-11-04 02:45"],
        ),
        # It begins on Sunday 14 March 2027.
        (
            datetime(2027, 3, 11, 12, tzinfo=UTC),
            ["2027-03-12 02:45", "2027-03-13 02:45", "2027-03-16 01:45", "2027-03-17 01:45"],
        ),
    ],
)
def test_the_digest_runs_a_quarter_of_an_hour_after_the_list_of_its_day_closed(
    start: datetime, expected: list[str]
) -> None:
    settings = Settings()
    made = runs(settings.schedule, settings.timezone, start, 4)
    assert [f"{run.astimezone(UTC):%Y-%m-%d %H:%M}" for run in made] == expected
    for run in made:
        day = newest_closed(run.astimezone(UTC))
        assert day == run.astimezone(NEW_YORK).date()
        assert run - closes_at(day) == timedelta(minutes=15)


def test_the_days_of_a_reading() -> None:
    from flows.sources.feed_day import last_list_dates, open_list_date

    # Monday 24 August 2026, 12:00 in New York: the list of Monday grows, Friday's is closed.
    noon = datetime(2026, 8, 24, 16, tzinfo=UTC)
    assert open_list_date(noon) == date(2026, 8, 24)
    assert open_list_date(closes_at(date(2026, 8, 24))) == date(2026, 8, 25)
    assert last_list_dates(noon, 3) == [date(2026, 8, 19), date(2026, 8, 20), date(2026, 8, 21)]
    assert last_list_dates(noon, 0) == []
