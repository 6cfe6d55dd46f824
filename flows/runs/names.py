"""What a run of a day and its artifacts are called in Prefect's UI.

Every artifact's key begins with the list date, so that a day's are found by typing the date.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from typing import Any

from prefect.runtime import flow_run

from flows.wording import long_date

_chosen: ContextVar[date | None] = ContextVar("the list date that a run chose", default=None)


@contextmanager
def about(day: date) -> Iterator[None]:
    """Name this list date as the subject of the block, in a run that was given none."""
    token = _chosen.set(day)
    try:
        yield
    finally:
        _chosen.reset(token)


def papers_of(day: date) -> str:
    """The name of a run about this list date: `papers of Thursday 20 August 2026`."""
    return f"papers of {long_date(day)}"


def run_name() -> str:
    """The name of the run that asks."""
    day = _day()
    return papers_of(day) if day else "papers"


def artifact_key(name: str) -> str:
    """The key of an artifact of this run: `2026-08-20-verdict`, or its name where no day is set."""
    day = _day()
    return f"{day}-{name}" if day else name


def _day() -> date | None:
    """The list date that this run is about; one that the API started has it as text."""
    given: Any = flow_run.get_parameters().get("day")
    return (date.fromisoformat(given) if isinstance(given, str) else given) or _chosen.get()
