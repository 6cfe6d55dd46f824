"""The Hub's own API, answered from kept readings: whoever reads the Hub can read us.

/api/daily_papers?date=&week=&month=&submitter=&sort=&p=&limit=&as_of=
/api/papers/ID   /api/papers/search?q=&limit=
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode

from duckdb import DuckDBPyConnection
from starlette.requests import Request
from starlette.responses import Response

from flows import clock
from flows.issues.periods import PeriodError, parse_period, period_name
from flows.newsletter.digest import Edition
from flows.publication.hub_items import (
    HubItem,
    hub_day,
    hub_linked,
    hub_newest,
    hub_papers,
    hub_period,
    hub_trending,
)
from flows.publication.kept_open import KeptOpen
from flows.publication.lists import Known
from flows.publication.near import KeptMeanings
from flows.search.find import Question, QuestionError, UnreadableQuestionError, rank
from flows.search.meaning import SentenceModel
from flows.sources.feed_day import FIRST_LIST_DATE, is_weekend
from flows.sources.hub_grammar import (
    NO_PAGE,
    USUAL_LIMIT,
    BadRequestError,
    as_body,
    asked_date,
    asked_limit,
    asked_page,
    asked_sort,
    open_date,
)
from flows.sources.hub_item import canonical_id
from flows.web.guard import FOR_EVERYBODY, Refusal, as_of_time, reading_published
from flows.web.pages import kept

_MOST_FOUND = 120  # the Hub's bound of a search
_LONGEST_QUESTION = 250
_WHOLE = "all"  # the one limit that the Hub does not know: a whole day, week or month
_SECONDS_KEPT = 60
_HEADERS = FOR_EVERYBODY | {"Access-Control-Expose-Headers": "ETag, Link, Papers-Verdict"}
_JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class HubApi:
    """The answers; each opens the published file once, so it is of one publication."""

    public_url: str
    published: KeptOpen
    model: SentenceModel | None
    vectors: KeptMeanings

    def daily_papers(self, request: Request) -> Response:
        """The list of a date, week or month, of a submitter, of what trends, or what is newest."""
        asked = request.query_params
        is_one_list = asked.get("sort") == "trending" or asked.keys() & {"date", "week", "month"}
        is_whole = is_one_list and asked.get("limit") == _WHOLE
        limit = None if is_whole else asked_limit(asked.get("limit"))
        page, sort = asked_page(asked.get("p")), asked_sort(asked.get("sort"))
        as_of = as_of_time(request)
        if as_of and (sort == "trending" or "date" not in asked):
            raise BadRequestError("as_of is known of a date alone", "as_of")
        with reading_published(self.published) as connection:
            if is_one_list:
                items, known = self._list(connection, asked, sort, as_of)
                size = limit or max(len(items), 1)
                shown = items[page * size : (page + 1) * size + 1]
            else:  # the newest of all lists, which are not all looked up to show a page of them
                known, size = None, limit or USUAL_LIMIT
                shown = hub_newest(connection, page * size, size + 1, asked.get("submitter"))
        headers = _verdict(known) if known else {}
        if len(shown) > size:
            query = {name: value for name, value in asked.items() if name != "p"}
            address = f"{self.public_url.rstrip('/')}/api/daily_papers"
            headers["Link"] = f'<{address}?{urlencode({**query, "p": page + 1})}>; rel="next"'
        return _answer(request, shown[:size], headers)

    def paper(self, request: Request) -> Response:
        """One paper: the `paper` of its newest item, and what the Hub said is linked with it."""
        if "as_of" in request.query_params:
            raise BadRequestError("as_of is known of the list of a date alone", "as_of")
        paper_id = canonical_id(request.path_params["paper_id"])
        with reading_published(self.published) as connection:
            found = hub_papers(connection, [paper_id])
            linked = hub_linked(connection, paper_id)
        if not found:
            raise Refusal(404, f"{paper_id[:40]} was on no list that was read.")
        item = found[0]
        outer = {name: item[name] for name in ("numComments", "submittedBy") if name in item}
        return _answer(request, item["paper"] | outer | linked)

    def search(self, request: Request) -> Response:
        """The papers that a question finds, the best first."""
        words = request.query_params.get("q", "")
        if not words.strip():
            raise BadRequestError("Invalid input: expected string, received undefined", "q")
        if len(words) > _LONGEST_QUESTION:
            problem = f"Too big: expected string to have <={_LONGEST_QUESTION} characters"
            raise BadRequestError(problem, "q")
        most = asked_limit(request.query_params.get("limit", str(_MOST_FOUND)), _MOST_FOUND)
        with reading_published(self.published) as connection:
            try:
                found = rank(connection, Question(words, most=most), self.model, self.vectors)
            except UnreadableQuestionError as error:
                raise BadRequestError(str(error), "q") from None
            except QuestionError:
                return _answer(request, [])  # a question of stop words finds nothing, as at the Hub
            items = hub_papers(connection, [paper.paper_id for paper in found.papers])
        return _answer(request, [item | {"upvoted": False} for item in items])

    def _list(
        self,
        connection: DuckDBPyConnection,
        asked: Mapping[str, str],
        sort: str,
        as_of: datetime | None,
    ) -> tuple[Sequence[HubItem], Known | None]:
        """The items that are asked for, and what is known of their date if it is one."""
        if sort == "trending":  # whatever date is asked for, as at the Hub
            return hub_trending(connection), None
        if "date" in asked:
            day = open_date(asked_date(asked["date"]), clock.utc_now())
            items, known = _day(connection, day, as_of)
        else:
            items, known = _period(connection, asked), None
        if submitter := asked.get("submitter"):
            items = [i for i in items if i.get("submittedBy", {}).get("name") == submitter]
        return items, known


def _day(
    connection: DuckDBPyConnection, day: date, as_of: datetime | None
) -> tuple[Sequence[HubItem], Known | None]:
    """The list of a date. Raises Refusal (404) where none was read, unless there can be none."""
    if day < FIRST_LIST_DATE:
        return (), None
    found = hub_day(connection, day, as_of)
    if found and found.known.read_at:
        return found.items, found.known
    if is_weekend(day):
        return (), found.known if found else None
    if found:
        raise Refusal(404, found.known.reason, _verdict(found.known))
    when = f" at {as_of:%Y-%m-%d %H:%M} UTC" if as_of else ""
    raise Refusal(404, f"Nothing was known of the list of {day}{when}.")


def _period(connection: DuckDBPyConnection, asked: Mapping[str, str]) -> Sequence[HubItem]:
    name: str
    edition: Edition
    name, edition = ("week", "weekly") if "week" in asked else ("month", "monthly")
    try:
        last = parse_period(edition, asked[name])
    except PeriodError:
        raise BadRequestError(f"Invalid ISO {name}", name) from None
    if period_name(edition, last).endswith("W53"):  # the Hub takes none, though some years have one
        raise BadRequestError(f"Invalid ISO {name}", name)
    items = hub_period(connection, edition, last)
    if items is None:
        raise Refusal(404, f"No day of {period_name(edition, last)} was ever read.")
    return items


def _verdict(known: Known) -> dict[str, str]:
    """The header that says how far the list is known, of which reading, and why."""
    read_at = f'; read_at="{known.read_at:%FT%TZ}"' if known.read_at else ""
    words = " ".join(known.reason.split())  # a header is one line
    reason = words.encode("ascii", "replace").decode().replace('"', "'")
    return {"Papers-Verdict": f'{known.verdict}{read_at}; reason="{reason}"'}


def _answer(request: Request, answer: object, headers: Mapping[str, str] | None = None) -> Response:
    body, etag = as_body(answer)
    headers = _HEADERS | dict(headers or {})
    return kept(request, body, _JSON, seconds=_SECONDS_KEPT, headers=headers, etag=etag)


def preflight(_request: Request) -> Response:
    """What a browser asks before a page of another site may send `Authorization` or an `ETag`."""
    allowed = {
        "Access-Control-Allow-Methods": "GET, HEAD",
        "Access-Control-Allow-Headers": "Authorization, If-None-Match",
        "Access-Control-Max-Age": "86400",
    }
    return Response(status_code=204, headers=_HEADERS | allowed)


def complaint(sentence: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """What the API says where there is no answer: JSON with one sentence."""
    body, _ = as_body({"error": sentence or NO_PAGE})
    return Response(body, status, _HEADERS | dict(headers or {}), _JSON)
