"""The pages of lists, papers and people, at the Hub's own addresses, from what is published.

/papers, /papers/date/D, /papers/week/W, /papers/month/M, /papers/trending, /papers/ID
/organizations/H, /authors/A, /keywords/K, /submitters/U    each also .atom .json .bib .ris .csl .md
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from urllib.parse import urlencode

from duckdb import DuckDBPyConnection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from flows import clock
from flows.issues.periods import PeriodError, first_day, last_day, parse_period, period_name
from flows.newsletter.digest import UNITS, Edition
from flows.newsletter.render import dateline
from flows.publication.cards import Card, PaperList
from flows.publication.kept_open import KeptOpen
from flows.publication.lists import (
    NOTHING_TRENDS,
    DayList,
    calendar,
    day_list,
    neighbours,
    newest_known_date,
    newest_list_date,
    period_list,
    trending_list,
)
from flows.publication.near import KeptMeanings
from flows.publication.paper_page import PaperPage, paper_card, paper_page
from flows.publication.people import PAGE_LENGTH, Kind, collected
from flows.sources.feed_day import FIRST_LIST_DATE, is_weekend, opens_at
from flows.sources.hub_item import canonical_id
from flows.web.archive import Archive
from flows.web.exports import FORMATS, Export, export
from flows.web.guard import Refusal, as_of_time, reading_published
from flows.web.pages import Pages, kept
from flows.wording import long_date

_SECONDS_KEPT = 60
_LAST_DATE = date(date.max.year, 11, 30)  # a calendar shows the whole last week of its month


@dataclass(frozen=True)
class ListPages:
    """The pages of what is published; each opens the file once, so it shows one publication."""

    pages: Pages
    published: KeptOpen
    vectors: KeptMeanings
    archive: Archive | None = None  # of the issues, whose quality pages tell every check

    def newest(self, request: Request) -> Response:
        """The newest list that has papers; its feed goes on when there is a newer one."""
        as_of = as_of_time(request)
        with reading_published(self.published) as connection:
            day = newest_known_date(connection, as_of) if as_of else newest_list_date(connection)
            if day is None:
                then = f" at {as_of:%Y-%m-%d %H:%M} UTC" if as_of else ""
                raise Refusal(404, f"No list is published yet{then}.")
            address, title = "papers", "Daily Papers, the newest list"
            format_ = _split(request.url.path)[1]
            return self._day(request, connection, day, format_, (address, title))

    def day(self, request: Request) -> Response:
        """The list of a date, now or as it was known at `?as_of=`."""
        words, format_ = _split(request.path_params["day"])
        day = _date(words)
        named = f"papers/date/{day}", f"Papers of {long_date(day)}"
        with reading_published(self.published) as connection:
            return self._day(request, connection, day, format_, named)

    def week(self, request: Request) -> Response:
        """The papers of an ISO week, each once."""
        return self._period(request, "weekly", request.path_params["week"])

    def month(self, request: Request) -> Response:
        """The papers of a month, each once."""
        return self._period(request, "monthly", request.path_params["month"])

    def trending(self, request: Request) -> Response:
        """What trends by our own rule, with the points of each part."""
        as_of = as_of_time(request)
        _, format_ = _split(request.url.path.rpartition("/")[2])
        with reading_published(self.published) as connection:
            found = trending_list(connection, as_of)
        if found is None and format_:
            nothing = Export("papers/trending", "Trending papers", (), _as_of_query(request))
            return self._answer(request, nothing, format_, "trending.html")
        if found is None:
            return self.pages.notice("Trending", NOTHING_TRENDS, 200)
        day, papers = found
        title = f"Trending papers on {long_date(day)}"
        exported = Export("papers/trending", title, papers.cards, _as_of_query(request))
        return self._answer(request, exported, format_, "trending.html", day=day, papers=papers)

    def paper(self, request: Request) -> Response:
        """One paper with all that is kept of it."""
        _now_alone(request)
        paper_id, format_ = _split(request.path_params["paper_id"])
        paper_id = canonical_id(paper_id)
        with reading_published(self.published) as connection:
            found = (
                paper_card(connection, paper_id)
                if format_
                else paper_page(connection, paper_id, self.vectors.of(connection))
            )
        if found is None:
            named = paper_id[:40]
            raise Refusal(404, f"{named} was on no list that was read; arXiv may have it.")
        if isinstance(found, Card):
            return self._answer(request, paper_export(found), format_, "")
        return kept(request, self.paper_text(found).encode(), "text/html", seconds=_SECONDS_KEPT)

    def paper_text(self, paper: PaperPage) -> str:
        """The page of a paper."""
        exported = paper_export(paper.card)
        return self.pages.text("paper.html", paper=paper, shared=exported)

    def people(self, kind: Kind) -> Callable[[Request], Response]:
        """The papers of an organization, an author, a keyword or a submitter."""

        def page(request: Request) -> Response:
            handle, format_ = _split(request.path_params["handle"])
            number = _page_number(request)
            with reading_published(self.published) as connection:
                found = collected(connection, kind, handle, number)
            if found is None:
                raise Refusal(404, f"No paper is known of “{handle[:80]}”.")
            page_count = max(1, -(-found.paper_count // PAGE_LENGTH))
            if number >= page_count:
                raise Refusal(404, f"There is no page {number}; the last one is {page_count - 1}.")
            title, query = f"Papers: {found.name}", f"p={number}" if number else ""
            exported = Export(f"{kind}/{handle}", title, found.cards, query)
            return self._answer(
                request,
                exported,
                format_,
                "people.html",
                found=found,
                page=number,
                page_count=page_count,
            )

        return page

    def _day(
        self,
        request: Request,
        connection: DuckDBPyConnection,
        day: date,
        format_: str | None,
        named: tuple[str, str],
    ) -> Response:
        as_of = as_of_time(request)
        found = day_list(connection, day, as_of)
        if found is None:
            sentence, status = _why_no_list(day, as_of, clock.utc_now())
            if format_ and status != HTTPStatus.OK:
                raise Refusal(status, sentence)
            if format_:
                return self._answer(request, Export(*named, ()), format_, "")
            return self._no_list(connection, day, sentence, status)
        month = calendar(connection, day.replace(day=1), last_day("monthly", day))
        exported = Export(*named, found.papers.cards, _as_of_query(request))
        return self._answer(
            request,
            exported,
            format_,
            "day.html",
            list=found,
            weeks=_weeks(day, month),
            checks_page=self.archive and self.archive.checks_page(day),
        )

    def _no_list(
        self, connection: DuckDBPyConnection, day: date, sentence: str, status: int
    ) -> Response:
        """Why there is nothing to show of a date: a page with one sentence, no error."""
        month = calendar(connection, day.replace(day=1), last_day("monthly", day))
        empty = DayList(day, PaperList(()), (), None, *neighbours(connection, day), None)
        return self.pages.page(
            "day.html", status, list=empty, weeks=_weeks(day, month), sentence=sentence
        )

    def _period(self, request: Request, edition: Edition, given: str) -> Response:
        as_of = as_of_time(request)
        words, format_ = _split(given)
        try:
            last = parse_period(edition, words)
        except PeriodError as error:
            raise Refusal(400, str(error)) from None
        with reading_published(self.published) as connection:
            found = period_list(connection, edition, last, as_of)
        if found is None:
            when = f"read by {as_of:%Y-%m-%d %H:%M} UTC" if as_of else "ever read"
            raise Refusal(404, f"No day of {period_name(edition, last)} was {when}.")
        exported = Export(
            f"papers/{UNITS[edition]}/{period_name(edition, last)}",
            f"Papers of {dateline(edition, last)}",
            found.papers.cards,
            _as_of_query(request),
        )
        return self._answer(
            request,
            exported,
            format_,
            "period.html",
            period=found,
            unit=UNITS[edition],
            heading=dateline(edition, last),
            previous=found.previous and period_name(edition, found.previous),
            next=found.next_ and period_name(edition, found.next_),
        )

    def _answer(
        self,
        request: Request,
        exported: Export,
        format_: str | None,
        template: str,
        **values: object,
    ) -> Response:
        """The page, or what its address asks for in another form."""
        if format_:
            content, media_type = export(exported, format_, self.pages.site)
        else:
            page = self.pages.text(template, **values, shared=exported)
            content, media_type = page.encode(), "text/html"
        return kept(request, content, media_type, seconds=_SECONDS_KEPT)

    def to_newest(self, _request: Request) -> Response:
        """`/papers/` as people type it."""
        return RedirectResponse(f"{self.pages.base}/papers", 308)


def paper_export(card: Card) -> Export:
    """A paper as it is followed or cited."""
    return Export(f"papers/{card.paper_id}", card.title, (card,))


def _split(name: str) -> tuple[str, str | None]:
    """What is asked for, and in which form: `2026-08-20.json` is the list of a date as JSON."""
    words, dot, ending = name.rpartition(".")
    return (words, ending) if dot and ending in FORMATS else (name, None)


def _date(words: str) -> date:
    try:
        day = datetime.strptime(words, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise Refusal(400, f"“{words[:40]}” is no date; write it as 2026-08-20.") from None
    if day > _LAST_DATE:
        raise Refusal(404, f"The list of {long_date(day)} is not open yet.")
    return day


def _as_of_query(request: Request) -> str:
    as_of = request.query_params.get("as_of")
    return urlencode({"as_of": as_of}) if as_of else ""


def _now_alone(request: Request) -> None:
    """Refuse `?as_of=` where only what is known now can be shown: it would pass for the past."""
    if request.query_params.get("as_of"):
        raise Refusal(400, "as_of is for lists, such as /papers/date/2026-08-20.")


def _page_number(request: Request) -> int:
    words = request.query_params.get("p", "0")
    if not (words.isascii() and words.isdecimal()) or len(words) > 6:
        raise Refusal(400, f"“{words[:40]}” is no page; pages are counted from 0.")
    return int(words)


def _why_no_list(day: date, as_of: datetime | None, now: datetime) -> tuple[str, int]:
    """One sentence, and the status that goes with it."""
    name = long_date(day)
    if as_of:
        return f"Nothing was known of {name} at {as_of:%Y-%m-%d %H:%M} UTC.", 404
    if day < FIRST_LIST_DATE:
        return f"The Hub's lists begin on {long_date(FIRST_LIST_DATE)}.", 404
    if opens_at(day) > now:
        return f"The list of {name} is not open yet.", 404
    if is_weekend(day):
        return f"There is no list of {name}: the Hub makes none on {day:%A}s.", 200
    return f"The list of {name} has not been read.", 404


def _weeks(day: date, verdicts: dict[date, str]) -> list[list[tuple[date, str | None]]]:
    """The month of a date as weeks from Monday, each date with its verdict."""
    first = first_day("weekly", day.replace(day=1))
    last = last_day("weekly", last_day("monthly", day))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    pairs = [(each, verdicts.get(each)) for each in days]
    return [pairs[n : n + 7] for n in range(0, len(pairs), 7)]
