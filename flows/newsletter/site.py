"""Where the links of a mail lead: our own pages, served or as files, and the Hub's."""

from dataclasses import dataclass
from datetime import date

from flows.newsletter.digest import Digest

_LIST_PAGES = {
    "daily": "date/{day}",
    "weekly": "week/{day:%G-W%V}",
    "monthly": "month/{day:%Y-%m}",
}


@dataclass(frozen=True)
class Site:
    """Where the links lead: our own pages and the Hub's, without a slash at the end.

    Where nobody answers (not `is_served`), the pages are files (`papers site`): lists and papers,
    but no archive of issues, and nothing that one reader could choose there.
    """

    public_url: str
    hub_url: str = "https://huggingface.co"
    is_served: bool = True

    @property
    def home_url(self) -> str:
        """The front page."""
        return f"{self.public_url.rstrip('/')}/"

    @property
    def archive_url(self) -> str:
        """Where all issues are; of pages that are files, the newest list."""
        return f"{self.home_url}issues/" if self.is_served else f"{self.home_url}papers/"

    @property
    def feed_url(self) -> str:
        """The feed of what is new."""
        return f"{self.home_url}{'feed' if self.is_served else 'papers'}.atom"

    def issue_url(self, issue_date: date, edition: str) -> str:
        """The folder of an issue on the web: its view in the browser."""
        if not self.is_served:
            return f"{self.home_url}papers/{_LIST_PAGES[edition].format(day=issue_date)}/"
        return f"{self.home_url}issues/{issue_date}-{edition}/"

    def report_url(self, issue_date: date, edition: str) -> str:
        """Where the issue's quality is told; of pages that are files, on the list's own."""
        page = self.issue_url(issue_date, edition)
        return f"{page}quality.html" if self.is_served else page

    def view_url(self, digest: Digest) -> str:
        """Where a browser shows this copy of an issue: all of it, or what a reader chose."""
        page = self.issue_url(digest.issue_date, digest.edition)
        return f"{page}?{digest.choice.query}" if digest.choice and self.is_served else page
