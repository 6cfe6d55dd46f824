"""An operator with a mailbox and a webhook, both real servers, and the moment of an alert."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from flows.mail_setup import open_mailing
from flows.mailing.database import Mailing
from flows.settings import load_settings
from tests.support.relay import Relay

OPERATOR = "operator@example.org"
TOKEN = "hunter2-webhook"  # noqa: S105  the secret part of the webhook's URL


@dataclass
class Webhook:
    """What was posted; `answers` are the status codes to come, then 200; 0 cuts the connection."""

    posts: list[dict[str, Any]] = field(default_factory=list)
    answers: deque[int] = field(default_factory=deque)


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    seen = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = seen.answers.popleft() if seen.answers else 200
            if answer in (0, 200):
                seen.posts.append(json.loads(body))
            if answer:
                self.send_response(answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/{TOKEN}"
    monkeypatch.setenv("PAPERS_OPERATOR_WEBHOOK", url)
    yield seen
    server.shutdown()
    server.server_close()


@pytest.fixture
def mailbox(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> Relay:
    """The operator's mailbox, behind the relay of all mail."""
    monkeypatch.setenv("PAPERS_MAIL_URL", f"smtp://127.0.0.1:{relay.port}?tls=none")
    monkeypatch.setenv("PAPERS_MAIL_FROM", "Daily Papers <papers@example.org>")
    monkeypatch.setenv("PAPERS_OPERATOR_EMAIL", f"Operator <{OPERATOR}>")
    return relay


def mails(mailbox: Relay) -> list[tuple[EmailMessage, str]]:
    """What the operator got, each with its text."""
    found = []
    for to, raw in mailbox.taken:
        assert to == OPERATOR
        mail = message_from_bytes(raw, policy=SMTP)
        assert isinstance(mail, EmailMessage)
        found.append((mail, str(mail.get_content())))
    return found


@pytest.fixture
def mailing() -> Iterator[Mailing]:
    with closing(open_mailing(load_settings())) as opened:
        yield opened
