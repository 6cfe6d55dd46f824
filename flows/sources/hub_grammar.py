"""The grammar of the Hub's daily papers API: what a request may ask, and what a refusal says.

Whoever answers as the Hub does speaks it: the sample Hub, and our own API.
"""

import hashlib
import json
import re
from contextlib import suppress
from datetime import date, datetime, timedelta

from flows.sources.feed_day import FEED_ZONE, FIRST_LIST_DATE, is_weekend, opens_at

LEAST_LIMIT, USUAL_LIMIT, MOST_LIMIT = 1, 50, 100
SORTS = ("publishedAt", "trending")
NO_PAGE = "Sorry, we can't find the page you are looking for."


class BadRequestError(ValueError):
    """What the API answers with 400: what is wrong, and which parameter."""

    def __init__(self, problem: str, parameter: str) -> None:
        super().__init__(f"✖ {problem}\n  → at {parameter}")


def asked_date(text: str) -> date:
    """The list date of a request; raises BadRequestError where it is not a full date."""
    with suppress(ValueError):
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    raise BadRequestError("Invalid ISO date", "date")


def open_date(list_date: date, now: datetime) -> date:
    """The date itself if its list is open at `now`; else raises BadRequestError as the API does."""
    if list_date < FIRST_LIST_DATE or opens_at(list_date) <= now:
        return list_date
    newest = f"{newest_open(now)}T00:00:00.000Z"
    raise BadRequestError(f'"date" must be less than or equal to "{newest}"', "date")


def newest_open(now: datetime) -> date:
    """The newest list date that is open at `now`: the one that the API's 400 names."""
    day = now.astimezone(FEED_ZONE).date() + timedelta(days=1)
    while opens_at(day) > now or is_weekend(day):
        day -= timedelta(days=1)
    return day


def asked_number(text: str, parameter: str, least: int, most: int | None = None) -> int:
    """The number of a request; raises BadRequestError where it is none, or out of bounds."""
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise BadRequestError("Invalid input: expected number, received NaN", parameter)
    number = int(text)
    if number < least:
        raise BadRequestError(f"Too small: expected number to be >={least}", parameter)
    if most is not None and number > most:
        raise BadRequestError(f"Too big: expected number to be <={most}", parameter)
    return number


def asked_limit(text: str | None, most: int = MOST_LIMIT) -> int:
    """How many items a page has; raises BadRequestError where the API would not serve as many."""
    return USUAL_LIMIT if text is None else asked_number(text, "limit", LEAST_LIMIT, most)


def asked_page(text: str | None) -> int:
    """Which page, from 0; raises BadRequestError where it is none."""
    return 0 if text is None else asked_number(text, "p", 0)


def asked_sort(text: str | None) -> str:
    """In which order; raises BadRequestError where the API knows none by that name."""
    if text is None or text in SORTS:
        return text or SORTS[0]
    options = "|".join(f'"{sort}"' for sort in SORTS)
    raise BadRequestError(f"Invalid option: expected one of {options}", "sort")


def as_body(answer: object) -> tuple[bytes, str]:
    """An answer as the API writes it: compact, UTF-8, with its weak ETag."""
    text = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    return text, f'W/"{len(text):x}-{hashlib.sha256(text).hexdigest()[:27]}"'
