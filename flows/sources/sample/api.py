"""The grammar of the Hub's daily papers API: what a request may ask and what an answer is."""

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus

from flows.sources.sample.days import Item


@dataclass(frozen=True)
class Request:
    """A request as it came in, the names of its headers in lower case."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


class BadRequestError(ValueError):
    """What the API answers with 400: what is wrong, and which parameter."""

    def __init__(self, problem: str, parameter: str) -> None:
        super().__init__(f"✖ {problem}\n  → at {parameter}")


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
    """An answer as it goes out; `sent_bytes` cuts the connection there, in the body."""

    status: HTTPStatus
    headers: Mapping[str, str]
    body: bytes
    sent_bytes: int | None = None
    is_hanging: bool = False


def json_answer(
    body: object, headers: Mapping[str, str], status: HTTPStatus = HTTPStatus.OK
) -> SampleResponse:
    """This body as the API writes it: compact, UTF-8, with a weak ETag."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return SampleResponse(
        status=status,
        headers={
            "Content-Type": "application/json; charset=utf-8",
            "ETag": f'W/"{len(text):x}-{hashlib.sha256(text).hexdigest()[:27]}"',
            **headers,
        },
        body=text,
    )


def asked_date(text: str) -> date:
    """The list date of a request; raises BadRequestError where it is not a full date."""
    with suppress(ValueError):
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text)
    raise BadRequestError("Invalid ISO date", "date")


def asked_number(text: str, parameter: str, least: int, most: int | None = None) -> int:
    """The number of a request; raises BadRequestError where it is none, or out of bounds."""
    if not re.fullmatch(r"-?\d{1,9}", text):
        raise BadRequestError("Invalid input: expected number, received NaN", parameter)
    number = int(text)
    if number < least:
        raise BadRequestError(f"Too small: expected number to be >={least}", parameter)
    if most is not None and number > most:
        raise BadRequestError(f"Too big: expected number to be <={most}", parameter)
    return number
