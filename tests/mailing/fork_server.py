"""Forks senders on demand, from a process that has imported everything already.

Reads a line of JSON a child: `{"do": "open" | "send", "url": …, …}`, answers with its process id;
an empty line waits for all children and answers with their exit statuses.
"""

import json
import os
import sys
from datetime import date, datetime
from typing import Any

from flows.mailing.database import open_mailing_database
from flows.mailing.ledger import Reader, open_issue
from flows.mailing.rules import Rule
from flows.mailing.sending import Letter, SendLimits, send_issue
from flows.mailing.transports import SmtpTransport


def letters(rule: Rule) -> Letter:
    """A letter for every rule; its readers find their own id in it."""
    words = ", ".join(rule.include)

    def letter(reader: Reader) -> bytes:
        return f"To: {reader.address}\r\n\r\n{reader.public_id}: {words}\r\n.\r\n".encode()

    return letter


def _do(order: dict[str, Any]) -> None:
    mailing = open_mailing_database(order["url"])
    if order["do"] == "send":
        now = datetime.fromisoformat(order["now"])
        transport = SmtpTransport("127.0.0.1", order["port"], "papers@papers.example.org", "none")
        issue = open_issue(mailing, "daily", date.fromisoformat(order["day"]), due_at=now, now=now)
        send_issue(mailing, issue, letters, transport, limits=SendLimits(), clock=lambda: now)
    mailing.close()


def _main() -> None:
    children: list[int] = []
    for line in sys.stdin:
        if not line.strip():
            print([os.waitpid(child, 0)[1] for child in children], flush=True)  # noqa: T201
            children.clear()
        elif child := os.fork():
            children.append(child)
            print(child, flush=True)  # noqa: T201
        else:
            _do(json.loads(line))
            os._exit(0)


if __name__ == "__main__":
    _main()
