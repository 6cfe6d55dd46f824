import gzip
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.sources.hub_item import canonical_id, read_item


def item(**changes: Any) -> dict[str, Any]:
    paper = {
        "id": "2608.01190",
        "authors": [{"name": "A. Author", "hidden": False}],
        "publishedAt": "2026-08-19T00:00:00.000Z",
        "submittedOnDailyAt": "2026-08-20T00:00:00.000Z",
        "title": "A title\n  in two lines",
        "summary": "An abstract.",
        "upvotes": 0,
    }
    whole: dict[str, Any] = {"paper": paper, "title": "A title", "numComments": 3}
    for path, value in changes.items():
        at = whole if "__" not in path else paper
        key = path.removeprefix("paper__")
        at.pop(key, None) if value is ... else at.update({key: value})
    return whole


def test_an_item_is_read_with_its_keys_and_kept_verbatim() -> None:
    read = read_item(4, item())
    assert (read.paper_id, read.upvotes_count, read.comments_count) == ("2608.01190", 0, 3)
    assert read.listed_on == date(2026, 8, 20)
    assert read.published_at == datetime(2026, 8, 19, tzinfo=UTC)
    assert json.loads(read.item) == item()
    assert (read.position, read.contract_error, read.new_fields) == (4, None, ())


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (item(paper__upvotes=...), "item 7 (2608.01190): paper.upvotes is missing"),
        (item(paper__upvotes=None), "item 7 (2608.01190): paper.upvotes: "),
        (item(paper__upvotes="63"), "item 7 (2608.01190): paper.upvotes: "),
        (item(paper__upvotes=True), "item 7 (2608.01190): paper.upvotes: "),
        (item(paper__upvotes=2**70), "item 7 (2608.01190): paper.upvotes: "),
        (item(paper__upvotes=2**63 - 1), "item 7 (2608.01190): paper.upvotes: "),
        (item(numComments=10**12), "item 7 (2608.01190): numComments: "),
        (item(paper__githubStars=-1), "item 7 (2608.01190): paper.githubStars: "),
        (item(paper__githubStars=2**62), "item 7 (2608.01190): paper.githubStars: "),
        (
            item(paper__submittedOnDailyAt="0001-01-01T00:00:00+14:00"),
            "item 7 (2608.01190): paper.submittedOnDailyAt: ",
        ),
        (
            item(paper__publishedAt="9999-12-31T23:59:59-12:00"),
            "item 7 (2608.01190): paper.publishedAt: ",
        ),
        (
            item(paper__withdrawnAt="0001-01-01T00:00:00Z"),
            "item 7 (2608.01190): paper.withdrawnAt: ",
        ),
        (item(paper__withdrawnAt=1781000000), "item 7 (2608.01190): paper.withdrawnAt: "),
        (item(paper__publishedAt="1781000000"), "item 7 (2608.01190): paper.publishedAt: "),
        (item(numComments=...), "item 7 (2608.01190): numComments is missing"),
        (item(paper__id=2608.0119), "item 7: paper.id: "),
        (item(paper__title=None), "item 7 (2608.01190): paper.title: "),
        (item(paper__publishedAt="soon"), "item 7 (2608.01190): paper.publishedAt: "),
        (item(paper__title="half \ud800"), "item 7 (2608.01190): it holds a NUL or half"),
        (item(paper__title="nul \0"), "item 7 (2608.01190): it holds a NUL or half"),
        ({}, "item 7: paper is missing"),
        ("text", "item 7: is not an object"),
        (None, "item 7: is not an object"),
    ],
)
def test_a_broken_item_names_the_field_and_the_item(broken: object, complaint: str) -> None:
    read = read_item(6, broken)
    assert read.contract_error is not None
    assert read.contract_error.startswith(complaint)
    assert read.upvotes_count is None
    assert read.item.encode()
    assert json.loads(read.item) is not ...


def test_a_field_never_seen_before_is_named_wherever_it_is() -> None:
    new = item(mood="good", paper__score=1, paper__authors=[{"name": "A", "orcid": "1"}])
    assert read_item(0, new).new_fields == ("mood", "paper.authors[].orcid", "paper.score")


@pytest.mark.parametrize("given", ["2503.02130v2", "2503.02130", " 2503.02130v12 "])
def test_versions_are_one_paper_and_zeros_stay(given: str) -> None:
    assert canonical_id(given) == "2503.02130"


def test_every_recorded_item_keeps_the_contract_and_has_no_unknown_field(corpus: Path) -> None:
    read = [
        (path.parent.name, read_item(position, raw))
        for path in corpus.glob("*/*.json.gz")
        for position, raw in enumerate(json.loads(gzip.decompress(path.read_bytes())))
    ]
    assert len(read) == 2431
    assert [i.contract_error for _, i in read if i.contract_error] == []
    assert {field for _, i in read for field in i.new_fields} == set()
    assert {
        (day, str(i.listed_on)) for day, i in read if i.listed_on and str(i.listed_on) != day
    } == set()
