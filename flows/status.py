"""Where each day stands: verdict, counts, gates, issue, and the sentence why."""

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Literal

from rich.console import Console
from rich.table import Table

from flows.export import issue_folder
from flows.settings import Settings
from flows.warehouse import connect, has_table, records

DAYS_SHOWN = 30


@dataclass(frozen=True)
class DayStatus:
    """One list date as the operator needs it."""

    list_date: date
    verdict: str
    paper_count: int
    reading_count: int
    last_read_at: datetime
    check_count: int
    warning_count: int
    failure_count: int
    reason: str
    issue: str | None


def day_statuses(settings: Settings, day: date | None = None) -> list[DayStatus]:
    """The newest days first: one, or the last thirty; empty where nothing was read.

    Raises:
        WarehouseBusyError: a run holds the warehouse for longer than one waits.
    """
    if not settings.warehouse_path.exists():
        return []
    with connect(settings.warehouse_path, read_only=True) as connection:
        if not has_table(connection, "marts", "daily_digests"):
            return []
        rows = records(connection, _DAYS, {"day": day, "most": DAYS_SHOWN})
    return [DayStatus(**row, issue=_issue(settings, row["list_date"])) for row in rows]


def show(days: list[DayStatus], format: Literal["table", "json"], console: Console) -> None:
    """Print the days as a table to read, or as JSON."""
    if format == "json":
        console.file.write(json.dumps([asdict(day) for day in days], default=str, indent=1) + "\n")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("day", "verdict", "papers", "checks", "issue", "why"):
        table.add_column(name, justify="right" if name == "papers" else "left")
    for day in days:
        table.add_row(
            f"{day.list_date:%a} {day.list_date}",
            day.verdict.replace("_", " "),
            str(day.paper_count),
            _checks(day),
            "made" if day.issue else "none",
            day.reason,
        )
    console.print(table, markup=False)


def _checks(day: DayStatus) -> str:
    parts = [f"{day.check_count} passed"] if day.check_count else ["none"]
    parts += [f"{day.failure_count} failed"] if day.failure_count else []
    parts += [f"{day.warning_count} warned"] if day.warning_count else []
    return ", ".join(parts)


def _issue(settings: Settings, day: date) -> str | None:
    folder = issue_folder(settings, day)
    return str(folder) if folder.exists() else None


# The checks are those of the newest reading that a gate was asked about.
_DAYS = """
    with
        gated as (
            select list_date, max(run_id) as run_id
            from quality.gate_results
            group by list_date
        ),

        checks as (
            select
                gated.list_date,
                count_if(results.is_success) as check_count,
                count_if(not results.is_success and results.severity = 'warning') as warning_count,
                count_if(not results.is_success and results.severity = 'critical') as failure_count
            from gated
            inner join quality.gate_results as results using (run_id)
            group by gated.list_date
        ),

        readings as (
            select list_date, count(*) as reading_count, max(read_at) as last_read_at
            from marts.list_readings
            group by list_date
        )

    select
        digests.digest_date as list_date,
        digests.verdict,
        digests.paper_count,
        readings.reading_count,
        readings.last_read_at,
        coalesce(checks.check_count, 0) as check_count,
        coalesce(checks.warning_count, 0) as warning_count,
        coalesce(checks.failure_count, 0) as failure_count,
        digests.reason
    from marts.daily_digests as digests
    inner join readings on digests.digest_date = readings.list_date
    left join checks on digests.digest_date = checks.list_date
    where $day::date is null or digests.digest_date = $day
    order by digests.digest_date desc
    limit $most
"""
