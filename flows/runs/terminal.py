"""A flow run as a terminal shows it: a line a stage, the verdict's sentence last."""

import fcntl
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from flows.outcome import Outcome
from flows.settings import Settings

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

SERVE_LOCK = "serve.lock"


def prepare(settings: Settings) -> None:
    """Give Prefect its home in ours and a quiet terminal. It must not have been imported yet.

    Beside a running `papers serve` its server is used: two would lock each other's database.
    """
    if served := served_api(settings):
        os.environ.setdefault("PREFECT_API_URL", served)
    home = os.environ.setdefault("PREFECT_HOME", str(settings.home / "prefect"))
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    # The temporary server takes 7 s on a quiet machine; on a busy one 20 s, the default, is short.
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
    Path(home).mkdir(parents=True, exist_ok=True)


def served_api(settings: Settings) -> str | None:
    """The address of Prefect's API where `papers serve` runs for this home; else None."""
    path = settings.home / SERVE_LOCK
    if path.exists():
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read() or None
    return None


def run_quietly(start: Callable[[], "State[Any]"], console: Console) -> Outcome:
    """Run a flow, show its stage lines and nothing else of Prefect's, and give its outcome.

    What is heavy to import is imported beside, while the temporary server starts.
    """
    from prefect.logging.configuration import setup_logging
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from flows.runs.states import outcome_of

    setup_logging()
    lines, task_runs = _StageLines(console), logging.getLogger("prefect.task_runs")
    task_runs.addHandler(lines)
    threading.Thread(target=_import_heavy, daemon=True).start()
    # The heartbeat's thread is joined at the end of a run, which would cost a second.
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        state = start()
    task_runs.removeHandler(lines)
    return outcome_of(state)  # what a bug raised has its traceback, which is for us


class _StageLines(logging.Handler):
    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "is_stage_line", False):
            self._console.print(record.getMessage(), markup=False)


def _import_heavy() -> None:
    import dbt.cli.main  # noqa: F401

    from flows.gates.gate import warm_up

    warm_up()
