"""Where each day stands: verdict, counts, gates, mail, and the sentence why; and what is wrong.

warehouse, or published file while a run holds it ─┐
days, ledger, incidents ───────────────────────────┴──▶ Overview
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from duckdb import ConnectionException, DuckDBPyConnection
from rich.console import Console
from rich.table import Table

from flows import clock
from flows.errors import OperationError
from flows.issues.silence import why_no_issue
from flows.mail_setup import open_mailing
from flows.mailing.database import Mailing, MailingError
from flows.mailing.ledger_issues import delivery_counts, newest_issues
from flows.operations.days import Day, known_days
from flows.operations.incident_rules import DAILY
from flows.operations.incidents import KnownIncident, open_incidents
from flows.settings import Settings
from flows.sources.feed_day import newest_closed
from flows.warehouse.database import (
    LACKS,
    DamagedError,
    OlderWarehouseError,
    WarehouseAwayError,
    WarehouseBusyError,
    connect,
    has_table,
    has_warehouse,
    looking,
    records,
)
from flows.warehouse.day_facts import day_facts
from flows.warehouse.lake_trouble import LakeError
from flows.wording import FINAL_VERDICTS, checks_in_words, counted, mail_in_words, verdict_sentence

DAYS_SHOWN = 30


@dataclass(frozen=True)
class ReadingStatus:
    """One reading of a day. `second_look`: whether the first page gave the same ids once more."""

    read_at: datetime
    verdict: str
    reason: str
    page_count: int | None
    item_count: int
    second_look: bool | None


@dataclass(frozen=True)
class DayStatus:
    """One list date as the operator needs it. `mail` is None where the ledger cannot be read."""

    list_date: date
    verdict: str
    sentence: str
    paper_count: int = 0
    source_count: int = 0
    passed_count: int = 0
    warning_count: int = 0
    failure_count: int = 0
    quarantined_count: int = 0
    issue: str | None = None
    mail_state: str | None = None
    mail: Mapping[str, int] | None = field(default_factory=dict)
    readings: tuple[ReadingStatus, ...] = ()

    @property
    def checks(self) -> str:
        """The gates' word in counts: `31 checks passed, 1 warning`; of an empty list, no checks."""
        return checks_in_words(
            self.verdict, self.passed_count, self.warning_count, self.failure_count
        )

    @property
    def mailed(self) -> str:
        """The ledger's word in counts: `412 sent, 2 deferred`."""
        if self.mail is None:
            return "not known"
        return mail_in_words(self.mail, is_paused=self.mail_state == "paused")


@dataclass(frozen=True)
class Overview:
    """The newest days first, what is wrong now, and what could not be looked at.

    `trouble`: why the warehouse cannot be read, as a note says too; a run at work is none.
    """

    days: tuple[DayStatus, ...]
    incidents: tuple[KnownIncident, ...]
    notes: tuple[str, ...]
    trouble: OperationError | None = None


def overview(settings: Settings, day: date | None = None) -> Overview:
    """Where one day stands, or the last thirty there are; nothing is changed or made for it."""
    notes: list[str] = []
    trouble: OperationError | None = None
    try:
        tables = _tables(settings, day)
    except (WarehouseBusyError, ConnectionException):  # the latter: this very process
        tables = _last_published(settings, day, "A run is at work in the warehouse.", notes)
    except (WarehouseAwayError, LakeError, OlderWarehouseError, DamagedError) as error:
        tables, trouble = _last_published(settings, day, str(error), notes), error
    try:
        kept = _kept(settings)
    except MailingError as error:
        notes.append(f"What became of the mail is not known: {error}")
        kept = _Kept({}, None, [])
    found = set(tables) | set(kept.days)
    newest = sorted(found if day is None else found & {day}, reverse=True)[:DAYS_SHOWN]
    return Overview(
        tuple(_day(settings, each, tables.get(each, {}), kept) for each in newest),
        tuple(i for i in kept.incidents if day is None or i.incident.subject.endswith(str(day))),
        tuple(notes),
        trouble,
    )


@contextmanager
def mailing_if_any(settings: Settings) -> Iterator[Mailing | None]:
    """The mailing state where there is some; None where opening it would make it."""
    if not settings.mailing_url and not settings.ledger_path.exists():
        yield None
        return
    with closing(open_mailing(settings)) as mailing:
        yield mailing


@dataclass(frozen=True)
class _Mail:
    state: str | None
    counts: dict[str, int]


@dataclass(frozen=True)
class _Kept:
    """What the mailing list has of the days; `mail` is None where it cannot be read."""

    days: Mapping[date, Day]
    mail: Mapping[date, _Mail] | None
    incidents: Sequence[KnownIncident]

    def missed(self, list_date: date) -> bool:
        """Whether it could have had an issue, and has none.

        Nobody waits for issues of days before the first one, such as those of a backfill.
        """
        mail = self.mail or {}
        is_over = list_date < newest_closed(clock.utc_now())
        return is_over and list_date not in mail and min(mail, default=list_date) < list_date


def _kept(settings: Settings) -> _Kept:
    with mailing_if_any(settings) as mailing:
        if mailing is None:
            return _Kept({}, {}, [])
        counted_by_day: dict[date, dict[str, int]] = defaultdict(dict)
        for row in delivery_counts(mailing):
            if row.edition == DAILY:
                counted_by_day[row.issue_date][row.state] = row.count
        issues = (issue for issue in newest_issues(mailing, 400) if issue.edition == DAILY)
        mail = {i.issue_date: _Mail(i.state, counted_by_day[i.issue_date]) for i in issues}
        return _Kept(known_days(mailing), mail, open_incidents(mailing))


