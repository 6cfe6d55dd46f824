"""History in few large steps: days read from the Hub, or recorded responses. Never mails.

papers backfill 2026-01-01 2026-06-30        papers import recordings/
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from queue import Empty, Queue
from threading import Thread
from typing import TypeVar

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State

from flows import clock
from flows.daily_papers import build_and_judge, run_to_final_state
from flows.extract import LoadedReading, load_id, load_readings, loaded, reading_pipeline
from flows.gates.judging import GateReport
from flows.operations.alerts import after_run
from flows.operations.days import Day, record_read_again
from flows.outcome import Outcome
from flows.publish import publish
from flows.quality.day_page import write_quality_pages
from flows.quality.site import quality_site
from flows.runs.flow_runs import SCHEDULED_PATIENCE_SECONDS, one_writer
from flows.runs.interruption import awaiting, safe_point
from flows.runs.progress import track
from flows.runs.terminal import SHOWN
from flows.settings import Settings, load_settings
from flows.sources.hub import Answer, Hub
from flows.sources.pipeline import Reading, reading_id
from flows.sources.recordings import Recording
from flows.sources.verdict import EarlierReading, History, Verdict, judge, judge_recorded
from flows.transform import Refusal
from flows.validate import validate
from flows.warehouse.database import has_table, open_warehouse, writer_lock
from flows.warehouse.final_verdicts import reading_ids, undecided_days
from flows.warehouse.known_lists import KnownLists, stored_lists
from flows.wording import counted, verdict_sentence

# Readings a load: what a window of the Hub's gives, at two requests each. A kill loses no more.
CHUNK = 250
READERS = 8  # requests at a time, as long as the Hub takes them
AHEAD = 64  # days that are read while those before them are loaded
T = TypeVar("T")
Turn = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class Source:
    """Where the answers of a backfill come from, and how they are taken in.

    `count` is how many there will be, `judged_by` gives the verdict of one, `note` the text beside
    the progress bar. Each load is made inside a `turn`, so that several writers can alternate.
    """

    answers: Iterator[Answer]
    count: int
    doing: str
    origin: str
    judged_by: Callable[[Answer, History], Verdict]
    note: Callable[[], str] = str
    turn: Turn = nullcontext


@dataclass(frozen=True)
class Loaded:
    """Readings that were loaded, and what gate raw stopped of them.

    `kept_count`: recordings of a date and time that were kept before, and stay as they are.
    """

    readings: tuple[LoadedReading, ...] = ()
    stopped: tuple[GateReport | Refusal, ...] = ()
    kept_count: int = 0

    @property
    def sentence(self) -> str:
        """How much: `250 new readings, 4,021 items: 178 complete, 72 empty.`."""
        new = counted(len(self.readings), "new reading")
        items = counted(sum(reading.item_count for reading in self.readings), "item")
        kept = f"{self.kept_count:,} kept before" if self.kept_count else ""
        said = ", ".join(filter(None, (self.verdicts, kept))) or "nothing was missing"
        return f"{new}, {items}: {said}."

    @property
    def verdict(self) -> str:
        """`failed` where a list was not to be had or a gate stopped one, `not_open` if all are."""
        found = {reading.verdict for reading in self.readings}
        if self.stopped or "failed" in found:
            return "failed"
        return "not_open" if found == {"not_open"} else "complete"

    @property
    def verdicts(self) -> str:
        """The verdicts, most of them first: `178 complete, 72 empty`."""
        counts = Counter(reading.verdict for reading in self.readings).most_common()
        return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts)


@flow(name="backfill", flow_run_name="Backfill of {first} to {last}")
def backfill(first: date, last: date) -> State:
    """Read every date of this range that has no final verdict yet, then gate, build and publish.

    The Hub is read while others write: the warehouse is this run's for each load and for the build
    alone, so that several hosts can bring different dates into one lake at once.
    """
    settings = load_settings()
    turn = turns_of_writer(settings)

    def path() -> Outcome:
        with one_writer(settings):  # who finds a run at work is told so at once
            left = judge_rest(settings)
            days = undecided_days(settings, first, last)
        return built_in_bulk(left, bring_days(days, settings, turn), settings, turn)

    return run_to_final_state(path)


@flow(name="import", flow_run_name="import {count} recordings", validate_parameters=False)
def import_recordings(recordings: Sequence[Recording], count: int) -> State:  # noqa: ARG001
    """Load recorded responses as readings at their own times, then gate, build and publish."""
    settings = load_settings()

    def bring() -> Loaded:
        known = reading_ids(settings)
        new = [r for r in recordings if reading_id(r.list_date, r.read_at) not in known]
        answers = (recording.answer() for recording in new)
        source = Source(answers, len(new), "loading recordings", "import", judge_recorded)
        return replace(_load(source, settings), kept_count=len(recordings) - len(new))

    def path() -> Outcome:
        with writer_lock(settings):
            return _in_bulk(bring, settings)

    return run_to_final_state(path)


def turns_of_writer(settings: Settings) -> Turn:
    """How a run that shares the warehouse is its one writer, for a load or a build at a time."""
    return partial(one_writer, settings, SCHEDULED_PATIENCE_SECONDS)


def read_days(days: Sequence[date], settings: Settings) -> Outcome:
    """Read these dates from the Hub, then gate, build and publish. The caller holds the lock.

    Raises:
        BuildFailedError: dbt failed; what was read is kept for the next build.
    """
    return _in_bulk(lambda: bring_days(days, settings), settings)


def bring_days(days: Sequence[date], settings: Settings, turn: Turn = nullcontext) -> Loaded:
    """Read these dates from the Hub and load them; each load is a `turn` of the writer's."""
    hub = Hub(settings.hub_url, settings.hub_token)

    def read(day: date) -> Answer:
        return hub.read(day, clock.utc_now)

    answers = _in_parallel(read, days)
    return _load(
        Source(answers, len(days), "reading days", "hub", judge, lambda: hub.window, turn), settings
    )


