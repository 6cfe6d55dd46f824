"""The weekly and the monthly issue: what the days published, once more, as one list by votes.

published/papers.duckdb ──Digest──▶ issues/<last day>-weekly/ or -monthly/ ──▶ mail

papers edition weekly 2026-W33        papers edition monthly 2026-08
"""

from datetime import date

from prefect import flow, runtime
from prefect.client.schemas.objects import State

from flows import clock
from flows.daily_papers import run_to_final_state
from flows.export import export
from flows.issues.periods import ends_at, first_day, newest_ended, period_name
from flows.newsletter.digest import UNITS, Edition
from flows.outcome import Outcome
from flows.publication.published import Period, read_period
from flows.quality.period import QualityPeriod, read_period_days, render_period
from flows.runs.flow_runs import one_writer
from flows.settings import Settings, load_settings
from flows.wording import counted


def _run_name() -> str:
    given = runtime.flow_run.parameters
    kind, day = given["kind"], given["issue_date"]
    # Prefect gives what was asked for, which by its API is text.
    when = period_name(kind, date.fromisoformat(str(day))) if day else f"the newest {UNITS[kind]}"
    return f"{kind.capitalize()} issue of {when}"


@flow(name="edition", flow_run_name=_run_name)
def edition(kind: Edition, issue_date: date | None = None) -> State:
    """The issue of the week or month that ends on this date (default: the newest that is over)."""
    settings = load_settings()
    day = issue_date or newest_ended(kind, clock.utc_now())

    def path() -> Outcome:
        # Issues need the writer's lock too: two runs at once would both make the folder.
        with one_writer(settings):
            return one_edition(kind, day, settings)

    return run_to_final_state(path)


def one_edition(kind: Edition, issue_date: date, settings: Settings) -> Outcome:
    """Make and mail the issue once all its days are final; until then say which are not.

    Raises:
        NotPublishedError: there is no publication yet.
    """
    name = period_name(kind, issue_date)
    folder = settings.issue_folder(issue_date, kind)
    if not folder.exists():
        if ends_at(kind, issue_date) > clock.utc_now():
            sentence = f"{name} is not over; it ends on {issue_date:%A} {issue_date}."
            return Outcome("not_open", sentence)
        period = read_period(settings.published_path, kind, issue_date)
        if held := _held(kind, issue_date, period):
            return held
    page = render_period(quality_period(kind, issue_date, settings))
    issue = export(issue_date, kind, page, settings)
    return Outcome(
        "complete", f"{name}: {issue.sentence}", issue=issue.folder, is_blocked=issue.is_blocked
    )


def quality_period(kind: Edition, issue_date: date, settings: Settings) -> QualityPeriod:
    """What the publication says of the days of a week or month; issues of them lead on."""
    period = read_period(settings.published_path, kind, issue_date)
    days = read_period_days(settings.published_path, kind, issue_date)
    issues = {day.list_date: settings.issue_folder(day.list_date) for day in days}
    pages = {
        day: f"../{folder.name}/quality.html"
        for day, folder in issues.items()
        if (folder / "quality.html").exists()
    }
    return QualityPeriod(kind, issue_date, period.reason if period else "", days, pages)


def _held(kind: Edition, issue_date: date, period: Period | None) -> Outcome | None:
    """Why the issue of a period that is over cannot be made yet; None where it can."""
    name = period_name(kind, issue_date)
    if period is None:
        first = first_day(kind, issue_date)
        return Outcome(
            "partial",
            f"{name} is held: none of its days was ever read;"
            f" `papers backfill {first} {issue_date}` reads them.",
        )
    if period.verdict == "partial":
        known = counted(period.paper_count, "paper")
        return Outcome("partial", f"{name} is held, with {known} so far. {period.reason}")
    if period.verdict == "empty":
        return Outcome("empty", f"No issue of {name}. {period.reason}")
    return None
