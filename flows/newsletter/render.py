"""A digest as a reader meets it: subject, preheader, HTML and text, all from one `Digest`.

Digest ──render──▶ Rendering ──personal──▶ one reader's copy
                             └─public────▶ the archive's copy
"""

import html
import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from urllib.parse import quote

from css_inline import CSSInliner
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from flows.newsletter.digest import Digest, DigestPaper, Edition, Section
from flows.newsletter.site import Site
from flows.newsletter.text import (
    claim,
    excerpt,
    one_line,
    safe_url,
    short_name,
    title_line,
    wrapped,
)
from flows.wording import counted, long_date, moment, short_day, thousands

# In characters. A correction may have to quote a whole title.
WHY_LENGTH, WHY_NEW_LENGTH = 200, 400
SUMMARY_LENGTH = 400
FULL_COUNT = 10  # papers with their summary; the rest has a line each
PERIOD_LINES = 15  # in the mail of a week or month: its readers missed the days for a reason
# Gmail cuts a mail at 102 kB, and the footer with the way out is what gets lost. The links of a
# reader replace one character each, so there must be room for them below 100,000 bytes.
HTML_LIMIT_BYTES = 98_000
HEADINGS = {
    "late_bloomers": "Took off since we listed them",
    "now_has_code": "Now has code",
    "corrections": "Corrected or withdrawn",
}

# Where a rendering differs by reader. Private-use characters: `one_line` and `safe_url` let none
# through, so no title can hold one.
_READER_ONLY, _READER_END, _UNSUBSCRIBE, _PREFERENCES = "\ue000", "\ue001", "\ue002", "\ue003"
_PUBLIC_ONLY, _PUBLIC_END, _LIKE_TOKEN = "\ue004", "\ue005", "\ue006"
_READER_BLOCK = re.compile(f"{_READER_ONLY}.*?{_READER_END}", re.DOTALL)
_PUBLIC_BLOCK = re.compile(f"{_PUBLIC_ONLY}.*?{_PUBLIC_END}", re.DOTALL)
_NBSP = "\u00a0"
# Mail clients fill a short preheader up with the first words of the body; this is what they get.
_PADDING = "\u00a0\u034f " * 90


@dataclass(frozen=True)
class Rendering:
    """One rendering for all readers of the same papers; `personal` or `public` make it a copy."""

    subject: str
    preheader: str
    html: str
    text: str


@dataclass(frozen=True)
class ReaderLinks:
    """What belongs to one reader: two links, and what signs those to more or less like a paper."""

    unsubscribe_url: str
    preferences_url: str
    like_token: str


@dataclass(frozen=True)
class _Fact:
    """A few words about a paper, with the link they carry."""

    words: str
    url: str | None = None


@dataclass(frozen=True)
class _Entry:
    """A paper as both parts show it: clean text and safe links only."""

    paper_id: str
    rank: int
    title: str
    url: str
    votes: str
    organization: str | None
    facts: tuple[_Fact, ...]
    summary: str
    why_here: str | None
    is_withdrawn: bool
    is_known: bool

    @property
    def line(self) -> str:
        """Votes and facts as one line of text."""
        return self._line(*(fact.words for fact in self.facts))

    @property
    def short_line(self) -> str:
        """Votes, organization and what is new as one line of text."""
        return self._line(self.organization, self.why_here)

    @property
    def news(self) -> tuple[_Fact, ...]:
        """What is new of a paper that an earlier issue carried, with the links to it."""
        code = (f for f in self.facts if f.url and f.words.startswith(("code", "project")))
        return (_Fact(self.why_here or ""), *code)

    def _line(self, *words: str | None) -> str:
        mark = "WITHDRAWN" if self.is_withdrawn else None
        return " · ".join(filter(None, (mark, f"▲ {self.votes}", *words)))


