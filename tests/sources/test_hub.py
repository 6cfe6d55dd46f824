"""The extract against a real HTTP server that behaves as the Hub does, faults and all."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
from pydantic import SecretStr

from flows.sources.hub import Answer, Hub, Patience, recorded
from flows.sources.sample import faults
from flows.sources.sample.faults import Fault, too_many_requests
from flows.sources.sample_hub import SampleHub

DAY = date(2026, 8, 20)
CLOSED = datetime(2026, 8, 21, 2, 31, tzinfo=UTC)
# Asks again at once; an answer may take its time, since the machine may be busy.
QUICK = Patience(attempts=3, back_off=0.01, longest_wait=2)


@pytest.fixture
def hub() -> Iterator[SampleHub]:
    with SampleHub(now=CLOSED, sizes={DAY: 137}) as hub:
        yield hub


def read(hub: SampleHub, day: date = DAY, token: SecretStr | None = None) -> Answer:
    return Hub(hub.url, token, QUICK).read(day, lambda: CLOSED)


def ids(answer: Answer) -> list[str]:
    return [item["paper"]["id"] for item in answer.items]


def test_a_day_of_137_papers_is_read_to_its_end_and_proven(hub: SampleHub) -> None:
    answer = read(hub)
    assert len(set(ids(answer))) == 137
    assert (answer.page_count, answer.first_page_agrees, answer.trouble) == (2, True, None)
    assert [request.query["p"] for request in hub.requests] == ["0", "1", "0"]
    assert {request.query["limit"] for request in hub.requests} == {"100"}


def test_a_short_page_with_a_next_link_is_not_the_end(hub: SampleHub) -> None:
    hub.fail("one_null")  # any change of rows leaves the links as they are
    assert read(hub).page_count == 2


def test_a_weekend_is_one_page_of_nothing(hub: SampleHub) -> None:
    answer = read(hub, date(2026, 8, 16))
    assert (answer.items, answer.page_count, answer.trouble) == ((), 1, None)


def test_an_unopened_day_keeps_the_hubs_own_words(hub: SampleHub) -> None:
    answer = read(hub, date(2026, 8, 25))
    assert (answer.status, answer.is_list) == (400, False)
    assert answer.first_bytes is not None
    assert "must be less than or equal to" in answer.first_bytes
    assert len(hub.requests) == 1


@pytest.mark.parametrize("fault", ["503,times=2", "408,times=2", "500,times=1", "dropped,times=2"])
def test_what_passes_is_tried_again(hub: SampleHub, fault: str) -> None:
    hub.fail(fault)
    answer = read(hub)
    assert (len(answer.items), answer.first_page_agrees) == (137, True)


@pytest.mark.parametrize(
    ("fault", "status", "trouble"),
    [
        ("503", 503, "it answered 503"),
        ("html", 200, "its answer is not JSON"),
        ("half_json", 200, "its answer is not JSON"),
        ("object", 200, "its answer is not a list of papers"),
    ],
)
def test_what_does_not_pass_ends_with_its_cause(
    hub: SampleHub, fault: str, status: int, trouble: str
) -> None:
    hub.fail(fault)
    answer = read(hub)
    assert (answer.is_list, answer.status, answer.trouble) == (False, status, trouble)
    if status == 200:
        assert answer.first_bytes


def test_a_hub_that_never_answers_is_given_up(hub: SampleHub) -> None:
    hub.fail("hang")
    answer = Hub(hub.url, None, replace(QUICK, read_timeout=0.3)).read(DAY, lambda: CLOSED)
    assert (answer.is_list, answer.status) == (False, None)
    assert answer.trouble == "it did not answer in time"


def test_an_answer_that_comes_byte_by_byte_is_cut_off_in_time(hub: SampleHub) -> None:
    hub.fail("drip")
    quick = replace(QUICK, longest_answer=0.5)
    answer = Hub(hub.url, None, quick).read(DAY, lambda: CLOSED)
    assert (answer.is_list, answer.trouble) == (False, "it did not answer in time")
    assert len(hub.requests) == 2, "who is slow once is not asked for the same five times"


def test_a_connection_that_breaks_each_time_is_trouble_not_a_traceback(hub: SampleHub) -> None:
    hub.fail("dropped")
    assert read(hub).trouble in {
        "the connection broke in the middle of its answer",
        "the connection failed",
    }


def test_nobody_listening_is_trouble_too() -> None:
    answer = Hub("http://127.0.0.1:9", None, QUICK).read(DAY, lambda: CLOSED)
    assert answer.trouble == "the connection failed"


def test_a_broken_second_page_leaves_what_was_read_and_says_so(hub: SampleHub) -> None:
    hub.fail("half_json,page=1")
    answer = read(hub)
    assert len(answer.items) == 100
    assert answer.trouble == "page 2 is missing: its answer is not JSON"


def test_a_server_that_gives_the_first_page_for_ever_is_refused(hub: SampleHub) -> None:
    hub.fail("ignores_page")
    answer = read(hub)
    assert answer.trouble == "page 2 is missing: it repeats papers of the pages before it"
    assert len(answer.items) == 100


def test_links_without_end_stop_at_fifty_pages(hub: SampleHub) -> None:
    hub.fail("endless")
    answer = read(hub)
    assert answer.page_count == 50
    assert answer.trouble == "page 51 is missing: the list goes on after 50 pages"


def test_a_list_that_moves_while_it_is_read_is_read_again(hub: SampleHub) -> None:
    hub.fail("moving,times=4")
    assert read(hub).first_page_agrees is True


def test_a_list_that_never_stands_still_is_not_proven(hub: SampleHub) -> None:
    hub.fail("moving")
    assert read(hub).first_page_agrees is False


def test_the_rate_limit_is_waited_for(hub: SampleHub, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    # What the session waits, and nobody else in this process.
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=waits.append))
    refusal = too_many_requests(wait_seconds=1)
    hub.fail(refusal.__class__(answer=refusal.answer, times=1))
    assert len(read(hub).items) == 137
    assert waits == [2.0]  # one second more than the window still lasts, as the Hub asks


def test_an_answer_that_is_not_packed_as_it_says_is_told_as_that(hub: SampleHub) -> None:
    hub.fail(asking(200, {"Content-Encoding": "gzip"}))
    assert read(hub).trouble == "its answer cannot be unpacked"


def test_a_redirect_to_what_is_no_address_is_told_as_that(hub: SampleHub) -> None:
    hub.fail(asking(302, {"Location": "http://[::bad"}))
    assert read(hub).trouble == "it sends us to an address that is none"


def test_a_redirect_to_itself_is_told_as_that(hub: SampleHub) -> None:
    hub.fail(asking(302, {"Location": f"{hub.url}/api/daily_papers?date={DAY}"}))
    assert read(hub).trouble == "it sends us in a circle"


def test_what_is_no_number_in_json_is_kept_as_its_word() -> None:
    body = b'[{"paper": {"id": "2608.01190"}, "zz": [NaN, -Infinity, 1e999, 1.5]}]'
    (kept,) = recorded(DAY, CLOSED, body).items
    assert kept["zz"] == ["NaN", "-Infinity", "1e999", 1.5]


def test_the_token_is_sent_and_never_shown(
    hub: SampleHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    read(hub, token=SecretStr("hf_secret"))
    assert hub.requests[0].headers["authorization"] == "Bearer hf_secret"
    assert hub.requests[0].headers["user-agent"].startswith("daily-papers/")
    assert "hf_secret" not in caplog.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "100000"},
        {"Retry-After": "9" * 40},
        {"Retry-After": "Fri, 31 Dec 2199 23:59:59 GMT"},
        {"RateLimit": '"api";r=0;t=100000'},
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_beyond_our_patience_ends_the_reading_at_once_and_says_when_to_come_back(
    hub: SampleHub, headers: dict[str, str], status: int
) -> None:
    hub.fail(asking(status, headers))
    answer = read(hub)
    assert (answer.is_list, answer.status, len(hub.requests)) == (False, status, 1)
    assert answer.trouble is not None
    assert answer.trouble.startswith(f"it answered {status} and asks us to come back at ")


def test_all_waits_of_a_reading_have_a_limit(hub: SampleHub) -> None:
    hub.fail(asking(429, {"Retry-After": "1"}))
    patience = replace(QUICK, attempts=10, longest_waits=2)
    answer = Hub(hub.url, None, patience).read(DAY, lambda: CLOSED)
    assert len(hub.requests) == 3
    assert "come back at 20" in str(answer.trouble)


@pytest.mark.parametrize("asked", ["0", "-5", "soon", "Fri, 31 Dec 1999 23:59:59 GMT", ""])
def test_a_wait_that_names_no_time_to_come_is_as_none(hub: SampleHub, asked: str) -> None:
    hub.fail(asking(429, {"Retry-After": asked}))
    assert read(hub).trouble == "it answered 429"
    assert len(hub.requests) == QUICK.attempts


def asking(code: int, headers: dict[str, str]) -> Fault:
    fault = faults.status(code)
    return replace(fault, answer=lambda page: replace(fault.answer(page), headers=headers))
