"""Deliver: a frozen issue to the readers who chose it, each once, by the ledger.

issues/<date>-<edition>/issue.json ──Digest──▶ mailing.send_issue ──▶ files or SMTP
"""

from datetime import date, datetime, timedelta
from pathlib import Path

from pydantic import TypeAdapter

from flows.keys import secret_keys
from flows.mailing.database import Mailing, open_list
from flows.mailing.ledger import Issue, open_issue
from flows.mailing.letters import Post, letters
from flows.mailing.sending import Limits, SendReport, send_issue
from flows.mailing.tokens import Tokens
from flows.mailing.transports import FileTransport, Transport, parse_mail_url
from flows.newsletter.digest import Digest, Edition
from flows.newsletter.render import Site
from flows.periods import ends_at
from flows.settings import Settings


def deliver(
    mailing: Mailing, folder: Path, settings: Settings, now: datetime, *, is_forced: bool = False
) -> SendReport:
    """Send the issue in this folder to everyone whose turn it is; safe to call again.

    Its age counts from the moment its list closed, or its week or month ended: what an outage held
    back for longer than PAPERS_ISSUE_MAX_AGE_HOURS goes out only where the operator says so
    (`is_forced`).

    Raises:
        TransportError, MailingError: mail cannot be sent at all; the message says why.
    """
    digest = frozen_digest(folder)
    issue = ledger_issue(mailing, digest.issue_date, digest.edition, now)
    compose = letters(digest, post(settings), sent_at=issue.created_at)
    return send_issue(
        mailing,
        issue,
        compose,
        transport(settings, folder / "mail"),
        limits=Limits(issue_life=timedelta(hours=settings.issue_max_age_hours)),
        clock=lambda: now,
        is_forced=is_forced,
    )


def ledger_issue(mailing: Mailing, issue_date: date, edition: Edition, now: datetime) -> Issue:
    """The issue as the ledger has it, opened there if it is new."""
    return open_issue(mailing, edition, issue_date, due_at=ends_at(edition, issue_date), now=now)


def frozen_digest(folder: Path) -> Digest:
    """The digest of an issue as it was made; its letters are rendered from this alone."""
    return TypeAdapter(Digest).validate_json((folder / "issue.json").read_bytes())


def open_mailing(settings: Settings) -> Mailing:
    """The mailing list of these settings, its tables up to date. Raises MailingError."""
    url = settings.mailing_url
    return open_list(url.get_secret_value() if url else settings.home / "mailing.sqlite")


def post(settings: Settings) -> Post:
    """What all letters share: sender, links, signatures."""
    return Post(Site(settings.public_url), Tokens(secret_keys(settings)), settings.mail_from)


def transport(settings: Settings, folder: Path) -> Transport:
    """How mail leaves: the relay of PAPERS_MAIL_URL, or files in this folder."""
    if settings.mail_url:
        return parse_mail_url(settings.mail_url.get_secret_value(), sender=settings.mail_from)
    return FileTransport(folder)
