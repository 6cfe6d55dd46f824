"""One day of papers: extract, validate, transform, validate, publish, export.

papers run 2026-08-20
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Failed

from flows import clock
from flows.errors import OperationError, why_no_room
from flows.export import export
from flows.extract import LoadedReading, extract
from flows.gates.judging import CheckResult
from flows.operations.alerts import after_run
from flows.operations.days import Day
from flows.outcome import BUSY, INTERRUPTED, BuildFailedError, Outcome
from flows.publish import publish
from flows.quality.day_page import QualityPage, write_quality_page
from flows.quality.site import quality_site
from flows.runs.interruption import SENTENCE
from flows.runs.names import run_name
from flows.runs.page import show_day
from flows.runs.states import final_state
from flows.settings import Settings, load_settings
from flows.sources.feed_day import why_no_list
from flows.transform import Build, transform
from flows.validate import Gating, validate
from flows.warehouse.database import WarehouseBusyError, writer_lock
from flows.wording import verdict_sentence


@flow(name="daily papers", flow_run_name=run_name, validate_parameters=False)
def daily_papers(day: date) -> State:
    """The whole path for one list date; the final state is its verdict and the sentence why."""
    if why := why_no_list(day, clock.utc_now()):
        return Failed(message=why)
    settings = load_settings()

    def path() -> Outcome:
        with writer_lock(settings), quality_site(settings):
            return one_day(day, settings)

    return run_to_verdict(day, path, settings)


def run_to_verdict(day: date, path: Callable[[], Outcome], settings: Settings) -> State:
    """Run a day's path and record its verdict; a bug of ours is recorded as failed."""
    try:
        outcome = _run(path)
    except (BuildFailedError, OperationError) as stop:
        outcome = Outcome("failed", verdict_sentence("failed", str(stop)))
    except Exception as bug:  # noqa: BLE001  the day needs its verdict, and the state keeps the bug
        get_run_logger().exception("The run stopped at an error of its own.")
        reason = f"The run stopped at an error of its own: {type(bug).__name__}; see its log."
        why = verdict_sentence("failed", reason)
        record_verdict(day, Outcome("failed", why), settings)
        return Failed(message=why, data=bug)
    # The run that holds the warehouse, or the next one, gives the day its verdict.
    if outcome.verdict in {BUSY, INTERRUPTED}:
        return final_state(outcome)
    return record_verdict(day, outcome, settings)


def run_to_final_state(path: Callable[[], Outcome]) -> State:
    """Run a path that is not about one day; what stops it becomes its outcome, in one sentence."""
    try:
        return final_state(_run(path))
    except (BuildFailedError, OperationError) as stop:
        return final_state(Outcome("failed", str(stop)))


def _run(path: Callable[[], Outcome]) -> Outcome:
    """How the path ended; a busy warehouse and Ctrl-C are ends without a verdict.

    Raises:
        OperationError: the disk is full, whichever library met it.
    """
    try:
        return path()
    except WarehouseBusyError as busy:
        return Outcome(BUSY, str(busy))
    except KeyboardInterrupt:
        return Outcome(INTERRUPTED, SENTENCE)
    except (BuildFailedError, OperationError):  # it says what it is, also of a lake that is full
        raise
    except Exception as error:
        if why := why_no_room(error):
            raise OperationError(why) from error
        raise


def record_verdict(day: date, outcome: Outcome, settings: Settings) -> State:
    """Keep how a day ended, show it on the run's page, tell the operator; the run's final state."""
    now = clock.utc_now()
    ended = Day(
        day,
        outcome.verdict,
        outcome.sentence,
        now,
        stopped_by=outcome.stopped_by or None,
        is_mail_blocked=outcome.is_blocked,
    )
    for trouble in after_run(settings, [ended], now):
        get_run_logger().warning(trouble)
    show_day(day, outcome, settings)
    return final_state(outcome)


def one_day(day: date, settings: Settings) -> Outcome:
    """The six stages in order, as far as the day lets them go."""
    load = extract(day, settings)
    reading = load.reading
    raw = validate("raw", settings)
    refusal = transform(settings).refusing(reading.reading_id)
    if refusal:
        why = refusal.reason
        page = write_quality_page(settings, day)
        return Outcome("failed", verdict_sentence("failed", why), page.path, stopped_by=why)
    if not reading.is_whole or raw.stopping(reading.reading_id):
        return _judged_outcome(reading, raw, write_quality_page(settings, day))
    marts = rebuild_without_refused_readings(validate("marts", settings), settings)
    if marts.stopping(reading.reading_id):
        return _judged_outcome(reading, marts, write_quality_page(settings, day))
    publish(settings)
    quality = write_quality_page(settings, day)
    outcome = _judged_outcome(reading, marts, quality)
    return with_issue(day, outcome, quality, settings)


def with_issue(day: date, outcome: Outcome, quality: QualityPage, settings: Settings) -> Outcome:
    """How the day ended, with its issue made and mailed where the day is complete."""
    if outcome.verdict != "complete":
        return outcome
    issue = export(day, "daily", quality.page, settings)
    return replace(
        outcome,
        sentence=f"{outcome.sentence} {issue.sentence}",
        issue=issue.folder,
        is_blocked=issue.is_blocked,
        mail=issue.mail,
    )


def build_and_judge(settings: Settings) -> tuple[Build, Gating]:
    """The marts of all that was let through so far, and what gate marts said of them.

    Whatever publishes without reading a day goes through here: a killed run may have left readings
    that gate raw let through and no build has seen.
    """
    build = transform(settings)
    return build, rebuild_without_refused_readings(validate("marts", settings), settings)


def rebuild_without_refused_readings(marts: Gating, settings: Settings) -> Gating:
    """Build again without what gate marts stopped, until it stops nothing more."""
    asked = marts
    while asked.stopped:
        transform(settings)
        asked = validate("marts", settings)
        marts = Gating(marts.gate, marts.reports + asked.reports)
    return marts


def _judged_outcome(reading: LoadedReading, gating: Gating, page: QualityPage) -> Outcome:
    """How the day ended; it failed where a gate stopped its reading."""
    stopped = gating.stopping(reading.reading_id)
    verdict, reason = ("failed", stopped.reason) if stopped else (reading.verdict, reading.reason)
    details = tuple(_detail(check) for check in stopped.checks) if stopped else ()
    sentence = page.facts.sentence if verdict == "complete" else verdict_sentence(verdict, reason)
    return Outcome(
        verdict,
        sentence,
        page.path,
        tuple(filter(None, details)),
        stopped_by=stopped.reason if stopped else "",
    )


def _detail(check: CheckResult) -> str | None:
    """A check that failed by its name, the value that was seen, and the offending ids."""
    if check.is_success:
        return None
    columns = check.column_name or "rows"
    examples = ", ".join(json.loads(check.examples))
    seen = filter(None, dict.fromkeys([check.observed_value, examples]))
    name = f"gate {check.gate}, {check.suite}, {check.expectation} ({columns})"
    return f"{name}: {check.sentence} [seen: {'; '.join(seen)}]"
