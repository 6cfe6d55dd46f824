"""The pages of a folder, made by the code that answers them on the server.

address ──ListPages, InsightsPage──▶ page ──with_relative_links──▶ file
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast
from urllib.parse import unquote, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from flows.newsletter.site import Site
from flows.publication.kept_open import KeptOpen
from flows.publication.likeness import Vectors, all_vectors
from flows.publication.near import KeptMeanings
from flows.publication.paper_page import paper_pages
from flows.publication.people import KINDS, Kind
from flows.site.addresses import named_pages
from flows.site.links import file_of, with_relative_links
from flows.web.exports import Export, export
from flows.web.insights_page import InsightsPage
from flows.web.lists import ListPages, paper_export
from flows.web.pages import Pages

Handler = Callable[[Request], Response]


@dataclass(frozen=True)
class _Lists(ListPages):
    """Keeps what each page was made of, for its other formats need no second query."""

    answered: list[Export] = field(default_factory=list)

    def _answer(
        self,
        request: Request,
        exported: Export,
        format_: str | None,
        template: str,
        **values: object,
    ) -> Response:
        self.answered.append(exported)
        return super()._answer(request, exported, format_, template, **values)


@dataclass(frozen=True)
class StaticPages:
    """Makes the files of addresses; `site` is where readers will find them."""

    site: Site
    published: KeptOpen

    def lists(self, addresses: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """The file of each of these pages, by its path, and of its list in other formats."""
        for address in addresses:
            answer = self._answer(address)
            yield file_of(address), self._finished(bytes(answer.body), address)
            while self._lists.answered:
                exported = self._lists.answered.pop()
                yield from self._exports(exported, address)

    def papers(self, paper_ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """The page and the citation of each of these papers, by their paths."""
        with self.published.opened() as connection:
            found = paper_pages(connection, paper_ids, self._vectors)
        for paper_id, paper in found.items():
            address = f"/papers/{paper_id}"
            page = self._lists.paper_text(paper)
            yield file_of(address), with_relative_links(page, address).encode()
            yield from self._exports(paper_export(paper.card), address)

    def fixed(self) -> Iterator[tuple[str, bytes]]:
        """What does not depend on the papers."""
        yield "reader.css", self._pages.stylesheet
        yield "icon.svg", self._pages.icon
        missing = self._pages.text(
            "notice.html",
            heading="There is no page here",
            sentence="The address may be incomplete, or the page may be gone.",
        )
        # It is shown at any address, so its links begin at the top of the host.
        top = urlsplit(self.site.public_url).path.rstrip("/")
        yield "404.html", missing.replace('="/', f'="{top}/').encode()
        yield ".nojekyll", b""  # GitHub Pages would else leave out names that begin with _

    def _exports(self, exported: Export, address: str) -> Iterator[tuple[str, bytes]]:
        """The formats that the page at this address links to; a second page of a list has none."""
        if "?" not in address and address != "/":
            for format_ in self._pages.formats(exported.address):
                content, _ = export(exported, format_, self.site)
                yield file_of(f"{address}.{format_}"), content

    def _finished(self, body: bytes, address: str) -> bytes:
        is_page = file_of(address).endswith(".html")
        return with_relative_links(body.decode(), address).encode() if is_page else body

    def _answer(self, address: str) -> Response:
        """What the server answers at this address."""
        parts = urlsplit(address)
        handler, given = self._handler(parts.path.strip("/"))
        scope = {
            "type": "http",
            "path": parts.path,
            "query_string": parts.query.encode(),
            "headers": [(b"host", b"localhost")],
            "path_params": given,
        }
        return handler(Request(scope))

    def _handler(self, path: str) -> tuple[Handler, dict[str, str]]:
        """What answers a path, and the parts of the path that it is given."""
        lists, insights = self._lists, self._insights
        room, _, rest = path.partition("/")
        kind, _, name = rest.partition("/")
        if path == "papers/search":
            return lambda _: self._pages.page("static_search.html"), {}
        if room in KINDS:
            return lists.people(cast("Kind", room)), {"handle": unquote(rest)}
        if room == "insights":
            return (
                (insights.csv, {"name": rest.removesuffix(".csv")}) if rest else (insights.show, {})
            )
        if rest.startswith("trending"):
            return lists.trending, {}
        by_kind: dict[str, tuple[Handler, dict[str, str]]] = {
            "": (lists.newest, {}),
            "date": (lists.day, {"day": name}),
            "week": (lists.week, {"week": name}),
            "month": (lists.month, {"month": name}),
        }
        return by_kind[kind]

    @cached_property
    def _vectors(self) -> Vectors:
        with self.published.opened() as connection:
            return all_vectors(connection)

    @cached_property
    def _pages(self) -> Pages:
        with self.published.opened() as connection:
            return Pages(self.site, names=frozenset(named_pages(connection)))

    @cached_property
    def _lists(self) -> "_Lists":
        return _Lists(self._pages, self.published, KeptMeanings())

    @cached_property
    def _insights(self) -> InsightsPage:
        return InsightsPage(self._pages, self.published)
