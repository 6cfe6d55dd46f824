"""Deliver: a frozen issue to the readers who chose it, each once, by the ledger.

issues/<date>-<edition>/issue.json ──Digest──▶ mailing.send_issue ──▶ files or SMTP
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from flows import clock
from flows.errors import OperationError
from flows.issues.frozen import earlier_issues, frozen_digest
from flows.issues.periods import ends_at
from flows.mail_setup import FILES, post, transport
from flows.mailing.database import Mailing
from flows.mailing.ledger_issues import (
    PAUSED,
    SENDING,
    Issue,
    counts,
    find_issue,
    newest_issues,
    next_attempt_at,
    open_issue,
    set_issue,
)
from flows.mailing.letters import Post, letters
from flows.mailing.mailed_before import mailed_before
from flows.mailing.rules import Rule
from flows.mailing.sender import Compose, OnProgress, SendLimits
from flows.mailing.sending import OnBegin, SendReport, pause_for, send_issue, take_part
from flows.mailing.sent_log import SentLog
from flows.mailing.shared import Sharing, find_shared
from flows.mailing.shared_letters import SharedLetters, setup
from flows.mailing.transports import SmtpTransport, Transport, TransportError
from flows.newsletter.digest import Digest, Edition
from flows.publication.likeness import published_likeness
from flows.publication.newer import published_at
from flows.settings import SETTINGS_FILE, Settings
from flows.sources.feed_day import newest_closed
from flows.state.keeping import keep_before_mail

_NOTED_EVERY_SECONDS = 30.0

StartOthers = Callable[[Edition, date, int], int]
"""Starts so many runs that send this issue too, each by `deliver_along`; how many it could."""


def deliver(
    mailing: Mailing,
    folder: Path,
    settings: Settings,
    now: datetime,
    *,
    is_forced: bool = False,
    on_progress: OnProgress | None = None,
    start_others: StartOthers | None = None,
) -> SendReport:
    """Send the issue in this folder to everyone whose turn it is; safe to call again.

    Its age counts from the moment its list closed, or its week or month ended: what an outage held
    back for longer than PAPERS_ISSUE_MAX_AGE_HOURS, or past the close of the next list, goes out
    only where the operator says so (`is_forced`). So does what a ledger restored from a backup may
    not know to be sent.

    Raises:
        TransportError, MailingError: mail cannot be sent at all; the message says why.
    """
    digest = frozen_digest(folder)
    sent_log = SentLog(settings.sent_log_path)
    sent_log.begin(is_new=mailing.file is None or not newest_issues(mailing, 1))
    issue = ledger_issue(mailing, digest.issue_date, digest.edition, now)
    way = _way(settings, folder, sent_log)
    entry_count = partial(_entry_count, mailing, issue)
    doubt = None if is_forced else sent_log.doubt(issue, entry_count)
    if doubt:
        issue = set_issue(mailing, issue, PAUSED, doubt, now=now)
        return SendReport(issue, doubt, counts(mailing, issue), None, is_blocked=True)
    earlier = earlier_issues(settings, digest)
    post_of_list = post(settings)
    compose = _compose(mailing, issue, digest, earlier, post_of_list, settings)

    def letters_as_json() -> str:
        how = setup(post_of_list, digest, sent_at=issue.created_at)
        return SharedLetters(digest, earlier, published_at(settings), how).to_json()

    try:
        return send_issue(
            mailing,
            issue,
            compose,
            way,
            limits=SendLimits(
                messages_per_second=settings.mail_per_second,
                issue_life=timedelta(hours=settings.issue_max_age_hours),
            ),
            clock=clock.running_from(now),
            is_current=_is_current(digest, settings, now),
            is_forced=is_forced,
            on_progress=_noting(sent_log, issue, entry_count, on_progress),
            on_begin=_keeper(mailing, issue, way, settings, now),
            sharing=_sharing(digest, way, settings, letters_as_json, start_others),
        )
    finally:
        sent_log.note(issue, entry_count())


def _way(settings: Settings, folder: Path, sent_log: SentLog) -> Transport:
    """Where the messages go: to the relay, or as files into the issue's folder.

    Raises:
        TransportError: they would be files, though a relay has mailed this list before. The ledger
            would note the readers as sent to, and nobody would write to them again.
    """
    way = transport(settings, folder / "mail")
    if isinstance(way, SmtpTransport):
        sent_log.note_relayed()
    elif settings.mail_url is None and sent_log.was_relayed():
        raise TransportError(
            "this list was mailed through a relay before, and here PAPERS_MAIL_URL is not set:"
            f" write it into {settings.home / SETTINGS_FILE}, or set it to `{FILES}` if mail shall"
            " be written as files from now on."
        )
    return way


def _sharing(
    digest: Digest,
    way: Transport,
    settings: Settings,
    letters_as_json: Callable[[], str],
    start_others: StartOthers | None,
) -> Sharing | None:
    """The senders who could take part; None where the settings have one sender, or no relay."""
    if start_others is None or settings.mail_shards < 2 or not isinstance(way, SmtpTransport):
        return None
    start = partial(start_others, digest.edition, digest.issue_date)
    return Sharing(settings.mail_shards - 1, letters_as_json, start)


def deliver_along(
    mailing: Mailing,
    settings: Settings,
    edition: Edition,
    issue_date: date,
    *,
    on_progress: OnProgress | None = None,
) -> SendReport | None:
    """Join a mailing that another run leads, with the same letters; None if that mailing is over.

    Where the leader's publication cannot be had here, readers whose rule names papers are left to
    the other senders.

    Raises:
        OtherLettersError, TransportError: these settings would send something else, or nowhere.
    """
    found = find_shared(mailing, edition, issue_date)
    issue = find_issue(mailing, edition, issue_date)
    if found is None or issue is None:
        return None
    letters_of_leader = SharedLetters.from_json(found.letters)
    post_of_list = post(settings)
    letters_of_leader.check(setup(post_of_list, letters_of_leader.digest, sent_at=issue.created_at))
    way = transport(settings, settings.issue_folder(issue_date, edition) / "mail")
    if not isinstance(way, SmtpTransport):
        raise TransportError(
            f"Nothing is sent from here: PAPERS_MAIL_URL names no relay. Give all workers one, in"
            f" their environment or in {SETTINGS_FILE} of their homes."
        )
    sent_log = SentLog(settings.sent_log_path)
    sent_log.begin(is_new=True)
    entry_count = partial(_entry_count, mailing, issue)
    if doubt := sent_log.knows_more(issue, entry_count):
        pause_for(mailing, found, doubt, now=clock.utc_now())
        raise TransportError(doubt)
    sent_log.note_relayed()
    takes = _takes(letters_of_leader.published_at, settings)
    compose = _compose(
        mailing, issue, letters_of_leader.digest, letters_of_leader.earlier, post_of_list, settings
    )
    try:
        tell = _noting(sent_log, issue, entry_count, on_progress)
        return take_part(
            mailing,
            found,
            compose,
            way,
            clock=clock.running_from(found.began_at),
            takes=takes,
            on_progress=tell,
        )
    finally:
        sent_log.note(issue, entry_count())


def _compose(
    mailing: Mailing,
    issue: Issue,
    digest: Digest,
    earlier: tuple[Digest, ...],
    post_of_list: Post,
    settings: Settings,
) -> Compose:
    """How this issue's letters are written, by the publication that is here now."""
    likeness = published_likeness(settings)
    has_had = mailed_before(mailing, earlier, likeness)
    return letters(digest, post_of_list, likeness, sent_at=issue.created_at, has_had=has_had)


