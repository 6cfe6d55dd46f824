"""What the Hub says of single papers: asked within limits, and judged by a contract of its own."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from flows.sources.hub import Answer
from flows.sources.linked import PaperHub, Patience
from flows.sources.linked_item import read_linked_item
from flows.sources.sample_hub import SampleHub
from flows.sources.verdict import judge_linked

NOW = datetime(2026, 8, 21, 2, 31, tzinfo=UTC)
HURRIED = Patience(read_timeout=0.2)


@pytest.fixture
def hub() -> Iterator[SampleHub]:
    with SampleHub(now=NOW) as hub:
        yield hub


@pytest.fixture
def papers(hub: SampleHub) -> list[str]:
    return [item["paper"]["id"] for item in hub.items(date(2026, 8, 6))][:8]


def read(hub: SampleHub, papers: list[str], patience: Patience | None = None) -> Answer:
    return PaperHub(hub.url, patience=patience).read(papers, lambda: NOW)


def test_every_paper_is_asked_about_once_and_its_answer_kept_whole(
    hub: SampleHub, papers: list[str]
) -> None:
    answer = read(hub, [*papers, "2608.00001"])

    assert (answer.list_date, answer.page_count, answer.trouble) == (NOW.date(), 9, None)
    assert [item["paper_id"] for item in answer.items] == [*papers, "2608.00001"]
    assert [item["status"] for item in answer.items] == [200] * 8 + [404]
    assert sum(item["answer"]["numTotalModels"] for item in answer.items[:8]) > 0
    assert len({request.path for request in hub.requests}) == 9
    items = [read_linked_item(position, raw) for position, raw in enumerate(answer.items)]
    assert [item.contract_error for item in items] == [None] * 8 + [
        "2608.00001: the Hub has no page of it (404)"
    ]
    assert {item.new_fields for item in items} == {()}


@pytest.mark.parametrize(
    ("fault", "asked", "trouble"),
    [
        ("429", 1, "it answered 429 and asks for patience"),
        ("500", 3, "3 answers in a row failed, the last because it answered 500"),
        ("html", 3, "3 answers in a row failed, the last because its answer is not JSON"),
        ("dropped", 3, "the connection broke in the middle of its answer"),
        ("hang", 3, "it did not answer in time"),
        ("500,times=2", 8, None),
        ("half_json,times=1", 8, None),
    ],
)
def test_a_hub_in_trouble_is_left_alone_soon(
    hub: SampleHub, papers: list[str], fault: str, asked: int, trouble: str | None
) -> None:
    name, *times = fault.split(",")
    hub.fail(",".join([name, "of=papers", *times]))

    answer = read(hub, papers, HURRIED if name == "hang" else None)

    assert len(hub.requests) == asked
    assert (answer.trouble or "").endswith(trouble or "")
    assert bool(answer.trouble) == bool(trouble)


def test_its_time_is_bounded_however_slowly_answers_come(hub: SampleHub, papers: list[str]) -> None:
    answer = read(hub, papers, Patience(longest=0))
    assert (answer.page_count, answer.trouble) == (1, "the 0 seconds that it may take are over")


def test_most_of_the_hubs_window_is_left_to_the_lists(papers: list[str]) -> None:
    with SampleHub(now=NOW, quota=12) as hub:
        answer = read(hub, papers, Patience(requests_left=8))
    assert (answer.page_count, answer.trouble) == (4, "its window has only 8 requests left")


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({}, None),
        ({"linkedModels": None}, None),
        ({"linkedModels": [{"id": "a/b", "likes": 3, "anything": {}}], "numTotalModels": 9}, None),
        ({"venue": "A hall"}, None),
        ({"id": "2608.00002"}, "the answer is about '2608.00002'"),
        ({"id": None}, "id: input should be a valid string"),
        ({"linkedModels": {}}, "linkedModels: input should be a valid list"),
        ({"linkedModels": ["a/b"]}, "linkedModels.0: input should be a valid dictionary"),
        ({"linkedSpaces": [{"likes": 3}]}, "linkedSpaces.0.id is missing"),
        ({"numTotalDatasets": -1}, "numTotalDatasets: input should be greater than"),
        ({"linkedModels": [{"id": "a/b", "downloads": 10**13}]}, "linkedModels.0.downloads"),
        ({"linkedModels": [{"id": "a\0b"}]}, "it holds a NUL or half a character"),
    ],
)
def test_an_answer_keeps_the_contract_or_says_where_it_does_not(
    said: dict[str, Any], error: str | None
) -> None:
    answer = {"id": "2608.00001v2", "upvotes": 3} | said
    raw = {"paper_id": "2608.00001", "status": 200, "answer": answer, "trouble": None}

    item = read_linked_item(0, raw)

    assert (item.contract_error is None) == (error is None), item.contract_error
    if error:
        assert (item.contract_error or "").startswith(f"2608.00001: {error}")
    assert item.paper_id == "2608.00001"
    assert json.loads(item.item)["status"] == 200


def test_a_field_that_no_answer_had_before_is_named() -> None:
    answer = {"id": "2608.00001", "upvotes": 3, "conference": "A hall", "linkedModels": []}
    raw = {"paper_id": "2608.00001", "status": 200, "answer": answer, "trouble": None}
    assert read_linked_item(0, raw).new_fields == ("conference",)


@pytest.mark.parametrize("body", [b"[]", b"3", b"null", b'"text"', b'{"id": NaN}', b"[" * 9999])
def test_nonsense_is_no_answer(body: bytes, papers: list[str]) -> None:
    from dataclasses import replace

    from flows.sources.sample.faults import Fault

    nonsense = Fault(answer=lambda answer: replace(answer, body=body), of_papers=True)
    with SampleHub(now=NOW, faults=[nonsense]) as hub:
        items = [read_linked_item(n, raw) for n, raw in enumerate(read(hub, papers).items)]
    assert items
    assert all(item.contract_error for item in items)


def test_the_verdict_says_how_far_it_came() -> None:
    answer = Answer(NOW.date(), NOW, items=({},) * 9, trouble="it answered 429")
    assert judge_linked(answer, 7).reason == (
        "Read what grew out of 7 of 9 papers asked about; the others are for another night, "
        "since it answered 429."
    )
    none = judge_linked(answer, 0)
    assert (none.name, none.reason) == (
        "failed",
        "The Hub told nothing of single papers: it answered 429.",
    )
