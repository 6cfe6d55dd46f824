"""The quality reports, `PAPERS_HOME/quality/`, up to date whenever a run ends.

quality.*, the ledger ──▶ index.html        validations ──▶ data_docs/        audit.* ──▶ days/
published/papers.duckdb ──▶ insights.html
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from flows import clock
from flows.gates.gate import data_docs
from flows.insights.page import insights_files
from flows.mail_setup import open_mailing
from flows.mailing.database import MailingError
from flows.mailing.ledger_issues import PAUSED, DeliveryCount, Issue, delivery_counts, newest_issues
from flows.mailing.tables import EDITIONS, deliveries
from flows.outcome import BuildFailedError
from flows.publication.kept_open import KeptOpen
from flows.publication.published import NotPublishedError
from flows.quality.day_page import quality_page_path, write_page
from flows.quality.front import (
    DAYS_SHOWN,
    DayLine,
    Front,
    QuarantinedLine,
    data_docs_style,
    render_front,
)
from flows.settings import Settings
from flows.warehouse.database import has_table, has_warehouse, open_warehouse, records
from flows.warehouse.day_facts import day_facts
from flows.wording import mail_in_words

# More rows than a person reads; all of them stand in `quality.quarantined_items`.
QUARANTINED_SHOWN = 200


@contextmanager
def quality_site(settings: Settings) -> Iterator[None]:
    """Write the front page and the Data Docs when the run in this block has ended, well or not."""
    try:
        yield
    except BuildFailedError as stop:
        write_quality_site(settings, f"What follows is from before the last build. {stop}")
        raise
    write_quality_site(settings)


def write_quality_site(settings: Settings, notice: str | None = None) -> Path:
    """Write `quality/index.html` and what it leads to; its path. `notice` stands above all."""
    quality = settings.quality_path
    days, quarantined = list[dict[str, Any]](), list[QuarantinedLine]()
    if has_warehouse(settings):
        with open_warehouse(settings) as connection:
            days, quarantined = _days(connection), _quarantined(connection)
    data_docs(quality, data_docs_style(), {run for day in days for run in _runs(day)})
    pages = _validation_pages(quality)
    try:
        mail = _read_mail(settings, days)
    except MailingError as error:
        mail, notice = _Mail(), " ".join(filter(None, (notice, str(error))))
    front = Front(
        written_at=clock.utc_now(),
        days=tuple(_line(settings, day, mail, pages) for day in days),
        quarantined=tuple(quarantined[:QUARANTINED_SHOWN]),
        quarantined_more_count=len(quarantined[QUARANTINED_SHOWN:]),
        notice=notice,
        has_insights=_write_insights(settings),
    )
    path = quality / "index.html"
    write_page(path, render_front(front))
    return path


def _write_insights(settings: Settings) -> bool:
    """Write the plots of what is published beside the front page; whether there are any."""
    with suppress(NotPublishedError), KeptOpen(settings.published_path).opened() as connection:
        for name, text in insights_files(connection).items():
            write_page(settings.quality_path / name, text)
        return True
    return False


@dataclass(frozen=True)
class _Mail:
    """The ledger's word on the issues of the days that are shown."""

    counts: Sequence[DeliveryCount] = ()
    issues: Sequence[Issue] = ()

    def lines(self, day: date) -> tuple[str, ...]:
        """What became of each edition of a date: `412 sent, 3 deferred`."""
        of_day = {issue.edition: issue for issue in self.issues if issue.issue_date == day}
        return tuple(
            ("" if edition == "daily" else f"{edition}: ") + self._line(of_day[edition])
            for edition in EDITIONS
            if edition in of_day
        )

    def _line(self, issue: Issue) -> str:
        counts = {
            each.state: each.count
            for each in self.counts
            if (each.edition, each.issue_date) == (issue.edition, issue.issue_date)
        }
        if not counts:
            return issue.sentence
        return mail_in_words(counts, is_paused=issue.state == PAUSED)


def _read_mail(settings: Settings, days: Sequence[Mapping[str, Any]]) -> _Mail:
    if not days:
        return _Mail()
    with closing(open_mailing(settings)) as mailing:
        return _Mail(
            delivery_counts(mailing, deliveries.c.issue_date >= days[-1]["list_date"]),
            newest_issues(mailing, DAYS_SHOWN * len(EDITIONS)),
        )


def _line(
    settings: Settings, day: Mapping[str, Any], mail: _Mail, pages: Mapping[str, dict[str, str]]
) -> DayLine:
    list_date, quality = day["list_date"], settings.quality_path
    page, issue = quality_page_path(settings, list_date), settings.issue_folder(list_date)
    return DayLine(
        day["facts"],
        new_fields=tuple(filter(None, (day["new_fields"] or "").split(", "))),
        null_pct={
            name.removesuffix("_null_pct"): share
            for name, share in day.items()
            if name.endswith("_null_pct") and share is not None
        },
        mail=mail.lines(list_date),
        page_url=page.relative_to(quality).as_posix() if page.exists() else None,
        issue_url=f"../issues/{issue.name}/digest.html" if issue.exists() else None,
        validation_urls={name: url for run in _runs(day) for name, url in pages[run].items()},
    )


def _runs(day: Mapping[str, Any]) -> tuple[str, ...]:
    """What the newest judgement of a day may be filed under.

    A load of many readings is validated at once, under its own name.
    """
    return tuple(filter(None, (day["load_id"], day["run_id"])))


def _validation_pages(quality: Path) -> Mapping[str, dict[str, str]]:
    """The newest page of each suite by the run it is about and by its name, gate raw first."""
    found = defaultdict[str, dict[str, str]](dict)
    for page in sorted((quality / "data_docs" / "validations").glob("*/*/*/*.html"), key=_order):
        name = page.parts[-4].partition("_")[2].replace("_", " ")
        found[page.parts[-3]][name] = page.relative_to(quality).as_posix()
    return found


def _order(page: Path) -> tuple[bool, Path]:
    return page.parts[-4].startswith("marts"), page


def _days(connection: DuckDBPyConnection) -> list[dict[str, Any]]:
    if not has_table(connection, "quality", "day_reports"):
        return []
    rows = {row["list_date"]: row for row in records(connection, _DAYS, [DAYS_SHOWN])}
    return [rows[each.list_date] | {"facts": each} for each in day_facts(connection, list(rows))]


def _quarantined(connection: DuckDBPyConnection) -> list[QuarantinedLine]:
    if not has_table(connection, "quality", "day_reports"):
        return []
    rows = connection.execute(_QUARANTINED, [DAYS_SHOWN]).fetchall()
    return [QuarantinedLine(*row) for row in rows]


_SHOWN = "list_date > (select max(list_date) from quality.day_reports) - $1::integer"
_DAYS = f"""
    select
        day_reports.list_date,
        day_reports.run_id,
        readings.load_id,
        day_reports.new_fields,
        columns('_null_pct$')
    from quality.day_reports
    left join raw.readings on day_reports.run_id = readings.reading_id
    where day_reports.{_SHOWN}
    order by day_reports.list_date desc
"""
_QUARANTINED = f"""
    select
        list_date,
        paper_id,
        reason,
        count(*) as reading_count
    from quality.quarantined_items
    where {_SHOWN}
    group by all
    order by list_date desc, min(position)
"""
