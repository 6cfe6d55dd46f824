import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from html import unescape
from threading import Barrier

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from flows.mailing.addresses import parse_address
from flows.mailing.letters import Post, letters
from flows.mailing.recipients import Reader
from flows.mailing.rules import Rule, parse_rule
from flows.mailing.tokens import Purpose, Tokens
from flows.newsletter.digest import Choice, Digest, DigestPaper, Proof
from flows.newsletter.lint import lint
from flows.newsletter.render import Rendering, render
from flows.newsletter.site import Site
from tests.support.likeness import NOTHING_ALIKE

SENT_AT = datetime(2026, 8, 14, 2, 0, tzinfo=UTC)
TOKENS = Tokens([SecretStr("a key")])
POST = Post(
    Site("https://papers.example.org"),
    TOKENS,
    "Daily Papers <papers@papers.example.org>",
)
DIGEST = Digest(
    date(2026, 8, 13),
    "daily",
    tuple(
        DigestPaper(
            f"2608.0000{n}", n, f"On “Things” <{n}> & {'Q' * 20}", "We do. " * 30, 99 - n, 0
        )
        for n in range(1, 8)
    ),
    Proof(7, 7, SENT_AT, 30),
)
LETTER = letters(DIGEST, POST, NOTHING_ALIKE, sent_at=SENT_AT)(Rule())


def _reader(address: str, public_id: str = "0123456789abcdef0123") -> Reader:
    return Reader(1, public_id, address, Rule(), Rule().key)


@settings(max_examples=100, deadline=None)
@given(
    name=st.text("abcxyz019.+_-'|=", min_size=1, max_size=60),
    public_id=st.text("0123456789abcdef", min_size=20, max_size=20),
)
def test_a_letter_is_byte_for_byte_the_readers_own_mail(name: str, public_id: str) -> None:
    reader = _reader(f"a{name.strip('.').replace('..', '.')}z@example.org", public_id)
    assert LETTER is not None
    assert LETTER(reader) == POST.mail(DIGEST, reader, sent_at=SENT_AT).as_bytes()


def test_a_letter_keeps_what_a_list_owes_its_readers() -> None:
    assert LETTER is not None
    reader = _reader(parse_address("ada@example.org").text)
    raw = LETTER(reader)
    assert lint(raw) == []
    mail = message_from_bytes(raw, policy=policy.strict)
    assert mail["To"] == "ada@example.org"
    assert mail["Message-ID"] == "<daily.2026-08-13.0123456789abcdef0123@papers.example.org>"
    assert mail["List-Id"] == "<papers.papers.example.org>"
    token = TOKENS.sign(Purpose.UNSUBSCRIBE, reader.public_id)
    assert f"<https://papers.example.org/unsubscribe/{token}>" in mail["List-Unsubscribe"]
    assert (
        f"<mailto:papers@papers.example.org?subject=unsubscribe%20{token}>"
        in (mail["List-Unsubscribe"])
    )
    other = TOKENS.sign(Purpose.PREFERENCES, reader.public_id)
    for part in ("plain", "html"):
        body = mail.get_body((part,))
        assert body is not None
        assert f"https://papers.example.org/unsubscribe/{token}" in body.get_content()
        assert f"https://papers.example.org/preferences/{other}" in body.get_content()
    assert raw.count(b"ada@example.org") == 1


def test_rendering_an_issue_again_gives_the_same_bytes() -> None:
    again = letters(DIGEST, POST, NOTHING_ALIKE, sent_at=SENT_AT)(Rule())
    assert LETTER is not None
    assert again is not None
    assert again(_reader("ada@example.org")) == LETTER(_reader("ada@example.org"))


