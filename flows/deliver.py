"""Deliver: a frozen issue to the readers who chose it, each once, by the ledger.

issues/<date>-<edition>/issue.json ──Digest──▶ mailing.send_issue ──▶ files or SMTP
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from flows.errors import OperationError
from flows.issues.frozen import earlier_issues, frozen_digest
from flows.issues.periods import ends_at
from flows.mail_setup import FILES, post, transport
from flows.mailing.database import Mailing
from flows.mailing.ledger import (
    PAUSED,
    SENDING,
    Issue,
    counts,
    newest_issues,
    next_attempt_at,
    open_issue,
    set_issue,
)
from flows.mailing.letters import letters
from flows.mailing.mailed_before import mailed_before
from flows.mailing.sender import OnProgress, SendLimits
from flows.mailing.sending import OnBegin, SendReport, send_issue
from flows.mailing.sent_log import SentLog
from flows.mailing.transports import SmtpTransport, Transport, TransportError
from flows.newsletter.digest import Digest, Edition
from flows.publication.likeness import published_likeness
from flows.settings import SETTINGS_FILE, Settings
from flows.sources.feed_day import newest_closed
from flows.state.keeping import keep_before_mail


def deliver(
    mailing: Mailing,
    folder: Path,
    settings: Settings,
    now: datetime,
    *,
    is_forced: bool = False,
    on_progress: OnProgress | None = None,
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
    sent_log = SentLog(settings.home / "mailed.log")
    sent_log.begin(is_new=mailing.file is None or not newest_issues(mailing, 1))
    issue = ledger_issue(mailing, digest.issue_date, digest.edition, now)
    way = transport(settings, folder / "mail")
    if isinstance(way, SmtpTransport):
        sent_log.note_relayed()
    elif settings.mail_url is None and sent_log.was_relayed():
        # The ledger would note the readers as sent to, and nobody would write to them again.
        raise TransportError(
            "this list was mailed through a relay before, and here PAPERS_MAIL_URL is not set:"
            f" write it into {settings.home / SETTINGS_FILE}, or set it to `{FILES}` if mail shall"
            " be written as files from now on."
        )
    entries = counts(mailing, issue)
    doubt = None if is_forced else sent_log.doubt(issue, sum(entries.values()))
    if doubt:
        issue = set_issue(mailing, issue, PAUSED, doubt, now=now)
        return SendReport(issue, doubt, entries, None, is_blocked=True)
    likeness = published_likeness(settings)
    has_had = mailed_before(mailing, earlier_issues(settings, digest), likeness)
    compose = letters(digest, post(settings), likeness, sent_at=issue.created_at, has_had=has_had)
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
            clock=lambda: now,
            is_current=_is_current(digest, settings, now),
            is_forced=is_forced,
            on_progress=on_progress,
            on_begin=_keeper(mailing, issue, way, settings, now),
        )
    finally:
        sent_log.note(issue, sum(counts(mailing, issue).values()))


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


def deliver_rest(mailing: Mailing, settings: Settings, now: datetime) -> Iterator[SendReport]:
    """Send what issues still owe whose turn has come: every scheduled run does.

    Without it a message that was deferred after the last try of its day would wait for ever.

    Raises:
        TransportError, MailingError: mail cannot be sent at all; the message says why.
    """
    for issue in newest_issues(mailing):
        folder = settings.issue_folder(issue.issue_date, issue.edition)
        due_at = next_attempt_at(mailing, issue)
        if issue.state == SENDING and due_at and due_at <= now and folder.exists():
            yield deliver(mailing, folder, settings, now)


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