def render(digest: Digest, site: Site, *, limit_bytes: int | None = HTML_LIMIT_BYTES) -> Rendering:
    """The digest as subject, preheader, HTML below 100,000 bytes and text; same digest, same bytes.

    Both parts show the same papers; where the HTML would grow above the limit, fewer of them and a
    link to the issue's page. That page is no mail and shows all: render it with no limit. Raises
    ValueError for a digest without papers, which is no issue.
    """
    if not digest.papers:
        raise ValueError(f"{digest.issue_date}: a digest without papers is not an issue")
    entries = [_entry(paper, digest.issue_date, site) for paper in digest.papers]
    issue = {
        "subject": _subject(digest),
        "preheader": _preheader(digest),
        "padding": _PADDING,
        "masthead": _masthead(digest.edition),
        "dateline": dateline(digest.edition, digest.issue_date),
        "sections": [_section(section, digest.issue_date, site) for section in digest.sections],
        "summary": _summary(digest),
        "proof": _proof(digest),
        "silence": digest.silence,
        "warnings": counted(len(digest.proof.warnings), "warning") if digest.proof.warnings else "",
        "view_url": site.view_url(digest),
        "issue_url": site.issue_url(digest.issue_date, digest.edition),
        "report_url": site.report_url(digest.issue_date, digest.edition),
        "home_url": site.home_url,
        "feed_url": site.feed_url,
        "public_only": _PUBLIC_ONLY,
        "public_end": _PUBLIC_END,
        "reader_only": _READER_ONLY,
        "reader_end": _READER_END,
        "unsubscribe": _UNSUBSCRIBE,
        "preferences": _PREFERENCES if site.is_served else "",
        # Who gets every paper would get fewer by one press of it.
        "like": f"like/{_LIKE_TOKEN}" if digest.choice and site.is_served else "",
        "rule": "-" * 72,
    }

    def shown(count: int) -> dict[str, object]:
        hidden = len(entries) - count
        more = f"{counted(hidden, 'more paper')} in the browser" if hidden else ""
        return issue | {
            "full": entries[:count][:FULL_COUNT],
            "rest": entries[:count][FULL_COUNT:],
            "more": more,
        }

    @cache
    def page(count: int) -> str:
        return _html(shown(count))

    def size(count: int) -> int:
        return len(page(count).encode())

    count = len(entries)
    if limit_bytes is not None and digest.edition != "daily":
        count = min(count, FULL_COUNT + PERIOD_LINES)
    if limit_bytes is not None and size(count) > limit_bytes:
        count = max(1, bisect_right(range(count), limit_bytes, key=size) - 1)
    return Rendering(
        subject=_subject(digest),
        preheader=_preheader(digest),
        html=page(count),
        text=templates().get_template("digest.txt").render(shown(count)),
    )


def personal(rendering: Rendering, links: ReaderLinks) -> Rendering:
    """The rendering as one reader gets it: five characters replaced, at next to no cost."""

    def filled(body: str, unsubscribe_url: str, preferences_url: str) -> str:
        return (
            _PUBLIC_BLOCK.sub("", body)
            .replace(_READER_ONLY, "")
            .replace(_READER_END, "")
            .replace(_UNSUBSCRIBE, unsubscribe_url)
            .replace(_PREFERENCES, preferences_url)
            .replace(_LIKE_TOKEN, links.like_token)
        )

    unsubscribe_url, preferences_url = links.unsubscribe_url, links.preferences_url
    return replace(
        rendering,
        html=filled(rendering.html, html.escape(unsubscribe_url), html.escape(preferences_url)),
        text=filled(rendering.text, unsubscribe_url, preferences_url),
    )


def public(rendering: Rendering) -> Rendering:
    """The rendering as everyone may see it: its links lead on, and none belongs to a reader."""

    def shown(body: str) -> str:
        without = _READER_BLOCK.sub("", body)
        return without.replace(_PUBLIC_ONLY, "").replace(_PUBLIC_END, "")

    return replace(rendering, html=shown(rendering.html), text=shown(rendering.text))


