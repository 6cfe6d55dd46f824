import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.newsletter.lint import contrast, lint, lint_arrived
from flows.newsletter.message import Unsubscribe, message
from flows.newsletter.render import ReaderLinks, Rendering, personal, public, templates


def to_reader(rendering: Rendering) -> bytes:
    return message(
        rendering,
        sender="Daily Papers <papers@example.org>",
        to="ana@example.com",
        message_id="<2026-08-20.daily.7@example.org>",
        date=datetime(2026, 8, 21, 3, tzinfo=UTC),
        list_id="Daily Papers <daily.papers.example.org>",
        unsubscribe=Unsubscribe(
            "https://papers.example.org/unsubscribe/a.b",
            "mailto:papers@example.org?subject=unsubscribe%20a.b",
        ),
    ).as_bytes()


@pytest.fixture(scope="module")
def rendering(
    rendered: Callable[..., Rendering], paper: Callable[..., object], links: ReaderLinks
) -> Rendering:
    papers = [paper(rank, is_withdrawn=rank in (2, 12)) for rank in range(1, 14)]
    return personal(rendered(*papers, warnings=("Few.",)), links)


def test_our_own_mails_have_no_finding(rendering: Rendering) -> None:
    assert lint(to_reader(rendering)) == []


def test_the_copy_of_the_archive_has_no_finding(rendered: Callable[..., Rendering]) -> None:
    mail = message(
        public(rendered(count=500)),
        sender="papers@example.org",
        to=None,
        message_id="<2026-08-20.daily@example.org>",
        date=datetime(2026, 8, 21, 3, tzinfo=UTC),
        list_id="<daily.papers.example.org>",
        unsubscribe=None,
    )
    assert lint(mail.as_bytes()) == []


HEADER_FAULTS = [
    (rb"^From: .*\r\n", b"", "There must be one From header, and there are 0."),
    (rb"^(From: .*\r\n)", rb"\1\1", "There must be one From header, and there are 2."),
    (rb"^(From: .*)\r\n", rb"\1, b@example.org\r\n", "From must name one address, and names 2."),
    (rb"^(To: .*)\r\n", rb"\1, b@example.com\r\n", "To must name one reader and no other."),
    (rb"^(To: .*)\r\n", rb"\1\r\nBcc: b@example.com\r\n", "A reader's mail has neither Cc nor Bcc"),
    (rb"^Subject: .*\r\n", b"Subject: =?utf-8?q?a=0Ab?=\r\n", "The Subject header holds a newline"),
    (rb"^Subject: .*\r\n", b"Subject:\r\n", "The subject is empty."),
    (rb"^Subject: .*\r\n", b"Subject: \xc3\xa9\r\n", "A header holds bytes that are not ASCII."),
    (rb"^(Subject: ).*\r\n", rb"\1" + b"a" * 999 + b"\r\n", "A header line is longer than 998"),
    (rb"^Date: .*\r\n", b"Date: yesterday\r\n", "The Date header is malformed"),
    (rb"^(Date: .*) \+0000\r\n", rb"\1\r\n", "Date does not say its time zone."),
    (rb"^Message-ID: .*\r\n", b"Message-ID: 7\r\n", "Message-ID is not of the form"),
    (rb"^List-Id: .*\r\n", b"List-Id: papers\r\n", "List-Id does not end in"),
    (rb"^List-Unsubscribe: .*\r\n", b"", "List-Unsubscribe offers no https link."),
    (rb"<https://papers", b"<http://papers", "List-Unsubscribe offers no https link."),
    (rb"<https://papers", b"<ftp://papers", "List-Unsubscribe offers something that is neither"),
    (rb", <mailto:[^>]*>", b"", "List-Unsubscribe offers no mail address."),
    (rb"^List-Unsubscribe-Post: .*\r\n", b"", "List-Unsubscribe-Post is not"),
    (rb"multipart/alternative", b"multipart/mixed", "The mail is not multipart/alternative"),
    (rb"text/plain", b"text/html", "The mail is not multipart/alternative"),
    (rb'text/html; charset="utf-8"', b"text/html", "A part does not say that it is UTF-8."),
    (rb"\r\n--=_[0-9a-f]+--", b"", "The message does not parse"),
]


@pytest.mark.parametrize(("old", "new", "finding"), HEADER_FAULTS)
def test_each_fault_of_the_message_is_found(
    rendering: Rendering, old: bytes, new: bytes, finding: str
) -> None:
    raw = to_reader(rendering)
    faulty = re.sub(old, new, raw, count=1, flags=re.MULTILINE)
    assert faulty != raw
    assert finding in " ".join(lint(faulty))


