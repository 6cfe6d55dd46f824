"""The quality page of a day: what was checked, what deviates, and every reading behind the list."""

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from flows.newsletter.digest import PAPER_ID
from flows.newsletter.render import templates
from flows.warehouse.day_facts import DayFacts
from flows.wording import long_date, verdict_words


@dataclass(frozen=True)
class Check:
    """One expectation of one gate, with what it saw. `examples` are up to five offending rows."""

    gate: str
    suite: str
    expectation: str
    column_name: str
    severity: str
    is_success: bool
    observed_value: str
    sentence: str
    examples: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """What it means for the day: `passed`, `warning` or `failed`."""
        if self.is_success:
            return "passed"
        return "warning" if self.severity == "warning" else "failed"


@dataclass(frozen=True)
class Quarantined:
    """A row that was kept out of the tables, by its place in the reading (from 0)."""

    paper_id: str | None
    position: int
    reason: str


@dataclass(frozen=True)
class ReadingLine:
    """One reading of the day."""

    read_at: datetime
    verdict: str
    reason: str
    item_count: int | None


@dataclass(frozen=True)
class QualityDay:
    """All that is known about the quality of one list date."""

    facts: DayFacts
    checks: tuple[Check, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    readings: tuple[ReadingLine, ...] = ()


def paper_url(text: str | None, hub_url: str) -> str | None:
    """The Hub's page of a paper where the text is a paper's id, else None."""
    return f"{hub_url.rstrip('/')}/papers/{text}" if re.fullmatch(PAPER_ID, text or "") else None


def render_quality(day: QualityDay, hub_url: str = "https://huggingface.co") -> str:
    """The day's quality as one self-contained HTML page: no script, nothing fetched."""
    gates = [(gate, list(checks)) for gate, checks in groupby(day.checks, lambda check: check.gate)]
    return (
        templates()
        .get_template("quality.html")
        .render(
            day=day,
            dateline=long_date(day.facts.list_date),
            verdict_words=verdict_words,
            # Blocking checks come before warnings.
            deviating=sorted(
                (check for check in day.checks if not check.is_success),
                key=lambda check: check.outcome,
            ),
            gates=gates,
            paper_url=lambda text: paper_url(text, hub_url),
        )
    )
