"""What a forked backfill does: the days that it is told, in several small loads."""

from datetime import date
from typing import Any

from flows import backfill
from tests.support import killed_run

A_LOAD = 6


def prepare() -> None:
    """As for the run of a day."""
    killed_run.prepare()
    backfill.CHUNK = A_LOAD


def do(order: dict[str, Any]) -> None:
    """Run `{"home": …, "settings": {…}, "first": …, "last": …, "now": …}`."""
    with killed_run.in_home(order):
        first, last = (date.fromisoformat(order[name]) for name in ("first", "last"))
        backfill.backfill(first, last, return_state=True)