@cache
def templates() -> Environment:
    """The templates of the newsletter and its pages, autoescaped; an unknown name is an error."""
    environment = Environment(
        loader=PackageLoader("flows.newsletter"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["wrapped"] = wrapped
    environment.filters["moment"] = moment
    environment.filters["long_date"] = long_date
    environment.filters["short_day"] = short_day
    return environment


@cache
def _inliner() -> CSSInliner:
    # Clients that drop style sheets keep the inlined styles; the others get dark and narrow too.
    return CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


_CHARSET = '<meta charset="utf-8">'


def _html(issue: dict[str, object]) -> str:
    page = _inliner().inline(templates().get_template("digest.html").render(issue)).rstrip()
    # The inliner puts the rules it must keep first; a browser looks for the encoding in the first
    # 1,024 bytes only (HTML, 4.2.5.4).
    return f"{page.replace(_CHARSET, '', 1).replace('<head>', f'<head>{_CHARSET}', 1)}\n"


def section_heading(name: str) -> str:
    """What stands over a section of news."""
    return HEADINGS.get(name, name.replace("_", " ").capitalize())


def _section(section: Section, issue_date: date, site: Site) -> dict[str, object]:
    entries = [_entry(paper, issue_date, site, WHY_NEW_LENGTH) for paper in section.papers]
    if section.name != "now_has_code":  # elsewhere the code is not the news
        entries = [replace(entry, facts=()) for entry in entries]
    return {
        "heading": section_heading(section.name),
        "entries": entries,
    }


def _entry(
    paper: DigestPaper, issue_date: date, site: Site, why_length: int = WHY_LENGTH
) -> _Entry:
    organization = one_line(paper.organization_name or "", 80) or None
    why = " · ".join(filter(None, (paper.chosen_by, paper.why_here)))
    return _Entry(
        paper_id=quote(paper.paper_id, safe=""),
        rank=paper.rank,
        title=title_line(paper.title) or paper.paper_id,
        url=f"{site.hub_url.rstrip('/')}/papers/{quote(paper.paper_id, safe='')}",
        votes=f"{paper.upvotes_count:,}",
        organization=organization,
        facts=tuple(_facts(paper, organization, issue_date)),
        summary=excerpt(paper.ai_summary or "") or excerpt(claim(paper.abstract)),
        why_here=one_line(why, why_length) or None,
        is_withdrawn=paper.is_withdrawn,
        is_known=paper.is_known,
    )


def _facts(paper: DigestPaper, organization: str | None, issue_date: date) -> list[_Fact]:
    facts = [_Fact(organization)] if organization else []
    names = [name for name in (one_line(name, 80) for name in paper.author_names) if name]
    authors = max(paper.author_count, len(names))
    if authors == 1 and names:
        facts.append(_Fact(names[0]))
    elif authors:
        facts.append(_Fact(counted(authors, "author")))
    published = f" {_short_date(paper.published_on, issue_date)}" if paper.published_on else ""
    arxiv_url = f"https://arxiv.org/abs/{quote(paper.paper_id, safe='')}"
    facts.append(_Fact(f"arXiv{published}", arxiv_url))
    if paper.comments_count:
        facts.append(_Fact(counted(paper.comments_count, "comment")))
    if code_url := safe_url(paper.github_url):
        count = paper.github_stars_count
        stars = f"{_NBSP}★{_NBSP}{thousands(count)}" if count else ""
        facts.append(_Fact(f"code{stars}", code_url))
    if project_url := safe_url(paper.project_url):
        facts.append(_Fact("project", project_url))
    if submitter := one_line(paper.submitted_by or "", 60):
        facts.append(_Fact(f"submitted by {submitter}"))
    return facts


def _masthead(edition: Edition) -> str:
    return "Daily Papers" if edition == "daily" else f"Daily Papers {edition}"


def dateline(edition: Edition, day: date) -> str:
    """`Thursday 20 August 2026`, `Week 33, 10 to 16 August 2026`, `August 2026`."""
    if edition == "monthly":
        return f"{day:%B %Y}"
    if edition == "weekly":
        first = day - timedelta(days=6)
        year = "" if first.year == day.year else f" {first.year}"
        month = "" if first.month == day.month else f" {first:%B}{year}"
        return f"Week {day.isocalendar().week}, {first.day}{month} to {day.day} {day:%B %Y}"
    return long_date(day)


def _when(digest: Digest) -> str:
    """`20 Aug`, `week 33`, `August 2026`: the date in a subject."""
    day = digest.issue_date
    if digest.edition == "monthly":
        return f"{day:%B %Y}"
    return f"week {day.isocalendar().week}" if digest.edition == "weekly" else f"{day.day} {day:%b}"


def _subject(digest: Digest) -> str:
    """`Daily Papers, 20 Aug: EnvHarness, LiveBench-X and 41 more`, below 120 characters."""
    names = _names(digest)
    first, others = names[:2], len(names) - 2
    listed = f"{', '.join(first)} and {others} more" if others > 0 else " and ".join(first)
    count = sum(len(section.papers) for section in digest.sections)
    news = f"; news of {count}" if count else ""
    return f"{_masthead(digest.edition)}, {_when(digest)}: {listed}{news}"


def _preheader(digest: Digest) -> str:
    """What the subject had no room for: the next names and the day in figures."""
    following = _names(digest)[2:5]
    news = [
        f"{section_heading(section.name)}: {short_name(section.papers[0].title)}"
        for section in digest.sections
        if section.papers
    ]
    return ". ".join([*([", ".join(following)] if following else []), _summary(digest), *news])


def _names(digest: Digest) -> list[str]:
    """Short names, a withdrawn paper's last: it is not what a reader should open the mail for."""
    ordered = sorted(digest.papers, key=lambda paper: paper.is_withdrawn)
    return [short_name(paper.title) or paper.paper_id for paper in ordered]


def _summary(digest: Digest) -> str:
    papers = digest.papers
    if choice := digest.choice:
        whole = counted(choice.paper_count, "paper")
        return one_line(f"{len(papers):,} of {whole}, {choice.words}", SUMMARY_LENGTH)
    with_code = sum(safe_url(paper.github_url) is not None for paper in papers)
    return " · ".join(
        [
            counted(len(papers), "paper"),
            counted(sum(paper.upvotes_count for paper in papers), "vote"),
            *([f"{with_code:,} with code"] if with_code else []),
        ]
    )


def _proof(digest: Digest) -> str:
    proof = digest.proof
    passed = counted(proof.check_count - len(proof.warnings), "check")
    list_of = "The whole list: " if digest.choice else ""
    return (
        f"{list_of}{proof.paper_count:,} of {counted(proof.source_count, 'paper')}, "
        f"read {moment(proof.read_at)} UTC · {passed} passed"
    )


def _short_date(day: date, issue_date: date) -> str:
    """`19 Aug`, with the year where it is not the issue's."""
    return f"{day.day} {day:%b}" if day.year == issue_date.year else f"{day.day} {day:%b %Y}"
