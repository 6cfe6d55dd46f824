"""The lists that were known when an answer was read: what its verdict is judged by.

audit.judged_readings, a load in hand ──▶ History
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from statistics import median

from expectations import USUAL_OF_FEWEST, USUAL_OF_MOST, USUAL_WITHIN_DAYS
from flows.gates.audit import create_audit
from flows.settings import Settings
from flows.sources.hub import Answer
from flows.sources.verdict import EarlierReading, History
from flows.warehouse.database import has_table, has_warehouse, open_warehouse

KnownList = tuple[date, EarlierReading]


class KnownLists:
    """Readings of lists by their date, to be asked what was known at any time."""

    def __init__(self, known: Iterable[KnownList]) -> None:
        self._readings = defaultdict[date, list[EarlierReading]](list)
        self._opened: dict[date, datetime] = {}  # when a date was first seen to have papers
        for list_date, reading in known:
            self.add(list_date, reading)

    def add(self, list_date: date, reading: EarlierReading) -> None:
        """Know this reading of a list too."""
        self._readings[list_date].append(reading)
        if reading.item_count:
            opened = self._opened.get(list_date, reading.read_at)
            self._opened[list_date] = min(opened, reading.read_at)

    def before(self, answer: Answer) -> History:
        """What was known when this answer was read."""
        day, read_at = answer.list_date, answer.read_at
        return History(
            tuple(r for r in self._readings.get(day, ()) if r.read_at < read_at),
            self._usual_count(day, read_at),
            any(date > day and opened <= read_at for date, opened in self._opened.items()),
        )

    def _usual_count(self, day: date, read_at: datetime) -> float | None:
        """What gate raw calls usual of this list, of what was known by then; None if too little."""
        counts = list(islice(self._same_weekday_counts(day, read_at), USUAL_OF_MOST))
        return median(counts) if len(counts) >= USUAL_OF_FEWEST else None

    def _same_weekday_counts(self, day: date, read_at: datetime) -> Iterable[int]:
        """The papers of the lists on this weekday, the newest first, by their newest reading."""
        for weeks in range(1, USUAL_WITHIN_DAYS // 7 + 1):
            readings = self._readings.get(day - timedelta(weeks=weeks), ())
            known = [r for r in readings if r.is_whole and r.item_count > 0 and r.read_at < read_at]
            if known:
                yield max(known, key=lambda reading: reading.read_at).item_count


def stored_lists(settings: Settings, answers: Sequence[Answer]) -> list[KnownList]:
    """What the warehouse knows that a verdict on these answers may look at.

    What a gate stopped is no evidence: only admitted readings count.
    """
    if not answers or not has_warehouse(settings):
        return []
    asked = {
        "first": min(answer.list_date for answer in answers),
        "weekdays": sorted({answer.list_date.isoweekday() for answer in answers}),
    }
    with open_warehouse(settings) as connection:
        if not has_table(connection, "raw", "readings"):
            return []
        create_audit(connection)
        rows = connection.execute(_ADMITTED, asked).fetchall()
    return [(list_date, EarlierReading(*reading)) for list_date, *reading in rows]


_ADMITTED = """
    select list_date, read_at, item_count, is_whole
    from audit.judged_readings
    where
        kind = 'daily' and is_admitted
        and (list_date > $first or list_contains($weekdays, isodow(list_date)))
    order by read_at
"""
