"""What can go wrong at the Hub, on demand: each fault is a value that the sample Hub serves.

A fault acts at one of four points: what is asked, the date's list, the page cut from it, the answer
as bytes. Those that change the list are plain functions on items, for tests without a server.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from http import HTTPStatus

from flows.sources.sample.api import Page, Query, SampleResponse
from flows.sources.sample.days import Item


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, for the next `times` requests (None: all) of a page or a date.

    One that is `of_papers` is of the answers about single papers, and only changes their bytes.
    """

    ask: Callable[[Query], Query] = lambda query: query
    change: Callable[[list[Item]], list[Item]] = lambda items: items
    turn: Callable[[Page], Page] = lambda page: page
    answer: Callable[[SampleResponse], SampleResponse] = lambda answer: answer
    times: int | None = None
    page: int | None = None
    list_date: date | None = None
    of_papers: bool = False

    def meets(self, query: Query | None) -> bool:
        """Whether this request gets the fault; one about a single paper has no query."""
        if query is None or self.of_papers:
            return self.of_papers and query is None and self.times != 0
        return (
            self.times != 0
            and self.page in (None, query.page)
            and self.list_date in (None, query.list_date)
        )

    def served(self) -> "Fault":
        """The fault after it has been served once more."""
        return self if self.times is None else replace(self, times=self.times - 1)


def as_fault(fault: Fault | str) -> Fault:
    """The fault itself, or the one that a text names.

    `NAME[,times=N][,page=N][,date=YYYY-MM-DD]`, or `NAME,of=papers[,times=N]`.

    Raises ValueError for a name or a condition that there is not.
    """
    if isinstance(fault, Fault):
        return fault
    name, *conditions = fault.split(",")
    if name not in FAULTS:
        raise ValueError(f"there is no fault {name!r}; there are {', '.join(FAULTS)}")
    found = FAULTS[name]
    for condition in conditions:
        key, _, value = condition.partition("=")
        if key == "times":
            found = replace(found, times=int(value))
        elif key == "page":
            found = replace(found, page=int(value))
        elif key == "date":
            found = replace(found, list_date=date.fromisoformat(value))
        elif condition == "of=papers":
            found = replace(found, of_papers=True)
        else:
            raise ValueError(f"a fault has times=, page=, date= and of=papers, not {condition!r}")
    return found


# What is wrong with the list: functions on its items, which they leave as they are.


def with_doubled_ids(items: Sequence[Item]) -> list[Item]:
    """Every tenth paper stands in the list twice."""
    return [copy for n, item in enumerate(items) for copy in [item] * (2 if n % 10 == 0 else 1)]


