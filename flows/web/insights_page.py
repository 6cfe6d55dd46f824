"""The insights in the browser: /insights, and /insights/<question>.csv."""

import threading
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from flows.insights.page import insights
from flows.insights.questions import QUESTIONS, answered
from flows.publication.kept_open import KeptOpen, Publication, now_published
from flows.web.guard import Refusal, reading_published
from flows.web.pages import Pages, kept

_SECONDS_KEPT = 60


@dataclass
class InsightsPage:
    """What the lists show over time: every reading is counted, so it is made once a publication."""

    pages: Pages
    published: KeptOpen
    _made: tuple[Publication | None, bytes] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def show(self, request: Request) -> Response:
        """All plots."""
        publication = now_published(self.published.path)
        with self._lock:
            if self._made is None or self._made[0] != publication:
                with reading_published(self.published) as connection:
                    found = insights(connection)
                self._made = publication, self.pages.text("insights.html", found=found).encode()
            content = self._made[1]
        return kept(request, content, "text/html", seconds=_SECONDS_KEPT)

    def csv(self, request: Request) -> Response:
        """The numbers of one plot."""
        name = request.path_params["name"]
        question = next((each for each in QUESTIONS if each.name == name), None)
        if question is None:
            raise Refusal(404, "There is no such plot.")
        with reading_published(self.published) as connection:
            content = answered(connection, question).to_csv()
        return kept(request, content.encode(), "text/csv", seconds=_SECONDS_KEPT)
