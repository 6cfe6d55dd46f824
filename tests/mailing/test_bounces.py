import base64
import mailbox
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from flows.mailing import explained
from flows.mailing import subscribers as people
from flows.mailing.bounces import MailboxError, _returns, read_bounces
from flows.mailing.database import Mailing
from flows.mailing.ledger_issues import open_issue
from flows.mailing.letters import Post, message_id
from flows.mailing.sender import SendLimits
from flows.mailing.sending import send_issue
from flows.mailing.tokens import Purpose, Tokens
from flows.mailing.transports import FileTransport
from flows.newsletter.site import Site
from tests.mailing.conftest import DAY, NOW
from tests.support.bounce_reports import DOMAIN, bounce_report
from tests.support.odd_input import odd_input
from tests.support.sender import letters

TOKENS = Tokens([SecretStr("a key")])


def _failed(status: str, name: str = "ada", message: str | None = None) -> bytes:
    fields = (
        "Reporting-MTA: dns; relay.example.org\n\n"
        f"Final-Recipient: rfc822; {name}@example.org\nAction: failed\nStatus: {status}\n"
        f"Diagnostic-Code: smtp; 550 {status} <{name}@example.org> refused\n"
    )
    return bounce_report("delivery-status", fields, message and f"Message-ID: {message}\n")


def _abuse(name: str, message: str | None) -> bytes:
    fields = f"Feedback-Type: abuse\nVersion: 1\nOriginal-Rcpt-To: <{name}@example.org>\n"
    headers = message and f"Subject: x\nMessage-ID: {message}\n"
    return bounce_report("feedback-report", fields, headers)


@pytest.fixture
def sent(mailing: Mailing, tmp_path: Path) -> dict[str, str]:
    """The Message-ID of each reader's mail."""
    for name in ("ada", "bo", "cy"):
        people.add(mailing, f"{name}@example.org", now=NOW)
    issue = open_issue(mailing, "daily", DAY, due_at=NOW, now=NOW)
    out = FileTransport(tmp_path / "mail")
    send_issue(mailing, issue, letters, out, limits=SendLimits(), clock=lambda: NOW)
    return {
        str(p.address).partition("@")[0]: message_id("daily", DAY, p.public_id, DOMAIN)
        for p in people.everyone(mailing)
    }


@pytest.fixture(params=["maildir", "mbox"])
def box(request: pytest.FixtureRequest, tmp_path: Path) -> "mailbox.Mailbox[mailbox.Message]":
    made = mailbox.Maildir if request.param == "maildir" else mailbox.mbox
    return made(tmp_path / "box")  # type: ignore[return-value]


def _states(mailing: Mailing) -> dict[str, str]:
    return {str(p.address).partition("@")[0]: p.state for p in people.everyone(mailing)}


def test_returns_are_matched_counted_and_acted_on_once(
    mailing: Mailing,
    sent: dict[str, str],
    box: "mailbox.Mailbox[mailbox.Message]",
    tmp_path: Path,
) -> None:
    for raw in (
        _failed("5.1.1", "ada", sent["ada"]),
        _failed("5.2.2", "bo", sent["bo"]),
        _abuse("cy", sent["cy"]),
        _failed("5.1.1", "ada", "<another@example.org>"),
        b"Subject: hello\n\nI am on holiday.\n",
    ):
        box.add(raw)
    box.close()
    first = read_bounces(mailing, TOKENS, tmp_path / "box", now=NOW)
    assert first.sentence == (
        "5 messages read: 1 bad address, 1 soft bounce, 1 complaint, 0 who left, "
        "0 known already, 2 not ours."
    )
    assert _states(mailing) == {"ada": "suppressed", "bo": "active", "cy": "suppressed"}
    said = explained.explain(mailing, "daily", DAY, "bo@example.org", today=DAY)
    assert said.startswith("Sent at 2026-08-14 02:00 UTC; it came back: soft: smtp; 550 5.2.2 <…>")
    again = read_bounces(mailing, TOKENS, tmp_path / "box", now=NOW)
    assert (again.known_count, again.foreign_count) == (3, 2)
    assert (again.hard_count, again.soft_count, again.complaint_count) == (0, 0, 0)


def test_a_report_without_headers_counts_by_its_address_if_that_is_on_the_list(
    mailing: Mailing, sent: dict[str, str], tmp_path: Path
) -> None:
    box = mailbox.mbox(tmp_path / "box")
    for name in ("ada", "stranger"):
        box.add(_failed("5.1.1", name))
    box.close()
    report = read_bounces(mailing, TOKENS, tmp_path / "box", now=NOW)
    assert (report.hard_count, report.foreign_count) == (1, 1)
    assert _states(mailing)["ada"] == "suppressed"


