"""What the marts should hold, by plain Python from the JSON: written from their descriptions.

readings and what came of them -> rows in the order of the mart's columns, by mart
"""

import json
import re
from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from math import floor
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from tests.support import independent_links
from tests.support.independent_links import Linked

Item = dict[str, Any]
Response = tuple[date, datetime, Sequence[Item]]
Row = tuple[Any, ...]

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Seen:
    """A paper in a reading."""

    list_date: date
    read_at: datetime
    rank: int
    item: Item

    @property
    def paper(self) -> Item:
        """The part of the item that is about the paper."""
        paper: Item = self.item["paper"]
        return paper

    @property
    def paper_id(self) -> str:
        """Its id."""
        return str(self.paper["id"])

    @property
    def votes(self) -> int:
        """Its votes then."""
        return int(self.paper["upvotes"])

    @property
    def comments(self) -> int:
        """Its comments then."""
        return int(self.item["numComments"])

    @property
    def stars(self) -> int | None:
        """The stars of its code then."""
        return self.paper.get("githubStars")

    @property
    def has_code(self) -> bool:
        """Whether a repository was known then."""
        return bool(self.paper.get("githubRepo"))

    @property
    def submitter(self) -> str | None:
        """Who had put it on the list."""
        by = self.paper.get("submittedOnDailyBy") or {}
        return (self.item.get("submittedBy") or {}).get("name") or by.get("user")

    @property
    def organization(self) -> str | None:
        """Whom it was submitted for."""
        for place in (self.paper, self.item):
            found = place.get("organization") or {}
            if _line(found.get("fullname") or found.get("name")):
                return _line(found.get("fullname") or found.get("name"))
        found = self.item.get("submitterOrganization") or {}
        return _line(found.get("fullname") or found.get("name"))

    def organization_of(self, field: str) -> str | None:
        """A field of whom it was submitted for."""
        places = (self.paper.get("organization"), self.item.get("organization"))
        for place in (*places, self.item.get("submitterOrganization")):
            if place and _line(place.get(field)):
                return _line(place.get(field))
        return None

    @property
    def media_urls(self) -> tuple[str, ...]:
        """What was uploaded with it: the Hub has three places for that."""
        one = self.item.get("mediaUrl")
        several = self.paper.get("mediaUrls") or self.item.get("mediaUrls") or (one and [one])
        return tuple(several or ())

    @property
    def told(self) -> dict[str, str | None]:
        """The fields whose changes are news."""
        withdrawn, code = self.paper.get("withdrawnAt"), self.paper.get("githubRepo")
        project = self.paper.get("projectPage") or ""
        return {
            "title": _line(self.paper["title"]),
            "abstract": _line(self.paper["summary"]),
            "organization_name": self.organization,
            # the repository itself, without the branch or the page that people paste
            "github_url": code and "/".join(code.split("/")[:5]).removesuffix(".git"),
            "project_url": project if project.startswith(("https://", "http://")) else None,
            "withdrawn_at": withdrawn and f"{withdrawn[:19]}Z",
        }

    @property
    def authors(self) -> list[tuple[str | None, str | None, bool]]:
        """Name, Hub user and whether hidden, in order."""
        return [
            (
                _line(author["name"]),
                (author.get("user") or {}).get("user"),
                bool(author.get("hidden")),
            )
            for author in self.paper["authors"]
            if _line(author["name"])
        ]

    @property
    def reading_id(self) -> str:
        """The key of its reading."""
        return f"{self.list_date}.{self.read_at:%Y%m%dT%H%M%S%f}"[:-3] + "Z"


@dataclass(frozen=True)
class Barred:
    """A reading that no list may come from: it failed, or a gate refused it."""

    list_date: date
    read_at: datetime
    verdict: str
    items: Sequence[Item] = ()
    refused_because: str | None = None


@dataclass(frozen=True)
class Trending:
    """The Hub's own order as it gave it."""

    read_at: datetime
    items: Sequence[Item]
    reading_id: str