def judge_rest(settings: Settings) -> tuple[GateReport, ...]:
    """Let gate raw judge what an interrupted run read; the readings that it stopped."""
    reading_pipeline(settings).finish_pending()
    with open_warehouse(settings) as connection:
        has_readings = has_table(connection, "raw", "readings")
    return validate("raw", settings).stopped if has_readings else ()


def _in_parallel(read: Callable[[date], Answer], days: Sequence[date]) -> Iterator[Answer]:
    """The answers in the order of their days, READERS at a time and AHEAD at most.

    The threads are daemons, unlike those of a ThreadPoolExecutor: after Ctrl-C nobody waits for
    one that the Hub keeps waiting.
    """
    asked: Queue[tuple[date, Future[Answer]] | None] = Queue()
    awaited: deque[Future[Answer]] = deque()

    def ask(days: Sequence[date]) -> None:
        for day in days:
            awaited.append(Future())
            asked.put((day, awaited[-1]))

    def work() -> None:
        while task := asked.get():
            day, answer = task
            try:
                answer.set_result(read(day))
            except BaseException as error:  # noqa: BLE001  raised where the answer is awaited
                answer.set_exception(error)

    for _ in range(READERS):
        Thread(target=work, daemon=True).start()
    try:
        ask(days[:AHEAD])
        for following in range(AHEAD, AHEAD + len(days)):
            with awaiting():
                answer = awaited.popleft().result()
            ask(days[following : following + 1])
            yield answer
    finally:
        with suppress(Empty):
            while True:
                asked.get_nowait()
        for _ in range(READERS):
            asked.put(None)


def _in_bulk(bring: Callable[[], Loaded], settings: Settings) -> Outcome:
    """The stages over many readings at once, by the one writer.

    `bring` is called once what an interrupted run left is judged, so it finds that as read.
    """
    left = judge_rest(settings)
    return built_in_bulk(left, bring(), settings)


