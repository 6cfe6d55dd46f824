"""A request to the sample Hub and its answer; the grammar of both is `hub_grammar`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus

from flows.sources.hub_grammar import as_body
from flows.sources.sample.days import Item


@dataclass(frozen=True)
class Request:
    """A request as it came in, the names of its headers in lower case."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Query:
    """What a request asks for, as the Hub understood it."""

    list_date: date | None  # None also where the trending list is asked for
    limit: int
    page: int
    newest: date
    reads: int  # earlier requests for this date
    turned_by: int = 0  # how many rows have moved from the list's end to its top
    is_trending: bool = False


@dataclass(frozen=True)
class Page:
    """The rows of one page, and the next page's number if there is one."""

    items: list[Item]
    number: int
    next_page: int | None


@dataclass(frozen=True)
class SampleResponse:
    """An answer as it goes out; `sent_bytes` cuts the connection there, in the body.

    One that is dripping comes byte by byte, so that no single wait for it is long.
    """

    status: HTTPStatus
    headers: Mapping[str, str]
    body: bytes
    sent_bytes: int | None = None
    is_hanging: bool = False
    is_dripping: bool = False


def json_answer(
    body: object, headers: Mapping[str, str], status: HTTPStatus = HTTPStatus.OK
) -> SampleResponse:
    """This body as the API writes it."""
    text, etag = as_body(body)
    return SampleResponse(
        status=status,
        headers={"Content-Type": "application/json; charset=utf-8", "ETag": etag, **headers},
        body=text,
    )
