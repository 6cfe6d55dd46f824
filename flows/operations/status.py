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

from flows.mail_setup import open_mailing
from flows.mailing.database import Mailing, MailingError
from flows.mailing.ledger import delivery_counts, newest_issues
from flows.operations.days import Day, known_days
from flows.operations.incident_rules import DAILY
from flows.operations.incidents import KnownIncident, open_incidents
from flows.settings import Settings
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
from flows.wording import checks_in_words, counted, mail_in_words, verdict_words

DAYS_SHOWN = 30


@dataclass(frozen=True)
class ReadingStatus:
    """One reading of a day. `second_look`: whether the first page gave the same ids once more."""

    read_at: datetime
    verdict: str
    reason: str
    page_count: int | None
    item_count: int | None
    second_look: bool | None


@dataclass(frozen=True)
class DayStatus:
    """One list date as the operator needs it; `sentence` is what its run said last."""

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
    mail: Mapping[str, int] = field(default_factory=dict)
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
        return mail_in_words(self.mail, is_paused=self.mail_state == "paused")


@dataclass(frozen=True)
class Overview:
    """The newest days first, what is wrong now, and what could not be looked at.

    `is_damaged`: the warehouse cannot be read, as a note says.
    """

    days: tuple[DayStatus, ...]
    incidents: tuple[KnownIncident, ...]
    notes: tuple[str, ...]
    is_damaged: bool = False


def overview(settings: Settings, day: date | None = None) -> Overview:
    """Where one day stands, or the last thirty there are; nothing is changed or made for it."""
    notes: list[str] = []
    is_damaged = False
    try:
        tables = _tables(settings, day, notes)
    except DamagedError as error:
        tables, is_damaged = _last_published(settings, day, str(error), notes), True
    days, mail, incidents = _kept(settings, notes)
    dates = sorted((set(tables) | set(days)) if day is None else {day} & (set(tables) | set(days)))
    newest = reversed(dates[-DAYS_SHOWN:])
    return Overview(
        tuple(_day(settings, d, tables.get(d), days.get(d), mail.get(d)) for d in newest),
        tuple(i for i in incidents if day is None or i.incident.subject.endswith(str(day))),
        tuple(notes),
        is_damaged,
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
    state: str
    counts: dict[str, int]


def _kept(
    settings: Settings, notes: list[str]
) -> tuple[dict[date, Day], dict[date, _Mail], list[KnownIncident]]:
    try:
        with mailing_if_any(settings) as mailing:
            if mailing is None:
                return {}, {}, []
            counted_by_day: dict[date, dict[str, int]] = defaultdict(dict)
            for row in delivery_counts(mailing):
                if row.edition == DAILY:
                    counted_by_day[row.issue_date][row.state] = row.count
            issues = (issue for issue in newest_issues(mailing, 400) if issue.edition == DAILY)
            mail = {i.issue_date: _Mail(i.state, counted_by_day[i.issue_date]) for i in issues}
            return known_days(mailing), mail, open_incidents(mailing)
    except MailingError as error:
        notes.append(f"What became of the mail is not known: {error}")
        return {}, {}, []


def _tables(settings: Settings, day: date | None, notes: list[str]) -> dict[date, dict[str, Any]]:
    """What the warehouse has of each day, or the published file while a run holds the warehouse."""
    try:
        if not has_warehouse(settings):
            return {}
        with looking(settings) as warehouse:
            return _rows(warehouse, day)
    except (WarehouseAwayError, LakeError, OlderWarehouseError) as error:
        note = str(error)
    except (WarehouseBusyError, ConnectionException):  # the latter: this very process
        note = "A run is at work in the warehouse."
    return _last_published(settings, day, note, notes)


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
    tables: dict[str, Any] | None,
    known: Day | None,
    mail: _Mail | None,
) -> DayStatus:
    folder = settings.issue_folder(list_date)
    found = dict(tables or {})
    verdict, reason = found.pop("verdict", ""), found.pop("reason", "")
    sentence = f"{verdict_words(verdict)}. {reason}"
    readings: Sequence[ReadingStatus] = found.get("readings", ())
    # The run said it with what became of the mail; of a day that is something else now, it did not.
    if known and (known.verdict == verdict or not readings):
        verdict, sentence = known.verdict, known.sentence
    return DayStatus(
        list_date,
        verdict,
        sentence,
        issue=str(folder) if folder.exists() else None,
        mail_state=mail.state if mail else None,
        mail=mail.counts if mail else {},
        **found,
    )


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
        papers = "no list" if reading.item_count is None else counted(reading.item_count, "paper")
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