def test_a_made_up_report_about_a_reader_is_not_believed(
    mailing: Mailing, sent: dict[str, str], tmp_path: Path
) -> None:
    box = mailbox.mbox(tmp_path / "box")
    box.add(_failed("5.1.1", "ada", message_id("daily", DAY, "0" * 20, DOMAIN)))
    box.close()
    assert read_bounces(mailing, TOKENS, tmp_path / "box", now=NOW).foreign_count == 1
    assert _states(mailing)["ada"] == "active"


def test_a_report_about_a_day_that_is_none_is_not_ours(
    mailing: Mailing, sent: dict[str, str], tmp_path: Path
) -> None:
    box = mailbox.mbox(tmp_path / "box")
    box.add(_failed("5.1.1", "ada", "<daily.2026-99-99.0123456789abcdef0123@papers.example.org>"))
    box.close()
    assert read_bounces(mailing, TOKENS, tmp_path / "box", now=NOW).foreign_count == 1


def test_a_mail_to_the_mailto_link_of_an_issue_leaves_and_a_made_up_one_does_not(
    mailing: Mailing, sent: dict[str, str], tmp_path: Path
) -> None:
    """What a mail program sends for List-Unsubscribe's mailto: the link's address and subject."""
    post = Post(Site("https://papers.example.org"), TOKENS, f"Daily Papers <papers@{DOMAIN}>")
    ada, bo, cy = (person.public_id for person in people.everyone(mailing))
    box = mailbox.mbox(tmp_path / "box")
    for public_id in (ada, ada):
        target = urlsplit(post.way_out(public_id).mailto)
        assert target.path == f"papers@{DOMAIN}"
        (subject,) = parse_qs(target.query)["subject"]
        box.add(f"To: {target.path}\nSubject: {subject}\n\n".encode())
    for subject in (
        "unsubscribe",
        f"unsubscribe {bo}",
        f"unsubscribe {TOKENS.sign(Purpose.PREFERENCES, cy)}",
        f"Re: the issue, unsubscribe {TOKENS.sign(Purpose.UNSUBSCRIBE, cy)} and more",
    ):
        box.add(f"From: bo@example.org\nSubject: {subject}\n\nunsubscribe\n".encode())
    box.close()
    report = read_bounces(mailing, TOKENS, tmp_path / "box", now=NOW)
    assert (report.left_count, report.foreign_count) == (2, 4)
    later = read_bounces(mailing, TOKENS, tmp_path / "box", now=NOW + timedelta(hours=1))
    assert (later.left_count, later.known_count, later.foreign_count) == (0, 2, 4)
    assert _states(mailing) == {"ada": "unsubscribed", "bo": "active", "cy": "active"}


def _unsubscribe(mailing: Mailing, name: str) -> str:
    person = people.find(mailing, f"{name}@example.org")
    assert person
    return TOKENS.sign(Purpose.UNSUBSCRIBE, person.public_id)


def _changed_on_the_way(token: str, shape: str) -> bytes:
    """A report of a message whose Message-ID a relay replaced; the token stands where it may."""
    link = f"https://papers.example.org/unsubscribe/{token}"
    headers = f"Message-ID: <1234@outbound.relay.example.net>\nList-Unsubscribe: <{link}>\n"
    folded = f"Message-ID: <1@relay.example>\nList-Unsubscribe: <{link[:60]}\n {link[60:]}>\n"
    html = f'Subject: x\nContent-Type: text/html\n\n<a href="{link}">leave</a>'
    quoted = (
        "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
        f'<a href=3D"{link[:50]}=\n{link[50:]}">leave</a>\n'
    )
    mail = bounce_report("delivery-status", _FIELDS, "x: y\n").decode()
    whole = mail.replace("text/rfc822-headers\n\nx: y\n", "{}")
    shapes = {
        "headers": mail.replace("x: y\n", headers),
        "folded": mail.replace("x: y\n", folded),
        "the whole message": whole.replace("{}", f"message/rfc822\n\n{html}\n"),
        "quoted-printable": whole.replace("{}", f"message/rfc822\n\n{quoted}"),
        "RFC 6533": whole.replace("{}", f"message/global-headers\n\n{headers}").replace(
            "message/delivery-status", "message/global-delivery-status"
        ),
        "RFC 6533, base64": whole.replace("{}", f"message/global\n\n{html}\n").replace(
            f"message/delivery-status\n\n{_FIELDS}",
            "message/global-delivery-status\nContent-Transfer-Encoding: base64\n\n"
            + base64.encodebytes(_FIELDS.encode()).decode(),
        ),
        "no report-type": mail.replace("x: y\n", headers).replace(
            "report; report-type=delivery-status", "mixed"
        ),
    }
    return shapes[shape].encode()


