"""`papers`: the one entry point. Every command is one call; what it says is one plain sentence."""

from flows.commands.console import PipedConsole, console, errors
from flows.commands.starting import end_in_order, started

# isort: split
import errno
import os
import re
import sys
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from flows import clock
from flows.commands.brought import brought_again_and_again, published_path
from flows.errors import OperationError, UsageError, why_no_room
from flows.issues.periods import last_day, parse_period
from flows.newsletter.digest import Edition
from flows.outcome import EXIT_BLOCKED, EXIT_INTERRUPTED, EXIT_LATER, EXIT_OK, EXIT_USAGE, Outcome
from flows.runs.terminal import has_server, prepare, run_quietly, served_api
from flows.settings import Settings, load_settings
from flows.sources.feed_day import newest_closed, why_no_list

app = App(
    console=PipedConsole(),
    name="papers",
    version=version("daily-papers"),
    help="The day's research papers: a warehouse and a digest to trust.",
    suppress_keyboard_interrupt=False,  # it is told below
)
app.command("flows.commands.mail:subscribers", name="subscribers", help="The mailing list.")
app.command("flows.commands.readings:app", name="readings", help="Which readings there are.")
app.command(
    "flows.commands.sql:sql",
    help="Ask the published file in SQL; read-only. Without a query on a terminal, a shell.",
)
app.command(
    "flows.commands.search:search",
    name="search",
    help='The papers about something, the best first: words, "a phrase", atten*, names, arXiv ids.',
)
app.command("flows.commands.site:site", name="site", help="The public pages as files.")
app.command("flows.commands.catch_up:catch_up", help="Once, what `papers serve` does by the clock.")
app.command("flows.commands.migrate:migrate", help="A file warehouse into a lake, and back.")
app.command("flows.commands.state:state", name="state", help="What a wiped machine goes on from.")
app.command("flows.commands.mail:issue", name="issue", help="What became of an issue's mail.")
# DuckDB imports pandas when a value is first bound: a second in which these would have answered,
# and in which it takes Ctrl-C for a sign that there is no pandas.
_WITHOUT_PANDAS = {"search", "status", "readings", "site"}
_SQL_COMMENT = re.compile(r"--(?:\s|.*\n)")
# What is wrong with a disk, a folder or a file, and no bug of ours.
_OF_THE_MACHINE = {
    errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO,
    errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG,
}  # fmt: skip


def main(words: list[str] | None = None) -> None:
    """Run the command line, and exit with its code."""
    if words is None:
        words = sys.argv[1:]
        if words and words[0] in _WITHOUT_PANDAS:
            sys.modules["pandas"] = None  # type: ignore[assignment]
    end_in_order()
    code = EXIT_OK
    with console.while_it_is_read():
        code = answer(words)
    sys.exit(code)


def answer(words: Sequence[str]) -> int:
    """The exit code of a command; problems that are not bugs end in one sentence."""
    try:
        if words and not {"--help", "-h", "--version"} & set(words):
            from flows.mail_setup import check_mail  # help needs none of what it imports

            check_mail(load_settings())
        # SQL may begin with a comment, which is no option.
        words = [f"\n{word}" if _SQL_COMMENT.match(word) else word for word in words]
        code = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        errors.print(str(error), markup=False)
        code = EXIT_USAGE
    except (UsageError, OperationError) as error:
        errors.print(str(error), markup=False)
        code = error.exit_code
    except OSError as error:
        if error.errno not in _OF_THE_MACHINE:
            raise
        errors.print(f"{error.filename or 'The output'}: {error.strerror}.", markup=False)
        code = EXIT_BLOCKED
    except Exception as error:
        if not (why := why_no_room(error)):
            raise
        errors.print(why, markup=False)
        code = EXIT_BLOCKED
    except KeyboardInterrupt:
        errors.print("Interrupted.")
        code = EXIT_INTERRUPTED
    return code if isinstance(code, int) else EXIT_OK


@app.command
def run(day: date | None = None, /, *, as_of: str | None = None) -> int:
    """The whole path for one list date (default: the newest closed one).

    Args:
        day: the list date, YYYY-MM-DD.
        as_of: rebuild, in a folder of its own, what was known at this time (2026-08-20T16:05Z).
    """
    settings = load_settings()
    if as_of is not None:
        return tell(_run_as_of(settings, day, as_of))
    now = clock.utc_now()
    wanted = day or newest_closed(now)
    if why := why_no_list(wanted, now):
        raise UsageError(why)
    prepare(settings)
    from flows.daily_papers import daily_papers

    outcome = run_quietly(lambda: daily_papers(wanted, return_state=True), console)
    return tell(outcome)


