"""The quality page of a week or month: its days at a glance, each leading to its own page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flows.newsletter.digest import Edition
from flows.newsletter.quality import verdict_counts, verdict_words
from flows.newsletter.render import dateline, templates
from flows.newsletter.text import counted


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
