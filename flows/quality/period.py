"""The quality page of a week or month: its days at a glance, each leading to its own page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from flows.issues.periods import first_day
from flows.newsletter.digest import Edition
from flows.newsletter.render import dateline, templates
from flows.publication.published import opened
from flows.warehouse.day_facts import DayFacts, day_facts
from flows.wording import counted, verdict_counts, verdict_words


@dataclass(frozen=True)
class QualityPeriod:
    """What is known about the quality of a week or month; `page_urls` lead on, by list date."""

    edition: Edition
    issue_date: date
    reason: str
    days: Sequence[DayFacts]
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


def read_period_days(path: Path, edition: Edition, digest_date: date) -> tuple[DayFacts, ...]:
    """The published facts of the days of a week or month that were ever read, the oldest first.

    Raises:
        NotPublishedError: there is no publication yet.
    """
    first = first_day(edition, digest_date)
    days = [first + timedelta(days=n) for n in range((digest_date - first).days + 1)]
    with opened(path) as connection:
        return tuple(reversed(day_facts(connection, days)))
