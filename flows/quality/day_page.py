"""What the gates wrote about a day, for people: its quality page.

audit.* ──▶ quality/days/<date>.html
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from flows.quality.day import Check, QualityDay, Quarantined, ReadingLine, render_quality
from flows.settings import Settings
from flows.warehouse.database import open_warehouse
from flows.warehouse.day_facts import DayFacts, day_facts

# Days whose checks are read in one query, and so in memory together.
AT_ONCE = 250


@dataclass(frozen=True)
class QualityPage:
    """A page that was written: where, its HTML, and the facts of the day that it tells."""

    path: Path
    page: str
    facts: DayFacts


def write_quality_page(settings: Settings, day: date) -> QualityPage:
    """Write the page of this day anew, as the marts have it now.

    Raises:
        LookupError: the marts have no such day.
    """
    page = next(write_quality_pages(settings, [day]), None)
    if page is None:
        raise LookupError(f"{day} has no row in quality.day_reports")
    return page


def write_quality_pages(settings: Settings, days: Sequence[date]) -> Iterator[QualityPage]:
    """Write the pages of those of these days that the marts have, as they have them now."""
    for some in (days[start : start + AT_ONCE] for start in range(0, len(days), AT_ONCE)):
        with open_warehouse(settings) as connection:
            known = quality_days(connection, some)
        for day in known:
            path = quality_page_path(settings, day.facts.list_date)
            page = render_quality(day)
            write_page(path, page)
            yield QualityPage(path, page, day.facts)


def write_page(path: Path, page: str) -> None:
    """Put a page in its place; who has the old one open reads on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(page)
    new.replace(path)


def quality_page_path(settings: Settings, day: date) -> Path:
    """Where the quality page of a day is."""
    return settings.quality_path / "days" / f"{day}.html"


def quality_days(connection: DuckDBPyConnection, days: Sequence[date]) -> list[QualityDay]:
    """The quality of these days: their facts, the checks behind them, and all their readings."""
    facts = day_facts(connection, days)
    if not facts:
        return []
    runs = [each.run_id for each in facts if each.run_id]
    readings = _grouped(connection, _READINGS, days)
    checks = _grouped(connection, _CHECKS, runs)
    quarantined = _grouped(connection, _QUARANTINED, runs)
    return [
        QualityDay(
            each,
            checks=tuple(
                replace(Check(*row), examples=tuple(json.loads(row[-1])))
                for row in checks[each.run_id]
            ),
            quarantined=tuple(Quarantined(*row) for row in quarantined[each.run_id]),
            readings=tuple(ReadingLine(*row) for row in readings[each.list_date]),
        )
        for each in facts
    ]


def _grouped(
    connection: DuckDBPyConnection, query: str, keys: Sequence[object]
) -> dict[object, list[tuple[Any, ...]]]:
    """The rows of a query over these keys, by the key, which stands first in each."""
    found = defaultdict[object, list[tuple[Any, ...]]](list)
    for key, *row in connection.execute(query, [keys]).fetchall():
        found[key].append(tuple(row))
    return found


_READINGS = """
    select list_date, read_at, verdict, reason, item_count
    from marts.list_readings
    where list_date in (select unnest($1::date[]))
    order by read_at desc
"""
_CHECKS = """
    select
        run_id, gate, suite, expectation, column_name, severity, is_success, observed_value,
        sentence, examples
    from audit.gate_results
    where run_id in (select unnest($1::text[]))
    order by gate = 'marts', suite, is_success, rowid
"""
_QUARANTINED = """
    select reading_id, paper_id, position, reason
    from audit.quarantined_items
    where reading_id in (select unnest($1::text[]))
    order by position
"""