class History:
    """A history of readings and the marts of it: the responses were admitted, the others not."""

    def __init__(
        self,
        responses: Iterable[Response],
        barred: Sequence[Barred] = (),
        trending: Sequence[Trending] = (),
        linked: Sequence[Linked] = (),
    ) -> None:
        self.responses = sorted(responses, key=lambda response: (response[1], response[0]))
        self.newest = {day: read_at for day, read_at, _ in self.responses}
        self.barred, self.trending, self.linked = barred, trending, linked

    @cached_property
    def seen(self) -> list[Seen]:
        """Every paper of every reading, the oldest reading first, of equal ones the older list."""
        found = []
        for day, read_at, items in self.responses:
            distinct = {item["paper"]["id"]: item for item in reversed(items)}
            ordered = list(reversed(distinct.values()))
            found += [Seen(day, read_at, rank, item) for rank, item in enumerate(ordered, 1)]
        return found

    @cached_property
    def by_paper(self) -> dict[str, list[Seen]]:
        """The readings of a paper, of whichever list."""
        return _grouped((one.paper_id, one) for one in self.seen)

    @cached_property
    def by_listing(self) -> dict[tuple[date, str], list[Seen]]:
        """The readings of a paper on a list."""
        return _grouped(((one.list_date, one.paper_id), one) for one in self.seen)

    def is_removed(self, one: Seen) -> bool:
        """Whether the newest reading of its list lacks the paper that was last seen here."""
        return one.read_at != self.newest[one.list_date]

    @cached_property
    def listed(self) -> list[Seen]:
        """Each listing as it was last seen, without those that were removed."""
        return [last[-1] for last in self.by_listing.values() if not self.is_removed(last[-1])]

    def papers(self) -> list[Row]:
        """marts.papers, the columns in the order of test_independent.COLUMNS."""
        return [
            (
                *(paper_id, last.told["title"], last.told["abstract"]),
                _line(last.paper.get("ai_summary")),
                *(last.organization, tuple(name for name, _, hidden in last.authors if not hidden)),
                *(len(last.authors), last.votes, last.comments),
                tuple(
                    word for text in last.paper.get("ai_keywords") or [] if (word := _line(text))
                ),
                *(last.submitter, date.fromisoformat(last.paper["publishedAt"][:10])),
                *(*self._span([last]), tuple(self._days(paper_id)), min(self._days(paper_id))),
                *(last.stars, last.told["withdrawn_at"]),
                *(last.told["github_url"], last.told["project_url"]),
                *(last.reading_id, last.list_date),
                *(last.paper.get("discussionId"), last.item.get("thumbnail"), last.media_urls),
                *(readings[0].read_at, last.read_at),
                *(last.organization_of("_id") or last.organization_of("name"),),
                *(last.organization_of("name"), last.paper.get("githubRepoAddedBy")),
                last.item.get("isAuthorParticipating"),
            )
            for paper_id, readings in self.by_paper.items()
            for last in readings[-1:]
        ]

    def paper_readings(self) -> list[Row]:
        """marts.paper_readings."""
        return [
            (
                one.list_date,
                one.paper_id,
                one.read_at,
                one.reading_id,
                one.rank,
                one.votes,
                one.comments,
                one.stars,
                (one.item.get("submittedBy") or {}).get("followerCount"),
                one.item.get("isAuthorParticipating"),
            )
            for one in self.seen
        ]

    def listings(self) -> list[Row]:
        """marts.listings."""
        rows = []
        for (day, paper_id), readings in self.by_listing.items():
            first, last = readings[0], readings[-1]
            removed = self.is_removed(last)
            rows.append(
                (
                    day,
                    paper_id,
                    last.submitter,
                    None if removed else last.rank,
                    last.votes,
                    last.votes - first.votes,
                    *(_votes_after(readings, hours) for hours in (24, 72, 168)),
                    last.comments,
                    last.stars,
                    (last.item.get("submittedBy") or {}).get("followerCount"),
                    removed,
                    last.item.get("isAuthorParticipating"),
                    last.has_code,
                    last.has_code and not first.has_code,
                    first.read_at,
                    last.read_at,
                )
            )
        return rows

    def paper_authors(self) -> list[Row]:
        """marts.paper_authors."""
        return [
            (paper_id, position, readings[-1].reading_id, *author, readings[-1].list_date)
            for paper_id, readings in self.by_paper.items()
            for position, author in enumerate(readings[-1].authors, 1)
        ]

    def list_readings(self) -> list[Row]:
        """marts.list_readings."""
        admitted = [
            (day, read_at, *self._verdict(items), len(items), True, True)
            for day, read_at, items in self.responses
        ]
        barred = [
            (
                one.list_date,
                one.read_at,
                "failed" if one.refused_because else one.verdict,
                one.refused_because or f"It is {one.verdict}.",
                len(one.items),
                bool(one.refused_because),
                False,
            )
            for one in self.barred
        ]
        return admitted + barred

    def daily_digests(self) -> list[Row]:
        """marts.daily_digests."""
        listed = _grouped((one.list_date, one) for one in self.listed)
        ever = Counter(day for day, _ in self.by_listing)
        last = {day: self._verdict(items) for day, _, items in self.responses}
        readings = sorted(self.list_readings(), key=lambda row: row[1])
        newest_at_all = {row[0]: (row[2], row[3]) for row in readings}
        refused = {one.list_date: one.refused_because for one in self.barred if one.refused_because}
        judged = {day: ("failed", reason) for day, reason in refused.items()}
        return [
            (
                day,
                *last.get(day, judged.get(day, newest_at_all[day])),
                len(listed[day]),
                ever[day],
                sum(one.votes for one in listed[day]),
                sum(one.has_code for one in listed[day]),
                self.newest.get(day),
            )
            for day in newest_at_all
        ]

    @staticmethod
    def _verdict(items: Sequence[Item]) -> tuple[str, str]:
        verdict = "complete" if items else "empty"
        return verdict, f"It is {verdict}."

    def daily_digest_papers(self) -> list[Row]:
        """marts.daily_digest_papers."""
        rows = []
        listed = _grouped((one.list_date, one) for one in self.listed)
        for day, ones in listed.items():
            ones.sort(key=lambda one: (-one.votes, -one.comments, one.rank))
            for place, one in enumerate(ones, 1):
                first = min(other.list_date for other in self.by_paper[one.paper_id])
                gained = one.votes - self.by_listing[day, one.paper_id][0].votes
                score = _round(one.votes + min(one.comments, 999) / 1000, 3)
                rows.append(
                    (
                        day,
                        place,
                        one.paper_id,
                        "top" if place <= 10 else "also",
                        self._why_here(one, gained),
                        score,
                        one.rank,
                        one.votes,
                        gained,
                        one.comments,
                        one.stars,
                        day > first,
                        first,
                    )
                )
        return rows

    def _why_here(self, one: Seen, gained: int) -> str | None:
        first = self.by_listing[one.list_date, one.paper_id][0]
        on = "" if first.read_at.date() == one.list_date else _day(first.read_at.date()) + " "
        since = f"since {on}{first.read_at:%H:%M} UTC"
        if earlier := self._also_listed(one.paper_id, one.list_date, one.list_date):
            return earlier
        if one.has_code and not first.has_code:
            return f"code added {since}"
        return f"+{gained:,} votes {since}" if gained >= 10 else None

    def _also_listed(self, paper_id: str, before: date, shown_on: date) -> str | None:
        """What is said of a paper that a list before this day brought."""
        brought = {one.list_date for one in self.by_paper[paper_id] if one.list_date < before}
        if not brought:
            return None
        day = max(brought)
        noon_after = datetime.combine(day, time(12), UTC) + DAY
        seen = [one for one in self.by_listing[day, paper_id] if one.read_at < noon_after]
        year = "" if day.year == shown_on.year else f" {day.year}"
        noun = "vote" if seen and seen[-1].votes == 1 else "votes"
        then = f", then with {seen[-1].votes:,} {noun}" if seen else ""
        return f"also listed on {_day(day)}{year}{then}"

    def paper_momentum(self) -> list[Row]:
        """marts.paper_momentum."""
        rows = []
        for paper_id, seen in self.by_paper.items():
            readings = list({one.read_at: one for one in seen}.values())
            first_day = min(one.list_date for one in seen)
            day_end = _closed(first_day)
            closing = [one for one in readings if day_end <= one.read_at <= day_end + DAY]
            for number, one in enumerate(readings):
                gained = hours = pace = after = share = None
                if number:
                    gained = one.votes - readings[number - 1].votes
                    exact = (one.read_at - readings[number - 1].read_at) / HOUR
                    hours, pace = _round(exact, 3), _round(gained / exact, 3)
                windows = []
                for length in (1, 3, 7):
                    base = [
                        other.votes
                        for other in readings
                        if length * DAY <= one.read_at - other.read_at <= 2 * length * DAY
                    ]
                    windows.append(one.votes - base[-1] if base else None)
                if closing and closing[0].read_at <= one.read_at:
                    after = one.votes - closing[0].votes
                    share = 0.0 if after < 0 else _ratio(after, one.votes)
                rows.append(
                    (
                        paper_id,
                        one.read_at,
                        one.list_date,
                        one.reading_id,
                        one.votes,
                        gained,
                        hours,
                        pace,
                        *windows,
                        after,
                        share,
                    )
                )
        return rows

    def paper_changes(self) -> list[Row]:
        """marts.paper_changes."""
        return [
            (
                paper_id,
                field,
                now.reading_id,
                was.told[field],
                now.told[field],
                now.list_date,
                was.list_date,
                now.read_at,
                was.read_at,
            )
            for paper_id, readings in self.by_paper.items()
            for was, now in pairwise(readings)
            for field in now.told
            if was.told[field] != now.told[field]
        ]

    def weekly_digest_papers(self) -> list[Row]:
        """marts.weekly_digest_papers."""
        return self._period_papers(_sunday)

    def monthly_digest_papers(self) -> list[Row]:
        """marts.monthly_digest_papers."""
        return self._period_papers(_last_of_month)

    def weekly_digests(self) -> list[Row]:
        """marts.weekly_digests."""
        return self._periods(_sunday, self.weekly_digest_papers(), "%G-W%V")

    def monthly_digests(self) -> list[Row]:
        """marts.monthly_digests."""
        return self._periods(_last_of_month, self.monthly_digest_papers(), "%Y-%m")

    def _period_papers(self, ends_on: Callable[[date], date]) -> list[Row]:
        ranks = {(row[0], row[2]): row[1] for row in self.daily_digest_papers()}
        brought: dict[str, list[date]] = _grouped(
            (one.paper_id, ends_on(one.list_date)) for one in self.listed
        )
        rows = []
        for end, listed in _grouped((ends_on(one.list_date), one) for one in self.listed).items():
            papers: list[tuple[Any, ...]] = []
            for paper_id, ones in _grouped((one.paper_id, one) for one in listed).items():
                last = max(ones, key=lambda one: (one.read_at, one.list_date))
                days = tuple(sorted(one.list_date for one in ones))
                best = min(ranks[day, paper_id] for day in days)
                papers.append((-last.votes, -last.comments, days[0], best, paper_id, days, last))
            papers.sort(key=lambda paper: paper[:5])
            first = min(end - n * DAY for n in range(31) if ends_on(end - n * DAY) == end)
            rows += [
                (
                    end,
                    place,
                    paper_id,
                    "top" if place <= 10 else "also",
                    self._also_listed(paper_id, first, end)
                    or (f"listed on {len(days)} days" if len(days) > 1 else None),
                    days,
                    last.votes,
                    last.comments,
                    last.stars,
                    min(brought[paper_id]) < end,
                )
                for place, (*_, paper_id, days, last) in enumerate(papers, 1)
            ]
        return rows

    def _periods(
        self, ends_on: Callable[[date], date], papers: Sequence[Row], written: str
    ) -> list[Row]:
        known = {row[0]: row for row in self.daily_digests()}
        rows = []
        for end in {ends_on(day) for day in known}:
            first = min(end - n * DAY for n in range(31) if ends_on(end - n * DAY) == end)
            days = [first + n * DAY for n in range((end - first).days + 1)]
            verdicts = {day: known[day][1] if day in known else "not read" for day in days}
            counts = {day: known[day][3] for day in days if day in known}
            not_final = [
                f"{day:%a} {day.day} {day:%b} ({verdict.replace('_', ' ')})"
                for day, verdict in verdicts.items()
                if verdict not in {"complete", "empty"} and (day.weekday() < 5 or counts.get(day))
            ]
            votes = [row[6] for row in papers if row[0] == end]
            verdict, reason = "complete", "Every weekday of it has its final verdict."
            if not_final:
                more = f" and {len(not_final) - 3} more" if len(not_final) > 3 else ""
                verdict, reason = "partial", f"Not final yet: {', '.join(not_final[:3])}{more}."
            elif not votes:
                verdict, reason = "empty", "None of its days listed a paper."
            rows.append(
                (
                    end,
                    f"{end:{written}}",
                    verdict,
                    reason,
                    sum(bool(count) for count in counts.values()),
                    len(not_final),
                    len(votes),
                    sum(votes),
                    first,
                    max((self.newest[day] for day in days if day in self.newest), default=None),
                )
            )
        return rows

    def trending_papers(self) -> list[Row]:
        """marts.trending_papers."""
        days = {
            read_at.date()
            for day, read_at, _ in self.responses
            if day <= read_at.date() < day + 14 * DAY
        }
        return [row for day in days for row in self._trending(day)]

    def hub_trending_papers(self) -> list[Row]:
        """marts.hub_trending_papers."""
        ours = {(row[0], row[2]): row[1] for row in self.trending_papers()}
        return [
            (
                one.read_at,
                place,
                item["paper"]["id"],
                one.reading_id,
                ours.get((one.read_at.date(), item["paper"]["id"])),
                item["paper"]["upvotes"],
                None if item["paper"].get("submittedOnDailyAt") else self._text(item),
                one.read_at.date(),
            )
            for one in self.trending
            for place, item in enumerate(one.items, 1)
        ]

    @staticmethod
    def _text(item: Item) -> str:
        return json.dumps(item, ensure_ascii=False, separators=(",", ":"))

    def paper_links(self) -> list[Row]:
        """marts.paper_links."""
        return independent_links.paper_links(self.linked)

    def linked_repositories(self) -> list[Row]:
        """marts.linked_repositories."""
        return independent_links.linked_repositories(self.linked)

    def _trending(self, as_of: date) -> list[Row]:
        lists = {as_of - n * DAY for n in range(14)}
        known = [one for one in self.seen if one.list_date in lists and one.read_at.date() <= as_of]
        newest = {
            day: read_at
            for day, read_at, _ in self.responses
            if day in lists and read_at.date() <= as_of
        }
        rows = []
        for paper_id, listed in _grouped((one.paper_id, one) for one in known).items():
            if not any(one.read_at == newest[one.list_date] for one in listed):
                continue
            # of two lists that were read at the same moment the newer one counts
            ones = list({one.read_at: one for one in listed}.values())
            before = [one for one in ones if one.read_at.date() <= as_of - 3 * DAY]
            base = (before or ones[:1])[-1]
            dates = [one.list_date for one in listed]
            votes, comments = ones[-1].votes, ones[-1].comments
            if min(dates) <= as_of - 3 * DAY:
                votes = max(votes - base.votes, 0)
                comments = max(comments - base.comments, 0)
            counted = [one for one in ones if one.stars is not None]
            earlier = [one for one in counted if one in before] or counted[:1]
            gained = [(one.stars or 0) for one in counted[-1:]] + [0]
            stars = max(gained[0] - sum((one.stars or 0) for one in earlier[-1:]), 0)
            age = (as_of - max(dates)).days
            parts = (float(votes), 2.0 * comments, min(stars / 10, 10.0))
            score = _round(sum(parts) * ((14 - age) / 14), 3)
            if score <= 0:
                continue
            phrases = (
                f"+{votes:,} vote{_s(votes)}",
                f"+{comments:,} comment{_s(comments)}",
                f"+{stars:,} star{_s(stars)} on its code",
            )
            why = phrases[parts.index(max(parts))]
            if age >= 3 or min(dates) < max(dates):
                why += " in 3 days"
            else:
                why += " on its first day" if age == 0 else " since it was listed"
            rows.append(
                (
                    paper_id,
                    why,
                    score,
                    *parts,
                    (14 - age) / 14,
                    votes,
                    comments,
                    stars,
                    ones[-1].votes,
                    max(dates),
                )
            )
        rows.sort(key=lambda row: row[0])
        rows.sort(key=lambda row: (row[2], row[10], row[11]), reverse=True)
        return [(as_of, place, *row) for place, row in enumerate(rows[:100], 1)]

    def keyword_weeks(self) -> list[Row]:
        """marts.keyword_weeks."""
        weeks: dict[date, dict[str, Seen]] = defaultdict(dict)
        for one in sorted(self.listed, key=lambda one: one.list_date):
            weeks[one.list_date - one.list_date.weekday() * DAY][one.paper_id] = one
        votes: dict[date, dict[str, list[int]]] = {}
        totals = {}
        for week, papers in weeks.items():
            words = [
                (
                    {word for text in one.paper.get("ai_keywords") or [] if (word := _word(text))},
                    one,
                )
                for one in papers.values()
            ]
            totals[week] = sum(bool(found) for found, _ in words)
            votes[week] = _grouped((word, one.votes) for found, one in words for word in found)
        rows = []
        for week, found in votes.items():
            before = [week - n * 7 * DAY for n in range(1, 5)]
            total, then = totals[week], sum(totals.get(day, 0) for day in before)
            for word, counted in found.items():
                count = len(counted)
                earlier = sum(len(votes.get(day, {}).get(word, ())) for day in before)
                rows.append(
                    (
                        week,
                        word,
                        f"{week:%G-W%V}",
                        _trend(count, total, earlier, then),
                        count,
                        sum(counted),
                        _ratio(count, total),
                        earlier,
                        _ratio(earlier, then),
                    )
                )
        return rows

    def curation_days(self) -> list[Row]:
        """marts.curation_days."""
        rows = []
        for day, ones in _grouped((one.list_date, one) for one in self.listed).items():
            by = Counter(one.submitter for one in ones if one.submitter)
            own = sum(
                one.submitter.lower() in {(user or "").lower() for _, user, _ in one.authors}
                for one in ones
                if one.submitter
            )
            lags = [(day - date.fromisoformat(one.paper["publishedAt"][:10])).days for one in ones]
            votes = sorted((one.votes for one in ones), reverse=True)
            comments = sum(one.comments for one in ones)
            code = sum(one.has_code for one in ones)
            rows.append(
                (
                    day,
                    len(ones),
                    len(by),
                    _ratio(max(by.values(), default=0), by.total()),
                    own,
                    _ratio(own, by.total()),
                    median(lags),
                    max(lags),
                    sum(votes),
                    _ratio(sum(votes[:3]), sum(votes)),
                    comments,
                    _ratio(comments, sum(votes)),
                    code,
                    _ratio(code, len(ones)),
                )
            )
        return rows

    def organizations(self) -> list[Row]:
        """marts.organizations."""
        papers = [ones[-1] for ones in self.by_paper.values() if ones[-1].organization]
        rows = []
        named = ((one.organization_of("_id") or one.organization_of("name"), one) for one in papers)
        for key, ones in _grouped(named).items():
            last = max(ones, key=lambda one: (one.read_at, one.paper_id))
            code = sum(one.has_code for one in ones)
            by = {one.submitter for one in ones} - {None}
            total, mean, most, top = _votes(ones)
            rows.append(
                (
                    *(key, last.organization_of("name")),
                    top,
                    last.organization,
                    tuple(sorted({str(one.organization) for one in ones})),
                    len(ones),
                    total,
                    mean,
                    most,
                    sum(one.comments for one in ones),
                    code,
                    _ratio(code, len(ones)),
                    len(by),
                    *self._span(ones),
                )
            )
        return rows

    def submitters(self) -> list[Row]:
        """marts.submitters."""
        last = [ones[-1] for ones in self.by_listing.values() if ones[-1].submitter]
        rows = []
        for name, ones in _grouped((one.submitter, one) for one in last).items():
            code = sum(one.has_code for one in ones)
            days = {one.list_date for one in ones}
            total, mean, most, _ = _votes(ones)
            rows.append(
                (
                    name,
                    len(ones),
                    len(days),
                    sum(map(self.is_removed, ones)),
                    total,
                    mean,
                    most,
                    code,
                    _ratio(code, len(ones)),
                    min(days),
                    max(days),
                )
            )
        return rows

    def authors(self) -> list[Row]:
        """marts.authors."""
        people: dict[tuple[str, str], dict[str, Seen]] = defaultdict(dict)
        names: dict[tuple[str, str, str], tuple[int, str | None]] = {}
        for paper_id, ones in self.by_paper.items():
            for position, (name, user, is_hidden) in enumerate(ones[-1].authors, 1):
                if is_hidden or not (user or name):
                    continue
                key = ("hub_user", user) if user else ("name", name or "")
                people[key][paper_id] = ones[-1]
                names.setdefault((*key, paper_id), (position, name))
        rows = []
        for key, papers in people.items():
            total, mean, most, top = _votes(list(papers.values()))
            newest = max((self._days(paper_id)[-1], paper_id) for paper_id in papers)[1]
            first = sum(names[(*key, paper_id)][0] == 1 for paper_id in papers)
            rows.append(
                (
                    *key,
                    top,
                    names[*key, newest][1],
                    len(papers),
                    first,
                    total,
                    mean,
                    most,
                    *self._span(papers.values()),
                )
            )
        return rows

    def _days(self, paper_id: str) -> list[date]:
        return sorted({one.list_date for one in self.by_paper[paper_id]})

    def _span(self, ones: Iterable[Seen]) -> Row:
        days = [day for one in ones for day in self._days(one.paper_id)]
        return min(days), max(days)


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"


