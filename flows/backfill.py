"""History in few large steps: days read from the Hub, or recorded responses. Never mails.

papers backfill 2026-01-01 2026-06-30        papers import recordings/
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import date, datetime
from queue import Empty, Queue
from threading import Thread
from typing import TypeVar

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State

from flows import clock
from flows.daily_papers import rebuild_without_refused_readings, run_to_final_state
from flows.extract import history, load_id, reading_pipeline
from flows.gates.judging import GateReport
from flows.operations.alerts import after_run
from flows.operations.days import Day, record_read_again
from flows.outcome import Outcome
from flows.publish import publish
from flows.quality.day_page import write_quality_pages
from flows.quality.site import quality_site
from flows.runs.flow_runs import one_writer
from flows.runs.interruption import awaiting, safe_point
from flows.runs.progress import track
from flows.settings import Settings, load_settings
from flows.sources.hub import Answer, Hub
from flows.sources.pipeline import Reading, reading_id
from flows.sources.recordings import Recording
from flows.sources.verdict import History, Verdict, judge, judge_recorded
from flows.transform import Refusal, transform
from flows.validate import validate
from flows.warehouse.database import connect, has_table, writer_lock
from flows.warehouse.final_verdicts import known_readings, unfinished_days
from flows.wording import verdict_words

CHUNK = 50  # readings a load: large enough for dlt, small enough to lose little to a crash
READERS = 4  # requests at a time; 900 days are two of the Hub's windows of 300 s
T = TypeVar("T")
_Loaded = tuple[list[Reading], tuple[GateReport, ...]]  # with what gate raw stopped of it


@flow(name="backfill", flow_run_name="Backfill of {first} to {last}")
def backfill(first: date, last: date) -> State:
    """Read every date of this range that has no final verdict yet, then gate, build and publish."""
    settings = load_settings()

    def bring() -> _Loaded:
        return _read(unfinished_days(settings, first, last), settings)

    def path() -> Outcome:
        with one_writer(settings):
            return _in_bulk(bring, settings)

    return run_to_final_state(path)


@flow(name="import", flow_run_name="import {count} recordings", validate_parameters=False)
def import_recordings(recordings: Sequence[Recording], count: int) -> State:  # noqa: ARG001
    """Load recorded responses as readings at their own times, then gate, build and publish."""
    settings = load_settings()

    def bring() -> _Loaded:
        known = known_readings(settings)
        new = [r for r in recordings if reading_id(r.list_date, r.read_at) not in known]
        answers = (recording.answer() for recording in new)
        return _load(
            settings, track(answers, len(new), "loading recordings"), "import", judge_recorded
        )

    def path() -> Outcome:
        with writer_lock(settings):
            return _in_bulk(bring, settings)

    return run_to_final_state(path)


def read_days(days: Sequence[date], settings: Settings) -> Outcome:
    """Read these dates from the Hub, then gate, build and publish. The caller holds the lock.

    Raises:
        BuildFailedError: dbt failed; what was read is kept for the next build.
    """
    return _in_bulk(lambda: _read(days, settings), settings)


def _read(days: Sequence[date], settings: Settings) -> _Loaded:
    hub = Hub(settings.hub_url, settings.hub_token)

    def read(day: date) -> Answer:
        return hub.read(day, clock.utc_now)

    answers = track(_in_parallel(read, days), len(days), "reading days")
    return _load(settings, answers, "hub", judge)


def _judge_rest(settings: Settings) -> tuple[GateReport, ...]:
    """Let gate raw judge what an interrupted run read; the readings that it stopped."""
    reading_pipeline(settings).finish_pending()
    with connect(settings.warehouse_path) as connection:
        has_readings = has_table(connection, "raw", "readings")
    return validate("raw", settings).stopped if has_readings else ()


def _in_parallel(read: Callable[[date], Answer], days: Sequence[date]) -> Iterator[Answer]:
    """The answers in the order of their days, READERS at a time.

    The threads are daemons, unlike those of a ThreadPoolExecutor: after Ctrl-C nobody waits for
    one that the Hub keeps waiting.
    """
    waiting: Queue[tuple[date, Future[Answer]]] = Queue()
    answers = [Future[Answer]() for _ in days]
    for asked in zip(days, answers, strict=True):
        waiting.put(asked)

    def work() -> None:
        while True:
            try:
                day, answer = waiting.get_nowait()
            except Empty:
                return
            try:
                answer.set_result(read(day))
            except BaseException as error:  # noqa: BLE001  raised where the answer is awaited
                answer.set_exception(error)

    for _ in range(READERS):
        Thread(target=work, daemon=True).start()
    try:
        for answer in answers:
            with awaiting():
                read_answer = answer.result()
            yield read_answer
    finally:
        with suppress(Empty):
            while True:
                waiting.get_nowait()


def _in_bulk(bring: Callable[[], _Loaded], settings: Settings) -> Outcome:
    """The stages over many readings at once; one that a gate stops does not stop the others.

    `bring` is called once what an interrupted run left is judged, so it finds that as read.
    """
    with quality_site(settings):
        left = _judge_rest(settings)
        readings, refused = bring()
        stopped: tuple[GateReport | Refusal, ...] = left + refused
        stopped += transform(settings).refused
        stopped += rebuild_without_refused_readings(validate("marts", settings), settings).stopped
        publish(settings, most_vectors=None)
        ended = _write_quality_pages(settings, readings)
    now = clock.utc_now()
    for trouble in after_run(settings, _days(ended, stopped, now), now, record_read_again):
        get_run_logger().warning(trouble)
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
) -> _Loaded:
    """Judge the answers in their order, load them and ask gate raw, a chunk at a time.

    What the gate stops is no evidence: the other readings of its load are judged again without it.
    """
    pipeline = reading_pipeline(settings)
    readings: list[Reading] = []
    stopped: dict[str, GateReport] = {}  # by reading: of a load, a gate may say it again
    for chunk in _chunks(answers):
        load = load_id(clock.utc_now())
        in_order = sorted(chunk, key=lambda answer: answer.read_at)
        loaded: list[Reading] = []
        while True:
            judged: list[Reading] = []
            for answer in in_order:
                evidence = [each for each in judged if each.reading_id not in stopped]
                verdict = judged_by(answer, history(settings, answer, evidence))
                judged.append(Reading(answer, verdict, origin, load))
            if judged == loaded:
                break
            pipeline.load([reading for reading in judged if reading not in loaded])
            loaded = judged
            safe_point()
            new = [r for r in validate("raw", settings).stopped if r.run_id not in stopped]
            if not new:
                break
            stopped |= {report.run_id: report for report in new}
        readings += loaded
    return readings, tuple(stopped.values())


def _chunks(things: Iterator[T]) -> Iterator[list[T]]:
    """The things, CHUNK at a time; after Ctrl-C first those in hand, so that they are kept."""
    chunk: list[T] = []
    try:
        for thing in things:
            chunk.append(thing)
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
    except KeyboardInterrupt:
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk


def _write_quality_pages(
    settings: Settings, readings: Sequence[Reading]
) -> dict[date, tuple[str, str]]:
    """Write the page of each day that was read; verdict and reason of each."""
    days = sorted({reading.answer.list_date for reading in readings})
    pages = track(write_quality_pages(settings, days), len(days), "writing quality pages")
    return {page.facts.list_date: (page.facts.verdict, page.facts.reason) for page in pages}


def _days(
    ended: Mapping[date, tuple[str, str]], stopped: Sequence[GateReport | Refusal], now: datetime
) -> list[Day]:
    """The days as they stand now; one that a gate stopped gives the gate's reason."""
    reasons = {report.list_date: report.reason for report in stopped}
    return [
        Day(day, verdict, f"{verdict_words(verdict)}. {reason}", now, reasons.get(day))
        for day, (verdict, reason) in ended.items()
    ]
