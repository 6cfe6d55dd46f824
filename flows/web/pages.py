"""How a page is made: a template, the site's own links, and one answer that may be kept or not."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from urllib.parse import quote, urlsplit

from css_inline import CSSInliner
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from flows.newsletter.digest import PAPER_ID, DigestPaper
from flows.newsletter.render import dateline, section_heading
from flows.newsletter.site import Site
from flows.newsletter.text import claim, excerpt, one_line, safe_url, title_line
from flows.publication.cards import Card
from flows.publication.lists import OF_NOW
from flows.publication.people import Kind
from flows.web.drawings import sparkline, vote_curve
from flows.web.exports import FORMATS
from flows.wording import counted, long_date, moment, short_day, thousands, verdict_words

# What a site without a server has files of.
LIST_FORMATS, PAPER_FORMATS, NAME_FORMATS = ("atom", "json", "bib"), ("bib",), ("atom",)
_NAMES = ("authors/", "keywords/", "submitters/")
_PAPER = re.compile(rf"papers/{PAPER_ID}")
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32"'
    ' rx="5" fill="#0a5a78"/><path d="M16 8l9 15H7z" fill="#fffdf9"/></svg>'
)


@dataclass(frozen=True)
class Pages:
    """The templates of the reader pages, with the links of this site.

    Without a server there are no forms, no archive, no lists as they were known at a time, fewer
    formats, and every link is relative. Then `names` are those that have a page, with their kinds.
    """

    site: Site
    names: frozenset[tuple[Kind, str]] | None = None

    @property
    def is_served(self) -> bool:
        """Whether a server answers, which has a page of every name."""
        return self.names is None

    @property
    def base(self) -> str:
        """The path under which the pages are: "" or "/papers"; "" where links are relative."""
        return urlsplit(self.site.public_url).path.rstrip("/") if self.is_served else ""

    def formats(self, address: str) -> Sequence[str]:
        """In which other formats the list or paper at this address can be had."""
        if self.is_served:
            return tuple(FORMATS)
        if _PAPER.fullmatch(address):
            return PAPER_FORMATS
        return NAME_FORMATS if address.startswith(_NAMES) else LIST_FORMATS

    def has_page(self, kind: Kind, handle: str) -> bool:
        """Whether there is a page of this organization, author, keyword or submitter."""
        return self.names is None or (kind, handle) in self.names

    @cached_property
    def stylesheet(self) -> bytes:
        """The one style sheet."""
        return self._templates.get_template("reader.css").render().encode()

    @property
    def icon(self) -> bytes:
        """The sign in the browser's tab."""
        return _ICON.encode()

    def text(self, template: str, **values: object) -> str:
        """The template filled in."""
        return self._templates.get_template(template).render(values)

    def mail(self, template: str, **values: object) -> str:
        """The template as the HTML of a mail: with its styles in its elements."""
        return CSSInliner(keep_at_rules=True, load_remote_stylesheets=False).inline(
            self.text(template, **values)
        )

    def page(
        self,
        template: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> HTMLResponse:
        """A page that nobody keeps."""
        return HTMLResponse(self.text(template, **values), status, headers)

    def notice(
        self, heading: str, sentence: str, status: int, headers: Mapping[str, str] | None = None
    ) -> HTMLResponse:
        """A page that says why there is no other."""
        return self.page("notice.html", status, headers, heading=heading, sentence=sentence)

    @cached_property
    def _templates(self) -> Environment:
        environment = Environment(
            # the newsletter's for its palette and base styles
            loader=ChoiceLoader([PackageLoader("flows.web"), PackageLoader("flows.newsletter")]),
            autoescape=select_autoescape(["html", "xml"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.filters |= {
            "one_line": one_line,
            "title_line": title_line,
            "claim": claim,
            "section_heading": section_heading,
            "excerpt": excerpt,
            "safe_url": safe_url,
            "long_date": long_date,
            "dateline": lambda issue: dateline(issue.edition, issue.issue_date),
            "paper_url": self._paper_url,
            "path_part": lambda words: quote(words, safe=""),
            "short_day": short_day,
            "short_date": _short_date,
            "moment": moment,
            "counted": counted,
            "thousands": thousands,
            "verdict_words": verdict_words,
            "sparkline": lambda votes: Markup(sparkline(votes)),  # noqa: S704  escaped there
            "vote_curve": lambda votes: Markup(vote_curve(votes)),  # noqa: S704  escaped there
        }
        environment.globals |= {
            "base": self.base,
            "of_now": OF_NOW,
            "public_url": self.site.public_url,
            "is_served": self.is_served,
            "formats": self.formats,
            "has_page": self.has_page,
        }
        style = environment.get_template("reader.css").render()
        environment.globals["style_version"] = hashlib.sha256(style.encode()).hexdigest()[:12]
        return environment

    def _paper_url(self, paper: DigestPaper | Card) -> str:
        return f"{self.site.hub_url.rstrip('/')}/papers/{quote(paper.paper_id, safe='')}"


def kept(
    request: Request,
    content: bytes,
    media_type: str,
    *,
    seconds: int,
    headers: Mapping[str, str] | None = None,
    etag: str = "",
) -> Response:
    """An answer that may be kept; whoever has it already gets 304 and no body."""
    etag = etag or f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={seconds}"} | dict(headers or {})
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def _short_date(day: date) -> str:
    """`20 Aug 2026`."""
    return f"{day.day} {day:%b %Y}"