def _tables(settings: Settings, day: date | None) -> dict[date, dict[str, Any]]:
    """What the warehouse has of each day."""
    if not has_warehouse(settings):
        return {}
    with looking(settings) as warehouse:
        return _rows(warehouse, day)


def _last_published(
    settings: Settings, day: date | None, note: str, notes: list[str]
) -> dict[date, dict[str, Any]]:
    """What the published file has in place of the warehouse, of which the note says why."""
    found = _published(settings, day)
    notes.append(f"{note} The counts are those last published." if found else note)
    return found


def _published(settings: Settings, day: date | None) -> dict[date, dict[str, Any]]:
    """What the published file has of each day; nothing where it is of an older version."""
    if not settings.published_path.exists():
        return {}
    with (
        suppress(*LACKS, DamagedError),
        connect(settings.published_path, read_only=True) as published,
    ):
        return _rows(published, day)
    return {}


def _rows(connection: DuckDBPyConnection, day: date | None) -> dict[date, dict[str, Any]]:
    facts = day_facts(connection, None if day is None else [day], DAYS_SHOWN)
    found: dict[date, dict[str, Any]] = {
        each.list_date: {name: getattr(each, name) for name in _FACTS} | {"readings": ()}
        for each in facts
    }
    query = _READINGS if has_table(connection, "raw", "readings") else _PUBLISHED_READINGS
    for row in records(connection, query, {"days": list(found)}):
        found[row.pop("list_date")]["readings"] += (ReadingStatus(**row),)
    return found


def _day(
    settings: Settings,
    list_date: date,
    tables: Mapping[str, Any],
    kept: _Kept,
) -> DayStatus:
    folder, known = settings.issue_folder(list_date), kept.days.get(list_date)
    mail = kept.mail.get(list_date, _Mail(None, {})) if kept.mail is not None else None
    found = dict(tables)
    verdict, reason = found.pop("verdict", ""), found.pop("reason", "")
    sentence = stands = verdict_sentence(verdict, reason)
    readings: Sequence[ReadingStatus] = found.get("readings", ())
    if known and not readings:
        verdict, sentence = known.verdict, known.sentence
    elif known:
        sentence = _with_word_of_run(verdict, stands, known, readings[0].read_at)
    has_issue = folder.exists()
    if verdict == "complete" and sentence == stands and not has_issue and kept.missed(list_date):
        sentence += f" No issue: {why_no_issue(list_date, verdict)}."
    return DayStatus(
        list_date,
        verdict,
        sentence,
        issue=str(folder) if has_issue else None,
        mail_state=mail.state if mail else None,
        mail=mail.counts if mail else None,
        **found,
    )


def _with_word_of_run(verdict: str, sentence: str, known: Day, last_read_at: datetime) -> str:
    """The day's sentence as every surface has it, or with what its last run said beyond it.

    Of a day that is final that is what became of the mail; of another one, that its newest answer
    came to less than what stands, or when the next try is.
    """
    if verdict in FINAL_VERDICTS:
        return known.sentence if known.verdict == verdict else sentence
    if known.sentence.startswith(sentence):
        return known.sentence
    is_newest = known.concluded_at >= last_read_at
    return f"{sentence} The last run: {known.sentence}" if is_newest else sentence


def show(
    status: Overview,
    format: Literal["table", "json"],
    console: Console,
    *,
    with_readings: bool = False,
) -> None:
    """Print the days as a table or as JSON; `with_readings` also each of their readings."""
    if format == "json":
        rows = [asdict(day) | {"reading_count": len(day.readings)} for day in status.days]
        console.file.write(json.dumps(rows, default=str, indent=1) + "\n")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("day", "verdict", "papers", "checks", "mail", "why"):
        table.add_column(name, justify="right" if name == "papers" else "left")
    for day in status.days:
        table.add_row(
            f"{day.list_date:%a} {day.list_date}",
            day.verdict.replace("_", " "),
            str(day.paper_count),
            day.checks,
            day.mailed,
            day.sentence,
        )
    console.print(table, markup=False)
    if with_readings:
        for line in (line for day in status.days for line in reading_lines(day)):
            console.print(f"  {line}", markup=False)
    for one in status.incidents:
        since = f"open since {one.opened_at:%Y-%m-%d %H:%M} UTC"
        console.print(f"{one.incident.cause} ({since}; `{one.incident.command}`)", markup=False)
    for note in status.notes:
        console.print(note, markup=False)


def reading_lines(day: DayStatus) -> Iterator[str]:
    """Every reading of a day in one line, newest first."""
    for reading in day.readings:
        is_list = reading.item_count or reading.verdict not in {"failed", "not_open"}
        papers = counted(reading.item_count, "paper") if is_list else "no list"
        yield f"read {reading.read_at:%Y-%m-%d %H:%M} UTC  {papers}  {reading.reason}"


_FACTS = (
    "verdict",
    "reason",
    "paper_count",
    "source_count",
    "passed_count",
    "warning_count",
    "failure_count",
    "quarantined_count",
)
_READINGS = """
    select
        list_date, read_at, verdict, reason, page_count, item_count,
        first_page_agrees as second_look
    from raw.readings
    where kind = 'daily' and list_contains($days, list_date)
    order by read_at desc
"""
_PUBLISHED_READINGS = """
    select
        list_date, read_at, verdict, reason, page_count, item_count, null as second_look
    from marts.list_readings
    where list_contains($days, list_date)
    order by read_at desc
"""
