"""`papers subscribers …` and `papers issue …`: the mailing list and the ledger for the operator."""

import csv
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Literal

from cyclopts import App
from rich.table import Table

from flows import clock
from flows.commands.choice import Choice
from flows.commands.console import console, errors
from flows.deliver import deliver
from flows.issues.silence import why_no_issue
from flows.mail_setup import open_mailing, post
from flows.mailing import explained
from flows.mailing.bounces import read_bounces
from flows.mailing.csv_files import decoded
from flows.mailing.csv_lines import export_csv, import_csv
from flows.mailing.database import Mailing
from flows.mailing.ledger_issues import Issue, find_issue, newest_issues, requeue
from flows.mailing.rehearsal import edition_of, rehearse, unknown_papers
from flows.mailing.rules import Rule
from flows.mailing.subscribers import (
    RefusedError,
    State,
    Subscriber,
    add,
    choose_for,
    erase,
    everyone,
    find,
    lift,
    pause,
    unsubscribe,
)
from flows.newsletter.lint import lint_arrived
from flows.operations.alerts import look_and_tell
from flows.operations.days import known_days, record_mail
from flows.operations.incident_rules import DAILY
from flows.outcome import EXIT_BLOCKED, EXIT_OK, EXIT_USAGE
from flows.publication.likeness import published_likeness
from flows.publication.published import NotPublishedError, recent_digests
from flows.settings import Settings, load_settings

subscribers = App(name="subscribers", help="The mailing list: who gets what.")
issue = App(name="issue", help="The ledger: what became of an issue's mail.")
Format = Literal["table", "json"]
NOTHING_CHOSEN = Choice()
Edition = Literal["daily", "weekly", "monthly"]


@contextmanager
def _list() -> Iterator[tuple[Mailing, Settings]]:
    settings = load_settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    with closing(open_mailing(settings)) as mailing:
        yield mailing, settings


@subscribers.command(name="add")
def add_(address: str, /, *, choice: Choice = NOTHING_CHOSEN) -> int:
    """Add an address you vouch for; it is active at once.

    Args:
        address: the mail address.
        choice: what it gets.
    """
    rule = choice.changed(Rule())
    with _list() as (mailing, settings):
        person = add(mailing, address, now=clock.utc_now(), rule=rule)
    console.print(f"{person.address} is on the list, {person.standing}.", markup=False)
    _name_unknown_papers(rule, settings)
    return EXIT_OK


@subscribers.command(name="choose")
def choose_(address: str, /, *, choice: Choice = NOTHING_CHOSEN) -> int:
    """Change what an address gets; what is not named stays as it was.

    Args:
        address: the mail address.
        choice: what it gets; "" takes a choice back.
    """
    with _list() as (mailing, settings):
        person = _person(mailing, address)
        rule = choice.changed(person.rule)
        choose_for(mailing, person.public_id, rule=rule)
    gets = f"{', '.join(rule.editions)}, {rule.words or 'every paper'}"
    console.print(f"{person.address} gets: {gets}.", markup=False)
    _name_unknown_papers(rule, settings)
    return EXIT_OK


def _name_unknown_papers(rule: Rule, settings: Settings) -> None:
    with suppress(NotPublishedError):
        for sentence in unknown_papers(rule, published_likeness(settings)):
            errors.print(sentence, markup=False)


@subscribers.command
def remove(address: str, /, *, forget: bool = False) -> int:
    """Unsubscribe an address; no import can bring it back.

    Args:
        address: the mail address.
        forget: erase the address itself as well; a keyed mark stays, so that it stays away.
    """
    with _list() as (mailing, _):
        person = _person(mailing, address)
        if forget:
            erase(mailing, address, now=clock.utc_now())
            console.print("Erased.")
        else:
            gone = unsubscribe(mailing, person.public_id, now=clock.utc_now())
            console.print(f"{gone.address} is {gone.standing}.", markup=False)
    return EXIT_OK


