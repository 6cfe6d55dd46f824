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


@dataclass(frozen=True)
class QualityPage:
    """A page that was written, and its first sentence."""

    path: Path
    sentence: str


def write_quality_page(settings: Settings, day: date, verdict: str, reason: str) -> QualityPage:
    """Write the page of this day anew."""
    with connect(settings.warehouse_path) as connection:
        known = quality_day(connection, day, verdict, reason)
    path = quality_page_path(settings, day)
    write_page(path, render_quality(known))
    return QualityPage(path, known.sentence)


def write_page(path: Path, page: str) -> None:
    """Put a page in its place; who has the old one open reads on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(page)
    new.replace(path)


def quality_page_path(settings: Settings, day: date) -> Path:
    """Where the quality page of a day is."""
    return settings.home / "quality" / "days" / f"{day}.html"


def quality_day(connection: DuckDBPyConnection, day: date, verdict: str, reason: str) -> QualityDay:
    """The quality of a day: the checks of its newest reading, and all its readings."""
    readings = connection.execute(_READINGS, [day]).fetchall()
    lines = tuple(ReadingLine(*row[1:5]) for row in readings)
    gated = readings[0] if readings and readings[0][5] else None
    if gated is None:
        return QualityDay(
            day, verdict, reason, 0, readings[0][4] if readings else 0, readings=lines
        )
    checks = records(connection, _CHECKS, [gated[0]])
    quarantined = connection.execute(_QUARANTINED, [gated[0]]).fetchall()
    return QualityDay(
        day,
        verdict,
        reason,
        paper_count=gated[4] - len(quarantined),
        source_count=gated[4],
        checks=tuple(Check(**c | {"examples": tuple(json.loads(c["examples"]))}) for c in checks),
        quarantined=tuple(Quarantined(*row) for row in quarantined),
        readings=lines,
    )


_READINGS = """
    select
        reading_id,
        read_at,
        verdict,
        reason,
        item_count,
        reading_id in (select run_id from audit.gates) as is_gated
    from raw.readings
    where list_date = ? and kind = 'daily'
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
