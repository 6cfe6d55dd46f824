"""How the pages' own mails leave."""

import socket
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.mailing.letters import Post
from flows.mailing.subscribers import Subscriber
from flows.mailing.tokens import Tokens
from flows.mailing.transports import TransportError
from flows.newsletter.site import Site
from flows.settings import Settings
from flows.web.pages import Pages
from flows.web.postman import answer
from flows.web.serve import mail_sender
from tests.web.conftest import NOW, Web

SITE = Site("https://papers.example.org")
POST = Post(SITE, Tokens([SecretStr("k" * 32)]), "Daily Papers <papers@example.org>")


@pytest.mark.parametrize(("state", "link"), [("unconfirmed", "confirm"), ("active", "preferences")])
def test_a_mail_is_whole_and_says_the_same_in_both_parts(web: Web, state: str, link: str) -> None:
    person = web.add()
    person = Subscriber(**{**person.__dict__, "state": state})
    raw = answer(person, Pages(SITE), POST, NOW).as_bytes()
    mail = message_from_bytes(raw, policy=policy.strict.clone(linesep="\r\n"))
    assert mail["To"] == "ana@example.org"
    assert mail["Date"].datetime == datetime(2026, 8, 21, 3, tzinfo=UTC)
    assert mail["List-Id"] == POST.list_id
    parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    assert len(parts) == 2
    assert all(f"https://papers.example.org/{link}/" in part for part in parts)
    assert bool(mail["List-Unsubscribe"]) == (state == "active")
    assert "&#39;" not in parts[1]


def test_without_a_relay_mails_are_files_that_name_nobody(tmp_path: Path, web: Web) -> None:
    send = mail_sender(Settings(home=tmp_path))
    send("ana@example.org", answer(web.add(), Pages(SITE), POST, NOW))
    (file,) = (tmp_path / "outbox").iterdir()
    assert "ana" not in file.name
    assert b"To: ana@example.org" in file.read_bytes()


def test_a_relay_that_is_not_there_is_named_without_its_password(tmp_path: Path, web: Web) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    send = mail_sender(
        Settings(
            home=tmp_path,
            mail_url=SecretStr(f"smtps://user:hidden@127.0.0.1:{port}"),
            mail_from="Daily Papers <papers@example.org>",
        )
    )
    with pytest.raises(TransportError, match=r"127\.0\.0\.1") as caught:
        send("ana@example.org", answer(web.add(), Pages(SITE), POST, NOW))
    assert "hidden" not in str(caught.value)
