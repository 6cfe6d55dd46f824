"""What a run of a day and its artifacts are called in Prefect's UI.

Every artifact's key begins with the list date, so that a day's are found by typing the date.
"""

from datetime import date
from typing import Any

from prefect.runtime import flow_run

from flows.newsletter.render import long_date


def run_name() -> str:
    """The run's name as a sentence reads it: `papers of Thursday 20 August 2026`."""
    day = _day()
    return f"papers of {long_date(day)}" if day else "papers"


def key(name: str) -> str:
    """The key of an artifact of this run: `2026-08-20-verdict`, or its name where no day is set."""
    day = _day()
    return f"{day}-{name}" if day else name


def _day() -> date | None:
    """The list date that this run is about; one that the API started has it as text."""
    given: Any = flow_run.get_parameters().get("day")
    return date.fromisoformat(given) if isinstance(given, str) else given
