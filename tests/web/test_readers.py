"""Subscribing, confirming, choosing, pausing and leaving, over HTTP."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
import requests

from flows.mailing.rules import parse_rule
from flows.mailing.subscribers import choose_for, pause, suppress, unsubscribe
from flows.mailing.tokens import Purpose
from flows.web.readers import ReaderPages
from tests.web.conftest import LAST_DAY, NOW, PAPER, Serve, Web, digest_of, publish

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def _link(text: str, purpose: str) -> str:
    found = re.search(rf"https?://[^/]+(/\S*{purpose}/\S+)", text)
    assert found, text
    return found[1]


def test_a_reader_is_on_the_list_only_after_pressing_the_button_that_the_mail_leads_to(
    web: Web,
) -> None:
    assert web.subscribe("Ana@Example.org", include="robots, maps").status_code == 200
    to, text = web.mail()
    assert to == "Ana@example.org"
    assert web.state() == "unconfirmed"
    path = _link(text, "confirm")
    asked = web.get(path).text
    assert "Yes, send me" in asked
    assert "As it was asked: daily, by your topics: robots" in asked
    assert web.state() == "unconfirmed"
    for _ in range(2):
        confirmed = web.post(path).text
        assert "You are on the list" in confirmed
        assert re.search(r"papers? a day; (nothing|something) on", confirmed)
    assert web.state() == "active"
    assert web.known().rule.include == ("robots", "maps")
    assert "already" in web.get(path).text


def test_the_answer_is_the_same_for_every_address_and_the_mail_tells(web: Web) -> None:
    for name in ("active", "paused", "left", "bounced"):
        web.add(f"{name}@example.org")
    pause(web.mailing, web.known("paused@example.org").public_id, date(2027, 1, 1), now=NOW)
    unsubscribe(web.mailing, web.known("left@example.org").public_id, now=NOW)
    suppress(web.mailing, "bounced@example.org", "it bounced", now=NOW)

    answers = {}
    for name in ("unknown", "active", "paused", "left", "bounced"):
        answer = web.subscribe(f"{name}@example.org")
        headers = {k: v for k, v in answer.headers.items() if k.lower() != "date"}
        length = int(headers.pop("content-length")) - len(name)
        body = answer.text.replace(f"{name}@example.org", "")
        answers[name] = (answer.status_code, body, length, headers)
    assert len({repr(answer) for answer in answers.values()}) == 1

    mails = dict(web.mail() for _ in range(4))
    assert {to: "/confirm/" in text for to, text in mails.items()} == {
        "unknown@example.org": True,
        "active@example.org": False,
        "paused@example.org": False,
        "left@example.org": True,
    }
    assert "paused until 2027-01-01" in mails["paused@example.org"]
    assert [web.state(f"{name}@example.org") for name in ("active", "paused", "left")] == [
        "active",
        "paused",
        "unsubscribed",
    ]


def test_the_page_answers_before_it_looks_into_the_list(web: Web) -> None:
    key = web.form_key()
    with web.mailing.write():  # whoever looked would wait
        answer = web.post("/", {"form_key": key, "address": "ana@example.org"})
    assert answer.status_code == 200
    web.mail()


def test_what_somebody_else_types_changes_nothing_for_who_is_on_the_list(web: Web) -> None:
    web.add()
    before = web.rows()
    web.subscribe("ana@example.org", include="spam")
    assert "already" in web.mail()[1]
    assert web.rows() == before


@pytest.mark.parametrize(
    ("fields", "field", "problem"),
    [
        ({"address": "ana"}, "address", "@-sign"),
        ({"address": ""}, "address", "@-sign"),
        ({"include": "x" * 101}, "include", "longer than 100"),
        ({"upvotes_min": "some"}, "upvotes_min", "whole number"),
        ({"editions": "hourly"}, "address", ""),
        ({"papers_max": "-1"}, "papers_max", "whole number"),
    ],
)
def test_a_form_with_a_problem_comes_back_with_it_beside_the_field_and_nothing_lost(
    web: Web, fields: dict[str, str], field: str, problem: str
) -> None:
    answer = web.subscribe(**({"address": "ana@example.org", "authors": "Čapek"} | fields))
    assert answer.status_code == 400
    shown = re.search(rf'id="{field}-problem">([^<]*)<', answer.text)
    assert not problem or (shown and problem in shown[1])
    assert "Čapek" in answer.text
    assert web.rows() == []


def test_one_click_leaves_without_cookies_from_anywhere_and_twice(web: Web) -> None:
    path = web.path(Purpose.UNSUBSCRIBE, web.add())
    for _ in range(2):
        answer = requests.post(
            f"{web.url}{path}",
            data=ONE_CLICK,
            headers={"Origin": "https://mail.example.com", "Sec-Fetch-Site": "cross-site"},
            timeout=10,
            allow_redirects=False,
        )
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert web.state() == "unsubscribed"


def test_one_click_may_come_as_multipart(web: Web) -> None:
    path = web.path(Purpose.UNSUBSCRIBE, web.add())
    files = {name: (None, value) for name, value in ONE_CLICK.items()}
    assert requests.post(f"{web.url}{path}", files=files, timeout=10).status_code == 200
    assert web.state() == "unsubscribed"


def test_the_button_leaves_and_a_look_at_the_page_does_not(web: Web) -> None:
    path = web.path(Purpose.UNSUBSCRIBE, web.add())
    assert "Leave Daily Papers?" in web.get(path).text
    assert web.post(path, {}).status_code == 400
    assert web.state() == "active"
    assert "You have left" in web.post(path, {"leave": "yes"}).text
    assert web.state() == "unsubscribed"
    assert "You have left" in web.get(path).text


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_opens_its_own_page_only(web: Web, purpose: Purpose) -> None:
    token = web.path(purpose, web.add()).split("/")[2]
    before = web.rows()
    for other in Purpose:
        path = f"/{other.value}/{token}{PAPER if other == Purpose.LIKE else ''}"
        assert (web.get(path).status_code == 200) is (other == purpose), other
        if other != purpose:
            assert web.post(path, ONE_CLICK).status_code == 400
    assert web.rows() == before


def test_a_choice_can_be_rehearsed_without_being_saved_and_saved(web: Web) -> None:
    path = web.path(Purpose.PREFERENCES, web.add())
    assert "14 papers a day; something on each of 22 days" in web.get(path).text
    before = web.rows()
    wish = {"include": "robots", "upvotes_min": "1300"}
    rehearsed = web.post(path, wish | {"do": "rehearse"}).text
    assert re.search(r"papers a day; nothing on \d+ of 22 days", rehearsed)
    assert "Thursday 20 August 2026" in rehearsed
    assert web.rows() == before
    assert "Saved." in web.post(path, wish | {"do": "save"}).text
    assert web.known().rule == parse_rule(wish)
    assert "robots</textarea>" in web.get(path).text
    quoted = {"include": '"this; that", agents'}
    assert web.post(path, quoted | {"do": "save"}).status_code == 200
    assert web.known().rule == parse_rule(quoted)
    assert "&#34;this; that&#34;, agents</textarea>" in web.get(path).text


def test_the_page_says_what_became_of_each_days_mail(web: Web) -> None:
    page = web.get(web.path(Purpose.PREFERENCES, web.add())).text
    assert "What became of your mail" in page
    assert page.count('<th scope="row"><time datetime="') == 30
    assert "No issue: weekend." in page


def test_organizations_that_were_seen_are_offered_and_unknown_ones_named(web: Web) -> None:
    path = web.path(Purpose.PREFERENCES, web.add())
    assert "Seen lately: " in web.get("/").text
    said = web.post(path, {"organizations": "Nobody at all", "do": "rehearse"}).text
    assert "No paper of these days has the organization “Nobody at all”." in said


def test_a_topic_that_cannot_be_meant_is_refused_beside_its_field(web: Web) -> None:
    path = web.path(Purpose.PREFERENCES, web.add())
    answer = web.post(path, {"include": "(agent", "do": "save"})
    assert answer.status_code == 400
    assert "In the words to include: A topic is made of words" in answer.text


def test_a_choice_with_a_problem_is_not_saved_by_half(web: Web) -> None:
    path = web.path(Purpose.PREFERENCES, web.add())
    before = web.rows()
    answer = web.post(path, {"include": "robots", "papers_max": "ten", "do": "save"})
    assert (answer.status_code, "whole number" in answer.text) == (400, True)
    assert "robots</textarea>" in answer.text
    assert web.rows() == before


def test_an_edition_that_does_not_come_is_offered_only_to_who_has_chosen_it(web: Web) -> None:
    person = web.add()
    path = web.path(Purpose.PREFERENCES, person)
    assert 'value="weekly"' not in web.get(path).text
    choose_for(web.mailing, person.public_id, rule=parse_rule({"editions": "daily, weekly"}))
    assert 'value="weekly" checked' in web.get(path).text
    web.post(path, [("editions", "daily"), ("editions", "weekly"), ("do", "save")])
    assert web.known().rule.editions == ("daily", "weekly")


def test_a_pause_ends_on_a_day_to_come_or_at_once(web: Web) -> None:
    path = web.path(Purpose.PREFERENCES, web.add())
    until = datetime.now(UTC).date() + timedelta(days=20)
    assert "No mail comes until then" in web.post(path, {"do": "pause", "until": until}).text
    assert (web.state(), web.known().paused_until) == ("paused", until)
    for wrong in ("", "soon", "2020-01-01", "2999-01-01", "2026-13-40", "\uff12026-08-20"):
        answer = web.post(path, {"do": "pause", "until": wrong})
        assert (answer.status_code, 'id="until-problem"' in answer.text) == (400, True)
    assert web.known().paused_until == until
    web.post(path, {"do": "resume"})
    assert web.state() == "active"


def test_who_has_left_cannot_choose_but_comes_back_by_the_front_page(web: Web) -> None:
    person = web.add()
    unsubscribe(web.mailing, person.public_id, now=NOW)
    path = web.path(Purpose.PREFERENCES, person)
    assert "You left this list" in web.get(path).text
    before = web.rows()
    for wish in ("save", "pause", "resume"):
        assert web.post(path, {"do": wish, "until": "2027-01-01"}).status_code == 409
    assert web.rows() == before


def test_the_page_shows_too_little_of_the_address_for_a_forwarded_mail(web: Web) -> None:
    text = web.get(web.path(Purpose.PREFERENCES, web.add("anastasia@example.org"))).text
    assert "a…@example.org" in text
    assert "anastasia" not in text


def test_a_rehearsal_knows_the_newest_publication_and_choosing_needs_none(
    web: Web, serve: Serve
) -> None:
    path = web.path(Purpose.PREFERENCES, web.add())
    published = web.settings.published_path
    whole = published.read_bytes()
    try:
        publish(published, [digest_of(LAST_DAY, 3)])
        assert "3 papers a day; something on each of 1 day" in web.get(path).text
        published.write_bytes(whole)
        assert "14 papers a day" in web.get(path).text
        published.unlink()
        assert "no past issue to rehearse" in web.get(path).text
        assert "Saved." in web.post(path, {"do": "save"}).text
    finally:
        published.write_bytes(whole)


def test_many_readers_at_once_each_get_their_own_mail(web: Web) -> None:
    names = [f"reader{number}@example.org" for number in range(40)]
    key = web.form_key()
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda n: web.post("/", {"form_key": key, "address": n}), names)
        assert {answer.status_code for answer in answers} == {200}
    mails = dict(web.mail() for _ in names)
    assert sorted(mails) == sorted(names)
    assert len({_link(text, "confirm") for text in mails.values()}) == len(names)


def test_a_mail_that_cannot_be_sent_is_no_error_of_the_page(
    web: Web, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("flows.web.postman.subscribe", _broken)
    assert web.subscribe("ana@example.org").status_code == 200
    monkeypatch.undo()
    web.subscribe("bo@example.org")
    assert web.mail()[0] == "bo@example.org"
    assert "A subscription failed: ZeroDivisionError" in caplog.text
    assert "example.org" not in caplog.text


def _broken(*_: object, **__: object) -> None:
    raise ZeroDivisionError


def test_a_bug_shows_no_traceback(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ReaderPages, "_home", _broken)
    answer = web.get("/")
    assert answer.status_code == 500
    assert "Something broke here" in answer.text
    assert "ZeroDivision" not in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