def _run_as_of(settings: Settings, day: date | None, words: str) -> Outcome:
    from flows.warehouse.restore import check_time, parse_time

    time = parse_time(words, clock.utc_now())
    day = day or newest_closed(time)
    check_time(settings, day, time)
    prepare(settings)
    from flows.as_of import as_of_papers

    return run_quietly(lambda: as_of_papers(day, time, return_state=True), console)


@app.command
def edition(kind: Literal["weekly", "monthly"], period: str | None = None, /) -> int:
    """The issue of a week or month, made and mailed once, when each of its days is final.

    Args:
        kind: weekly or monthly.
        period: an ISO week as 2026-W33, or a month as 2026-08 (default: the newest that is over).
    """
    from flows.publication.published import NOTHING_PUBLISHED, NotPublishedError

    settings = load_settings()
    issue_date = parse_period(kind, period) if period else None
    if not settings.published_path.exists():
        raise NotPublishedError(NOTHING_PUBLISHED)
    prepare(settings)
    from flows import editions

    start = partial(editions.edition, kind, issue_date, return_state=True)
    return tell(run_quietly(start, console))


@app.command
def backfill(
    first: date,
    last: date | None = None,
    /,
    *,
    by_month: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """History, resumable, with a progress bar; never mails.

    Args:
        first: the first list date, YYYY-MM-DD.
        last: the last list date (default: the newest closed one).
        by_month: offer each month as a run to the workers of Prefect's server, and read with them.
    """
    settings = load_settings()
    now = clock.utc_now()
    end = last or newest_closed(now)
    if why := why_no_list(first, now) or why_no_list(end, now):
        raise UsageError(why)
    if last and first > last:
        raise UsageError(f"FIRST ({first}) is after LAST ({last}); swap them.")
    if first > end:
        raise UsageError(f"FIRST ({first}) is after {end}, the newest list that is closed.")
    prepare(settings)
    if not by_month:
        from flows import backfill as bulk

        return tell(run_quietly(lambda: bulk.backfill(first, end, return_state=True), console))
    if not has_server():
        errors.print(
            "--by-month needs a Prefect server with workers: start `papers serve` for this home, or"
            " set PREFECT_API_URL."
        )
        return EXIT_USAGE
    from flows.backfill_by_month import backfill_by_month

    return tell(run_quietly(lambda: backfill_by_month(first, end, return_state=True), console))


@app.command(name="import")
def import_(*paths: Path) -> int:
    """Recorded responses, `<list date>/<read time>.json[.gz]`, as readings at their own times.

    Args:
        paths: files, or folders to look through.
    """
    from flows.sources.recordings import RecordingError, find_recordings

    settings = load_settings()
    try:
        found = find_recordings(paths)
    except RecordingError as error:
        errors.print(str(error), markup=False)
        return EXIT_USAGE
    prepare(settings)
    from flows import backfill as bulk

    start = partial(bulk.import_recordings, found, len(found), return_state=True)
    return tell(run_quietly(start, console))


@app.command
def status(day: date | None = None, /, *, format: Literal["table", "json"] = "table") -> int:
    """Per day: verdict, counts, gates, mail, and the sentence why; and what is wrong.

    Args:
        day: one list date, YYYY-MM-DD (default: the last 30 there are).
        format: a table to read, or JSON for a script.
    """
    from flows.operations.status import overview, show
    from flows.warehouse.database import DamagedError, lock_holder

    settings = load_settings()
    found = overview(settings, day)
    if found.trouble and not found.days:
        errors.print(*found.notes, sep="\n", markup=False)
        return found.trouble.exit_code
    if not found.days:
        if holder := lock_holder(settings):
            errors.print(f"No reading is kept yet, but a run is at work: {holder}.", markup=False)
            return EXIT_LATER
        which = f"of {day} " if day else ""
        errors.print(f"No reading {which}is kept in {settings.home}; `papers run` makes one.")
        return EXIT_BLOCKED
    show(found, format, console, with_readings=day is not None)
    if format == "json" and found.notes:
        errors.print(*found.notes, sep="\n", markup=False)
    return EXIT_BLOCKED if isinstance(found.trouble, DamagedError) else EXIT_OK


@app.command
def check() -> int:
    """The dead man's check, for cron: 1 when something is wrong, and the operator is told once."""
    from flows.operations.dead_man_check import look

    seen = look(load_settings(), clock.utc_now())
    for trouble in seen.troubles:
        errors.print(trouble, markup=False)
    to = errors if seen.wrong else console
    for sentence in seen.wrong or (seen.sentence,):
        to.print(sentence, markup=False)
    return EXIT_BLOCKED if seen.wrong else EXIT_OK


@app.command
def preview(
    day: date | None = None,
    /,
    *,
    edition: Edition = "daily",
    subscriber: str | None = None,
    lint: bool = False,
    browser: bool = True,
) -> int:
    """The digest of a day as files and in the browser; touches no ledger.

    Args:
        day: the list date, YYYY-MM-DD (default: the newest closed one).
        edition: the day's, or that of the week or month it is in.
        subscriber: show the mail as this address would get it.
        lint: check the mail against what lists owe their readers; 1 when something is missing.
        browser: open it in the browser.
    """
    from flows.commands.preview import findings_of, preview_files

    settings = load_settings()
    day = day or newest_closed(clock.utc_now())
    files = preview_files(settings, last_day(edition, day), edition, subscriber)
    if not files:
        fits = f"no paper fits the choice of {subscriber}, or " if subscriber else ""
        why = f"{fits}`papers status {day}` says why"
        errors.print(f"There is nothing to show for {day}: {why}.", markup=False)
        return EXIT_BLOCKED
    for path in files:
        console.print(str(path), markup=False)
    if browser and sys.stdout.isatty():
        import webbrowser

        webbrowser.open(files[0].as_uri())
    findings = findings_of(files) if lint else []
    for line in findings:
        errors.print(line, markup=False)
    return EXIT_BLOCKED if findings else EXIT_OK


@app.command
def doctor() -> int:
    """Look at settings, Hub, warehouse, mail, DNS, server and disk; change nothing."""
    from flows.operations.doctor import Diagnosis, examine, usable
    from flows.runs.schedule import check_schedule, why_too_late
    from flows.state.seal import seal_of

    has_problem = False
    settings, now = load_settings(), clock.utc_now()
    server_url = os.environ.get("PREFECT_API_URL") or served_api(settings)
    # What only some commands ask for is told here, and not first by the run that needs it.
    checks: list[Callable[[], object]] = [partial(check_schedule, settings)]
    checks += [partial(seal_of, settings.state_key)] if settings.state_key else []
    unusable = list(usable(checks))
    late = "" if unusable else why_too_late(settings, now)
    warnings = [Diagnosis("warning", "schedule", late)] if late else []
    for found in (*unusable, *warnings, *examine(settings, server_url, now)):
        console.print(f"{found.level:8} {found.subject:10} {found.sentence}", markup=False)
        has_problem |= found.level == "problem"
    return EXIT_BLOCKED if has_problem else EXIT_OK


@app.command
def web(*, host: str = "127.0.0.1", port: int = 8080) -> int:
    """The reader pages: subscribe, confirm, choose, pause, leave, the archive and its feeds.

    Args:
        host: the address to listen on.
        port: the port to listen on.
    """
    from flows.commands.serve import check_port
    from flows.web.serve import serve

    settings = load_settings()
    check_port(host, port, "--host or --port names another")
    if "public_url" not in settings.model_fields_set:
        settings = settings.model_copy(update={"public_url": f"http://localhost:{port}"})
    published_path(settings)
    place = f"The reader pages are at http://{host}:{port}, until you press Ctrl-C."
    with brought_again_and_again(settings):
        serve(settings, host=host, port=port, on_start=lambda: console.print(place))
    return EXIT_OK


@app.command
def mcp() -> int:
    """The published papers as tools for agents: a Model Context Protocol server on stdio."""
    from flows.agents.server import serve
    from flows.search.meaning import sentence_model

    settings = load_settings()
    serve(published_path(settings), sentence_model(settings))
    return EXIT_OK


@app.command
def serve(*, host: str = "127.0.0.1", port: int = 8080) -> int:
    """Prefect's server and UI, the schedules and the reader pages, until Ctrl-C or SIGTERM.

    Args:
        host: the address of the reader pages.
        port: the port of the reader pages; that of the UI is PREFECT_SERVER_API_PORT, or 4200.
    """
    from flows.commands import serve as together

    together.serve(load_settings(), host=host, port=port, say=partial(console.print, markup=False))
    return EXIT_OK


@app.command
def demo() -> int:
    """The whole path offline, on sample days the project makes itself, in its own folder."""
    from flows.commands.demo import run_demo

    return tell(run_demo(load_settings(), console))


def tell(outcome: Outcome) -> int:
    """Say how it ended: the sentence last, what failed above it."""
    to = console if outcome.exit_code == EXIT_OK else errors
    for detail in outcome.details:
        to.print(f"  {detail}", markup=False)
    to.print(outcome.sentence, markup=False)
    return outcome.exit_code


started()
