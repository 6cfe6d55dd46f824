"""What the gates wrote about a day, for people: its quality page.

audit.* ──▶ quality/days/<date>.html
"""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from duckdb import DuckDBPyConnection

from flows.quality.day import Check, QualityDay, Quarantined, ReadingLine, render_quality
from flows.settings import Settings
from flows.warehouse.database import connect, records
from flows.warehouse.day_facts import DayFacts, facts_of


@dataclass(frozen=True)
class QualityPage:
    """A page that was written: where, its HTML, and the facts of the day that it tells."""

    path: Path
    page: str
    facts: DayFacts


def write_quality_page(settings: Settings, day: date) -> QualityPage:
    """Write the page of this day anew, as the marts have it now."""
    with connect(settings.warehouse_path) as connection:
        known = quality_day(connection, day)
    path, page = quality_page_path(settings, day), render_quality(known)
    write_page(path, page)
    return QualityPage(path, page, known.facts)


def write_page(path: Path, page: str) -> None:
    """Put a page in its place; who has the old one open reads on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(page)
    new.replace(path)


def quality_page_path(settings: Settings, day: date) -> Path:
    """Where the quality page of a day is."""
    return settings.home / "quality" / "days" / f"{day}.html"


def quality_day(connection: DuckDBPyConnection, day: date) -> QualityDay:
    """The quality of a day: its facts, the checks behind them, and all its readings.

    Raises:
        LookupError: the marts have no such day.
    """
    facts = facts_of(connection, day)
    if facts is None:
        raise LookupError(f"{day} has no row in quality.day_reports")
    readings = connection.execute(_READINGS, [day]).fetchall()
    checks = records(connection, _CHECKS, [facts.run_id])
    quarantined = connection.execute(_QUARANTINED, [facts.run_id]).fetchall()
    return QualityDay(
        facts,
        checks=tuple(Check(**c | {"examples": tuple(json.loads(c["examples"]))}) for c in checks),
        quarantined=tuple(Quarantined(*row) for row in quarantined),
        readings=tuple(ReadingLine(*row) for row in readings),
    )


_READINGS = """
    select read_at, verdict, reason, item_count
    from marts.list_readings
    where list_date = ?
    order by read_at desc
"""
_CHECKS = """
    select
        gate, suite, expectation, column_name, severity, is_success, observed_value, sentence,
        examples
    from audit.gate_results
    where run_id = ?
    order by gate = 'marts', suite, is_success
"""
_QUARANTINED = """
    select paper_id, position, reason
    from audit.quarantined_items
    where reading_id = ?
    order by position
"""
