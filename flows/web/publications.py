"""The public pages: the archive, an issue in the browser, the feeds, and their dress."""

import json
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from flows.mailing.rules import Rule, RuleError, choose, parse_rule
from flows.newsletter.likeness import Likeness
from flows.newsletter.render import public, render
from flows.newsletter.site import Site
from flows.web.archive import Archive, FrozenIssue
from flows.web.guard import FOR_EVERYBODY, ISSUE_CSP, Refusal
from flows.web.pages import Pages, kept

_FEED_LENGTH = 30
# The same whatever the address of the pages: to a feed reader another id is another entry.
_FEED_ID = "tag:huggingface.co,2023:daily-papers/issues"
_PAGE = "digest.html"
_HOUR, _YEAR = 3600, 31_536_000


@dataclass(frozen=True)
class PublicPages:
    """The pages that are the same for everybody."""

    pages: Pages
    archive: Archive
    likeness: Likeness

    def issues(self, request: Request) -> Response:
        """The archive, a year at a time."""
        years = sorted({name[:4] for name in self.archive.names()}, reverse=True)
        year = request.query_params.get("year") or (years[0] if years else "")
        if years and year not in years:
            raise Refusal(404, "No issue of this year is in the archive.")
        content = self.pages.text(
            "archive.html", years=years, year=year, headlines=self.archive.headlines(year)
        )
        return kept(request, content.encode(), "text/html", seconds=60)

    def issues_without_slash(self, _request: Request) -> Response:
        """The archive, from an address typed in short."""
        return RedirectResponse(f"{self.pages.base}/issues/", 308)

    def issue_without_slash(self, request: Request) -> Response:
        """An issue, from an address typed in short."""
        name = request.path_params["name"]
        if self.archive.file(name, "digest.html") is None:
            raise Refusal(404, "There is no such issue.")
        return RedirectResponse(f"{self.pages.base}/issues/{name}/", 308)

    def issue(self, request: Request) -> Response:
        """An issue as it was sent, its text, or the quality page of its day.

        With a reader's choice in the address, as mails to who chose have it, it is that copy.
        """
        name, file_name = request.path_params["name"], request.path_params.get("file_name", _PAGE)
        rule = _rule(request)
        content = self._copy(name, rule) if rule.words and file_name == _PAGE else None
        content = content or self.archive.file(name, file_name)
        if content is None:
            raise Refusal(404, "There is no such issue.")
        media_type = "text/plain" if file_name.endswith(".txt") else "text/html"
        return kept(
            request,
            content,
            media_type,
            seconds=_HOUR,
            headers={"Content-Security-Policy": ISSUE_CSP},
        )

    def previous(self, request: Request) -> Response:
        """The issue before this one of its edition, or the archive."""
        return self._neighbour(request, -1)

    def next(self, request: Request) -> Response:
        """The issue after this one, which the issue itself could not know; or the archive."""
        return self._neighbour(request, 1)

    def _neighbour(self, request: Request, step: int) -> Response:
        name = request.path_params["name"]
        edition = name.rpartition("-")[2]
        names = sorted(each for each in self.archive.names() if each.endswith(f"-{edition}"))
        if name not in names:
            raise Refusal(404, "There is no such issue.")
        place = names.index(name) + step
        found = f"{names[place]}/" if 0 <= place < len(names) else ""
        return RedirectResponse(f"{self.pages.base}/issues/{found}", 307)

    def _copy(self, name: str, rule: Rule) -> bytes | None:
        """What a rule chooses of an issue, as a page."""
        if (issue := self.archive.issue(name)) is None:
            return None
        chosen = choose(issue, rule, self.likeness)
        if not chosen.papers:
            raise Refusal(404, "No paper of this issue fits this choice.")
        site = Site(self.pages.site.public_url)
        return public(render(chosen, site, limit_bytes=None)).html.encode()

    def atom(self, request: Request) -> Response:
        """The newest issues as an Atom feed (RFC 4287)."""
        issues = self.archive.newest(_FEED_LENGTH)
        entries = [(issue, self._url(issue), self._content(issue)) for issue in issues]
        content = self.pages.text("feed.xml", entries=entries, feed_id=_FEED_ID).encode()
        return kept(request, content, "application/atom+xml", seconds=600, headers=FOR_EVERYBODY)

    def json(self, request: Request) -> Response:
        """The newest issues as a JSON feed, version 1.1."""
        root = self.pages.site.public_url.rstrip("/")
        feed = {
            "version": "https://jsonfeed.org/version/1.1",
            "title": "Daily Papers",
            "home_page_url": f"{root}/",
            "feed_url": f"{root}/feed.json",
            "language": "en",
            "items": [
                {
                    "id": f"{_FEED_ID}/{issue.name}",
                    "url": self._url(issue),
                    "title": issue.subject,
                    "summary": issue.summary,
                    "content_html": self._content(issue),
                    "date_published": issue.proof.read_at.isoformat(),
                }
                for issue in self.archive.newest(_FEED_LENGTH)
            ],
        }
        content = json.dumps(feed, ensure_ascii=False).encode()
        return kept(request, content, "application/feed+json", seconds=600, headers=FOR_EVERYBODY)

    def _url(self, issue: FrozenIssue) -> str:
        return self.pages.site.issue_url(issue.issue_date, issue.edition)

    def _content(self, issue: FrozenIssue) -> str:
        return self.pages.text("entry.html", issue=issue)

    def stylesheet(self, request: Request) -> Response:
        """The style sheet; pages name it by what is in it."""
        return kept(request, self.pages.stylesheet, "text/css", seconds=_YEAR)

    def llms(self, request: Request) -> Response:
        """What is here, for agents: `/llms.txt`."""
        return kept(request, self.pages.text("llms.txt").encode(), "text/plain", seconds=_HOUR)

    def icon(self, request: Request) -> Response:
        """The sign in the browser's tab."""
        return kept(request, self.pages.icon, "image/svg+xml", seconds=_YEAR)


def _rule(request: Request) -> Rule:
    """The choice in an address, if there is one. Raises Refusal where it cannot be kept."""
    try:
        return parse_rule(request.query_params)
    except RuleError as error:
        raise Refusal(400, str(error)) from None
