"""What issues carry and what becomes of it, by plain Python from the JSON and the descriptions.

a history as it was known at a time, and the issues before ──▶ rows of the marts about issues
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from operator import itemgetter
from typing import NamedTuple

from tests.support.independent import DAY, History, Row

PLACES_IN_A_SECTION = 10
DAYS_OF_NEWS = 30
# The days that an issue stands on.
LENGTH = {"daily": 1, "weekly": 7}
# Rank, paper, why, votes and comments, in a row of a digest's papers.
LISTED = {"daily": itemgetter(1, 2, 4, 7, 9), "weekly": itemgetter(1, 2, 4, 6, 7)}


class Sent(NamedTuple):
    """A row of marts.issue_as_sent."""

    issue_date: date
    edition: str
    section: str
    issue_rank: int
    paper_id: str
    title: str | None
    abstract: str | None
    organization_name: str | None
    github_url: str | None
    project_url: str | None
    why_here: str | None
    upvotes_count: int
    comments_count: int
    github_stars_count: int | None
    is_withdrawn: bool
    read_at: datetime


def issue(history: History, sent: Sequence[Sent], issue_date: date, edition: str) -> list[Sent]:
    """What the issue of this date carries when it is made now, after these."""
    digest = getattr(history, f"{edition}_digest_papers")()
    listed = [LISTED[edition](row) for row in digest if row[0] == issue_date]
    carried: list[Row] = [("papers", *row) for row in listed]
    if edition == "daily":
        for section, rank, paper_id, why, votes in news(history, sent, issue_date):
            comments = history.by_paper[paper_id][-1].comments
            carried.append((section, rank, paper_id, why, votes, comments))
    days = [issue_date - n * DAY for n in range(LENGTH[edition])]
    read_at = max(history.newest[day] for day in days if day in history.newest)
    rows = []
    for section, rank, paper_id, why, votes, comments in carried:
        last = history.by_paper[paper_id][-1]
        text = [last.told[name] for name in Sent._fields[5:10]]
        is_withdrawn = bool(last.told["withdrawn_at"])
        rows.append(
            Sent._make(
                (
                    *(issue_date, edition, section, rank, paper_id, *text, why),
                    *(votes, comments, last.stars, is_withdrawn, read_at),
                )
            )
        )
    return rows


def news(history: History, sent: Sequence[Sent], issue_date: date) -> Iterator[Row]:
    """Section, rank, paper, why and votes of what the daily issue of this date has to tell."""
    if any(row.edition == "daily" and row.issue_date > issue_date for row in sent):
        return
    told = {(row.section, row.paper_id) for row in sent}
    found: dict[str, list[Row]] = {"late_bloomers": [], "now_has_code": [], "corrections": []}
    listed = {row[2] for row in history.daily_digest_papers() if row[0] == issue_date}
    lists = [row for row in sent if (row.edition, row.section) == ("daily", "papers")]
    last_sent = {row.paper_id: row for row in sorted(lists, key=lambda row: row.issue_date)}
    for row in last_sent.values():
        is_recent = 0 < (issue_date - row.issue_date).days <= DAYS_OF_NEWS
        if not is_recent or row.paper_id in listed:
            continue
        last = history.by_paper[row.paper_id][-1]
        of = f"our issue of {row.issue_date.day} {row.issue_date:%b}"
        gained, is_withdrawn = last.votes - row.upvotes_count, bool(last.told["withdrawn_at"])
        if gained >= 20 and last.votes >= 2 * row.upvotes_count and not is_withdrawn:
            why = f"+{gained:,} votes since {of}"
            found["late_bloomers"].append((-gained, row.paper_id, why, last.votes))
        if (new := _new_code(row, last.told)) and not is_withdrawn:
            why = f"{new} added since {of}"
            found["now_has_code"].append((-last.votes, row.paper_id, why, last.votes))
        if corrected := _corrected(row, last.told):
            place = is_withdrawn == row.is_withdrawn, -last.votes
            why = f"since {of}: {'; '.join(corrected)}"
            found["corrections"].append((place, row.paper_id, why, last.votes))
    for section, rows in found.items():
        untold = sorted(row for row in rows if (section, row[1]) not in told)
        for rank, (_, *what) in enumerate(untold[:PLACES_IN_A_SECTION], 1):
            yield section, rank, *what


def updates(history: History, sent: Sequence[Sent]) -> list[Row]:
    """marts.daily_digest_updates."""
    rows: list[Row] = [
        (row.issue_date, *row[2:5], row.why_here, row.upvotes_count, True)
        for row in sent
        if row.section != "papers"
    ]
    made = {row.issue_date for row in sent if row.edition == "daily"}
    days = {row[0] for row in history.daily_digests() if row[3]} - made
    return rows + [(day, *each, False) for day in days for each in news(history, sent, day)]


def as_known_now(history: History, sent: Sequence[Sent]) -> list[Row]:
    """marts.issue_as_known_now."""
    rows = []
    for row in sent:
        last = history.by_paper[row.paper_id][-1]
        title, code = last.told["title"], last.told["github_url"]
        rows.append(
            (
                *row[:5],
                *(row.title, title, row.github_url, code),
                *(row.upvotes_count, last.votes, last.votes - row.upvotes_count),
                *(row.comments_count, last.comments, row.github_stars_count, last.stars),
                bool(last.told["withdrawn_at"]),
                title != row.title,
                bool(code and not row.github_url),
                *(row.read_at, last.read_at),
            )
        )
    return rows


def _new_code(row: Sent, now: dict[str, str | None]) -> str:
    kinds = {"repository": "github_url", "project page": "project_url"}
    new = (kind for kind, field in kinds.items() if now[field] and not getattr(row, field))
    return " and ".join(new)


def _corrected(row: Sent, now: dict[str, str | None]) -> list[str]:
    found = []
    if bool(now["withdrawn_at"]) != row.is_withdrawn:
        found.append("no longer withdrawn" if row.is_withdrawn else "withdrawn")
    if now["title"] != row.title:
        found.append(f"the title was “{row.title}”")
    if row.organization_name and now["organization_name"] != row.organization_name:
        found.append(f"the organization was {row.organization_name}")
    if now["abstract"] != row.abstract:
        found.append("the abstract was revised")
    return found