@subscribers.command(name="list")
def list_(*, state: State | None = None, format: Format = "table") -> int:
    """Who is on the list, with their choice.

    Args:
        state: only these.
        format: a table to read, or JSON for a script.
    """
    with _list() as (mailing, _):
        people = [p for p in everyone(mailing) if state in {None, p.state}]
    rows = [
        {"address": p.address or "(erased)", "state": p.state, "standing": p.standing}
        | p.rule.fields()
        for p in people
    ]
    if format == "json":
        console.file.write(json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
        return EXIT_OK
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("address", "standing", "choice"):
        table.add_column(name)
    for row in rows:
        chosen = {name: row[name] for name in list(row)[3:] if row[name]}
        choice = "; ".join(f"{name} {value}" for name, value in chosen.items())
        table.add_row(row["address"], row["standing"], choice)
    console.print(table, markup=False)
    return EXIT_OK


@subscribers.command(name="pause")
def pause_(address: str, until: date | None = None, /) -> int:
    """Send nothing to an address until a day; without a day, mail again at once.

    Args:
        address: the mail address.
        until: the first day that is mailed again, YYYY-MM-DD.
    """
    with _list() as (mailing, _):
        public_id = _person(mailing, address).public_id
        person = pause(mailing, public_id, until, now=clock.utc_now())
    console.print(f"{person.address} is {person.standing}.", markup=False)
    return EXIT_OK


@subscribers.command(name="lift")
def lift_(address: str, /) -> int:
    """Write again to a suppressed address: its mailbox works, or its owner asked for it.

    Args:
        address: the mail address.
    """
    with _list() as (mailing, _):
        lift(mailing, address, now=clock.utc_now())
        person = find(mailing, address)
    standing = person.standing if person else "not on the list; it can be added again"
    console.print(f"{address} is {standing}.", markup=False)
    return EXIT_OK


@subscribers.command(name="import")
def import_(file: Path, /, *, dry_run: bool = False) -> int:
    """Add every address of a CSV file, or none where a line is bad.

    Args:
        file: addresses, one a line; what `export` writes; or the export of another mailer.
        dry_run: only say what would happen.
    """
    try:
        lines = decoded(file.read_bytes()).splitlines(keepends=True)
    except OSError as error:
        errors.print(f"{file} cannot be read: {error.strerror}.", markup=False)
        return EXIT_USAGE
    except UnicodeDecodeError:
        errors.print(f"{file} cannot be read: it is not UTF-8 or UTF-16 text.", markup=False)
        return EXIT_USAGE
    with _list() as (mailing, _):
        result = import_csv(mailing, lines, now=clock.utc_now(), dry_run=dry_run)
    for note in result.notes:
        errors.print(note, markup=False)
    for line in result.bad_lines + result.left_out:
        errors.print(f"line {line.number}: {line.sentence}", markup=False)
    console.print(result.sentence)
    return EXIT_USAGE if result.bad_lines else EXIT_OK


@subscribers.command
def export(file: Path | None = None, /) -> int:
    """Write the list as CSV, as `import` reads it.

    Args:
        file: where to (default: the standard output).
    """
    with _list() as (mailing, _):
        if file is None:
            csv.writer(console.file, lineterminator="\n").writerows(export_csv(mailing))
            return EXIT_OK
        try:
            with file.open("w", encoding="utf-8", newline="") as target:
                csv.writer(target, lineterminator="\n").writerows(export_csv(mailing))
        except OSError as error:
            errors.print(f"{file} cannot be written: {error.strerror}.", markup=False)
            return EXIT_USAGE
    console.print(f"The list is in {file}.", markup=False)
    return EXIT_OK


@subscribers.command(name="rehearse")
def rehearse_(address: str, /) -> int:
    """What an address's choice would have sent of the newest issues.

    Args:
        address: the mail address.
    """
    with _list() as (mailing, settings):
        rule = _person(mailing, address).rule
        likeness = published_likeness(settings)
        digests = recent_digests(settings.published_path, edition_of(rule))
        rehearsal = rehearse(rule, digests, likeness)
    console.print(f"{rehearsal.sentence}.")
    for sentence in rehearsal.unmet:
        console.print(sentence, markup=False)
    if rehearsal.latest:
        console.print(f"\n{rehearsal.latest.issue_date}")
        for paper in rehearsal.latest.papers:
            console.print(f"{paper.rank:3} {paper.title}  ▲ {paper.upvotes_count}", markup=False)
    return EXIT_OK


@subscribers.command
def bounces(mailbox: Path, /) -> int:
    """Act on what came back: bad addresses, complaints, wishes to leave: no more mail to them.

    Args:
        mailbox: a maildir (folder) or an mbox (file); it stays as it is.
    """
    with _list() as (mailing, settings):
        tokens = post(settings).tokens
        report = read_bounces(mailing, tokens, mailbox, now=clock.utc_now())
    console.print(report.sentence)
    return EXIT_OK


@issue.command
def status(day: date | None = None, /, *, edition: Edition = "daily") -> int:
    """What became of an issue's mail, in counts (default: the newest issues).

    Args:
        day: the date of one issue.
        edition: daily, weekly or monthly.
    """
    with _list() as (mailing, _):
        found = newest_issues(mailing) if day is None else _issues(mailing, edition, day)
        for one in found:
            console.print(f"{one.issue_date} {one.edition} {one.state}: {one.sentence}")
    if not found:
        errors.print("There is no such issue; `papers run` makes one of a complete day.")
    return EXIT_OK if found else EXIT_BLOCKED


@issue.command
def resume(
    day: date, /, *, edition: Edition = "daily", again: Literal["unknown", "failed"] | None = None
) -> int:
    """Send an issue on to those who have not had it, whatever its age or pause.

    Args:
        day: the date of the issue.
        edition: daily, weekly or monthly.
        again: also send again what is `unknown` (it may arrive twice) or `failed`.
    """
    now = clock.utc_now()
    with _list() as (mailing, settings):
        folder = settings.issue_folder(day, edition)
        if not (folder / "issue.json").exists():
            errors.print(f"There is no {edition} issue of {day} in {settings.issues_path}.")
            return EXIT_BLOCKED
        if again:
            for one in _issues(mailing, edition, day):
                requeue(mailing, one, again, now=now)
        report = deliver(mailing, folder, settings, now, is_forced=True)
        if edition == DAILY:
            record_mail(mailing, day, report.sentence, is_blocked=report.is_blocked)
        troubles = look_and_tell(mailing, settings, now).troubles
    for trouble in troubles:
        errors.print(trouble, markup=False)
    console.print(report.sentence, markup=False)
    if report.next_attempt_at and not report.is_blocked:
        from_ = f"{report.next_attempt_at:%Y-%m-%d %H:%M} UTC"
        console.print(f"The scheduled runs try the deferred again, from {from_} on.", markup=False)
    return EXIT_BLOCKED if report.is_blocked else EXIT_OK


@issue.command
def explain(address: str, day: date | None = None, /, *, edition: Edition = "daily") -> int:
    """Why an address did or did not get an issue (default: the newest).

    Args:
        address: the mail address.
        day: the date of the issue.
        edition: daily, weekly or monthly.
    """
    with _list() as (mailing, _):
        newest = (i.issue_date for i in newest_issues(mailing) if i.edition == edition)
        day = day or next(newest, None)
        if day is None:
            errors.print(f"There is no {edition} issue yet.")
            return EXIT_BLOCKED
        known = known_days(mailing, [day]).get(day)
        why = why_no_issue(day, known.verdict if known else None) if edition == DAILY else ""
        today = clock.utc_now().date()
        said = explained.explain(mailing, edition, day, address, today=today, why_no_issue=why)
        console.print(f"{day} {edition}: {said}", markup=False)
    return EXIT_OK


@issue.command
def lint(mail: Path, /) -> int:
    """Check a mail as it arrived: what a list owes its readers, and what the relay signed.

    Args:
        mail: the mail with all its headers, saved from a mailbox as a file.
    """
    try:
        findings = lint_arrived(mail.read_bytes())
    except OSError as error:
        errors.print(f"{mail} cannot be read: {error.strerror}.", markup=False)
        return EXIT_USAGE
    for line in findings:
        errors.print(line, markup=False)
    if not findings:
        console.print("Nothing is missing.")
    return EXIT_BLOCKED if findings else EXIT_OK


def _person(mailing: Mailing, address: str) -> Subscriber:
    person = find(mailing, address)
    if person is None:
        raise RefusedError(f"{address} is not on the list.")
    return person


def _issues(mailing: Mailing, edition: str, day: date) -> list[Issue]:
    found = find_issue(mailing, edition, day)
    return [found] if found else []
