"""What the clock starts. A run works from what is missing, not from its slot, so late runs heal.

daily digest: missed days in bulk, then the newest closed day to its mail; tried again until done
open list, re-reading: readings of days that still change        upkeep: pages, archive, database
linked repositories: what grew out of the papers of the last lists
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State

from flows import clock
from flows.backfill import read_days
from flows.daily_papers import (
    build_and_judge,
    one_day,
    run_to_final_state,
    run_to_verdict,
    with_issue,
)
from flows.deliver import deliver_rest
from flows.editions import one_edition
from flows.export import mailed
from flows.extract import extract_linked, extract_trending, reading_pipeline
from flows.issues.periods import ends_at, first_day, newest_ended
from flows.mail_setup import open_mailing
from flows.mailing.database import MailingError
from flows.mailing.ledger_issues import DONE, PAUSED, find_issue, next_attempt_at
from flows.mailing.transports import TransportError
from flows.newsletter.digest import Edition
from flows.operations.days import record_mail
from flows.operations.deadlines import verdict_due_at
from flows.operations.incident_rules import DAILY
from flows.operations.upkeep import archive_readings
from flows.outcome import BUSY, BuildFailedError, Outcome
from flows.publish import publish
from flows.quality.day_page import write_quality_page
from flows.quality.site import quality_site, write_quality_site
from flows.runs.flow_runs import one_writer, plan_next_try
from flows.runs.names import about, papers_of
from flows.runs.pool import start_shards
from flows.settings import Settings, load_settings
from flows.sources.feed_day import (
    closes_at,
    is_weekend,
    last_list_dates,
    newest_closed,
    open_list_date,
)
from flows.sources.linked import PaperHub
from flows.validate import validate
from flows.warehouse.database import WarehouseBusyError
from flows.warehouse.final_verdicts import (
    final_verdicts,
    first_list_date,
    last_read_at_by_date,
    newest_reading,
    undecided_days,
)
from flows.warehouse.papers_to_ask import ONCE_A_NIGHT, papers_to_ask
from flows.warehouse.tidying import tidy
from flows.wording import FINAL_VERDICTS, verdict_sentence

# dlt's copies of what it loaded are of use while one looks into yesterday's trouble.
LOADS_KEPT = timedelta(days=7)
# After a longer silence than this, what is older is the operator's: `papers backfill`.
CATCH_UP = timedelta(days=30)
# From when a list closed to its deadline; what is not there after an hour comes after many.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (15, 30, 60, 120))
PERIODS: tuple[Edition, ...] = ("weekly", "monthly")


def _digest_name() -> str:
    return papers_of(newest_closed(clock.utc_now()))


def _open_list_name() -> str:
    day = open_list_date(clock.utc_now())
    return f"The list of {day:%A} {day} so far"


def _reread_name() -> str:
    return f"The last {load_settings().reread_days} lists, read again"


@flow(name="daily digest", flow_run_name=_digest_name)
def daily_digest() -> State:
    """The newest closed day from the Hub to the mail, after the data of the days missed before it.

    A day that is not done is tried again with growing pauses until its verdict is due.
    """
    settings, day = load_settings(), newest_closed(clock.utc_now())

    def path() -> Outcome:
        try:
            with one_writer(settings):
                outcome = _with_missed_days(day, settings)
                _send_rest(settings)
        except BuildFailedError as stop:
            outcome = Outcome("failed", f"Failed. {stop}")
        except WarehouseBusyError as busy:
            outcome = Outcome(BUSY, str(busy))
        again = next_try_at(day, outcome, settings, clock.utc_now())
        if again is None:
            return outcome
        plan_next_try(day, again)
        return outcome.adding(f"The next try is at {_clock_time(again, settings)}.")

    with about(day):
        return run_to_verdict(day, path, settings)


@flow(name="open list", flow_run_name=_open_list_name)
def open_list() -> State:
    """A reading of the list that grows now and of what trends, so that analysts see both move."""
    settings = load_settings()

    def path() -> Outcome:
        with one_writer(settings):
            _send_rest(settings)
            extract_trending(settings)
            day = open_list_date(clock.utc_now())
            if is_weekend(day):
                return Outcome("empty", f"No list grows: the Hub makes none on {day:%A}s.")
            with quality_site(settings), about(day):
                return one_day(day, settings)

    return run_to_final_state(path)


@flow(name="re-reading", flow_run_name=_reread_name)
def reread() -> State:
    """The last REREAD_DAYS closed lists again: votes settle over one to two weeks."""
    settings = load_settings()

    def path() -> Outcome:
        with one_writer(settings):
            _send_rest(settings)
            return read_days(last_list_dates(clock.utc_now(), settings.reread_days), settings)

    return run_to_final_state(path)


@flow(name="linked repositories", flow_run_name="What grew out of the papers of the last lists")
def linked_repositories() -> State:
    """Ask the Hub about the papers of the last lists, and publish what it says of each.

    No list, verdict or issue looks at any of it, and the Hub is asked before the warehouse is
    taken: a Hub in trouble costs this reading, and nothing else.
    """
    settings = load_settings()

    def path() -> Outcome:
        outcome = _ask_about_papers(settings)
        if outcome.verdict == "complete":
            with one_writer(settings):
                build, marts = build_and_judge(settings)
                publish(settings)
            if stopped := build.refused + marts.stopped:
                return Outcome("failed", f"Failed. {stopped[0].reason}")
        return outcome

    return run_to_final_state(path)


@flow(name="upkeep", flow_run_name="Upkeep of the pages, the archive and the database")
def upkeep() -> State:
    """Write the quality reports, keep past readings as Parquet, check the database in."""
    settings, now = load_settings(), clock.utc_now()

    def path() -> Outcome:
        with one_writer(settings):
            write_quality_site(settings)
            months = archive_readings(settings, now)
            reading_pipeline(settings).forget_loads(now - LOADS_KEPT)
            size = tidy(settings, now)
        archived = f"months kept as Parquet: {', '.join(months) or 'nothing new'}"
        said = f"Quality reports written; {archived}; {size / 1e6:,.0f} MB of warehouse checked in."
        return Outcome("complete", said)

    return run_to_final_state(path)


def _ask_about_papers(settings: Settings) -> Outcome:
    """Read what the Hub says of single papers, and let its gate judge it; no mart has it yet."""
    papers = papers_to_ask(settings, clock.utc_now())
    if not papers:
        return Outcome("empty", "No paper of the last lists is left to ask about.")
    answer = PaperHub(settings.hub_url, settings.hub_token).read(papers, clock.utc_now)
    with one_writer(settings):
        reading = extract_linked(answer, settings).reading
        stopped = validate("linked", settings).stopping(reading.reading_id)
    if stopped or reading.verdict == "failed":
        return Outcome("failed", f"Failed. {stopped.reason if stopped else reading.reason}")
    return Outcome("complete", reading.reason)


def _catch_up_name() -> str:
    return f"All that is due, {papers_of(newest_closed(clock.utc_now()))}"


@flow(name="catch up", flow_run_name=_catch_up_name)
def catch_up() -> State:
    """All that the schedule would have started by now: for machines where nothing runs for long."""
    settings, day = load_settings(), newest_closed(clock.utc_now())

    def path() -> Outcome:
        with one_writer(settings):
            read = tuple(_read_what_is_due(day, settings))
            outcome = _issue_of(day, settings)
            _send_rest(settings)
            for each in (*_editions_due(settings), *read):
                outcome = outcome.adding(each.sentence)
            if not settings.published_path.exists():
                build_and_judge(settings)
                publish(settings)
            archive_readings(settings, clock.utc_now())
            tidy(settings, clock.utc_now())
        # Once the mail is out; what is read now is built and published with the next lists.
        try:
            return outcome.adding(_ask_about_papers(settings).sentence)
        except WarehouseBusyError as busy:
            return outcome.adding(str(busy))

    with about(day):
        return run_to_verdict(day, path, settings)


def _read_what_is_due(day: date, settings: Settings) -> Iterator[Outcome]:
    """Read at once what has no verdict, what was read another night and still changes, what trends.

    One load and one build: a machine that is wiped pays for each build in minutes.
    """
    now = clock.utc_now()
    since = max(first_list_date(settings) or day, day - CATCH_UP)
    missing = [each for each in undecided_days(settings, since, day) if not is_weekend(each)]
    days = last_list_dates(now, settings.reread_days)
    if not is_weekend(growing := open_list_date(now)):
        days.append(growing)
    read_at = last_read_at_by_date(settings)
    again = [each for each in days if each not in read_at or now - read_at[each] > ONCE_A_NIGHT]
    due = sorted({*missing, *again})
    if due:
        extract_trending(settings)
        yield read_days(due, settings)


def _issue_of(day: date, settings: Settings) -> Outcome:
    """How a day stands that was just read; of a complete one the issue, and what its mail lacks."""
    quality = write_quality_page(settings, day)
    facts, newest = quality.facts, newest_reading(settings, day)
    if facts.verdict not in FINAL_VERDICTS and newest.reading_id != facts.run_id:
        # What was judged before stands for readers; the run is told what it came to itself.
        said = verdict_sentence(newest.verdict, newest.reason)
        return Outcome(newest.verdict, said, quality.path)
    if facts.verdict != "complete":
        said = verdict_sentence(facts.verdict, facts.reason)
        by_gate = facts.reason if facts.failure_count else ""
        return Outcome(facts.verdict, said, quality.path, stopped_by=by_gate)
    return with_issue(day, Outcome("complete", facts.sentence, quality.path), quality, settings)


def _editions_due(settings: Settings) -> Iterator[Outcome]:
    """The weekly and monthly issues that are young enough to go out and have not gone out yet."""
    now, since = clock.utc_now(), first_list_date(settings)
    for kind in PERIODS:
        day = newest_ended(kind, now)
        age = now - ends_at(kind, day)
        if since is None or since > first_day(kind, day):
            continue  # it began before the first reading, so it could never be whole
        if age <= timedelta(hours=settings.issue_max_age_hours) and not _is_mailed(
            kind, day, settings
        ):
            yield one_edition(kind, day, settings)


def _send_rest(settings: Settings) -> None:
    """Send the deferred mail that is due, of every issue; an unreachable relay fails no run."""
    try:
        with closing(open_mailing(settings)) as mailing:
            for report in deliver_rest(mailing, settings, clock.utc_now(), start_shards):
                get_run_logger().info("The rest of %s: %s", report.issue.name, report.sentence)
                if report.issue.edition == DAILY:
                    record_mail(
                        mailing,
                        report.issue.issue_date,
                        report.sentence,
                        is_blocked=report.is_blocked,
                    )
    except (TransportError, MailingError) as error:
        get_run_logger().warning("The rest of the mail waits: %s", error)


def next_try_at(day: date, outcome: Outcome, settings: Settings, now: datetime) -> datetime | None:
    """When (UTC) this day is worth another try; None when it is done or its time is over."""
    if outcome.verdict in FINAL_VERDICTS:
        at = _mail_is_due_at(day, outcome, now, settings)
        last = closes_at(day) + timedelta(hours=settings.issue_max_age_hours)
    else:
        at, last = now + _pause(day, now), verdict_due_at(day, settings)
    return at if at and at <= last else None


def _with_missed_days(day: date, settings: Settings) -> Outcome:
    """The data of the days missed before this one, then the day itself; what was done, in words."""
    since = max(first_list_date(settings) or day, day - CATCH_UP)
    before = undecided_days(settings, since, day - timedelta(days=1))
    missed = [each for each in before if not is_weekend(each)]
    caught_up = read_days(missed, settings) if missed else None
    outcome = _newest_day(day, settings)
    if caught_up is None:
        return outcome
    days = ", ".join(str(each) for each in missed)
    return outcome.adding(f"Data of the days missed before ({days}): {caught_up.sentence}")


def _newest_day(day: date, settings: Settings) -> Outcome:
    """Do what this day still needs: the whole path, the rest of its mail, or nothing.

    A re-reading may have found the list complete before its issue was made.
    """
    verdict = final_verdicts(settings).get(day)
    has_issue = settings.issue_folder(day).exists()
    if verdict is None or (verdict == "complete" and not has_issue):
        with quality_site(settings):
            return one_day(day, settings)
    name = f"{day:%A} {day}"
    if not has_issue:
        return Outcome(verdict, f"Nothing is owed: {name} is {verdict}.")
    if _is_mailed("daily", day, settings):
        return Outcome(verdict, f"Nothing is owed: {name} is {verdict} and its issue is out.")
    issue = mailed(settings.issue_folder(day), settings, is_new=False)
    said = f"{name} is {verdict}; the rest of its mail goes out. {issue.sentence}"
    return Outcome(verdict, said, issue=issue.folder, is_blocked=issue.is_blocked)


def _is_mailed(edition: Edition, day: date, settings: Settings) -> bool:
    """Whether the ledger is done with this issue."""
    try:
        with closing(open_mailing(settings)) as mailing:
            issue = find_issue(mailing, edition, day)
    except MailingError:
        return False
    return issue is not None and issue.state == DONE


def _pause(day: date, now: datetime) -> timedelta:
    """The pause before the next try; it grows with the time since the day closed."""
    waited = now - closes_at(day)
    return next((pause for pause in PAUSES if waited < 2 * pause), PAUSES[-1])


def _mail_is_due_at(
    day: date, outcome: Outcome, now: datetime, settings: Settings
) -> datetime | None:
    """When held or deferred mail may go; None if none waits or only the operator may send it."""
    if outcome.issue is None:
        return None
    try:
        with closing(open_mailing(settings)) as mailing:
            issue = find_issue(mailing, "daily", day)
            if issue is None or issue.state == PAUSED:
                return None
            at = next_attempt_at(mailing, issue)
    except MailingError:
        return now + _pause(day, now)
    if outcome.is_blocked:
        return now + _pause(day, now)
    return at and max(at, now + PAUSES[0])


def _clock_time(moment: datetime, settings: Settings) -> str:
    local = moment.astimezone(ZoneInfo(settings.timezone))
    return f"{local:%H:%M} {settings.timezone} on {local:%A}"