def with_nulls(items: Sequence[Item]) -> list[Item]:
    """Every fourth item has null for its id, its title or its upvotes."""
    fields = ("id", "title", "upvotes")
    return [
        _with(item, **{fields[n // 4 % 3]: None}) if n % 4 == 0 else item
        for n, item in enumerate(items)
    ]


def with_one_null(items: Sequence[Item]) -> list[Item]:
    """The first item's upvotes are null, as a Hub that has not counted yet might say."""
    return [_with(item, upvotes=None) if n == 0 else item for n, item in enumerate(items)]


def without_upvotes_on_one(items: Sequence[Item]) -> list[Item]:
    """The second item has no upvotes (the first, where there is one alone)."""
    spared = min(1, len(items) - 1)
    return [_without(item, "upvotes") if n == spared else item for n, item in enumerate(items)]


def with_retyped_votes(items: Sequence[Item]) -> list[Item]:
    """All upvotes are strings."""
    return [_with(item, upvotes=str(item["paper"]["upvotes"])) for item in items]


def with_renamed_votes(items: Sequence[Item]) -> list[Item]:
    """All upvotes are called `votes`."""
    return [_with(_without(item, "upvotes"), votes=item["paper"]["upvotes"]) for item in items]


def with_zero_votes(items: Sequence[Item]) -> list[Item]:
    """All upvotes are 0."""
    return [_with(item, upvotes=0) for item in items]


def with_lost_zeros(items: Sequence[Item]) -> list[Item]:
    """Ids that went through a number: 2608.61190 is 2608.6119; at least the first one has."""
    ids = [str(item["paper"]["id"]) for item in items]
    if ids and not any(paper_id.endswith("0") for paper_id in ids):
        ids[0] = ids[0][:-1] + "0"
    return [_with(item, id=str(float(i))) for item, i in zip(items, ids, strict=True)]


def with_number_ids(items: Sequence[Item]) -> list[Item]:
    """Ids are JSON numbers."""
    return [_with(item, id=float(item["paper"]["id"])) for item in items]


def with_versioned_ids(items: Sequence[Item]) -> list[Item]:
    """Ids name the arXiv version: 2608.01190v2."""
    return [_with(item, id=f"{item['paper']['id']}v2") for item in items]


def with_fewer_rows(items: Sequence[Item]) -> list[Item]:
    """40 % of the rows are missing, those with the fewest upvotes."""
    return list(items[: -(-len(items) * 3 // 5)])


def with_new_fields(items: Sequence[Item]) -> list[Item]:
    """Two fields that nobody has seen before, one in `paper` and one beside it."""
    return [_with(item, citationCount=3) | {"readingMinutes": 12} for item in items]


def with_hostile_title(items: Sequence[Item]) -> list[Item]:
    """The first title holds a script and line breaks that would end a mail header."""
    title = "<script>alert('paper')</script> & Friends:\r\nBcc: everyone@example.org\n  Evil"
    return [
        _with(item, title=title) | {"title": title} if n == 0 else item
        for n, item in enumerate(items)
    ]


def with_javascript_link(items: Sequence[Item]) -> list[Item]:
    """The first paper's project page and code are scripts, not addresses."""
    script = "javascript:alert('project')"
    return [
        _with(item, projectPage=script, githubRepo=script) if n == 0 else item
        for n, item in enumerate(items)
    ]


def _with(item: Item, **fields: object) -> Item:
    return {**item, "paper": {**item["paper"], **fields}}


def _without(item: Item, field: str) -> Item:
    return {**item, "paper": {key: value for key, value in item["paper"].items() if key != field}}


# What is wrong with the answer.


def status(code: int) -> Fault:
    """An error of the server, with the body of an error."""
    error = HTTPStatus(code)
    body = b'{"error":"%s"}' % error.phrase.encode()
    return Fault(answer=lambda answer: replace(answer, status=error, body=body))


def too_many_requests(wait_seconds: int) -> Fault:
    """429 with the headers that say how long to wait."""

    def refuse(answer: SampleResponse) -> SampleResponse:
        headers = {
            **answer.headers,
            "RateLimit": f'"api";r=0;t={wait_seconds}',
            "Retry-After": str(wait_seconds),
        }
        return replace(status(429).answer(answer), headers=headers)

    return Fault(answer=refuse)


def _html(answer: SampleResponse) -> SampleResponse:
    return replace(
        answer,
        headers={**answer.headers, "Content-Type": "text/html; charset=utf-8"},
        body=b"<!doctype html><title>Hugging Face</title><p>We will be back in a moment.</p>",
    )


def _endless(page: Page) -> Page:
    """The page again under new ids, and always one more to come."""
    items = [
        _with(item, id=f"{str(item['paper']['id'])[:5]}{(page.number * 1009 + n) % 50_000:05}")
        for n, item in enumerate(page.items)
    ]
    return Page(items if page.number else page.items, page.number, page.number + 1)


FAULTS: Mapping[str, Fault] = {
    "408": status(408),
    "429": too_many_requests(wait_seconds=1),
    "500": status(500),
    "503": status(503),
    # a byte at a time
    "drip": Fault(answer=lambda answer: replace(answer, is_dripping=True)),
    # never answers, until the Hub is closed or a minute is over
    "hang": Fault(answer=lambda answer: replace(answer, is_hanging=True)),
    # the connection ends in the middle of the body
    "dropped": Fault(answer=lambda answer: replace(answer, sent_bytes=len(answer.body) // 2)),
    "half_json": Fault(
        answer=lambda answer: replace(answer, body=answer.body[: len(answer.body) // 2])
    ),
    "html": Fault(answer=_html),
    "object": Fault(answer=lambda answer: replace(answer, body=b'{"papers":' + answer.body + b"}")),
    "empty": Fault(change=lambda _: []),
    # half a page, and no link to the next
    "truncated": Fault(
        turn=lambda page: Page(page.items[: len(page.items) // 2], page.number, None)
    ),
    # the first page promises a second, which has nothing
    "missing_page": Fault(
        turn=lambda page: Page([], page.number, None) if page.number else page
    ),
    "ignores_date": Fault(ask=lambda query: replace(query, list_date=query.newest)),
    "ignores_page": Fault(ask=lambda query: replace(query, page=0)),
    "endless": Fault(ask=lambda query: replace(query, page=0), turn=_endless),
    # between two requests a paper comes to the top, and pushes one over the page's end
    "moving": Fault(ask=lambda query: replace(query, turned_by=query.reads)),
    "doubled_ids": Fault(change=with_doubled_ids),
    "nulls": Fault(change=with_nulls),
    "one_null": Fault(change=with_one_null),
    "one_without_upvotes": Fault(change=without_upvotes_on_one),
    "retyped_votes": Fault(change=with_retyped_votes),
    "renamed_votes": Fault(change=with_renamed_votes),
    "zero_votes": Fault(change=with_zero_votes),
    "lost_zeros": Fault(change=with_lost_zeros),
    "number_ids": Fault(change=with_number_ids),
    "versioned_ids": Fault(change=with_versioned_ids),
    "fewer_rows": Fault(change=with_fewer_rows),
    "new_fields": Fault(change=with_new_fields),
    "hostile_title": Fault(change=with_hostile_title),
    "javascript_link": Fault(change=with_javascript_link),
}  # fmt: skip
