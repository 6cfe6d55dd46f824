"""What search engines may find: the sitemap (sitemaps.org, 0.9), and robots.txt (RFC 9309).

/sitemap.xml ──▶ /sitemap/lists.xml, /sitemap/2026-08.xml (the papers first listed in that month)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from starlette.requests import Request
from starlette.responses import Response

from flows.publication.kept_open import KeptOpen
from flows.web.guard import Refusal, reading_published
from flows.web.pages import Pages, kept

_SPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_SECONDS_KEPT = 3600
_FIXED = ("", "papers", "papers/trending", "insights", "issues/")
_OWN = ("confirm/", "preferences/", "unsubscribe/", "like/", "unlike/")  # a reader's own


@dataclass(frozen=True)
class Sitemap:
    """The addresses of the pages that are the same for everybody."""

    pages: Pages
    published: KeptOpen

    def index(self, request: Request) -> Response:
        """The sitemaps that there are: one of lists, one of papers a month."""
        with reading_published(self.published) as connection:
            months = [row[0] for row in connection.execute(_MONTHS).fetchall()]
        places = [self._url(f"sitemap/{name}.xml") for name in ("lists", *months)]
        found = "".join(f"<sitemap><loc>{escape(place)}</loc></sitemap>\n" for place in places)
        return _xml(request, f"<sitemapindex {_SPACE}>\n{found}</sitemapindex>\n")

    def part(self, request: Request) -> Response:
        """The pages of all lists, or of the papers of one month."""
        name = request.path_params["name"]
        with reading_published(self.published) as connection:
            if name == "lists":
                found = connection.execute(_LISTS).fetchall()
                paths = [*_FIXED, *(row[0] for row in found)]
            else:
                found = connection.execute(_PAPERS, [name]).fetchall()
                paths = [f"papers/{row[0]}" for row in found]
        if not paths:
            raise Refusal(404, "There is no such sitemap.")
        return _xml(request, _urlset(self._url(path) for path in paths))

    def robots(self, request: Request) -> Response:
        """Readers' own pages and searches are nobody's to index."""
        lines = [
            "User-agent: *",
            *(f"Disallow: {self.pages.base}/{place}" for place in (*_OWN, "papers/search", "api/")),
            f"Sitemap: {self._url('sitemap.xml')}",
        ]
        content = "\n".join(lines).encode() + b"\n"
        return kept(request, content, "text/plain", seconds=_SECONDS_KEPT)

    def _url(self, path: str) -> str:
        return f"{self.pages.site.public_url.rstrip('/')}/{path}"


def _urlset(places: Iterable[str]) -> str:
    found = "".join(f"<url><loc>{escape(place)}</loc></url>\n" for place in places)
    return f"<urlset {_SPACE}>\n{found}</urlset>\n"


def _xml(request: Request, content: str) -> Response:
    whole = f'<?xml version="1.0" encoding="utf-8"?>\n{content}'
    return kept(request, whole.encode(), "application/xml", seconds=_SECONDS_KEPT)


_MONTHS = """
    select distinct strftime(first_listed_on, '%Y-%m') as month from marts.papers order by month
"""
_LISTS = """
    select 'papers/date/' || digest_date from marts.daily_digests where listed_count > 0
    union all
    select 'papers/week/' || strftime(digest_date, '%G-W%V') from marts.weekly_digests
    union all
    select 'papers/month/' || strftime(digest_date, '%Y-%m') from marts.monthly_digests
    order by 1
"""
_PAPERS = """
    select paper_id from marts.papers
    where strftime(first_listed_on, '%Y-%m') = $1
    order by paper_id
"""
