"""Input by the thousand: a clear page each, nothing stored by half, no traceback."""

import re
from urllib.parse import quote

import requests
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from flows.mailing.rules import Rule
from flows.mailing.tokens import Purpose
from tests.support.odd_input import odd_input
from tests.web.conftest import Web

# The site outlives the examples: what one stores must not matter to the next.
many = odd_input(300, suppress_health_check=[HealthCheck.function_scoped_fixture])
texts = st.text(max_size=60) | st.sampled_from(["", "0", "-1", "robots", "daily", "yes", "²", "\0"])
names = st.sampled_from(["address", "form_key", "do", "until", *Rule().fields()]) | texts
forms = st.dictionaries(names, texts, max_size=8)
bodies = st.binary(max_size=200)
kinds = st.sampled_from(
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "text/plain; charset=utf-7",
        "",
    ]
)


def _is_clear(answer: requests.Response) -> bool:
    return (
        answer.status_code < 500
        and "Traceback" not in answer.text
        and re.search(r"<h1>[^<]+</h1>", answer.text) is not None
    )


@many
@given(form=forms)
def test_a_subscription_with_any_fields(web: Web, form: dict[str, str]) -> None:
    assert _is_clear(web.post("/", {"form_key": web.form_key()} | form))


@many
@given(form=forms, wish=st.sampled_from(["save", "rehearse", "pause"]))
def test_a_choice_with_any_fields_is_kept_whole_or_not_at_all(
    web: Web, form: dict[str, str], wish: str
) -> None:
    if not web.state():
        web.add()
    person = web.known()
    answer = web.post(web.path(Purpose.PREFERENCES, person), {"do": wish} | form)
    assert _is_clear(answer)
    assert answer.status_code in {200, 400}
    if answer.status_code == 400:
        assert web.known() == person


@many
@given(body=bodies, kind=kinds)
def test_any_bytes_as_a_form(web: Web, body: bytes, kind: str) -> None:
    if not web.state():
        web.add()
    before = web.rows()
    for purpose in (Purpose.PREFERENCES, Purpose.UNSUBSCRIBE):
        path = web.path(purpose, web.known())
        answer = web.post(path, body, headers={"Content-Type": kind})
        assert _is_clear(answer)
        assert answer.status_code == 400
    assert web.rows() == before


@many
@given(token=st.text(min_size=1), purpose=st.sampled_from(Purpose), place=st.integers(0, 70))
def test_any_token(web: Web, token: str, purpose: Purpose, place: int) -> None:
    if not web.state():
        web.add()
    before = web.rows()
    real = web.path(purpose, web.known()).rpartition("/")[2]
    forged = (token, real[:place] + token + real[place:], real[: min(place, len(real) - 1)])
    for text in forged:
        path = f"/{purpose.value}/{quote(text, safe='')}"
        for answer in (web.get(path), web.post(path, {"List-Unsubscribe": "One-Click"})):
            assert _is_clear(answer)
            assert answer.status_code in {400, 404}, text
    assert web.rows() == before


@many
@given(
    pieces=st.lists(
        st.text(max_size=30)
        | st.sampled_from(["issues", "..", ".", "2026-08-20-daily", "digest.html", "confirm"]),
        max_size=5,
    ),
    query=st.text(max_size=20),
)
def test_any_path(web: Web, pieces: list[str], query: str) -> None:
    path = "/".join(quote(piece, safe=".") for piece in pieces)
    answer = web.get(f"/{path}?year={quote(query)}")
    assert answer.status_code in {200, 308, 400, 404}
    assert "Traceback" not in answer.text