def _sunday(day: date) -> date:
    return day + (6 - day.weekday()) * DAY


def _last_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _closed(day: date) -> datetime:
    """When nothing is added to this day's list any more."""
    return datetime.combine(day, time(21, 30), ZoneInfo("America/New_York")).astimezone(UTC)


def _votes_after(readings: Sequence[Seen], hours: int) -> int | None:
    """The votes of a listing so many hours after its list closed, and not twice as many."""
    closed, wait = _closed(readings[0].list_date), timedelta(hours=hours)
    return next(
        (one.votes for one in readings if closed + wait <= one.read_at <= closed + 2 * wait), None
    )


def _votes(ones: Sequence[Seen]) -> tuple[int, float, int, str]:
    """All votes, votes a paper, the most, and the paper with them."""
    top = min(ones, key=lambda one: (-one.votes, one.paper_id))
    total = sum(one.votes for one in ones)
    return total, _round(total / len(ones), 2), top.votes, top.paper_id


def _trend(count: int, total: int, earlier: int, then: int) -> str | None:
    if not then:
        return None
    if not earlier:
        return "new" if count >= 3 else "steady"
    if count >= 3 and 2 * count * then >= 3 * earlier * total:
        return "rising"
    if earlier >= 3 and 3 * count * then <= 2 * earlier * total:
        return "falling"
    return "steady"


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _word(text: str) -> str:
    words = re.sub(r"[-_\s\u2010-\u2015]+", " ", text.lower()).strip()
    before, _, last = words.rpartition(" ")
    return f"{before} {_singular(last)}".strip()


