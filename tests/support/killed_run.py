"""What a forked run does: the flow of one day, in the home and with the settings it is told."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from flows import clock, transform
from flows.daily_papers import daily_papers
from flows.gates.gate import warm_up
from flows.settings import Settings
from tests.support.dbt_build import parsed_project
from tests.support.quick_builds import quick


def prepare(*targets: str) -> None:
    """Parse dbt's project once for each of these targets, or for a warehouse file."""
    warm_up()
    os.environ["PAPERS_WAREHOUSE_PATH"] = str(Settings().warehouse_path)
    for target in targets or ("local",):
        parsed_project(target)
    transform._manifest = lambda places: parsed_project(  # type: ignore[assignment]
        places[places.index("--target") + 1]
    )
    transform._write_docs_or_warn = lambda settings: None
    # What dbt's data tests read was written before; a kill among them is a kill after the models.
    transform._invoke = quick(transform._invoke)  # type: ignore[assignment]


def do(order: dict[str, Any]) -> None:
    """Run `{"home": …, "settings": {…}, "day": …, "now": …}`."""
    with in_home(order):
        daily_papers(date.fromisoformat(order["day"]), return_state=True)


@contextmanager
def in_home(order: dict[str, Any]) -> Iterator[None]:
    """The home and the settings of an order, and its time where it has one, for this block."""
    os.environ.update(order["settings"], PAPERS_HOME=order["home"])
    if "now" in order:
        now = datetime.fromisoformat(order["now"])
        clock.utc_now = lambda: now
    sys.stderr = Path(order["home"]).with_suffix(".log").open("a")
    # As `papers run` does: the last second of a run would be no run, and kills in it hit nothing.
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield
