"""Forks runs of the daily flow on demand, from a process that has imported everything already.

Reads a line of JSON a run (`home`, `settings`, `day`, `now`) and answers with its process id; an
empty line waits for one of them and answers with its exit status.
"""

import json
import os
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from flows import clock, transform
from flows.daily_papers import daily_papers
from flows.gates.gate import warm_up
from flows.settings import Settings
from tests.flows.quick_builds import without_data_tests


def _run(order: dict[str, Any]) -> None:
    os.environ.update(order["settings"], PAPERS_HOME=order["home"])
    now = datetime.fromisoformat(order["now"])
    clock.utc_now = lambda: now
    sys.stderr = Path(order["home"]).with_suffix(".log").open("a")
    # As `papers run` does: the last second of a run would be no run, and kills in it hit nothing.
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        daily_papers(date.fromisoformat(order["day"]), return_state=True)


def _main(parsed_in: str) -> None:
    warm_up()
    os.environ["PAPERS_WAREHOUSE_PATH"] = str(Path(parsed_in) / "warehouse.duckdb")
    manifest = transform._manifest(transform._places(Settings(home=Path(parsed_in))))
    transform._manifest = lambda _places: manifest  # type: ignore[assignment]
    transform._write_docs_or_warn = lambda settings: None
    # What dbt's data tests read was written before; a kill among them is a kill after the models.
    transform._invoke = without_data_tests(transform._invoke)  # type: ignore[assignment]
    for line in sys.stdin:
        if not line.strip():
            print(os.wait()[1], flush=True)  # noqa: T201
        elif child := os.fork():
            print(child, flush=True)  # noqa: T201
        else:
            _run(json.loads(line))
            os._exit(0)


if __name__ == "__main__":
    _main(sys.argv[1])