def test_a_filtered_mail_says_so_and_its_page_shows_the_same() -> None:
    rule = parse_rule({"include": "things, 2608*", "upvotes_min": "95"})
    letter = letters(DIGEST, POST, NOTHING_ALIKE, sent_at=SENT_AT)(rule)
    assert letter is not None
    raw = letter(_reader("ada@example.org"))
    assert lint(raw) == []
    mail = message_from_bytes(raw, policy=policy.default)
    said = "4 of 7 papers, by your topics: things, 2608*; from 95 votes"
    for part in ("plain", "html"):
        body = mail.get_body((part,))
        assert body is not None
        words = unescape(body.get_content())
        assert said in " ".join(words.split())
        assert words.count("your topic: things") == 4
        assert "The whole list: 7 of 7 papers, read" in " ".join(words.split())
        page = "https://papers.example.org/issues/2026-08-13-daily/"
        assert f"{page}?include=things%3B+2608%2A&upvotes_min=95" in words
        assert f"{page}quality.html" in words
    assert "and 2 more" in mail["Subject"]


def test_only_a_filtered_mail_asks_for_more_or_less_like_a_paper() -> None:
    assert LETTER is not None
    reader = _reader("ada@example.org")
    assert b"like this" not in LETTER(reader)
    rule = parse_rule({"include": "things"})
    letter = letters(DIGEST, POST, NOTHING_ALIKE, sent_at=SENT_AT)(rule)
    assert letter is not None
    mail = message_from_bytes(letter(reader), policy=policy.default)
    token = TOKENS.sign(Purpose.LIKE, reader.public_id)
    for part in ("plain", "html"):
        body = mail.get_body((part,))
        assert body is not None
        for paper in DIGEST.papers:
            for wish in ("like", "unlike"):
                link = f"https://papers.example.org/{wish}/{token}/{paper.paper_id}"
                assert body.get_content().count(link) == 1


@pytest.mark.parametrize("fields", [{"include": "nothing like it"}, {"upvotes_min": "1000"}])
def test_a_rule_that_matches_nothing_has_no_letter(fields: dict[str, str]) -> None:
    assert letters(DIGEST, POST, NOTHING_ALIKE, sent_at=SENT_AT)(parse_rule(fields)) is None


def test_where_nobody_answers_a_mail_is_the_way_out_and_no_link_leads_to_what_is_not_there() -> (
    None
):
    post = replace(POST, site=Site("https://ana.github.io/papers", is_served=False))
    likes = replace(DIGEST, choice=Choice(7, "by topic", "like=2608.00001"))
    compose = letters(likes, post, NOTHING_ALIKE, sent_at=SENT_AT)(Rule())
    assert compose
    mail = message_from_bytes(compose(_reader("ada@example.org")), policy=policy.default)
    token = TOKENS.sign(Purpose.UNSUBSCRIBE, "0123456789abcdef0123")
    way_out = f"mailto:papers@papers.example.org?subject=unsubscribe%20{token}"
    assert mail["List-Unsubscribe"] == f"<{way_out}>"
    assert mail["List-Unsubscribe-Post"] is None
    day = "https://ana.github.io/papers/papers/date/2026-08-13/"
    allowed = {day, "https://ana.github.io/papers/papers.atom", way_out}
    for part in mail.iter_parts():
        body = unescape(part.get_content())
        ours = set(re.findall(r"(?:https://ana\.github\.io|mailto:)[^\s\"<>)]*", body))
        assert ours <= allowed
        assert {day, way_out} <= ours


def test_a_rule_is_rendered_once_though_its_first_readers_come_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connections = 4
    all_here = Barrier(connections)
    rendered = []

    def slowly(digest: Digest, site: Site) -> Rendering:
        rendered.append(digest)
        time.sleep(0.1)  # long enough for the others to begin one of their own
        return render(digest, site)

    monkeypatch.setattr("flows.mailing.letters.render", slowly)
    letter = letters(DIGEST, POST, NOTHING_ALIKE, sent_at=SENT_AT)(Rule())
    assert letter is not None

    def first(number: int) -> bytes:
        all_here.wait()
        return letter(_reader(f"reader{number}@example.org"))

    with ThreadPoolExecutor(connections) as pool:
        mails = set(pool.map(first, range(connections)))
    assert (len(mails), len(rendered)) == (connections, 1)
