"""Extract: read the Hub's list of a date, judge it, and keep the reading in `raw`.

Hub ──Answer──▶ verdict ──Reading──▶ dlt ──▶ raw.readings, raw.items
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from flows import clock
from flows.gates.audit import create_audit
from flows.settings import Settings
from flows.sources.hub import Answer, Hub
from flows.sources.pipeline import Reading, ReadingPipeline, items_of
from flows.sources.verdict import Verdict, judge, judge_linked, judge_trending
from flows.stage import stage
from flows.warehouse.database import (
    connect,
    has_table,
    has_warehouse,
    open_warehouse,
    retried_on_conflict,
    staging_schema,
)
from flows.warehouse.known_lists import KnownLists, stored_lists

# A killed run's reading is used again if it is not older than this.
RESUMES_WITHIN = timedelta(minutes=15)


@dataclass(frozen=True)
class LoadedReading:
    """A reading that is in `raw`; its id is the run id of its gates."""

    reading_id: str
    list_date: date
    read_at: datetime
    verdict: str
    reason: str
    is_whole: bool
    item_count: int


@dataclass(frozen=True)
class Load:
    """What one extract brought into `raw`: one reading."""

    load_id: str
    reading: LoadedReading

    @property
    def sentence(self) -> str:
        """What was read."""
        return f"{self.reading.verdict}: {self.reading.reason}"


@stage
def extract(day: date, settings: Settings) -> Load:
    """One new reading of this list date, or the one that a killed run left unfinished."""
    reading_pipeline(settings).finish_pending()
    now = clock.utc_now()
    unfinished = _unfinished_reading(settings, day, now)
    if unfinished:
        return unfinished
    answer = Hub(settings.hub_url, settings.hub_token).read(day, clock.utc_now)
    known = KnownLists(stored_lists(settings, [answer]))
    reading = Reading(answer, judge(answer, known.before(answer)), "hub", load_id(now))
    load_readings([reading], settings)
    return Load(reading.load_id, loaded(reading))


@stage
def extract_trending(settings: Settings) -> Load:
    """One new reading of what the Hub calls trending, for `hub_trending_papers`.

    It is of the UTC date on which it is made, of the kind `trending`, and never a list: no verdict
    or history of a date looks at it. Once gate raw has let it through, the next `transform`
    compares it with our own order.
    """
    answer = Hub(settings.hub_url, settings.hub_token).read_trending(clock.utc_now)
    return _loaded_apart(answer, "trending", judge_trending, settings)


@stage
def extract_linked(answer: Answer, settings: Settings) -> Load:
    """Load what the Hub said of single papers, as one reading of the kind `linked`.

    Such a reading is never a list: its date is the UTC date on which it was made, and gate `linked`
    alone judges it.
    """
    return _loaded_apart(answer, "linked", judge_linked, settings)


def _loaded_apart(
    answer: Answer, kind: str, judge_it: Callable[[Answer, int], Verdict], settings: Settings
) -> Load:
    """Load an answer that is not a list, as the only reading of its load."""
    reading_pipeline(settings).finish_pending()
    usable_count = sum(item.contract_error is None for item in items_of(answer, kind))
    load = load_id(clock.utc_now())
    reading = Reading(answer, judge_it(answer, usable_count), "hub", load, kind=kind)
    load_readings([reading], settings)
    return Load(load, loaded(reading))


def reading_pipeline(settings: Settings) -> ReadingPipeline:
    """The dlt pipeline of these settings' warehouse."""
    opened = partial(open_warehouse, settings)
    return ReadingPipeline(opened, settings.home / "dlt", staging_schema(settings))


def load_readings(readings: Sequence[Reading], settings: Settings) -> None:
    """Put these readings into `raw`, each replaced whole if it was there."""
    pipeline = reading_pipeline(settings)
    retried_on_conflict(lambda: pipeline.load(readings))


def load_id(now: datetime) -> str:
    """The name of a load that begins now; later loads sort after earlier ones."""
    return f"{now:%Y%m%dT%H%M%S%f}Z"


def loaded(reading: Reading) -> LoadedReading:
    """What the other stages need to know of a reading."""
    answer, verdict = reading.answer, reading.verdict
    return LoadedReading(
        reading.reading_id,
        answer.list_date,
        answer.read_at,
        verdict.name,
        verdict.reason,
        verdict.is_whole,
        len(answer.items),
    )


def newest_loaded(
    days: Sequence[date], settings: Settings
) -> list[tuple[LoadedReading, str | None]]:
    """The newest reading of each of these dates, and what a gate said if it stopped it."""
    with open_warehouse(settings) as connection:
        create_audit(connection)
        rows = connection.execute(_NEWEST_OF_EACH, [list(days)]).fetchall()
    return [(LoadedReading(*row[:-1]), row[-1]) for row in rows]


_NEWEST_OF_EACH = """
    select
        reading_id, list_date, read_at, verdict, reason, is_whole, item_count, refused_reason
    from audit.judged_readings
    where kind = 'daily' and list_contains(?, list_date)
    qualify row_number() over (partition by list_date order by read_at desc) = 1
    order by list_date
"""
_NEWEST = """
    select load_id, reading_id, list_date, read_at, verdict, reason, is_whole, item_count
    from audit.judged_readings
    where list_date = ? and kind = 'daily' and origin = 'hub' and is_whole and read_at > ?
    qualify row_number() over (order by read_at desc) = 1 and not is_refused
"""


def _unfinished_reading(settings: Settings, day: date, now: datetime) -> Load | None:
    """The newest reading of this day if the run that made it was killed before its end."""
    if not has_warehouse(settings):
        return None
    with open_warehouse(settings) as connection:
        if not has_table(connection, "raw", "readings"):
            return None
        create_audit(connection)
        row = connection.execute(_NEWEST, [day, now - RESUMES_WITHIN]).fetchone()
        if row is None:
            return None
    reading = LoadedReading(*row[1:])
    is_published = _is_published(settings.published_path, reading.reading_id)
    issue = settings.issue_folder(day)
    if is_published and (reading.verdict != "complete" or issue.exists()):
        return None
    return Load(row[0], reading)


def _is_published(path: Path, reading_id: str) -> bool:
    if not path.exists():
        return False
    with connect(path, read_only=True) as connection:
        found = "select 1 from marts.list_readings where reading_id = ?"
        return connection.execute(found, [reading_id]).fetchone() is not None