def _takes(wanted: str, settings: Settings) -> Callable[[Rule], bool]:
    """Whose letters this host can write as the leader does.

    All, if it has the leader's publication; otherwise those of rules without `like` or `unlike`.
    """
    if published_at(settings) != wanted:
        from flows.publish import fetch  # half a second to import, and hardly ever needed

        with suppress(OperationError):
            fetch(settings)
    is_same = published_at(settings) == wanted
    return lambda rule: is_same or not (rule.like or rule.unlike)


def _entry_count(mailing: Mailing, issue: Issue) -> int:
    return sum(counts(mailing, issue).values())


def _noting(
    sent_log: SentLog,
    issue: Issue,
    entry_count: Callable[[], int],
    on_progress: OnProgress | None,
) -> OnProgress:
    """Tell how far it is, and note it now and then: who is killed notes nothing at its end."""
    noted_at = time.monotonic()

    def tell(tried: int, total: int) -> None:
        nonlocal noted_at
        if time.monotonic() - noted_at > _NOTED_EVERY_SECONDS:
            noted_at = time.monotonic()
            sent_log.note(issue, entry_count())
        if on_progress:
            on_progress(tried, total)

    return tell


def _keeper(
    mailing: Mailing, issue: Issue, way: Transport, settings: Settings, now: datetime
) -> OnBegin | None:
    """On a machine that is wiped: what keeps the state before the first message leaves."""
    if settings.state_url is None or not isinstance(way, SmtpTransport):
        return None

    def keep(is_new_begun: bool) -> None:  # noqa: FBT001  as OnBegin has it
        try:
            keep_before_mail(settings, mailing, issue, is_new_begun=is_new_begun, now=now)
        except OperationError as error:
            raise TransportError(str(error)) from error

    return keep


def deliver_rest(
    mailing: Mailing, settings: Settings, now: datetime, start_others: StartOthers | None = None
) -> Iterator[SendReport]:
    """Send what issues still owe whose turn has come: every scheduled run does.

    Without it a message that was deferred after the last try of its day would wait for ever.

    Raises:
        TransportError, MailingError: mail cannot be sent at all; the message says why.
    """
    for issue in newest_issues(mailing):
        folder = settings.issue_folder(issue.issue_date, issue.edition)
        due_at = next_attempt_at(mailing, issue)
        if issue.state == SENDING and due_at and due_at <= now and folder.exists():
            yield deliver(mailing, folder, settings, now, start_others=start_others)


def _is_current(digest: Digest, settings: Settings, now: datetime) -> bool:
    """Whether no later list has closed: after an outage one issue goes out, in whatever order.

    A life of two days and more is the operator's word that issues may pile up.
    """
    if digest.edition != "daily" or settings.issue_max_age_hours >= 48:
        return True
    return digest.issue_date >= newest_closed(now)


def ledger_issue(mailing: Mailing, issue_date: date, edition: Edition, now: datetime) -> Issue:
    """The issue as the ledger has it, opened there if it is new."""
    return open_issue(mailing, edition, issue_date, due_at=ends_at(edition, issue_date), now=now)
