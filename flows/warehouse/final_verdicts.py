"""Which list dates still lack a final verdict: read from the warehouse alone.

A verdict is final when it is complete or empty and the gates admitted the reading that gave it.
"""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from flows.gates.audit import create_audit
from flows.settings import Settings
from flows.warehouse.database import has_table, has_warehouse, open_warehouse
from flows.wording import FINAL_VERDICTS


def undecided_days(settings: Settings, first: date, last: date) -> list[date]:
    """The dates of this range, both ends in it, that have no final verdict."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    verdicts = final_verdicts(settings)
    return [day for day in days if day not in verdicts]


def final_verdicts(settings: Settings) -> dict[date, str]:
    """The newest final verdict of each date that has one."""
    return dict(
        _rows(
            settings,
            f"""
            select list_date, arg_max(verdict, read_at)
            from audit.judged_readings
            where kind = 'daily' and verdict in {FINAL_VERDICTS} and is_admitted
            group by list_date
            """,
        )
    )


def first_list_date(settings: Settings) -> date | None:
    """The first date that was ever read; None in a fresh home."""
    rows = _rows(settings, "select min(list_date) from raw.readings where kind = 'daily'")
    first: date | None = rows[0][0] if rows else None
    return first


def last_read_at_by_date(settings: Settings) -> dict[date, datetime]:
    """When each list date was last read (UTC), whatever came of it."""
    query = "select list_date, max(read_at) from raw.readings where kind = 'daily' group by all"
    return dict(_rows(settings, query))


class NewestReading(NamedTuple):
    """What the source's last answer for a list date came to, before any gate."""

    reading_id: str
    verdict: str
    reason: str


def newest_reading(settings: Settings, day: date) -> NewestReading:
    """The newest reading of this date, which was read at least once."""
    (row,) = _rows(
        settings,
        f"""
        select reading_id, verdict, reason from raw.readings
        where kind = 'daily' and list_date = '{day}'
        order by read_at desc
        limit 1
        """,
    )
    return NewestReading(*row)


def reading_ids(settings: Settings) -> set[str]:
    """The ids of all readings there are."""
    return {row[0] for row in _rows(settings, "select reading_id from raw.readings")}


def _rows(settings: Settings, query: str) -> list[Any]:
    if not has_warehouse(settings):
        return []
    with open_warehouse(settings) as connection:
        if not has_table(connection, "raw", "readings"):
            return []
        create_audit(connection)
        return connection.execute(query).fetchall()
