"""What a day is: verdict, sentence, counts and checks, as every surface says them.

quality.day_reports ──▶ DayFacts        the same in the warehouse and in the published file
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from duckdb import DuckDBPyConnection

from flows.warehouse.database import has_table, records
from flows.wording import NO_CHECKS, checks_in_words, counted, verdict_sentence


@dataclass(frozen=True)
class DayFacts:
    """A list date by its last judged reading, `run_id`; None where no gate judged one.

    `paper_count` of the `source_count` papers that the Hub gave stand on the list.
    """

    list_date: date
    run_id: str | None
    verdict: str
    reason: str
    paper_count: int = 0
    source_count: int = 0
    reading_count: int = 0
    passed_count: int = 0
    warning_count: int = 0
    failure_count: int = 0
    quarantined_count: int = 0
    last_read_at: datetime | None = None

    @property
    def check_count(self) -> int:
        """All checks of both gates, whatever came of them."""
        return self.passed_count + self.warning_count + self.failure_count

    @property
    def checks(self) -> str:
        """What came of the checks: `31 checks passed, 1 warning`; of an empty list, no checks."""
        return checks_in_words(
            self.verdict, self.passed_count, self.warning_count, self.failure_count
        )

    @property
    def has_checks(self) -> bool:
        """Whether anything was checked; of an empty list nothing is."""
        return self.checks != NO_CHECKS

    @property
    def sentence(self) -> str:
        """The day in one line: `Complete. 43 of 43 papers; 31 checks passed, 1 warning.`."""
        papers = f"{self.paper_count:,} of {counted(self.source_count, 'paper')}"
        said = verdict_sentence(self.verdict, papers)
        return f"{said}; {self.checks}." if self.has_checks else f"{said}."


def day_facts(
    connection: DuckDBPyConnection, days: Sequence[date] | None = None, most: int = 1_000_000
) -> tuple[DayFacts, ...]:
    """The facts of these dates, or of the newest there are, the newest first."""
    if not has_table(connection, "quality", "day_reports"):
        return ()
    rows = records(connection, _FACTS, {"days": days, "most": most})
    return tuple(DayFacts(**row) for row in rows)


def facts_of(connection: DuckDBPyConnection, day: date) -> DayFacts | None:
    """The facts of one date; None where it was never read or is not built yet."""
    return next(iter(day_facts(connection, [day])), None)


_FACTS = """
    select
        list_date,
        run_id,
        verdict,
        coalesce(reason, '') as reason,
        paper_count,
        source_count,
        reading_count,
        passed_count,
        warning_count,
        failure_count,
        quarantined_count,
        last_read_at
    from quality.day_reports
    where $days::date[] is null or list_contains($days::date[], list_date)
    order by list_date desc
    limit $most
"""
