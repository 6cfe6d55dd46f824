"""What a forked backfill does: the days that it is told, in several small loads."""

import os
from datetime import date
from typing import Any

from flows import backfill
from flows.runs.states import outcome_of
from tests.support import killed_run

A_LOAD = 6


def prepare() -> None:
    """As for the run of a day, in a file and in a lake."""
    killed_run.prepare("local", "lake")
    backfill.CHUNK = A_LOAD


def do(order: dict[str, Any]) -> None:
    """Run `{"home": …, "settings": {…}, "first": …, "last": …, "now": …}`; the exit is its own."""
    with killed_run.in_home(order):
        first, last = (date.fromisoformat(order[name]) for name in ("first", "last"))
        state: Any = backfill.backfill(first, last, return_state=True)
    os._exit(outcome_of(state).exit_code)