BODY_FAULTS = [
    ("<!DOCTYPE html>", "", "does not begin with <!DOCTYPE html>"),
    ('lang="en"', "", "does not say its language"),
    (r"<title>.*?</title>", "<title></title>", "has no title"),
    (' role="presentation"', "", 'lacks role="presentation"'),
    ('content="light dark"', 'content="light"', "color-scheme"),
    ("prefers-color-scheme: dark", "print", "no styles for prefers-color-scheme"),
    (r'<div class="preheader".*?</div>', "", "no preheader"),
    ("<h1", "<h2", "one h1"),
    ("<h2", "<h4", "skip a level"),
    ("</body>", '<img src="https://example.org/x.png"></body>', "lacks its alt text"),
    ("</body>", "<script>1</script></body>", "no <script>"),
    ("<body", '<body onload="x"', "no onload handler"),
    ("</style>", "@font-face { src: url(x) }</style>", "fetch something from elsewhere"),
    ("</body>", '<p><a href="javascript:x">x</a></p></body>', "not an absolute web address"),
    ("</body>", '<p><a href="/x">x</a></p></body>', "not an absolute web address"),
    ("</body>", '<p><a href="https://example.org"></a></p></body>', "has no words"),
    (
        "</body>",
        'See <a href="https://example.org" style="color: #000; text-decoration: none">x</a></body>',
        "in running text is not underlined: x.",
    ),
    ("</body>", '<p style="color: #999">pale</p></body>', "In the light, #999 on #f1eee6 has"),
    ("</body>", '<p style="color: #111">late</p></body>', "In the dark, #111 on #100f0d has"),
    ("</body>", '<p style="color: red">red</p></body>', "The colour red is not a hex value"),
    ("</body>", "<p>\ue002</p></body>", "to be filled for the reader"),
    (">Unsubscribe<", ">Bye<", "no link to unsubscribe"),
    ("papers/2608.10003", "p/2608.10003", "the text links 13, the HTML 12"),
    ("</body>", "<!-- " + "x" * 100_000 + " --></body>", "clients cut it"),
]


@pytest.mark.parametrize(("old", "new", "finding"), BODY_FAULTS)
def test_each_fault_of_the_html_is_found(
    rendering: Rendering, old: str, new: str, finding: str
) -> None:
    html = re.sub(old, new, rendering.html, count=1, flags=re.DOTALL)
    assert html != rendering.html
    faulty = Rendering(rendering.subject, rendering.preheader, html, rendering.text)
    assert finding in " ".join(lint(to_reader(faulty)))


SIGNED = b"v=1; a=rsa-sha256; d=example.org; s=s1;\r\n\th=From:To:%s;\r\n\tbh=eA==; b=eA=="


@pytest.mark.parametrize(
    ("signed", "findings"),
    [
        (None, ["There is no DKIM signature: the relay must sign what it sends."]),
        (b"Subject", ["No DKIM signature covers both List-Unsubscribe headers."]),
        (b"List-Unsubscribe", ["No DKIM signature covers both List-Unsubscribe headers."]),
        (b"List-Unsubscribe:\r\n\tlist-unsubscribe-post", []),
    ],
)
def test_a_mail_that_arrived_has_its_ways_out_signed(
    rendering: Rendering, signed: bytes | None, findings: list[str]
) -> None:
    head = b"" if signed is None else b"DKIM-Signature: " + SIGNED % signed + b"\r\n"
    assert lint_arrived(head + to_reader(rendering)) == findings


def test_a_text_without_its_way_out_is_found(rendering: Rendering) -> None:
    text = re.sub("(?i)unsubscribe", "bye", rendering.text)
    faulty = Rendering(rendering.subject, rendering.preheader, rendering.html, text)
    assert "The text does not say how to unsubscribe." in lint(to_reader(faulty))
    empty = Rendering(rendering.subject, rendering.preheader, rendering.html, " \n")
    assert "The text part is empty." in lint(to_reader(empty))


@given(st.binary(max_size=400) | st.binary(max_size=400).map(b"From: a\r\n".__add__))
def test_any_bytes_give_sentences(raw: bytes) -> None:
    findings = lint_arrived(raw)
    assert findings
    assert all(finding.endswith(".") for finding in findings)


def test_contrast_is_wcags() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_colour_of_the_palette_reads_on_every_ground(scheme: str) -> None:
    palette = getattr(templates().get_template("tokens.css").module, scheme)
    for ground in ("page", "paper", "wash"):
        for text in ("ink", "grey", "accent", "warning", "good"):
            assert contrast(palette[text], palette[ground]) >= 4.5, (scheme, text, ground)
