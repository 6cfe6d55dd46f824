"""The search page: words and filters in its address, hits marked, twenty to a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from flows.publication.cards import Card, cards
from flows.publication.kept_open import KeptOpen
from flows.publication.near import KeptMeanings
from flows.search.find import (
    FILTERS,
    Question,
    QuestionError,
    corrections,
    is_by_meaning,
    rank,
)
from flows.search.hits import Ranked, shown
from flows.search.meaning import SentenceModel
from flows.web.exports import Export, export
from flows.web.guard import Refusal, reading_published
from flows.web.pages import Pages, kept

PAGE_LENGTH = 20
MOST_HITS = 200
_MOST_SORTED = 2_000  # of which the newest, or those with most votes, are shown
_YES, _NO = ("yes", "true", "1"), ("no", "false", "0")
SORTS = {"best": "best first", "newest": "newest first", "votes": "most votes first"}
_FIELDS = ("q", *FILTERS, "sort")


@dataclass(frozen=True)
class SearchPage:
    """Search over all lists, in the browser."""

    pages: Pages
    published: KeptOpen
    model: SentenceModel | None
    vectors: KeptMeanings

    def show(self, request: Request) -> Response:
        """What a question finds, or how to ask one."""
        asked = _asked(request)
        if not asked["q"]:
            then = "Say what to look for; the filters then leave some of it."
            problem = then if _is_filtered(asked) else ""
            return self._page(request, asked, problem=problem)
        question = _question(request.query_params, asked["sort"] or "best")
        number = _number(request.query_params.get("p", "0"), "p")
        try:
            with reading_published(self.published) as connection:
                found = rank(connection, question, self.model, self.vectors)
                papers = _sorted(found.papers, asked["sort"] or "best")
                page = papers[number * PAGE_LENGTH : (number + 1) * PAGE_LENGTH]
                hits = shown(connection, found, page)
                meant = corrections(connection, question)
                alone = not is_by_meaning(connection, self.model)
        except QuestionError as error:
            return self._page(request, asked, problem=str(error))
        if number and not page:
            raise Refusal(404, f"There is no page {number} of these papers.")
        return self._page(
            request,
            asked,
            hits=hits,
            count=len(papers),
            page=number,
            meant=meant,
            by_words_alone=alone,
        )

    def export(self, request: Request) -> Response:
        """The papers that a question finds as a feed, the newest first, or as citations."""
        asked, format_ = _asked(request), request.path_params["format"]
        sort = asked["sort"] or ("newest" if format_ in _FEEDS else "best")
        question = _question(request.query_params, sort)
        try:
            with reading_published(self.published) as connection:
                ranked = rank(connection, question, self.model, self.vectors)
                ids = [paper.paper_id for paper in _sorted(ranked.papers, sort)]
                found = cards(connection, _RANKED, {"ids": ids})
        except QuestionError as error:
            raise Refusal(400, str(error)) from None
        content, media_type = export(_shared(asked, found), format_, self.pages.site)
        return kept(request, content, media_type, seconds=60)

    def _page(self, request: Request, asked: dict[str, str], **found: object) -> Response:
        given = {name: value for name, value in asked.items() if value}

        def address(**changes: str | int | None) -> str:
            query = {k: v for k, v in (given | changes).items() if v not in {None, ""}}
            return f"{self.pages.base}/papers/search?{urlencode(query)}"

        usual = {
            "by_words_alone": False,
            "hits": (),
            "count": 0,
            "page": 0,
            "meant": (),
            "problem": "",
        }
        text = self.pages.text(
            "search.html",
            asked=asked,
            is_filtered=_is_filtered(asked),
            sorts=SORTS,
            here=address,
            page_length=PAGE_LENGTH,
            shared=_shared(asked, ()) if asked["q"] else None,
            **(usual | found),
        )
        return kept(request, text.encode(), "text/html", seconds=60)


def _asked(request: Request) -> dict[str, str]:
    return {name: request.query_params.get(name, "").strip() for name in _FIELDS}


def _is_filtered(asked: Mapping[str, str]) -> bool:
    return any(asked[name] for name in FILTERS)


def _shared(asked: Mapping[str, str], found: tuple[Card, ...]) -> Export:
    given = {name: value for name, value in asked.items() if value}
    return Export("papers/search", f"Papers about {asked['q']}", found, urlencode(given))


_FEEDS = ("atom", "json")
_RANKED = "select unnest($ids) as paper_id, generate_subscripts($ids, 1) as rank"


def _question(query: QueryParams, sort: str) -> Question:
    """The question of an address, for as many papers as this order needs.

    Raises Refusal where a part of it cannot be read.
    """
    code = query.get("has_code", "")
    if code not in {"", *_YES, *_NO}:
        raise Refusal(400, "has_code is yes or no.")
    return Question(
        query.get("q", ""),
        _day(query.get("since", ""), "since"),
        _day(query.get("until", ""), "until"),
        query.get("organization", "").strip() or None,
        query.get("keyword", "").strip() or None,
        code in _YES if code else None,
        _number(query.get("upvotes_min", ""), "upvotes_min") or None,
        most=MOST_HITS if sort == "best" else _MOST_SORTED,
    )


def _sorted(papers: Sequence[Ranked], sort: str) -> Sequence[Ranked]:
    """The first MOST_HITS in this order. Raises Refusal where there is no such order."""
    if sort not in SORTS:
        raise Refusal(400, f"sort is one of {', '.join(SORTS)}.")
    if sort == "newest":
        papers = sorted(
            papers, key=lambda each: (-each.last_listed_on.toordinal(), each.search_rank)
        )
    if sort == "votes":
        papers = sorted(papers, key=lambda each: each.upvotes_count, reverse=True)
    return papers[:MOST_HITS]


def _day(words: str, name: str) -> date | None:
    if not words.strip():
        return None
    try:
        return datetime.strptime(words.strip(), "%Y-%m-%d").date()  # noqa: DTZ007  a date alone
    except ValueError:
        raise Refusal(400, f"{name} is no date; write it as 2026-08-20.") from None


def _number(words: str, name: str) -> int:
    if not words.strip():
        return 0
    if not (words.isascii() and words.strip().isdecimal()) or len(words) > 9:
        raise Refusal(400, f"{name} is no number.")
    return int(words)