def _singular(word: str) -> str:
    if word in {"series", "species", "lens"}:
        return word
    if word in {"movies", "cookies"} or re.search(r"(ax|[^eo]ach|ich)es$", f"  {word}"[-6:]):
        return word[:-1] if not re.search(r"[a-z]axes$", word) else word[:-2]
    for plural, singular in (
        (r"(?<=[a-z]{2})ies", "y"),
        (r"(?<=ss|sh|.x|ch)es", ""),
        (r"(?<=bias)es|(?<=canvas)es|(?<=corpus)es|(?<=lens)es|(?<=status)es|(?<=virus)es", ""),
        (r"(?<=ind)ices|(?<=vert)ices", "ex"),
        (r"(?<=matr)ices", "ix"),
        (r"(?<=analy)ses|(?<=the)ses|(?<=diagno)ses", "sis"),
        (r"(?<=[a-z]{2}[^siucaoy])s", ""),
    ):
        if re.search(f"({plural})$", word):
            return re.sub(f"({plural})$", singular, word)
    return word


def _line(text: str | None) -> str | None:
    return " ".join((text or "").split()) or None


def _ratio(part: int, whole: int) -> float | None:
    return _round(part / whole, 4) if whole else None


def _round(number: float, places: int) -> float:
    """Half away from zero."""
    scale = 10**places
    whole: float = floor(abs(number) * scale + 0.5) / scale
    return whole if number >= 0 else -whole


def _grouped(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups
