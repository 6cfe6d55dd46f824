"""What must not get in: forged forms, floods, large bodies, odd paths; what each answer says."""

import http.client
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError

from flows.mail_setup import secret_keys
from flows.mailing.tokens import Purpose
from flows.settings import Settings
from flows.web.limits import Buckets, Rate, RateLimits, client_name
from tests.web.conftest import GENEROUS, Serve, Web

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
STRICT = RateLimits(
    posts=Rate(5, 3600), subscriptions=Rate(2, 3600), mails_to_address=Rate(3, 3600)
)


def test_get_and_head_of_every_link_change_nothing(web: Web) -> None:
    web.add()
    web.subscribe("new@example.org")
    person = web.known()
    _, text = web.mail()
    waiting = [urlsplit(url).path for url in re.findall(r"http://\S+", text)]
    waiting += ["/", "/issues", "/feed.json", "/healthz", "/issues/2026-08-20-daily/digest.txt"]
    waiting += [web.path(purpose, person) for purpose in Purpose]
    before = web.rows()
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        head = web.browser.head(f"{web.url}{path}", timeout=10)
        answer = web.get(path)
        assert (head.status_code, head.content) == (answer.status_code, b"")
        assert answer.status_code in {200, 308}, path
        waiting += _own_links(answer.text, web.url)
    assert web.rows() == before
    assert web.outbox.empty()
    assert len(seen) > 40


def _own_links(text: str, url: str) -> Iterator[str]:
    for link in re.findall(r'href="([^"]+)"', text):
        path = link.removeprefix(url)
        # test_lists walks those of the lists, over a real publication
        if path.startswith("/") and not path.startswith("/papers"):
            yield path


@pytest.mark.parametrize(
    ("given", "headers"),
    [
        ({"form_key": ""}, {}),
        ({"form_key": "made.up"}, {}),
        ({}, {"Cookie": "papers_form=another-browsers-name1"}),
        ({}, {"Sec-Fetch-Site": "cross-site"}),
        ({}, {"Sec-Fetch-Site": "same-site"}),
        ({}, {"Origin": "https://evil.example.com"}),
    ],
)
def test_a_form_from_elsewhere_does_nothing(
    web: Web, given: dict[str, str], headers: dict[str, str]
) -> None:
    fields = {"form_key": web.form_key(), "address": "ana@example.org"} | given
    answer = web.post("/", fields, headers=headers)
    assert answer.status_code == 403
    assert web.rows() == []
    assert web.outbox.empty()


def test_a_key_without_its_cookie_does_nothing(web: Web) -> None:
    fields = {"form_key": web.form_key(), "address": "ana@example.org"}
    assert requests.post(web.url, fields, timeout=10).status_code == 403
    assert web.rows() == []


@pytest.mark.parametrize("purpose", Purpose)
def test_a_readers_form_from_elsewhere_does_nothing(web: Web, purpose: Purpose) -> None:
    path = web.path(purpose, web.add())
    before = web.rows()
    fields = {"do": "save", "leave": "yes", "include": "spam"}
    answer = web.post(path, fields, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert web.rows() == before


def test_one_client_gets_a_few_subscriptions_and_posts_then_is_told_when(serve: Serve) -> None:
    web = serve(STRICT)
    answers = [web.subscribe(f"{name}@example.org") for name in "abc"]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 3600
    assert "Try again in" in answers[-1].text
    statuses = [web.post("/confirm/x").status_code for _ in range(3)]
    assert statuses == [400, 400, 429]


def test_one_clicks_are_not_limited(serve: Serve) -> None:
    web = serve(STRICT)
    path = web.path(Purpose.UNSUBSCRIBE, web.add())
    assert {web.post(path, ONE_CLICK).status_code for _ in range(20)} == {200}


def test_a_mailbox_gets_only_a_few_mails_and_the_page_does_not_say_so(serve: Serve) -> None:
    web = serve(replace(GENEROUS, mails_to_address=Rate(3, 3600)))
    spellings = ("ana@example.org", "Ana@example.org", "ANA@EXAMPLE.ORG", "ana@example.ORG")
    answers = [web.subscribe(spelling) for spelling in (*spellings, "bo@example.org")]
    assert {answer.status_code for answer in answers} == {200}
    recipients = sorted(web.mail()[0].lower() for _ in range(4))
    assert recipients == ["ana@example.org"] * 3 + ["bo@example.org"]
    assert web.outbox.empty()


def test_a_bucket_fills_again_and_only_so_many_are_kept() -> None:
    now = [0.0]
    buckets = Buckets(Rate(burst=2, seconds=10), kept_count=3, clock=lambda: now[0])
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 10]
    now[0] = 4
    assert buckets.take("a") == 6
    now[0] = 10
    assert [buckets.take("a"), buckets.take("a")] == [0, 10]
    for name in "bcd":
        buckets.take(name)
    assert len(buckets._full_at) == 3


def test_a_home_is_one_client_whatever_its_address() -> None:
    assert client_name("192.0.2.7") == client_name("::ffff:192.0.2.7") == "192.0.2.7"
    assert client_name("2001:db8::1") == client_name("2001:db8::ffff:1") == "2001:db8::"
    assert client_name("2001:db8:0:1::1") != client_name("2001:db8::1")
    assert client_name("a-unix-socket") == "a-unix-socket"


