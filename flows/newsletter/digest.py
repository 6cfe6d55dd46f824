"""What a digest is, before it is HTML, text or mail: plain data, no I/O."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

# An arXiv id without its version, as the Hub names papers. Digits of other scripts are none.
PAPER_ID = r"[0-9]{4}\.[0-9]{4,5}"

Edition = Literal["daily", "weekly", "monthly"]
# What each is about; the most frequent edition first.
UNITS: dict[Edition, str] = {"daily": "day", "weekly": "week", "monthly": "month"}
# The sections of a daily digest in their order, as `daily_digest_updates` names them.
SECTIONS = ("late_bloomers", "now_has_code", "corrections")


@dataclass(frozen=True)
class DigestPaper:
    """One paper of a digest, as the marts give it. A part that is not known is None, never ''.

    `organization_names`: all that its organization goes by. `listed_before`: the dates whose lists
    brought it before the period of this digest. `is_known`: an earlier mail brought it to the
    reader of this one, so it stands as one line. `chosen_by`: what of the reader's choice it fits.
    """

    paper_id: str
    rank: int
    title: str
    abstract: str
    upvotes_count: int
    comments_count: int
    organization_name: str | None = None
    organization_names: tuple[str, ...] = ()
    author_names: tuple[str, ...] = ()
    author_count: int = 0
    published_on: date | None = None
    ai_summary: str | None = None
    ai_keywords: tuple[str, ...] = ()
    github_url: str | None = None
    github_stars_count: int | None = None
    project_url: str | None = None
    submitted_by: str | None = None
    why_here: str | None = None
    is_withdrawn: bool = False
    listed_before: tuple[date, ...] = ()
    is_known: bool = False
    chosen_by: str | None = None


@dataclass(frozen=True)
class Proof:
    """Why a reader may trust the list: its counts, its reading, its gates.

    `check_count` counts every check of both gates; the ones that `warnings` names did not pass.
    """

    paper_count: int
    source_count: int
    read_at: datetime
    check_count: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choice:
    """What a reader's copy was chosen by, and from how many papers.

    `words` go on where a count ends: “by your topics: agent; from 5 votes”. `query` is the choice
    as the end of an address, so that its page shows the same copy.
    """

    paper_count: int
    words: str
    query: str


@dataclass(frozen=True)
class Section:
    """News of papers that an earlier issue carried, in their order; `why_here` says what is new.

    `name` is one of SECTIONS; `rank` counts from 1 in each.
    """

    name: str
    papers: tuple[DigestPaper, ...]


@dataclass(frozen=True)
class Digest:
    """One edition of one date, ready to render. Papers stand in digest order.

    A weekly or monthly edition has the last day of its week (a Sunday) or month as its date.
    Issues made before there were sections have none. `silence` says why there was no issue on the
    days just before, "" where there was.
    """

    issue_date: date
    edition: Edition
    papers: tuple[DigestPaper, ...]
    proof: Proof
    sections: tuple[Section, ...] = ()
    choice: Choice | None = None
    silence: str = ""
