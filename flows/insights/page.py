"""The insights as files that need no server: one self-contained page, and a CSV file a plot.

published/papers.duckdb ──▶ insights.html, insights/<question>.csv
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from duckdb import DuckDBPyConnection

from flows.insights.plots import Plot, plot
from flows.insights.questions import QUESTIONS, answered
from flows.newsletter.render import templates

PAGE = "insights.html"


@dataclass(frozen=True)
class Insights:
    """Every plot of one publication, and when its newest reading was made (UTC)."""

    plots: tuple[Plot, ...]
    newest_reading_at: datetime | None


def insights(connection: DuckDBPyConnection) -> Insights:
    """What the published file that is open here shows over time."""
    plots = tuple(plot(answered(connection, question)) for question in QUESTIONS)
    newest = connection.execute("select max(read_at) from marts.list_readings").fetchone()
    return Insights(plots, newest[0] if newest else None)


def insights_files(connection: DuckDBPyConnection) -> Mapping[str, str]:
    """The page and its CSV files, by their paths below the folder they are for."""
    found = insights(connection)
    files = {
        f"insights/{each.answer.question.name}.csv": each.answer.to_csv() for each in found.plots
    }
    return files | {PAGE: templates().get_template(PAGE).render(found=found)}
