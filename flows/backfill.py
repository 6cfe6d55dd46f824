"""History in few large steps: days read from the Hub, or recorded responses. Never mails.

papers backfill 2026-01-01 2026-06-30        papers import recordings/
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import TypeVar

from prefect import flow
from prefect.client.schemas.objects import State

from flows import clock
from flows.daily_papers import without_stopped
from flows.extract import history, load_id, reading_pipeline
from flows.gates import create_audit_tables, data_docs
from flows.outcome import Outcome
from flows.progress import track
from flows.publish import publish
from flows.quality_page import write_quality_page
from flows.settings import Settings, load_settings
from flows.sources.hub import Answer, Hub
from flows.sources.pipeline import Reading, reading_id
from flows.sources.recordings import Recording
from flows.sources.verdict import History, Verdict, judge, judge_recorded
from flows.transform import BuildFailedError, transform
from flows.validate import validate
from flows.warehouse import WarehouseBusyError, connect, has_table, writer_lock

CHUNK = 50  # readings a load: large enough for dlt, small enough to lose little to a crash
READERS = 4  # requests at a time; 900 days are two of the Hub's windows of 300 s
T = TypeVar("T")


@flow(name="backfill", flow_run_name="backfill {first} to {last}", validate_parameters=False)
def backfill(first: date, last: date) -> State:
    """Read every date of this range that has no final verdict yet, then gate, build and publish."""
    settings = load_settings()
    hub = Hub(settings.hub_url, settings.hub_token)

    def read(day: date) -> Answer:
        return hub.read(day, clock.utc_now)

    def bring() -> list[Reading]:
        days = _unfinished_days(settings, first, last)
        with ThreadPoolExecutor(READERS) as pool:
            answers = track(pool.map(read, days), len(days), "reading days")
            return _load(settings, answers, "hub", judge)

    return _in_bulk(bring, settings).as_state()


@flow(name="import", flow_run_name="import {count} recordings", validate_parameters=False)
def import_recordings(recordings: Sequence[Recording], count: int) -> State:  # noqa: ARG001
    """Load recorded responses as readings at their own times, then gate, build and publish."""
    settings = load_settings()

    def bring() -> list[Reading]:
        known = _known_readings(settings)
        new = [r for r in recordings if reading_id(r.list_date, r.read_at) not in known]
        answers = (recording.answer() for recording in new)
        return _load(
            settings, track(answers, len(new), "loading recordings"), "import", judge_recorded
        )

    return _in_bulk(bring, settings).as_state()


def _in_bulk(bring: Callable[[], list[Reading]], settings: Settings) -> Outcome:
    """The stages over many readings at once; a reading that a gate stops stops no other."""
    try:
        with writer_lock(settings):
            pipeline = reading_pipeline(settings)
            pipeline.finish_pending()
            readings = bring()
            stopped = validate("raw", settings).stopped
            transform(settings)
            stopped += without_stopped(validate("marts", settings), settings).stopped
            publish(settings)
            _write_quality_pages(settings, readings)
            data_docs(settings.home)
    except (BuildFailedError, WarehouseBusyError) as stop:
        return Outcome("failed", str(stop))
    details = tuple(f"{report.list_date}: {report.reason}" for report in stopped)
    verdicts = Counter(reading.verdict.name for reading in readings)
    said = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in verdicts.most_common())
    items = sum(len(reading.answer.items) for reading in readings)
    sentence = f"{len(readings)} new readings, {items:,} items: {said or 'nothing was missing'}."
    if stopped:
        sentence += f" A gate stopped {len(stopped)} of them."
    failed = stopped or verdicts["failed"]
    return Outcome("failed" if failed else "complete", sentence, details=details)


def _load(
    settings: Settings,
    answers: Iterator[Answer],
    origin: str,
    judged_by: Callable[[Answer, History], Verdict],
) -> list[Reading]:
    """Judge the answers in their order and load them, a chunk at a time."""
    pipeline = reading_pipeline(settings)
    readings: list[Reading] = []
    for chunk in _chunks(answers):
        load, loaded = load_id(clock.utc_now()), list[Reading]()
        for answer in sorted(chunk, key=lambda answer: answer.read_at):
            verdict = judged_by(answer, history(settings, answer, loaded))
            loaded.append(Reading(answer, verdict, origin, load))
        pipeline.load(loaded)
        readings += loaded
    return readings


def _chunks(things: Iterator[T]) -> Iterator[list[T]]:
    chunk: list[T] = []
    for thing in things:
        chunk.append(thing)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _unfinished_days(settings: Settings, first: date, last: date) -> list[date]:
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    finished = _column(
        settings,
        """
        select distinct list_date from raw.readings
        where kind = 'daily' and verdict in ('complete', 'empty')
        and reading_id not in (select run_id from audit.gates where not is_passed)
        """,
    )
    return [day for day in days if day not in finished]


def _known_readings(settings: Settings) -> set[object]:
    return _column(settings, "select reading_id from raw.readings")


def _column(settings: Settings, query: str) -> set[object]:
    if not settings.warehouse_path.exists():
        return set()
    with connect(settings.warehouse_path) as connection:
        if not has_table(connection, "raw", "readings"):
            return set()
        create_audit_tables(connection)
        return {row[0] for row in connection.execute(query).fetchall()}


def _write_quality_pages(settings: Settings, readings: Sequence[Reading]) -> None:
    days = sorted({reading.answer.list_date for reading in readings})
    with connect(settings.warehouse_path) as connection:
        known = connection.execute(
            "select digest_date, verdict, reason from marts.daily_digests"
            " where list_contains(?, digest_date)",
            [days],
        ).fetchall()
    for day, verdict, reason in known:
        write_quality_page(settings, day, verdict, reason)