def built_in_bulk(
    left: tuple[GateReport, ...], brought: Loaded, settings: Settings, turn: Turn = nullcontext
) -> Outcome:
    """Build, judge and publish what was read. A reading that a gate stops does not stop others."""
    with turn(), quality_site(settings):
        stopped: tuple[GateReport | Refusal, ...] = left + brought.stopped
        build, marts = build_and_judge(settings)
        stopped += build.refused + marts.stopped
        publish(settings, most_vectors=None)
        ended = _write_quality_pages(settings, brought.readings)
    now = clock.utc_now()
    for trouble in after_run(settings, _days(ended, stopped, now), now, record_read_again):
        get_run_logger().warning(trouble)
    details = tuple(f"{report.list_date}: {report.reason}" for report in stopped)
    sentence = brought.sentence
    if stopped:
        what = counted(len(stopped), "reading")
        sentence += f" A gate stopped {what}, of this run or of one that was cut short."
    return Outcome("failed" if stopped else brought.verdict, sentence, details=details)


def _load(source: Source, settings: Settings) -> Loaded:
    """Judge the answers of a source in their order, load them and ask gate raw, CHUNK at a time."""
    all_of_it = Loaded()

    def note() -> str:
        return "; ".join(filter(None, (all_of_it.verdicts, source.note())))

    for chunk in _chunks(track(source.answers, source.count, source.doing, note)):
        began = time.monotonic()
        with source.turn():
            new = _load_chunk(chunk, source, settings)
        all_of_it = Loaded(all_of_it.readings + new.readings, all_of_it.stopped + new.stopped)
        line = f"load      {new.sentence} ({time.monotonic() - began:.1f} s)"
        get_run_logger().info(line, extra={SHOWN: True})
    return all_of_it


def _load_chunk(chunk: Sequence[Answer], source: Source, settings: Settings) -> Loaded:
    """Load these answers at once, each judged by the readings before it.

    Where the gate stops one, those after it are judged again, as if it had never been read.
    """
    load = load_id(clock.utc_now())
    in_order = sorted(chunk, key=lambda answer: answer.read_at)
    stored = stored_lists(settings, in_order)
    in_raw: list[Reading] = []
    stopped: dict[str, GateReport] = {}  # by reading: of a load, a gate may say it again
    while True:
        known, judged = KnownLists(stored), list[Reading]()
        for answer in in_order:
            verdict = source.judged_by(answer, known.before(answer))
            judged.append(Reading(answer, verdict, source.origin, load))
            if judged[-1].reading_id not in stopped:
                evidence = EarlierReading(answer.read_at, len(answer.items), verdict.is_whole)
                known.add(answer.list_date, evidence)
        if judged == in_raw:
            break
        load_readings([reading for reading in judged if reading not in in_raw], settings)
        in_raw = judged
        safe_point()
        new = [r for r in validate("raw", settings).stopped if r.run_id not in stopped]
        if not new:
            break
        stopped |= {report.run_id: report for report in new}
    return Loaded(tuple(loaded(reading) for reading in in_raw), tuple(stopped.values()))


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
    settings: Settings, readings: Sequence[LoadedReading]
) -> dict[date, tuple[str, str]]:
    """Write the page of each day that was read; verdict and reason of each."""
    days = sorted({reading.list_date for reading in readings})
    pages = track(write_quality_pages(settings, days), len(days), "writing quality pages")
    return {page.facts.list_date: (page.facts.verdict, page.facts.reason) for page in pages}


def _days(
    ended: Mapping[date, tuple[str, str]], stopped: Sequence[GateReport | Refusal], now: datetime
) -> list[Day]:
    """The days as they stand now; one that a gate stopped gives the gate's reason."""
    reasons = {report.list_date: report.reason for report in stopped}
    return [
        Day(day, verdict, verdict_sentence(verdict, reason), now, reasons.get(day))
        for day, (verdict, reason) in ended.items()
    ]
