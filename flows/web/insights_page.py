"""The insights in the browser: /insights, and /insights/<question>.csv."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from flows.insights.page import insights
from flows.insights.questions import QUESTIONS, answered
from flows.publication.kept_open import KeptOpen
from flows.web.guard import Refusal, reading_published
from flows.web.pages import Pages, kept

_SECONDS_KEPT = 60


@dataclass(frozen=True)
class InsightsPage:
    """What the lists show over time."""

    pages: Pages
    published: KeptOpen

    def show(self, request: Request) -> Response:
        """All plots."""
        with reading_published(self.published) as connection:
            found = insights(connection)
        content = self.pages.text("insights.html", found=found)
        return kept(request, content.encode(), "text/html", seconds=_SECONDS_KEPT)

    def csv(self, request: Request) -> Response:
        """The numbers of one plot."""
        name = request.path_params["name"]
        question = next((each for each in QUESTIONS if each.name == name), None)
        if question is None:
            raise Refusal(404, "There is no such plot.")
        with reading_published(self.published) as connection:
            content = answered(connection, question).to_csv()
        return kept(request, content.encode(), "text/csv", seconds=_SECONDS_KEPT)
