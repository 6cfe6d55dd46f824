"""The quality page of a week or month: its days at a glance, each leading to its own page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flows.issues.periods import first_day
from flows.newsletter.digest import Edition
from flows.newsletter.render import dateline, templates
from flows.publication.published import opened
from flows.warehouse.database import records
from flows.wording import counted, verdict_counts, verdict_words


@dataclass(frozen=True)
class PeriodDay:
    """A list date of the period, with the checks of the reading that its digest shows."""

    list_date: date
    verdict: str
    reason: str
    paper_count: int
    passed_count: int
    warning_count: int
    failure_count: int
    quarantined_count: int


@dataclass(frozen=True)
class QualityPeriod:
    """What is known about the quality of a week or month; `page_urls` lead on, by list date."""

    edition: Edition
    issue_date: date
    reason: str
    days: Sequence[PeriodDay]
    page_urls: dict[date, str]

    @property
    def sentence(self) -> str:
        """The days in one line: `5 complete and 2 empty of 7 days.`."""
        counts = verdict_counts(day.verdict for day in self.days)
        return f"{counts} of {counted(len(self.days), 'day')}."


def render_period(period: QualityPeriod) -> str:
    """The page as self-contained HTML: no script, nothing fetched; same period, same bytes."""
    return (
        templates()
        .get_template("quality_period.html")
        .render(
            period=period,
            dateline=dateline(period.edition, period.issue_date),
            verdict_words=verdict_words,
        )
    )


def read_period_days(path: Path, edition: Edition, digest_date: date) -> tuple[PeriodDay, ...]:
    """The quality of the days of a week or month that were ever read, the oldest first.

    Raises:
        NotPublishedError: there is no publication yet.
    """
    days = {"first": first_day(edition, digest_date), "day": digest_date}
    with opened(path) as connection:
        return tuple(PeriodDay(**row) for row in records(connection, _DAYS, days))


_DAYS = """
    select
        list_date, verdict, reason, paper_count, passed_count, warning_count, failure_count,
        quarantined_count
    from quality.day_reports
    where list_date between $first and $day
    order by list_date
"""
