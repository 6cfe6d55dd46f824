from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.newsletter.message import Unsubscribe, message
from flows.newsletter.render import ReaderLinks, Rendering, personal

UNSUBSCRIBE = Unsubscribe(
    "https://papers.example.org/unsubscribe/" + "long-token." * 20,
    "mailto:papers@example.org?subject=unsubscribe%20" + "long-token." * 20,
)


def mail(rendering: Rendering, **given: Any) -> EmailMessage:
    usual: dict[str, Any] = {
        "sender": "Daily Papers <papers@example.org>",
        "to": "ana@example.com",
        "message_id": "<2026-08-20.daily.7@example.org>",
        "date": datetime(2026, 8, 21, 3, tzinfo=UTC),
        "list_id": "Daily Papers <daily.papers.example.org>",
        "unsubscribe": UNSUBSCRIBE,
    }
    return message(rendering, **(usual | given))


def parsed(sent: EmailMessage) -> EmailMessage:
    return message_from_bytes(
        sent.as_bytes(), _class=EmailMessage, policy=policy.SMTP + policy.strict
    )


def test_a_mail_has_the_text_first_and_both_parts_unchanged(
    rendered: Callable[..., Rendering], links: ReaderLinks
) -> None:
    rendering = personal(rendered(count=12), links)
    text, html = parsed(mail(rendering)).iter_parts()
    assert [text.get_content_type(), html.get_content_type()] == ["text/plain", "text/html"]
    assert text.get_content().replace("\r\n", "\n") == rendering.text
    assert html.get_content().replace("\r\n", "\n") == rendering.html


def test_a_mail_has_each_header_a_list_owes_once(rendered: Callable[..., Rendering]) -> None:
    received = parsed(mail(rendered(count=3)))
    assert dict(received.items()) == {
        "From": "Daily Papers <papers@example.org>",
        "To": "ana@example.com",
        "Subject": "Daily Papers, 20 Aug: Tidepool1, Tidepool2 and 1 more",
        "Date": "Fri, 21 Aug 2026 03:00:00 +0000",
        "Message-ID": "<2026-08-20.daily.7@example.org>",
        "List-Id": "Daily Papers <daily.papers.example.org>",
        "List-Unsubscribe": f"<{UNSUBSCRIBE.url}>, <{UNSUBSCRIBE.mailto}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": received["Content-Type"],
    }


def test_a_long_way_out_stays_whole_on_the_wire(rendered: Callable[..., Rendering]) -> None:
    raw = mail(rendered(count=1)).as_bytes()
    assert f"<{UNSUBSCRIBE.url}>".encode() in raw
    assert f"<{UNSUBSCRIBE.mailto}>".encode() in raw


def test_a_mail_to_nobody_yet_has_neither_reader_nor_way_out(
    rendered: Callable[..., Rendering],
) -> None:
    copy = mail(rendered(count=1), to=None, unsubscribe=None)
    assert {"To", "List-Unsubscribe", "List-Unsubscribe-Post"}.isdisjoint(copy.keys())


def test_same_arguments_same_bytes(rendered: Callable[..., Rendering]) -> None:
    rendering = rendered(count=3)
    assert mail(rendering).as_bytes() == mail(rendering).as_bytes()


def test_names_that_are_not_ascii_survive(rendered: Callable[..., Rendering], paper: Any) -> None:
    rendering = rendered(paper(title="潮汐: ein Überblick", submitted_by="Bo Čapek"))
    sent = mail(rendering, sender="Tägliche Papiere und noch viel mehr 潮汐 <papers@example.org>")
    received = parsed(sent)
    assert sent.as_bytes().isascii()
    assert max(map(len, sent.as_bytes().splitlines())) < 998
    assert received["Subject"] == "Daily Papers, 20 Aug: 潮汐"
    assert received["From"].addresses[0].display_name == "Tägliche Papiere und noch viel mehr 潮汐"
    assert all("Bo Čapek" in part.get_content() for part in received.iter_parts())


def test_no_line_of_a_subject_is_empty(rendered: Callable[..., Rendering]) -> None:
    words = "Daily Papers, 24 Nov: Sable-VL, Rethinking Scientific Discovery and 1 more"
    for length in range(40, len(words) + 1):
        rendering = replace(rendered(count=1), subject=words[:length].strip())
        sent = mail(rendering)
        (line,) = [line for line in sent.as_bytes().splitlines() if line.startswith(b"Subject:")]
        assert line.removeprefix(b"Subject:").strip(), length
        assert parsed(sent)["Subject"] == rendering.subject


@pytest.mark.parametrize("field", ["sender", "to", "list_id"])
def test_a_newline_in_a_header_is_refused(rendered: Callable[..., Rendering], field: str) -> None:
    with pytest.raises(ValueError, match=r"linefeed|newline"):
        mail(rendered(count=1), **{field: "a@example.org\r\nBcc: b@example.org"})


@given(title=st.text(st.characters(), max_size=200))
def test_any_title_gives_a_subject_that_travels(
    rendered: Callable[..., Rendering], paper: Any, title: str
) -> None:
    rendering = rendered(paper(title=title), paper(2, title=title))
    assert parsed(mail(rendering))["Subject"] == rendering.subject
