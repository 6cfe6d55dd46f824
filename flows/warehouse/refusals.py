"""Readings that are set aside: by a build that cannot digest them, or by the operator's word.

audit.gates: a row of the gate `build` or `operator`, not passed, and the marts go on without it
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from duckdb import DuckDBPyConnection

from flows.errors import UsageError
from flows.gates.audit import create_audit
from flows.warehouse.database import has_table, records


class UnknownReadingError(UsageError):
    """No reading has this id; the message says where the ids are."""


@dataclass(frozen=True)
class KnownReading:
    """A reading as the gates left it; `refused_reason` is None where nothing refused it."""

    reading_id: str
    list_date: date
    verdict: str
    item_count: int | None
    is_admitted: bool
    refused_reason: str | None


def readings(connection: DuckDBPyConnection, day: date | None = None) -> list[KnownReading]:
    """The readings of a list date, or the newest hundred of all, the newest first."""
    if not has_table(connection, "raw", "readings"):
        return []
    return [KnownReading(**row) for row in records(connection, _READINGS, {"day": day})]


def not_built_yet(connection: DuckDBPyConnection) -> list[str]:
    """The admitted readings that no build has brought into all the marts, the oldest first."""
    create_audit(connection)
    if not has_table(connection, "audit", "judged_readings"):
        return []
    is_built = has_table(connection, "staging", "built_readings")
    return [row[0] for row in connection.execute(_NEW if is_built else _ADMITTED).fetchall()]


def refuse(
    connection: DuckDBPyConnection, reading_ids: Sequence[str], gate: str, reason: str, at: datetime
) -> None:
    """Set readings aside in the name of this gate, in place of what it said of them before.

    Raises:
        UnknownReadingError: there is no such reading.
    """
    create_audit(connection)
    for reading_id in reading_ids:
        found = connection.execute(_LIST_DATE, [reading_id]).fetchone()
        if found is None:
            raise UnknownReadingError(
                f"No reading is called {reading_id}; `papers readings list` shows them."
            )
        connection.execute(_TAKE_BACK, [reading_id, [gate]])
        connection.execute(_REFUSE, [reading_id, gate, found[0], reason, at])


def take_back(connection: DuckDBPyConnection, reading_ids: Sequence[str], *gates: str) -> int:
    """Delete these gates' (default: all gates') refusals of readings; gives their number.

    The next run asks such a gate again.
    """
    create_audit(connection)
    names = gates or ("raw", "linked", "marts", "build", "operator")
    rows = [
        connection.execute(_TAKE_BACK, [reading_id, list(names)]).fetchone()
        for reading_id in reading_ids
    ]
    return sum(row[0] for row in rows if row)


_READINGS = """
    select reading_id, list_date, verdict, item_count, is_admitted, refused_reason
    from audit.judged_readings
    where $day is null or list_date = $day
    order by list_date desc, read_at desc
    limit 100
"""
_ADMITTED = """
    select reading_id from audit.judged_readings where is_admitted order by read_at
"""
_NEW = """
    select reading_id
    from audit.judged_readings as readings
    where
        is_admitted
        and not exists (
            from staging.built_readings as built
            where built.reading_id = readings.reading_id and built.is_admitted
        )
    order by read_at
"""
_LIST_DATE = "select list_date from raw.readings where reading_id = ?"
_TAKE_BACK = """
    delete from audit.gates
    where run_id = ? and list_contains(?, gate) and not is_passed
"""
_REFUSE = "insert into audit.gates values (?, ?, ?, false, ?, 0, 0, ?)"
