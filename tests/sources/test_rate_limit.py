"""The Hub's window of requests is shared by all who ask, and never exceeded."""

import time
from datetime import timedelta
from threading import Thread

import pytest
import requests

from flows.sources.hub import Hub
from flows.sources.rate_limit import Window
from flows.sources.sample_hub import SampleHub
from tests.support.clock import CLOSED, DAY


def answered(left: int, seconds: int) -> requests.Response:
    response = requests.Response()
    response.headers["RateLimit"] = f'"api";r={left};t={seconds}'
    return response


def test_eight_readers_use_a_window_up_and_ask_no_more() -> None:
    with SampleHub(now=CLOSED, quota=30) as sample:
        hub = Hub(sample.url)

        def read(number: int) -> None:
            for age in range(number, 64, 8):
                hub.read(DAY - timedelta(days=age), lambda: CLOSED)

        for number in range(8):
            Thread(target=read, args=(number,), daemon=True).start()
        while "takes more in" not in hub.window:
            time.sleep(0.05)
        time.sleep(0.5)  # in which one that asks all the same would be refused
        assert len(sample.requests) == 30


def test_what_is_left_is_the_least_that_was_heard_of_a_window() -> None:
    window = Window()
    with window.request():
        window.heard(answered(left=5, seconds=100))
        window.heard(answered(left=6, seconds=100))  # an older answer, overtaken
        assert window.sentence == "5 of the Hub's requests left"
        window.heard(answered(left=499, seconds=290))  # another window
        assert window.sentence == "499 of the Hub's requests left"


def test_once_a_window_is_over_one_request_asks_what_the_next_one_has(
    caplog: pytest.LogCaptureFixture,
) -> None:
    times = iter([100.0, 100.0, 100.0, *[200.0] * 9])
    window = Window(lambda: next(times))
    window.heard(answered(left=0, seconds=0))
    with window.request():
        assert window.sentence == ""
    assert caplog.messages == ["The Hub takes no more requests now: the reading goes on in 1 s."]


@pytest.mark.parametrize("said", ["", '"api";r=0;t=100000', '"api";r=few;t=9', "nonsense"])
def test_a_hub_that_names_no_window_is_asked_at_once(said: str) -> None:
    window, response = Window(), requests.Response()
    response.headers["RateLimit"] = said
    for _ in range(3):
        with window.request():
            window.heard(response)
    assert window.sentence == ""
