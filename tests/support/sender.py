"""What a forked sender does: open a mailing list, or send its issue."""

from datetime import date, datetime
from typing import Any

from flows.mailing.database import open_mailing_database
from flows.mailing.ledger_issues import open_issue
from flows.mailing.recipients import Reader
from flows.mailing.rules import Rule
from flows.mailing.sender import Letter, SendLimits
from flows.mailing.sending import send_issue
from flows.mailing.transports import SmtpTransport


def letters(rule: Rule) -> Letter:
    """A letter for every rule; its readers find their own id in it."""
    words = ", ".join(rule.include)

    def letter(reader: Reader) -> bytes:
        return f"To: {reader.address}\r\n\r\n{reader.public_id}: {words}\r\n.\r\n".encode()

    return letter


def prepare() -> None:
    """Nothing: what is imported is enough."""


def do(order: dict[str, Any]) -> None:
    """Do `{"do": "open" | "send", "url": …, …}`."""
    mailing = open_mailing_database(order["url"])
    if order["do"] == "send":
        now = datetime.fromisoformat(order["now"])
        transport = SmtpTransport("127.0.0.1", order["port"], "papers@papers.example.org", "none")
        issue = open_issue(mailing, "daily", date.fromisoformat(order["day"]), due_at=now, now=now)
        send_issue(mailing, issue, letters, transport, limits=SendLimits(), clock=lambda: now)
    mailing.close()