_FIELDS = (
    "Reporting-MTA: dns; relay.example.org\n\nFinal-Recipient: utf-8; other@example.net\n"
    "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n"
)


@pytest.mark.parametrize(
    "shape",
    [
        *("headers", "folded", "the whole message", "quoted-printable"),
        *("RFC 6533", "RFC 6533, base64", "no report-type"),
    ],
)
def test_what_comes_back_is_known_by_our_token_wherever_it_stands(
    mailing: Mailing, sent: dict[str, str], tmp_path: Path, shape: str
) -> None:
    token = _unsubscribe(mailing, "ada")
    forged = _unsubscribe(mailing, "bo")[:-4] + "AAAA"
    box = mailbox.mbox(tmp_path / "box")
    box.add(_changed_on_the_way(token, shape))
    box.add(_changed_on_the_way(forged, shape))
    box.close()
    report = read_bounces(mailing, TOKENS, tmp_path / "box", now=NOW)
    assert (report.hard_count, report.foreign_count) == (1, 1)
    assert _states(mailing) == {"ada": "suppressed", "bo": "active", "cy": "active"}
    assert read_bounces(mailing, TOKENS, tmp_path / "box", now=NOW).known_count == 1


@pytest.mark.parametrize(
    "letter",
    [
        "Subject: unsubscribe {token}\n\n",
        "Subject: Re: [EXTERN] Unsubscribe   {token} \n\n",
        "Subject: =?utf-8?q?unsubscribe_{escaped}?=\n\n",
        "Subject: =?utf-8?b?{base64}?=\n\n",
        "Subject: unsubscribe\n {token}\n\n",
        "Subject: \n\nHello,\nunsubscribe {token}\n",
    ],
)
def test_a_wish_to_leave_is_known_however_a_gateway_wrote_its_subject(
    mailing: Mailing, sent: dict[str, str], tmp_path: Path, letter: str
) -> None:
    token = _unsubscribe(mailing, "ada")
    encoded = base64.b64encode(f"unsubscribe {token}".encode()).decode()
    box = mailbox.mbox(tmp_path / "box")
    box.add(letter.format(token=token, base64=encoded, escaped=token.replace("_", "=5F")).encode())
    box.close()
    assert read_bounces(mailing, TOKENS, tmp_path / "box", now=NOW).left_count == 1
    assert _states(mailing)["ada"] == "unsubscribed"


def test_who_answers_an_issue_and_quotes_its_links_stays(
    mailing: Mailing, sent: dict[str, str], tmp_path: Path
) -> None:
    token = _unsubscribe(mailing, "ada")
    box = mailbox.mbox(tmp_path / "box")
    box.add(
        f"Subject: Re: 43 papers\n\nNice!\n> Unsubscribe: https://x.example/unsubscribe/{token}\n"
        f"Unsubscribe: https://x.example/unsubscribe/{token}\n> unsubscribe {token}\n".encode()
    )
    box.close()
    assert read_bounces(mailing, TOKENS, tmp_path / "box", now=NOW).foreign_count == 1
    assert _states(mailing)["ada"] == "active"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere", "There is no mailbox at "),
        ("folder", "is a folder but no maildir"),
        ("half a maildir", "is a folder but no maildir"),
        ("picture.png", "its first line does not begin with “From ”"),
    ],
)
def test_a_mailbox_that_is_none_is_one_sentence(
    mailing: Mailing, tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "half a maildir" / "cur").mkdir(parents=True)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(MailboxError, match=said):
        read_bounces(mailing, TOKENS, tmp_path / name, now=NOW)


@odd_input(500)
@given(st.binary(max_size=200), st.integers(0, 500), st.sampled_from(["5.1.1", "x", "é", ""]))
def test_a_broken_report_is_read_without_a_traceback(noise: bytes, at: int, status: str) -> None:
    raw = _failed(status, "ada", "<daily.2026-99-99.0123456789abcdef0123@x>")
    _returns(raw[:at] + noise + raw[at:])
    _returns(raw[:at])


def test_the_reports_of_these_tests_are_reports() -> None:
    mail = message_from_bytes(_failed("5.1.1", "ada", "<x@y>"))
    assert [part.get_content_type() for part in mail.get_payload()] == [  # type: ignore[union-attr]
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]