def test_every_answer_has_the_security_headers(web: Web) -> None:
    person = web.add()
    web.subscribe("x@example.org")
    answers = [
        web.get(path)
        for path in (
            "/",
            "/issues",
            "/issues/",
            "/reader.css",
            "/feed.atom",
            "/healthz",
            "/nowhere",
            "/confirm/forged",
            *(web.path(purpose, person) for purpose in Purpose),
        )
    ]
    answers += [web.post("/", {}), web.browser.put(web.url), web.browser.head(web.url)]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'self';"), answer.url
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "server" not in answer.headers or "uvicorn" in answer.headers["server"]
    issue = web.get("/issues/2026-08-20-daily/")
    assert (
        "style-src 'unsafe-inline'; form-action 'none'"
        in (issue.headers["Content-Security-Policy"])
    )


def test_personal_pages_are_not_kept_and_public_ones_are(web: Web) -> None:
    person = web.add()
    for path in ("/", *(web.path(purpose, person) for purpose in Purpose)):
        assert web.get(path).headers["Cache-Control"] == "no-store"
    for path in ("/issues/", "/issues/2026-08-20-daily/", "/feed.atom", "/feed.json"):
        answer = web.get(path)
        assert "public" in answer.headers["Cache-Control"]
        again = web.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_no_link_holds_an_address(web: Web) -> None:
    person = web.add("anastasia@example.org")
    web.subscribe("newcomer@example.org")
    _, text = web.mail()
    pages = [text, *(web.get(web.path(purpose, person)).text for purpose in Purpose)]
    links = [
        link for page in pages for link in re.findall(r'(?:https?://|(?<=href="))[^"\s]+', page)
    ]
    assert links
    assert not any(re.search("@|%40|anastasia|newcomer", link) for link in links)


@pytest.mark.parametrize("length", [200_001, 3_000_000])
def test_a_body_that_is_too_large_is_refused(web: Web, length: int) -> None:
    path = web.path(Purpose.PREFERENCES, web.add())
    answer = web.post(path, {"do": "save", "include": "x" * length})
    assert (answer.status_code, "Shorten it" in answer.text) == (413, True)
    assert web.get("/").status_code == 200


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"do": "save"}'),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Dis"),
        ("multipart/form-data; boundary=x",
         b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\nfile\r\n--x--\r\n'),
        ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * 100)),
        ("", b"\x00\xff"),
    ],
)  # fmt: skip
def test_what_is_not_our_form_is_refused(web: Web, kind: str, body: bytes) -> None:
    path = web.path(Purpose.PREFERENCES, web.add())
    before = web.rows()
    answer = web.post(path, body, headers={"Content-Type": kind})
    assert answer.status_code == 400
    assert "Press one of its buttons" in answer.text or "Go back" in answer.text
    assert web.rows() == before


@pytest.mark.parametrize(
    "path",
    [
        "/issues/../../secret.key",
        "/issues/..%2f..%2fsecret.key",
        "/issues/%2e%2e/%2e%2e/secret.key",
        "/issues/2026-08-20-daily/../../../secret.key",
        "/issues/2026-08-20-daily/%2e%2e%2f%2e%2e%2fsecret.key",
        "/issues/2026-08-20-daily/issue.json",
        "/issues/2026-08-20-daily/digest.eml",
        "/issues/2026-08-20-hourly/",
        "/issues/2026-08-20-daily%00/",
        "/issues/%EF%BC%92026-08-20-daily/",
        "/issues/.2026-08-20-daily.new/",
        "/issues/2026-99-99-daily/",
        "/issues/?year=..",
        "/issues/?year=1999",
        "//issues/",
    ],
)
def test_no_path_reaches_a_file_but_those_of_an_issue(web: Web, path: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(web.url).netloc, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == 404
    assert b"There is no page here" in answer.read()
    connection.close()


def test_a_busy_list_says_so_and_healthz_too(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    person = web.add()

    def locked(*_: object) -> None:
        with web.mailing.answering():
            raise OperationalError("select secret@example.org", {}, Exception("database is locked"))

    assert web.get("/healthz").json() == {"status": "ok", "newest_issue": "2026-08-20-daily"}
    monkeypatch.setattr("flows.web.readers.find_public", locked)
    answer = web.get(web.path(Purpose.PREFERENCES, person))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "secret" not in answer.text
    monkeypatch.setattr(type(web.mailing), "read", locked)
    assert web.get("/healthz").status_code == 503


def test_the_pages_live_under_the_path_of_the_public_url(serve: Serve) -> None:
    web = serve(path="/papers")
    assert web.get("/").status_code == 200
    web.subscribe("ana@example.org")
    _, text = web.mail()
    (url,) = re.findall(rf"{web.url}/confirm/\S+", text)
    assert requests.post(url, timeout=10).status_code == 200
    assert web.state() == "active"
    assert all(link.startswith("/papers/") for link in _own_links(web.get("/").text, web.url))


def test_behind_https_the_cookie_and_the_browser_are_held_to_it(
    serve: Serve, web_home: Path
) -> None:
    web = serve(public_url="https://papers.example.org")
    answer = web.get("/")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    assert {"HttpOnly", "SameSite=strict"} <= set(answer.headers["Set-Cookie"].split("; "))


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "new" / "home")
    (key,) = secret_keys(settings)
    assert len(key.get_secret_value()) >= 64
    assert secret_keys(settings) == (key,)
    assert [path.name for path in settings.home.iterdir()] == ["secret.key"]
    assert (settings.home / "secret.key").stat().st_mode & 0o777 == 0o600


def test_the_operators_keys_come_first_one_first() -> None:
    settings = Settings(secret_key=SecretStr("new, old,"))
    assert [key.get_secret_value() for key in secret_keys(settings)] == ["new", "old"]
