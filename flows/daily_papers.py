"""One day of papers: extract, validate, transform, validate, publish, export.

papers run 2026-08-20
"""

import json
from dataclasses import replace
from datetime import date

from prefect import flow
from prefect.artifacts import create_link_artifact, create_markdown_artifact
from prefect.client.schemas.objects import State

from flows.export import export
from flows.extract import LoadedReading, extract
from flows.gates import CheckResult
from flows.newsletter.quality import verdict_words
from flows.outcome import Outcome
from flows.publish import publish
from flows.quality_page import write_quality_page
from flows.quality_site import quality_site
from flows.settings import Settings, load_settings
from flows.transform import BuildFailedError, transform
from flows.validate import Gating, validate
from flows.warehouse import WarehouseBusyError, writer_lock


@flow(name="daily papers", flow_run_name="papers {day}", validate_parameters=False)
def daily_papers(day: date) -> State:
    """The whole path for one list date; the final state is its verdict and the sentence why."""
    settings = load_settings()
    try:
        with writer_lock(settings), quality_site(settings):
            outcome = one_day(day, settings)
    except (BuildFailedError, WarehouseBusyError) as stop:
        outcome = Outcome("failed", str(stop))
    return conclude(day, outcome)


def conclude(day: date, outcome: Outcome) -> State:
    """Show how a day ended on the run's page, and give it as the run's final state."""
    _show(day, outcome)
    return outcome.as_state()


def one_day(day: date, settings: Settings) -> Outcome:
    """The six stages in order, as far as the day lets them go."""
    load = extract(day, settings)
    reading = load.readings[0]
    raw = validate("raw", settings)
    transform(settings)
    if not reading.is_whole or raw.stopping(reading.reading_id):
        return _ending(reading, raw, settings)
    marts = without_stopped(validate("marts", settings), settings)
    if marts.stopping(reading.reading_id):
        return _ending(reading, marts, settings)
    publish(settings)
    ending = _ending(reading, marts, settings)
    if reading.verdict != "complete":
        return ending
    issue = export(day, settings)
    sentence = f"{ending.sentence} {issue.sentence}"
    return replace(ending, sentence=sentence, issue=issue.folder, is_blocked=issue.is_blocked)


def without_stopped(marts: Gating, settings: Settings) -> Gating:
    """Build again without what gate marts stopped, until it stops nothing more."""
    asked = marts
    while asked.stopped:
        transform(settings)
        asked = validate("marts", settings)
        marts = Gating(marts.gate, marts.reports + asked.reports)
    return marts


def _ending(reading: LoadedReading, gating: Gating, settings: Settings) -> Outcome:
    """What the day comes to, with its quality page; a reading that a gate stopped has failed."""
    stopped = gating.stopping(reading.reading_id)
    verdict, reason = ("failed", stopped.reason) if stopped else (reading.verdict, reading.reason)
    page = write_quality_page(settings, reading.list_date, verdict, reason)
    details = tuple(_detail(check) for check in stopped.checks) if stopped else ()
    sentence = page.sentence if verdict == "complete" else f"{verdict_words(verdict)}. {reason}"
    return Outcome(verdict, sentence, page.path, tuple(filter(None, details)))


def _detail(check: CheckResult) -> str | None:
    """A check that failed by its name, the value that was seen, and the offending ids."""
    if check.is_success:
        return None
    columns, examples = check.column_name or "rows", ", ".join(json.loads(check.examples))
    name = f"gate {check.gate}, {check.suite}, {check.expectation} ({columns})"
    return f"{name}: {check.sentence} [seen: {check.observed_value}; {examples}]"


def _show(day: date, outcome: Outcome) -> None:
    """The verdict, the digest and where things are, as artifacts on the run's page."""
    lines = [f"# {day}: {outcome.verdict.replace('_', ' ')}", outcome.sentence]
    lines += [f"* {detail}" for detail in outcome.details]
    create_markdown_artifact(key="verdict", markdown="\n\n".join(lines))
    if outcome.quality_page:
        create_link_artifact(key="quality", link=outcome.quality_page.as_uri())
    if outcome.issue:
        create_markdown_artifact(
            key="digest", markdown=(outcome.issue / "digest.txt").read_text(), description=str(day)
        )
